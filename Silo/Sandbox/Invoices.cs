using System.Globalization;
using System.Text.Json.Nodes;

namespace Billing.Silo.Sandbox;

/// <summary>Invoices from draft to paid, void or uncollectible. Once finalised, amounts do not change.</summary>
internal static class Invoices
{
    /// <summary>What create takes.</summary>
    public const string CreateParameters =
        "customer auto_advance collection_method currency days_until_due default_payment_method description due_date footer metadata.* " +
        "pending_invoice_items_behavior statement_descriptor number effective_at automatically_finalizes_at custom_fields.#.name custom_fields.#.value " +
        "payment_settings.payment_method_types.# payment_settings.default_mandate";

    /// <summary>What update takes.</summary>
    public const string UpdateParameters =
        "auto_advance collection_method days_until_due default_payment_method description due_date footer metadata.* statement_descriptor number effective_at " +
        "automatically_finalizes_at custom_fields.#.name custom_fields.#.value payment_settings.payment_method_types.# payment_settings.default_mandate";

    /// <summary>How long after it was made a draft that advances by itself is finalised, and a finalised one is collected.</summary>
    private static readonly TimeSpan AdvancesAfter = TimeSpan.FromHours(1);

    private const string Template =
        """
        {"id":"","object":"invoice","account_country":"US","account_name":"Sandbox","account_tax_ids":null,"amount_due":0,"amount_overpaid":0,
         "amount_paid":0,"amount_remaining":0,"amount_shipping":0,"application":null,"attempt_count":0,"attempted":false,"auto_advance":false,
         "automatic_tax":{"disabled_reason":null,"enabled":false,"liability":null,"provider":null,"status":null},
         "automatically_finalizes_at":null,"billing_reason":"manual","collection_method":"charge_automatically","created":0,"currency":"",
         "custom_fields":null,"customer":"","customer_account":null,"customer_address":null,"customer_email":null,"customer_name":null,
         "customer_phone":null,"customer_shipping":null,"customer_tax_exempt":"none","customer_tax_ids":[],"default_payment_method":null,
         "default_source":null,"default_tax_rates":[],"description":null,"discounts":[],"due_date":null,"effective_at":null,
         "ending_balance":null,"footer":null,"from_invoice":null,"hosted_invoice_url":null,"invoice_pdf":null,"issuer":{"type":"self"},
         "last_finalization_error":null,"latest_revision":null,"lines":null,"livemode":false,"metadata":{},"next_payment_attempt":null,
         "number":null,"on_behalf_of":null,"parent":null,
         "payment_settings":{"default_mandate":null,"payment_method_options":null,"payment_method_types":null},"period_end":0,"period_start":0,
         "post_payment_credit_notes_amount":0,"pre_payment_credit_notes_amount":0,"receipt_number":null,
         "rendering":{"amount_tax_display":null,"pdf":{"page_size":"letter"},"template":null,"template_version":null},"shipping_cost":null,
         "shipping_details":null,"starting_balance":0,"statement_descriptor":null,"status":"draft",
         "status_transitions":{"finalized_at":null,"marked_uncollectible_at":null,"paid_at":null,"voided_at":null},"subscription":null,
         "subtotal":0,"subtotal_excluding_tax":0,"test_clock":null,"total":0,"total_discount_amounts":[],"total_excluding_tax":0,
         "total_pretax_credit_amounts":[],"total_taxes":[],"webhooks_delivered_at":null}
        """;

