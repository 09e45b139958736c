using System.Text.Json.Nodes;

namespace Billing.Silo.Sandbox;

/// <summary>The lines of a draft, added, changed and removed in bulk or one by one. Each has an invoice item behind it.</summary>
internal static class InvoiceLines
{
    /// <summary>What <c>add_lines</c> takes.</summary>
    public const string AddParameters =
        "invoice_metadata.* lines.#.amount lines.#.description lines.#.metadata.* lines.#.quantity lines.#.period.start lines.#.period.end " +
        "lines.#.discountable lines.#.invoice_item lines.#.price_data.currency lines.#.price_data.product lines.#.price_data.unit_amount " +
        "lines.#.price_data.unit_amount_decimal lines.#.price_data.tax_behavior lines.#.price_data.product_data.name";

    /// <summary>What <c>update_lines</c> takes.</summary>
    public const string UpdateParameters =
        "invoice_metadata.* lines.#.id lines.#.amount lines.#.description lines.#.metadata.* lines.#.quantity lines.#.period.start lines.#.period.end lines.#.discountable";

    /// <summary>What <c>remove_lines</c> takes.</summary>
    public const string RemoveParameters = "invoice_metadata.* lines.#.id lines.#.behavior";

    /// <summary>What the update of one line takes.</summary>
    public const string OneParameters = "amount description metadata.* quantity period.start period.end discountable";

    private const string Template =
        """
        {"id":"","object":"line_item","amount":0,"currency":"","description":null,"discount_amounts":[],"discountable":true,"discounts":[],
         "invoice":"","livemode":false,"metadata":{},"parent":{"invoice_item_details":{"invoice_item":"","proration":false,
         "proration_details":{"credited_items":null},"subscription":null},"subscription_item_details":null,"type":"invoice_item_details"},
         "period":{"end":0,"start":0},"pretax_credit_amounts":[],"pricing":null,"quantity":1,"quantity_decimal":"1","subscription":null,
         "subtotal":0,"taxes":[]}
        """;

    /// <summary><c>POST /v1/invoices/:id/add_lines</c></summary>
    public static JsonObject Add(StripeCall call)
    {
        var invoice = Draft(call);
        var customer = call.Get(Kinds.Customer, invoice.Text("customer"));
        var lines = Needed(call);
        foreach (var line in lines)
        {
            JsonObject item;
            if (line.Text("invoice_item") is { } waiting)
            {
                item = call.Named(Kinds.InvoiceItem, waiting, line.NameOf("invoice_item"));
                if (item.TextOrNone("invoice") is not null || item.Text("customer") != customer.Id())
                    throw StripeRefusal.Invalid("The item is on an invoice already, or belongs to another customer.", line.NameOf("invoice_item"));
                InvoiceItems.Lay(line, item);
            }
            else
            {
                item = InvoiceItems.Make(call, line, customer, invoice.Text("currency"));
                call.Put(item, $"customer:{customer.Id()}");
            }

            Behind(call, invoice, item);
        }

        return Changed(call, invoice);
    }

    /// <summary><c>POST /v1/invoices/:id/update_lines</c></summary>
    public static JsonObject UpdateMany(StripeCall call)
    {
        var invoice = Draft(call);
        foreach (var line in Needed(call)) Update(call, invoice, line, line.NeededText("id"));
        return Changed(call, invoice);
    }

    /// <summary><c>POST /v1/invoices/:id/lines/:line</c></summary>
    public static JsonObject UpdateOne(StripeCall call)
    {
        var invoice = Draft(call);
        Update(call, invoice, call.Sent, call.Ids[1]);
        Changed(call, invoice);
        return call.Get(Kinds.LineItem, call.Ids[1]);
    }

    /// <summary><c>POST /v1/invoices/:id/remove_lines</c>: each is deleted, or its item waits again.</summary>
    public static JsonObject Remove(StripeCall call)
    {
        var invoice = Draft(call);
        foreach (var line in Needed(call))
        {
            var id = line.NeededText("id");
            var behaviour = line.OneOf("behavior", "delete", "unassign") ?? throw line.Missing("behavior");
            if (call.State.KeyOf(Kinds.LineItem, id, "invoice:") != invoice.Id()) throw StripeRefusal.Missing("invoice line item", id, line.NameOf("id"), 400);
            Drop(call, id, waitsAgain: behaviour == "unassign");
        }

        return Changed(call, invoice);
    }

    /// <summary>Puts an item on a draft, or what changed of it onto its line.</summary>
    public static void Behind(StripeCall call, JsonObject invoice, JsonObject item)
    {
        var line = item.TryGetPropertyValue("_line", out var has) && has is not null ? call.Get(Kinds.LineItem, (string)has!) : call.Make(Template, "il");
        foreach (var name in new[] { "amount", "currency", "description", "discountable", "metadata", "period", "pricing", "quantity", "quantity_decimal" })
            line[name] = item[name]?.DeepClone();
        line["subtotal"] = line.Number("amount");
        line["invoice"] = invoice.Id();
        line["parent"]!["invoice_item_details"]!["invoice_item"] = item.Id();
        call.Put(line, $"invoice:{invoice.Id()}");

        item["invoice"] = invoice.Id();
        item["_line"] = line.Id();
        call.State.TakeKey(Kinds.InvoiceItem, item.Id(), $"pending:{item.Text("customer")}");
        call.State.AddKey(Kinds.InvoiceItem, item.Id(), $"invoice:{invoice.Id()}");
        call.Put(item);
    }

    /// <summary>Takes a line off its draft, with the item behind it unless that waits again.</summary>
    public static void Drop(StripeCall call, string line, bool waitsAgain = false)
    {
        var dropped = call.Get(Kinds.LineItem, line);
        var item = call.Get(Kinds.InvoiceItem, (string)dropped["parent"]!["invoice_item_details"]!["invoice_item"]!);
        call.State.Remove(Kinds.LineItem, line);
        if (!waitsAgain)
        {
            call.State.Remove(Kinds.InvoiceItem, item.Id());
            return;
        }

        item["invoice"] = null;
        item.Remove("_line");
        call.State.TakeKey(Kinds.InvoiceItem, item.Id(), $"invoice:{dropped.Text("invoice")}");
        call.State.AddKey(Kinds.InvoiceItem, item.Id(), $"pending:{item.Text("customer")}");
        call.Put(item);
    }

    private static void Update(StripeCall call, JsonObject invoice, Parameters sent, string id)
    {
        if (call.State.KeyOf(Kinds.LineItem, id, "invoice:") != invoice.Id()) throw StripeRefusal.Missing("invoice line item", id, "id", 400);
        var item = call.Get(Kinds.InvoiceItem, (string)call.Get(Kinds.LineItem, id)["parent"]!["invoice_item_details"]!["invoice_item"]!);
        InvoiceItems.Lay(sent, item);
        Behind(call, invoice, item);
    }

    private static JsonObject Draft(StripeCall call)
    {
        var invoice = call.Addressed(Kinds.Invoice);
        return invoice.Text("status") == "draft" ? invoice : throw Invoices.NotEditable(invoice);
    }

    private static IReadOnlyList<Parameters> Needed(StripeCall call)
    {
        var lines = call.Sent.Items("lines");
        return lines.Count > 0 ? lines : throw call.Sent.Missing("lines");
    }

    private static JsonObject Changed(StripeCall call, JsonObject invoice)
    {
        call.Sent.LayMetadata(invoice, "invoice_metadata");
        Invoices.AddUp(call, invoice);
        call.Put(invoice);
        call.Tell("invoice.updated", invoice);
        return invoice;
    }
}
