using System.Globalization;
using System.Text.Json.Nodes;

namespace Billing.Silo.Sandbox;

/// <summary>Invoice items: each is behind one line of an invoice, or waits for the next invoice that sweeps it in.</summary>
internal static class InvoiceItems
{
    /// <summary>What create takes.</summary>
    public const string CreateParameters =
        "customer amount currency description invoice metadata.* quantity unit_amount_decimal period.start period.end discountable " +
        "price_data.currency price_data.product price_data.unit_amount price_data.unit_amount_decimal price_data.tax_behavior";

    /// <summary>What update takes.</summary>
    public const string UpdateParameters = "amount description metadata.* quantity unit_amount_decimal period.start period.end discountable";

    private const string Template =
        """
        {"id":"","object":"invoiceitem","amount":0,"currency":"","customer":"","customer_account":null,"date":0,"description":null,
         "discountable":true,"discounts":[],"invoice":null,"livemode":false,"metadata":{},"net_amount":0,"parent":null,
         "period":{"end":0,"start":0},"pricing":{"type":"price_details","unit_amount_decimal":null},"proration":false,"quantity":1,
         "quantity_decimal":"1","tax_rates":[],"test_clock":null}
        """;

    /// <summary><c>POST /v1/invoiceitems</c>; without an invoice it waits, and any later invoice may sweep it in.</summary>
    public static JsonObject Create(StripeCall call)
    {
        var customer = call.Named(Kinds.Customer, call.Sent.NeededText("customer"), "customer");
        var invoice = call.Named(Kinds.Invoice, "invoice");
        if (invoice is not null && invoice.Text("status") != "draft") throw Invoices.NotEditable(invoice, "invoice");
        if (invoice is not null && invoice.Text("customer") != customer.Id())
            throw StripeRefusal.Invalid("The invoice belongs to another customer.", "invoice");
        var item = Make(call, call.Sent, customer, (invoice?.Text("currency") ?? call.Sent.Text("currency") ?? customer.TextOrNone("currency") ?? "usd").ToLowerInvariant());
        if (call.Sent.Text("currency") is { } currency && currency.ToLowerInvariant() != item.Text("currency"))
            throw StripeRefusal.Invalid("The currency of an item is the one of its invoice.", "currency");
        if (invoice is null)
        {
            call.Put(item, $"customer:{customer.Id()}", $"pending:{customer.Id()}");
        }
        else
        {
            call.Put(item, $"customer:{customer.Id()}");
            InvoiceLines.Behind(call, invoice, item);
            Invoices.AddUp(call, invoice);
            call.Put(invoice);
        }

        call.Tell("invoiceitem.created", item);
        if (invoice is not null) call.Tell("invoice.updated", invoice);
        return item;
    }

    /// <summary><c>POST /v1/invoiceitems/:id</c></summary>
    public static JsonObject Update(StripeCall call)
    {
        var item = call.Addressed(Kinds.InvoiceItem);
        var invoice = item.TextOrNone("invoice") is { } on ? call.Get(Kinds.Invoice, on) : null;
        if (invoice is not null && invoice.Text("status") != "draft") throw Invoices.NotEditable(invoice);
        Lay(call.Sent, item);
        call.Put(item);
        if (invoice is not null)
        {
            InvoiceLines.Behind(call, invoice, item);
            Invoices.AddUp(call, invoice);
            call.Put(invoice);
        }

        return item;
    }

    /// <summary><c>DELETE /v1/invoiceitems/:id</c></summary>
    public static JsonObject Delete(StripeCall call)
    {
        var item = call.Addressed(Kinds.InvoiceItem);
        if (item.TextOrNone("invoice") is { } on)
        {
            var invoice = call.Get(Kinds.Invoice, on);
            if (invoice.Text("status") != "draft") throw Invoices.NotEditable(invoice);
            InvoiceLines.Drop(call, item.Text("_line"));
            Invoices.AddUp(call, invoice);
            call.Put(invoice);
        }
        else
        {
            call.State.Remove(Kinds.InvoiceItem, item.Id());
        }

        call.Tell("invoiceitem.deleted", item);
        return Lists.Deleted(item);
    }

    /// <summary><c>GET /v1/invoiceitems</c>: of all, a customer, an invoice, or those that wait.</summary>
    public static JsonObject List(StripeCall call)
    {
        if (call.Sent.Flag("pending") is { } pending)
        {
            var customer = call.Sent.NeededText("customer");
            if (!call.State.Has(Kinds.Customer, customer)) throw StripeRefusal.Missing(Kinds.Customer, customer, "customer", 400);
            var ids = call.State.NewestFirst(Kinds.InvoiceItem, $"{(pending ? "pending" : "customer")}:{customer}");
            return Lists.Page(call, Kinds.InvoiceItem, ids, i => i.TextOrNone("invoice") is null == pending);
        }

        return Lists.Of(Kinds.InvoiceItem, ("customer", Kinds.Customer), ("invoice", Kinds.Invoice))(call);
    }