    /// <summary><c>POST /v1/invoices</c></summary>
    public static JsonObject Create(StripeCall call)
    {
        var sent = call.Sent;
        var customer = call.Named(Kinds.Customer, sent.NeededText("customer"), "customer");
        var pending = sent.OneOf("pending_invoice_items_behavior", "exclude", "include", "include_and_require") ?? "exclude";
        var invoice = call.Make(Template, "in");
        invoice["customer"] = customer.Id();
        invoice["currency"] = (sent.Text("currency") ?? customer.TextOrNone("currency") ?? "usd").ToLowerInvariant();
        if (!Currencies.AreKnown(invoice.Text("currency"))) throw StripeRefusal.WrongParameter($"Invalid currency: {invoice.Text("currency")}", "currency");
        invoice["auto_advance"] = sent.Flag("auto_advance") ?? false;
        invoice["period_start"] = call.Now;
        invoice["period_end"] = call.Now;
        invoice["webhooks_delivered_at"] = call.Now;
        invoice["starting_balance"] = customer.Number("balance");
        TakeCustomer(invoice, customer);
        Lay(call, invoice);
        if (customer.TextOrNone("currency") is null)
        {
            customer["currency"] = invoice.Text("currency");
            call.Put(customer);
        }

        call.Put(invoice, $"customer:{customer.Id()}");
        if (pending != "exclude") InvoiceItems.Sweep(call, invoice, needed: pending == "include_and_require");
        AddUp(call, invoice);
        call.Put(invoice);
        AdvanceLater(call, invoice, "finalize");
        call.Tell("invoice.created", invoice);
        return invoice;
    }

    /// <summary><c>POST /v1/invoices/:id</c>; a finalised invoice keeps all but its metadata and a few words.</summary>
    public static JsonObject Update(StripeCall call)
    {
        var invoice = call.Addressed(Kinds.Invoice);
        if (invoice.Text("status") != "draft")
        {
            foreach (var fixedName in new[] { "collection_method", "days_until_due", "due_date", "footer", "description", "number", "effective_at", "custom_fields", "statement_descriptor" })
                if (call.Sent.Has(fixedName)) throw NotEditable(invoice, call.Sent.NameOf(fixedName));
        }

        Lay(call, invoice);
        var advances = call.Sent.Flag("auto_advance") == true && !invoice.Flag("auto_advance");
        if (call.Sent.Flag("auto_advance") is { } advance) invoice["auto_advance"] = advance && invoice.Text("status") is "draft" or "open";
        if (advances) AdvanceLater(call, invoice, invoice.Text("status") == "draft" ? "finalize" : "collect");
        call.Put(invoice);
        call.Tell("invoice.updated", invoice);
        return invoice;
    }

    /// <summary><c>DELETE /v1/invoices/:id</c>; drafts only.</summary>
    public static JsonObject Delete(StripeCall call)
    {
        var invoice = call.Addressed(Kinds.Invoice);
        if (invoice.Text("status") != "draft") throw StripeRefusal.Invalid("Only a draft can be deleted; an invoice that was finalised is voided.", code: "invoice_not_editable");
        foreach (var line in call.State.OldestFirst(Kinds.LineItem, $"invoice:{invoice.Id()}").ToList()) InvoiceLines.Drop(call, line);
        AddUp(call, invoice);
        call.Tell("invoice.deleted", invoice);
        call.State.Remove(Kinds.Invoice, invoice.Id());
        return Lists.Deleted(invoice);
    }

    /// <summary><c>POST /v1/invoices/:id/finalize</c></summary>
    public static JsonObject FinalizeDraft(StripeCall call)
    {
        var invoice = call.Addressed(Kinds.Invoice);
        if (invoice.Text("status") != "draft") throw StripeRefusal.Invalid("The invoice is finalised already; only a draft can be finalised.", code: "invoice_not_editable");
        if (call.Sent.Flag("auto_advance") is { } advance) invoice["auto_advance"] = advance;
        FinalizeDraft(call, invoice);
        AdvanceLater(call, invoice, "collect");
        return invoice;
    }

