using System.Text.Json.Nodes;

namespace Billing.Silo.Sandbox;

/// <summary>Customers and the balance that each carries: above zero they owe, below zero they have credit.</summary>
internal static class Customers
{
    /// <summary>What create and update take.</summary>
    public const string Parameters =
        "name email phone description balance metadata.* payment_method invoice_settings.default_payment_method invoice_settings.footer invoice_prefix " +
        "next_invoice_sequence tax_exempt preferred_locales.# address.city address.country address.line1 address.line2 address.postal_code address.state";

    private const string Template =
        """
        {"id":"","object":"customer","address":null,"balance":0,"created":0,"currency":null,"default_source":null,"delinquent":false,
         "description":null,"discount":null,"email":null,"invoice_prefix":"","invoice_settings":{"custom_fields":null,
         "default_payment_method":null,"footer":null,"rendering_options":null},"livemode":false,"metadata":{},"name":null,
         "next_invoice_sequence":1,"phone":null,"preferred_locales":[],"shipping":null,"tax_exempt":"none","test_clock":null}
        """;

    private const string TransactionTemplate =
        """
        {"id":"","object":"customer_balance_transaction","amount":0,"checkout_session":null,"created":0,"credit_note":null,"currency":"",
         "customer":"","customer_account":null,"description":null,"ending_balance":0,"invoice":null,"livemode":false,"metadata":{},"type":""}
        """;

    /// <summary><c>POST /v1/customers</c></summary>
    public static JsonObject Create(StripeCall call)
    {
        var customer = call.Make(Template, "cus", 14);
        customer["invoice_prefix"] = customer.Id()[4..12].ToUpperInvariant();
        call.Put(customer);
        var paymentMethod = call.Sent.Text("payment_method") is { } token ? PaymentMethods.Attach(call, token, customer.Id(), "payment_method") : null;
        Lay(call, customer, paymentMethod);
        call.Put(customer);
        call.Tell("customer.created", customer);
        return customer;
    }

    /// <summary><c>POST /v1/customers/:id</c></summary>
    public static JsonObject Update(StripeCall call)
    {
        var customer = Living(call);
        Lay(call, customer, null);
        call.Put(customer);
        call.Tell("customer.updated", customer);
        return customer;
    }

    /// <summary><c>DELETE /v1/customers/:id</c>; what is left is found by its id and says so.</summary>
    public static JsonObject Delete(StripeCall call)
    {
        var customer = Living(call);
        foreach (var method in call.State.NewestFirst(Kinds.PaymentMethod, $"customer:{customer.Id()}").ToList()) PaymentMethods.Release(call, method);
        call.Tell("customer.deleted", customer);
        var deleted = Lists.Deleted(customer);
        call.Put(deleted);
        return deleted;
    }

    /// <summary><c>POST /v1/customers/:id/balance_transactions</c></summary>
    public static JsonObject CreateTransaction(StripeCall call)
    {
        var customer = Living(call);
        var transaction = Change(call, customer, call.Sent.NeededAmount("amount"), call.Sent.NeededText("currency"), "adjustment");
        call.Sent.LayTexts(transaction, "description");
        call.Sent.LayMetadata(transaction);
        call.Put(transaction);
        call.Tell("customer.updated", customer);
        return transaction;
    }

    /// <summary><c>GET /v1/customers/:id/balance_transactions/:id</c></summary>
    public static JsonObject Transaction(StripeCall call) =>
        call.State.KeyOf(Kinds.CustomerBalanceTransaction, call.Ids[1], "customer:") == call.Ids[0]
            ? call.Get(Kinds.CustomerBalanceTransaction, call.Ids[1])
            : throw StripeRefusal.Missing(Kinds.CustomerBalanceTransaction, call.Ids[1], "transaction");

    /// <summary>Changes the balance by an amount in minor units and puts customer and transaction; nothing happens for zero.</summary>
    /// <param name="call">The call.</param>
    /// <param name="customer">The customer.</param>
    /// <param name="amount">Minor units; above zero the customer owes more.</param>
    /// <param name="currency">The currency, which is the customer's from then on.</param>
    /// <param name="type">Why, in Stripe's words.</param>
    /// <param name="invoice">The invoice it is for.</param>
    /// <param name="creditNote">The credit note it is for.</param>
    public static JsonObject Change(
        StripeCall call, JsonObject customer, long amount, string currency, string type, string? invoice = null, string? creditNote = null)
    {
        TakeCurrency(customer, currency);
        customer["balance"] = customer.Number("balance") + amount;
        call.Put(customer);
        var transaction = call.Make(TransactionTemplate, "cbtxn");
        transaction["amount"] = amount;
        transaction["currency"] = customer.Text("currency");
        transaction["customer"] = customer.Id();
        transaction["ending_balance"] = customer.Number("balance");
        transaction["invoice"] = invoice;
        transaction["credit_note"] = creditNote;
        transaction["type"] = type;
        call.Put(transaction, $"customer:{customer.Id()}");
        return transaction;
    }

    /// <summary>Gives a customer its currency with the first amount; amounts in another one are refused while a balance stands.</summary>
    public static void TakeCurrency(JsonObject customer, string currency)
    {
        var wanted = currency.ToLowerInvariant();
        if (customer.TextOrNone("currency") is { } has && has != wanted && customer.Number("balance") != 0)
            throw StripeRefusal.Invalid($"The customer has a balance in {has}; amounts in another currency wait until it is zero.", "currency");
        customer["currency"] = wanted;
    }

    private static JsonObject Living(StripeCall call)
    {
        var customer = call.Addressed(Kinds.Customer);
        return customer["deleted"] is null ? customer : throw StripeRefusal.Missing(Kinds.Customer, customer.Id(), "id");
    }

    private static void Lay(StripeCall call, JsonObject customer, JsonObject? attached)
    {
        var sent = call.Sent;
        sent.LayTexts(customer, "name", "email", "phone", "description");
        sent.LayMetadata(customer);
        if (sent.Text("invoice_prefix") is { } prefix) customer["invoice_prefix"] = prefix;
        if (sent.Number("next_invoice_sequence") is { } next) customer["next_invoice_sequence"] = next;
        if (sent.OneOf("tax_exempt", "none", "exempt", "reverse") is { } exempt) customer["tax_exempt"] = exempt;
        if (sent.Has("preferred_locales")) customer["preferred_locales"] = new JsonArray([.. sent.Values("preferred_locales").Select(l => (JsonNode)l)]);
        if (sent.Has("address"))
        {
            var address = new JsonObject();
            foreach (var name in new[] { "city", "country", "line1", "line2", "postal_code", "state" }) address[name] = sent.Within("address").Text(name);
            customer["address"] = address;
        }

        if (sent.Has("invoice_settings"))
        {
            var settings = sent.Within("invoice_settings");
            settings.LayTexts(customer["invoice_settings"]!.AsObject(), "footer");
            if (settings.Has("default_payment_method"))
            {
                var named = settings.Text("default_payment_method");
                var isTheAttached = attached is not null && (named == attached.Id() || named == sent.Text("payment_method"));
                if (named is not null && !isTheAttached) PaymentMethods.Belonging(call, named, customer.Id(), settings.NameOf("default_payment_method"));
                customer["invoice_settings"]!["default_payment_method"] = isTheAttached ? attached!.Id() : named;
            }
        }

        if (sent.Amount("balance") is { } balance && balance != customer.Number("balance"))
            Change(call, customer, balance - customer.Number("balance"), customer.TextOrNone("currency") ?? "usd", "adjustment");
    }
}
