using System.Text.Json.Nodes;

namespace Billing.Silo.Sandbox;

/// <summary>A method of the API: its path, with <c>:id</c> for ids, what it takes, and what does it.</summary>
internal sealed record Route(string Method, string Path, string Takes, Func<StripeCall, JsonObject> Do)
{
    /// <summary>The steps of the path.</summary>
    public string[] Steps { get; } = Path.Split('/');

    /// <summary>The parameters it knows; every method can be asked to expand.</summary>
    public IReadOnlyList<string[]> Known { get; } = [.. $"{Takes} expand.#".Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(p => p.Split('.'))];
}

/// <summary>The methods of the API that the sandbox has.</summary>
internal static class Routes
{
    private const string Paging = Lists.Parameters;
    private const string Created = "created created.gt created.gte created.lt created.lte";
    private const string Ordinary = "description metadata.*";

    private static readonly Route[] All =
    [
        new("POST", "/v1/customers", Customers.Parameters, Customers.Create),
        new("GET", "/v1/customers", $"{Paging} {Created} email", Lists.Of(Kinds.Customer)),
        new("GET", "/v1/customers/:id", "", Lists.Retrieve(Kinds.Customer)),
        new("POST", "/v1/customers/:id", Customers.Parameters, Customers.Update),
        new("DELETE", "/v1/customers/:id", "", Customers.Delete),
        new("GET", "/v1/customers/:id/payment_methods", $"{Paging} type", Lists.Under(Kinds.Customer, Kinds.PaymentMethod, "customer")),
        new("GET", "/v1/customers/:id/payment_methods/:id", "", PaymentMethods.OfCustomer),
        new("GET", "/v1/customers/:id/balance_transactions", Paging, Lists.Under(Kinds.Customer, Kinds.CustomerBalanceTransaction, "customer")),
        new("POST", "/v1/customers/:id/balance_transactions", $"amount currency {Ordinary}", Customers.CreateTransaction),
        new("GET", "/v1/customers/:id/balance_transactions/:id", "", Customers.Transaction),

        new("GET", "/v1/payment_methods", $"{Paging} customer type", Lists.Of(Kinds.PaymentMethod, ("customer", Kinds.Customer))),
        new("GET", "/v1/payment_methods/:id", "", PaymentMethods.Retrieve),
        new("POST", "/v1/payment_methods/:id", "metadata.*", PaymentMethods.Update),
        new("POST", "/v1/payment_methods/:id/attach", "customer", PaymentMethods.Attach),
        new("POST", "/v1/payment_methods/:id/detach", "", PaymentMethods.Detach),

        new("POST", "/v1/invoices", Invoices.CreateParameters, Invoices.Create),
        new("GET", "/v1/invoices", $"{Paging} {Created} customer status collection_method", Lists.Of(Kinds.Invoice, ("customer", Kinds.Customer))),
        new("GET", "/v1/invoices/:id", "", Lists.Retrieve(Kinds.Invoice)),
        new("POST", "/v1/invoices/:id", Invoices.UpdateParameters, Invoices.Update),
        new("DELETE", "/v1/invoices/:id", "", Invoices.Delete),
        new("POST", "/v1/invoices/:id/finalize", "auto_advance", Invoices.FinalizeDraft),
        new("POST", "/v1/invoices/:id/pay", Payments.Parameters, Payments.Pay),
        new("POST", "/v1/invoices/:id/void", "", Invoices.Void),
        new("POST", "/v1/invoices/:id/mark_uncollectible", "", Invoices.MarkUncollectible),
        new("POST", "/v1/invoices/:id/add_lines", InvoiceLines.AddParameters, InvoiceLines.Add),
        new("POST", "/v1/invoices/:id/update_lines", InvoiceLines.UpdateParameters, InvoiceLines.UpdateMany),
        new("POST", "/v1/invoices/:id/remove_lines", InvoiceLines.RemoveParameters, InvoiceLines.Remove),
        new("GET", "/v1/invoices/:id/lines", Paging, Lists.Under(Kinds.Invoice, Kinds.LineItem, "invoice", oldestFirst: true)),
        new("POST", "/v1/invoices/:id/lines/:id", InvoiceLines.OneParameters, InvoiceLines.UpdateOne),

        new("POST", "/v1/invoiceitems", InvoiceItems.CreateParameters, InvoiceItems.Create),
        new("GET", "/v1/invoiceitems", $"{Paging} {Created} customer invoice pending", InvoiceItems.List),
        new("GET", "/v1/invoiceitems/:id", "", Lists.Retrieve(Kinds.InvoiceItem)),
        new("POST", "/v1/invoiceitems/:id", InvoiceItems.UpdateParameters, InvoiceItems.Update),
        new("DELETE", "/v1/invoiceitems/:id", "", InvoiceItems.Delete),

        new("GET", "/v1/invoice_payments", $"{Paging} {Created} invoice status payment.type payment.payment_intent", InvoicePayments),
        new("GET", "/v1/invoice_payments/:id", "", Lists.Retrieve(Kinds.InvoicePayment)),
        new("GET", "/v1/payment_intents", $"{Paging} {Created} customer", Lists.Of(Kinds.PaymentIntent, ("customer", Kinds.Customer))),
        new("GET", "/v1/payment_intents/:id", "", Lists.Retrieve(Kinds.PaymentIntent)),
        new("POST", "/v1/payment_intents/:id", Ordinary, Charges.Update(Kinds.PaymentIntent)),
        new("GET", "/v1/charges", $"{Paging} {Created} customer payment_intent", Lists.Of(Kinds.Charge, ("customer", Kinds.Customer), ("payment_intent", Kinds.PaymentIntent))),
        new("GET", "/v1/charges/:id", "", Lists.Retrieve(Kinds.Charge)),
        new("POST", "/v1/charges/:id", Ordinary, Charges.Update(Kinds.Charge)),
        new("GET", "/v1/charges/:id/refunds", Paging, Lists.Under(Kinds.Charge, Kinds.Refund, "charge")),
        new("POST", "/v1/refunds", Refunds.Parameters, Refunds.Create),
        new("GET", "/v1/refunds", $"{Paging} {Created} charge payment_intent", Lists.Of(Kinds.Refund, ("charge", Kinds.Charge), ("payment_intent", Kinds.PaymentIntent))),
        new("GET", "/v1/refunds/:id", "", Lists.Retrieve(Kinds.Refund)),
        new("POST", "/v1/refunds/:id", "metadata.*", Refunds.Update),
        new("GET", "/v1/disputes", $"{Paging} {Created} charge payment_intent", Lists.Of(Kinds.Dispute, ("charge", Kinds.Charge), ("payment_intent", Kinds.PaymentIntent))),
        new("GET", "/v1/disputes/:id", "", Lists.Retrieve(Kinds.Dispute)),
        new("POST", "/v1/disputes/:id", Disputes.Parameters, Disputes.Update),
        new("POST", "/v1/disputes/:id/close", "", Disputes.Close),
        new("GET", "/v1/balance_transactions", $"{Paging} {Created} source type", Lists.Of(Kinds.BalanceTransaction, ("source", null))),
        new("GET", "/v1/balance_transactions/:id", "", Lists.Retrieve(Kinds.BalanceTransaction)),

        new("GET", "/v1/credit_notes/preview", CreditNotes.Parameters, CreditNotes.Preview),
        new("POST", "/v1/credit_notes", CreditNotes.Parameters, CreditNotes.Create),
        new("GET", "/v1/credit_notes", $"{Paging} {Created} customer invoice", Lists.Of(Kinds.CreditNote, ("customer", Kinds.Customer), ("invoice", Kinds.Invoice))),
        new("GET", "/v1/credit_notes/:id", "", Lists.Retrieve(Kinds.CreditNote)),
        new("POST", "/v1/credit_notes/:id", "memo metadata.*", CreditNotes.Update),

        new("GET", "/v1/events", $"{Paging} {Created} type", Lists.Of(Kinds.Event)),
        new("GET", "/v1/events/:id", "", Lists.Retrieve(Kinds.Event)),
        new("POST", "/v1/webhook_endpoints", "url enabled_events.# description api_version metadata.*", Webhooks.Create),
        new("GET", "/v1/webhook_endpoints", Paging, Lists.Of(Kinds.WebhookEndpoint)),
        new("GET", "/v1/webhook_endpoints/:id", "", Lists.Retrieve(Kinds.WebhookEndpoint)),
        new("POST", "/v1/webhook_endpoints/:id", "url enabled_events.# disabled description metadata.*", Webhooks.Update),
        new("DELETE", "/v1/webhook_endpoints/:id", "", Webhooks.Delete),
    ];

    /// <summary>The method of a path with the ids in it; null when there is none.</summary>
    public static (Route Route, string[] Ids)? Find(string method, string path)
    {
        var steps = path.Split('/');
        foreach (var route in All)
        {
            if (route.Method != method || route.Steps.Length != steps.Length) continue;
            var fits = true;
            for (var i = 0; fits && i < steps.Length; i++) fits = route.Steps[i] == ":id" ? steps[i].Length > 0 : route.Steps[i] == steps[i];
            if (fits) return (route, [.. steps.Where((_, i) => route.Steps[i] == ":id").Select(Uri.UnescapeDataString)]);
        }

        return null;
    }

    private static JsonObject InvoicePayments(StripeCall call)
    {
        var payment = call.Sent.Within("payment");
        if (payment.Text("payment_intent") is { } intent)
        {
            if (payment.OneOf("type", "payment_intent", "charge") is null) throw payment.Missing("type");
            return Lists.Page(call, Kinds.InvoicePayment, call.State.NewestFirst(Kinds.InvoicePayment, $"payment[payment_intent]:{intent}"), _ => true);
        }

        return Lists.Of(Kinds.InvoicePayment, ("invoice", Kinds.Invoice))(call);
    }
}