    /// <summary>
    /// Finalises a draft: its number, what the customer's balance takes off or adds, and the payment it waits for. Nothing due is paid at
    /// once; less than the smallest charge goes to the balance of the customer.
    /// </summary>
    public static void FinalizeDraft(StripeCall call, JsonObject invoice)
    {
        AddUp(call, invoice);
        var customer = call.Get(Kinds.Customer, invoice.Text("customer"));
        if (customer["deleted"] is not null) throw StripeRefusal.Missing(Kinds.Customer, customer.Id(), "customer", 400);
        var total = invoice.Number("total");
        var currency = invoice.Text("currency");
        var balance = customer.TextOrNone("currency") is { } has && has != currency ? 0 : customer.Number("balance");
        var number = customer.Number("next_invoice_sequence");
        invoice["number"] ??= $"{customer.Text("invoice_prefix")}-{number.ToString("0000", CultureInfo.InvariantCulture)}";
        customer["next_invoice_sequence"] = number + 1;
        call.Put(customer);
        invoice["status"] = "open";
        invoice["status_transitions"]!["finalized_at"] = call.Now;
        invoice["effective_at"] ??= call.Now;
        invoice["starting_balance"] = balance;
        invoice["hosted_invoice_url"] = $"https://invoice.stripe.com/i/sandbox/{invoice.Id()}";
        invoice["invoice_pdf"] = $"https://pay.stripe.com/invoice/sandbox/{invoice.Id()}/pdf";

        // What the balance adds to this invoice, in minor units: a debt is added, credit is taken off; below zero all goes to the balance.
        var added = total < 0 ? -total : long.Max(balance, -total);
        if (added != 0) Customers.Change(call, customer, -added, currency, "applied_to_invoice", invoice.Id());
        var due = total + added;
        if (due > 0 && due < Currencies.SmallestCharge(currency))
        {
            Customers.Change(call, customer, due, currency, "invoice_too_small", invoice.Id());
            added -= due;
            due = 0;
        }

        invoice["_from_balance"] = added;
        invoice["ending_balance"] = customer.Number("balance");
        invoice["amount_due"] = due;
        invoice["amount_remaining"] = due;
        if (due > 0) Payments.Begin(call, invoice);
        call.Put(invoice);
        call.Tell("invoice.finalized", invoice);
        if (due == 0) MarkPaid(call, invoice);
    }

    /// <summary><c>POST /v1/invoices/:id/void</c>; what the balance had taken off goes back to it.</summary>
    public static JsonObject Void(StripeCall call)
    {
        var invoice = call.Addressed(Kinds.Invoice);
        if (invoice.Text("status") is not ("open" or "uncollectible"))
            throw StripeRefusal.Invalid($"An invoice that is {invoice.Text("status")} cannot be voided: it has to be open or uncollectible.", code: "invoice_not_editable");
        Payments.Cancel(call, invoice, "void_invoice");
        var back = invoice.TryGetPropertyValue("_from_balance", out var added) ? (long)added! : 0;
        var customer = call.Get(Kinds.Customer, invoice.Text("customer"));
        if (back != 0 && customer["deleted"] is null) Customers.Change(call, customer, back, invoice.Text("currency"), "unapplied_from_invoice", invoice.Id());
        invoice["status"] = "void";
        invoice["auto_advance"] = false;
        invoice["status_transitions"]!["voided_at"] = call.Now;
        call.Put(invoice);
        call.Tell("invoice.voided", invoice);
        return invoice;
    }

    /// <summary><c>POST /v1/invoices/:id/mark_uncollectible</c></summary>
    public static JsonObject MarkUncollectible(StripeCall call)
    {
        var invoice = call.Addressed(Kinds.Invoice);
        if (invoice.Text("status") != "open")
            throw StripeRefusal.Invalid($"An invoice that is {invoice.Text("status")} cannot be marked uncollectible: it has to be open.", code: "invoice_not_editable");
        invoice["status"] = "uncollectible";
        invoice["auto_advance"] = false;
        invoice["status_transitions"]!["marked_uncollectible_at"] = call.Now;
        call.Put(invoice);
        call.Tell("invoice.marked_uncollectible", invoice);
        return invoice;
    }

    /// <summary>Adds the lines of a draft up.</summary>
    public static void AddUp(StripeCall call, JsonObject invoice)
    {
        long total = 0;
        foreach (var line in call.State.OldestFirst(Kinds.LineItem, $"invoice:{invoice.Id()}")) total += call.Get(Kinds.LineItem, line).Number("amount");
        foreach (var name in new[] { "subtotal", "subtotal_excluding_tax", "total", "total_excluding_tax" }) invoice[name] = total;
        invoice["amount_due"] = long.Max(total, 0);
        invoice["amount_remaining"] = long.Max(total, 0);
    }

