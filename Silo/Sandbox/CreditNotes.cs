using System.Globalization;
using System.Text.Json.Nodes;

namespace Billing.Silo.Sandbox;

/// <summary>
/// Credit notes: of an open invoice they take off what is due; of a paid one the amount goes back as a refund, to the customer's balance,
/// or outside of Stripe.
/// </summary>
internal static class CreditNotes
{
    /// <summary>What create and preview take.</summary>
    public const string Parameters =
        "invoice amount credit_amount refund_amount out_of_band_amount reason memo metadata.* lines.#.type lines.#.description lines.#.quantity " +
        "lines.#.unit_amount lines.#.amount lines.#.invoice_line_item";

    private const string Template =
        """
        {"id":"","object":"credit_note","amount":0,"amount_shipping":0,"created":0,"currency":"","customer":"","customer_account":null,
         "customer_balance_transaction":null,"discount_amount":0,"discount_amounts":[],"effective_at":0,"invoice":"","lines":null,
         "livemode":false,"memo":null,"metadata":{},"number":"","out_of_band_amount":null,"pdf":"","post_payment_amount":0,
         "pre_payment_amount":0,"pretax_credit_amounts":[],"reason":null,"refunds":[],"shipping_cost":null,"status":"issued","subtotal":0,
         "subtotal_excluding_tax":0,"total":0,"total_excluding_tax":0,"total_taxes":[],"type":"","voided_at":null}
        """;

    private const string LineTemplate =
        """
        {"id":"","object":"credit_note_line_item","amount":0,"description":null,"discount_amount":0,"discount_amounts":[],
         "invoice_line_item":null,"livemode":false,"metadata":null,"pretax_credit_amounts":[],"quantity":1,"tax_rates":[],"taxes":[],
         "type":"custom_line_item","unit_amount":null,"unit_amount_decimal":null}
        """;

    /// <summary><c>POST /v1/credit_notes</c></summary>
    public static JsonObject Create(StripeCall call) => Make(call, preview: false);

    /// <summary><c>GET /v1/credit_notes/preview</c></summary>
    public static JsonObject Preview(StripeCall call) => Make(call, preview: true);

    /// <summary><c>POST /v1/credit_notes/:id</c>: memo and metadata.</summary>
    public static JsonObject Update(StripeCall call)
    {
        var note = call.Addressed(Kinds.CreditNote);
        call.Sent.LayTexts(note, "memo");
        call.Sent.LayMetadata(note);
        call.Put(note);
        call.Tell("credit_note.updated", note);
        return note;
    }

    private static JsonObject Make(StripeCall call, bool preview)
    {
        var sent = call.Sent;
        var invoice = call.Named(Kinds.Invoice, sent.NeededText("invoice"), "invoice");
        if (invoice.Text("status") is not ("open" or "paid" or "uncollectible"))
            throw StripeRefusal.Invalid($"An invoice that is {invoice.Text("status")} takes no credit note.", "invoice");
        var note = call.Make(Template, "cn");
        var lines = LinesOf(call, note, invoice);
        var amount = sent.Has("lines") ? lines.Sum(l => l.Number("amount")) : sent.Amount("amount") ?? throw sent.Missing("amount");
        if (amount < 1) throw StripeRefusal.Invalid("A credit note is of at least one minor unit.", "amount");
        if (sent.Has("lines") && sent.Amount("amount") is { } said && said != amount)
            throw StripeRefusal.Invalid($"The lines add up to {amount}, not to the amount of {said}.", "amount");
        var before = invoice.Number("pre_payment_credit_notes_amount");
        var after = invoice.Number("post_payment_credit_notes_amount");
        if (amount > invoice.Number("total") - before - after)
            throw StripeRefusal.Invalid($"The credit note of {amount} is more than the {invoice.Number("total") - before - after} that are left of the invoice.", "amount");

        note["currency"] = invoice.Text("currency");
        note["customer"] = invoice.Text("customer");
        note["invoice"] = invoice.Id();
        note["effective_at"] = call.Now;
        note["reason"] = sent.OneOf("reason", "duplicate", "fraudulent", "order_change", "product_unsatisfactory");
        sent.LayTexts(note, "memo");
        sent.LayMetadata(note);
        foreach (var name in new[] { "amount", "subtotal", "subtotal_excluding_tax", "total", "total_excluding_tax" }) note[name] = amount;
        var count = call.State.NewestFirst(Kinds.CreditNote, $"invoice:{invoice.Id()}").Count() + 1;
        note["number"] = $"{invoice.Text("number")}-CN-{count.ToString("00", CultureInfo.InvariantCulture)}";
        note["pdf"] = $"https://pay.stripe.com/credit_notes/sandbox/{note.Id()}/pdf";
        note["lines"] = Lists.Envelope(lines, false, $"/v1/credit_notes/{note.Id()}/lines");

        var isPaid = invoice.Text("status") == "paid";
        note["type"] = isPaid ? "post_payment" : "pre_payment";
        note[isPaid ? "post_payment_amount" : "pre_payment_amount"] = amount;
        var shares = Shares(sent, amount, isPaid);
        if (preview) return note;

        call.Put(note, $"invoice:{invoice.Id()}", $"customer:{invoice.Text("customer")}");
        if (isPaid) GiveBack(call, note, invoice, shares);
        else TakeOff(call, invoice, amount);
        call.Put(note);
        call.Tell("credit_note.created", note);
        return note;
    }