    /// <summary>Takes the items that wait onto a new invoice, the newest first, as Stripe orders them.</summary>
    public static void Sweep(StripeCall call, JsonObject invoice, bool needed)
    {
        var waiting = call.State.NewestFirst(Kinds.InvoiceItem, $"pending:{invoice.Text("customer")}")
            .Select(id => call.Get(Kinds.InvoiceItem, id))
            .Where(i => i.Text("currency") == invoice.Text("currency"))
            .ToList();
        if (waiting.Count == 0 && needed) throw StripeRefusal.Invalid("No item of the customer waits for an invoice.", code: "invoice_no_customer_line_items");
        foreach (var item in waiting) InvoiceLines.Behind(call, invoice, item);
    }

    /// <summary>A new item with what was sent for it.</summary>
    public static JsonObject Make(StripeCall call, Parameters sent, JsonObject customer, string currency)
    {
        if (!Currencies.AreKnown(currency)) throw StripeRefusal.WrongParameter($"Invalid currency: {currency}", "currency");
        var item = call.Make(Template, "ii");
        item["currency"] = currency;
        item["customer"] = customer.Id();
        item["date"] = call.Now;
        item["period"] = new JsonObject { ["end"] = call.Now, ["start"] = call.Now };
        if (!sent.Has("amount") && !sent.Has("unit_amount_decimal") && !sent.Has("price_data")) throw sent.Missing("amount");
        Lay(sent, item);
        return item;
    }

    /// <summary>Lays what was sent over an item: its amount, or a price and a quantity that make it.</summary>
    public static void Lay(Parameters sent, JsonObject item)
    {
        sent.LayTexts(item, "description");
        sent.LayMetadata(item);
        if (sent.Flag("discountable") is { } discountable) item["discountable"] = discountable;
        if (sent.Has("period"))
        {
            var period = sent.Within("period");
            var start = period.Number("start") ?? throw period.Missing("start");
            var end = period.Number("end") ?? throw period.Missing("end");
            if (end < start) throw StripeRefusal.Invalid("A period ends after it starts.", period.NameOf("end"));
            item["period"] = new JsonObject { ["end"] = end, ["start"] = start };
        }

        if (sent.Number("quantity") is { } quantity)
        {
            if (quantity < 0) throw StripeRefusal.WrongParameter("A quantity is zero or more.", sent.NameOf("quantity"), "parameter_invalid_integer");
            item["quantity"] = quantity;
            item["quantity_decimal"] = quantity.ToString(CultureInfo.InvariantCulture);
        }

        var price = sent.Has("price_data") ? sent.Within("price_data") : null;
        var unit = price?.Text("unit_amount_decimal") ?? price?.Amount("unit_amount")?.ToString(CultureInfo.InvariantCulture) ?? sent.Text("unit_amount_decimal");
        if (price is not null && unit is null) throw price.Missing("unit_amount");
        if (sent.Amount("amount") is { } amount)
        {
            if (unit is not null || sent.Has("quantity"))
                throw StripeRefusal.WrongParameter("An amount stands alone: a quantity goes with a price.", sent.NameOf("amount"), "parameters_exclusive");
            item["amount"] = amount;
            unit = amount.ToString(CultureInfo.InvariantCulture);
        }
        else if (unit is not null || sent.Has("quantity"))
        {
            unit ??= item["pricing"]!.AsObject().Text("unit_amount_decimal");
            if (!decimal.TryParse(unit, NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var each) || decimal.Abs(each) > 999_999_999_999m)
                throw StripeRefusal.WrongParameter($"Invalid decimal: {unit}", sent.NameOf("unit_amount_decimal"));
            // Stripe rounds half away from zero to the minor unit.
            var exact = each * item.Number("quantity");
            if (decimal.Abs(exact) > 999_999_999_999m) throw StripeRefusal.WrongParameter("The amount is beyond the largest one.", sent.NameOf("quantity"), "amount_too_large");
            item["amount"] = (long)decimal.Round(exact, 0, MidpointRounding.AwayFromZero);
        }

        if (unit is not null) item["pricing"]!["unit_amount_decimal"] = unit;
        item["net_amount"] = item.Number("amount");
    }
}