    /// <summary>Marks an invoice paid; how, the caller has put on it.</summary>
    public static void MarkPaid(StripeCall call, JsonObject invoice)
    {
        invoice["status"] = "paid";
        invoice["attempted"] = true;
        invoice["auto_advance"] = false;
        invoice["next_payment_attempt"] = null;
        invoice["status_transitions"]!["paid_at"] = call.Now;
        call.Put(invoice);
        call.Tell("invoice.paid", invoice);
        call.Tell("invoice.payment_succeeded", invoice);
    }

    /// <summary>A change that a finalised invoice does not allow.</summary>
    public static StripeRefusal NotEditable(JsonObject invoice, string? parameter = null) =>
        StripeRefusal.Invalid($"The invoice is {invoice.Text("status")}: only a draft can be changed in this way.", parameter, "invoice_not_editable");

    private static void AdvanceLater(StripeCall call, JsonObject invoice, string work)
    {
        if (!invoice.Flag("auto_advance") || invoice.Text("status") is not ("draft" or "open")) return;
        if (work == "finalize") invoice["automatically_finalizes_at"] = (call.At + AdvancesAfter).ToUnixTimeSeconds();
        else if (invoice.Text("collection_method") == "charge_automatically") invoice["next_payment_attempt"] = (call.At + AdvancesAfter).ToUnixTimeSeconds();
        call.Put(invoice);
        call.Later(AdvancesAfter, work, invoice.Id());
    }

    private static void TakeCustomer(JsonObject invoice, JsonObject customer)
    {
        foreach (var (to, from) in new[] { ("customer_address", "address"), ("customer_email", "email"), ("customer_name", "name"), ("customer_phone", "phone"), ("customer_shipping", "shipping"), ("customer_tax_exempt", "tax_exempt") })
            invoice[to] = customer[from]?.DeepClone();
    }

    private static void Lay(StripeCall call, JsonObject invoice)
    {
        var sent = call.Sent;
        sent.LayTexts(invoice, "description", "footer", "statement_descriptor");
        sent.LayMetadata(invoice);
        if (sent.Text("number") is { } number) invoice["number"] = number;
        if (sent.Number("effective_at") is { } effective) invoice["effective_at"] = effective;
        if (sent.OneOf("collection_method", "charge_automatically", "send_invoice") is { } method) invoice["collection_method"] = method;
        if (sent.Number("days_until_due") is { } days) invoice["due_date"] = call.Now + (days * 86_400);
        if (sent.Number("due_date") is { } due) invoice["due_date"] = due;
        if (invoice.Text("collection_method") == "charge_automatically" && invoice["due_date"] is not null)
            throw StripeRefusal.Invalid("An invoice that is charged automatically has no due date.", sent.Has("due_date") ? "due_date" : "days_until_due");
        if (invoice.Text("collection_method") == "send_invoice" && invoice["due_date"] is null)
            throw StripeRefusal.Invalid("An invoice that is sent needs a due date: give days_until_due or due_date.", "days_until_due");
        if (sent.Has("default_payment_method"))
        {
            var named = sent.Text("default_payment_method");
            invoice["default_payment_method"] = named is null ? null : PaymentMethods.Belonging(call, named, invoice.Text("customer"), "default_payment_method").Id();
        }

        if (sent.Has("custom_fields"))
            invoice["custom_fields"] = new JsonArray([.. sent.Items("custom_fields").Select(f => new JsonObject { ["name"] = f.NeededText("name"), ["value"] = f.NeededText("value") })]);
        if (sent.Within("payment_settings") is { } settings && settings.Has("payment_method_types"))
            invoice["payment_settings"]!["payment_method_types"] = new JsonArray([.. settings.Values("payment_method_types").Select(t => (JsonNode)t)]);
    }
}