    private static List<JsonObject> LinesOf(StripeCall call, JsonObject note, JsonObject invoice)
    {
        var lines = new List<JsonObject>();
        foreach (var sent in call.Sent.Items("lines"))
        {
            var line = call.Make(LineTemplate, "cnli");
            line["type"] = sent.OneOf("type", "invoice_line_item", "custom_line_item") ?? throw sent.Missing("type");
            var quantity = sent.Number("quantity") ?? 1;
            if (quantity is < 1 or > 1_000_000) throw StripeRefusal.WrongParameter("A quantity goes from 1 to 1,000,000.", sent.NameOf("quantity"), "parameter_invalid_integer");
            line["quantity"] = quantity;
            if (line.Text("type") == "invoice_line_item")
            {
                var of = sent.NeededText("invoice_line_item");
                if (call.State.KeyOf(Kinds.LineItem, of, "invoice:") != invoice.Id()) throw StripeRefusal.Missing("invoice line item", of, sent.NameOf("invoice_line_item"), 400);
                var credited = call.Get(Kinds.LineItem, of);
                line["invoice_line_item"] = of;
                line["description"] = credited.TextOrNone("description");
                line["amount"] = sent.Amount("amount") ?? credited.Number("amount");
            }
            else
            {
                var each = sent.Amount("unit_amount") ?? sent.Amount("amount") ?? throw sent.Missing("unit_amount");
                line["description"] = sent.NeededText("description");
                line["unit_amount"] = each;
                line["unit_amount_decimal"] = each.ToString(CultureInfo.InvariantCulture);
                line["amount"] = each * quantity;
            }

            lines.Add(line);
        }

        if (lines.Count == 0)
        {
            var whole = call.Make(LineTemplate, "cnli");
            whole["amount"] = call.Sent.Amount("amount") ?? 0;
            whole["unit_amount"] = whole.Number("amount");
            whole["unit_amount_decimal"] = whole.Number("amount").ToString(CultureInfo.InvariantCulture);
            lines.Add(whole);
        }

        return lines;
    }

    // What goes back as a refund, to the balance, and outside of Stripe, in minor units.
    private static (long Refund, long Credit, long OutOfBand) Shares(Parameters sent, long amount, bool isPaid)
    {
        var shares = (sent.Amount("refund_amount") ?? 0, sent.Amount("credit_amount") ?? 0, sent.Amount("out_of_band_amount") ?? 0);
        var sum = shares.Item1 + shares.Item2 + shares.Item3;
        if (!isPaid && sum != 0) throw StripeRefusal.Invalid("Nothing was paid that could go back: the invoice is not paid.", "refund_amount");
        if (isPaid && (sum != amount || shares.Item1 < 0 || shares.Item2 < 0 || shares.Item3 < 0))
            throw StripeRefusal.Invalid($"refund_amount, credit_amount and out_of_band_amount add up to {sum}, and have to be the {amount} of the credit note.", "amount");
        return shares;
    }

    private static void GiveBack(StripeCall call, JsonObject note, JsonObject invoice, (long Refund, long Credit, long OutOfBand) shares)
    {
        if (shares.Refund > 0)
        {
            var charge = call.State.NewestFirst(Kinds.Charge, $"invoice:{invoice.Id()}").Select(id => call.Get(Kinds.Charge, id)).FirstOrDefault(c => c.Text("status") == "succeeded")
                ?? throw StripeRefusal.Invalid("The invoice was not paid by a charge: nothing can be refunded.", "refund_amount");
            var refund = Refunds.Make(call, charge, shares.Refund, null);
            note["refunds"] = new JsonArray(new JsonObject
            {
                ["amount_refunded"] = shares.Refund, ["payment_record_refund"] = null, ["refund"] = refund.Id(), ["type"] = "refund",
            });
        }

        if (shares.Credit > 0)
        {
            var customer = call.Get(Kinds.Customer, invoice.Text("customer"));
            note["customer_balance_transaction"] =
                Customers.Change(call, customer, -shares.Credit, invoice.Text("currency"), "credit_note", invoice.Id(), note.Id()).Id();
        }

        if (shares.OutOfBand > 0) note["out_of_band_amount"] = shares.OutOfBand;
        invoice["post_payment_credit_notes_amount"] = invoice.Number("post_payment_credit_notes_amount") + note.Number("amount");
        call.Put(invoice);
    }

    private static void TakeOff(StripeCall call, JsonObject invoice, long amount)
    {
        var left = invoice.Number("amount_remaining");
        if (amount > left) throw StripeRefusal.Invalid($"The credit note of {amount} is more than the {left} that are due.", "amount");
        invoice["pre_payment_credit_notes_amount"] = invoice.Number("pre_payment_credit_notes_amount") + amount;
        invoice["amount_due"] = invoice.Number("amount_due") - amount;
        invoice["amount_remaining"] = left - amount;
        call.Put(invoice);
        call.Tell("invoice.updated", invoice);
        if (amount < left)
        {
            Payments.Reduce(call, invoice);
            return;
        }

        Payments.Cancel(call, invoice, "void_invoice");
        Invoices.MarkPaid(call, invoice);
    }
}
