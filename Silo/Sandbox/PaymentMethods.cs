using System.Text.Json.Nodes;

namespace Billing.Silo.Sandbox;

/// <summary>Payment methods: made of Stripe's test tokens, attached to a customer and detached for good.</summary>
internal static class PaymentMethods
{
    private const string Address = """{"city":null,"country":null,"line1":null,"line2":null,"postal_code":null,"state":null}""";

    private const string Template =
        $$$"""
        {"id":"","object":"payment_method","allow_redisplay":"unspecified","billing_details":{"address":{{{Address}}},"email":null,
         "name":null,"phone":null,"tax_id":null},"created":0,"customer":null,"customer_account":null,"livemode":false,"metadata":{},"type":""}
        """;

    private const string Card =
        """
        {"brand":"","checks":{"address_line1_check":null,"address_postal_code_check":null,"cvc_check":"pass"},"country":"US",
         "display_brand":"","exp_month":8,"exp_year":2030,"fingerprint":"","funding":"credit","generated_from":null,"last4":"",
         "networks":{"available":[],"preferred":null},"regulated_status":"unregulated","three_d_secure_usage":{"supported":true},"wallet":null}
        """;

    private const string BankAccount =
        """
        {"account_holder_type":"individual","account_type":"checking","bank_name":"STRIPE TEST BANK","financial_connections_account":null,
         "fingerprint":"","last4":"","networks":{"preferred":"ach","supported":["ach"]},"routing_number":"110000000","status_details":null}
        """;

    /// <summary>A new payment method of a test token; nothing when the token is none.</summary>
    public static JsonObject? FromToken(StripeCall call, string token)
    {
        if (TestPaymentMethods.Find(token) is not { } test) return null;
        var made = call.Make(Template, "pm");
        made["type"] = test.Type;
        made["_token"] = token;
        var details = (JsonObject)JsonNode.Parse(test.IsDebit ? BankAccount : Card)!;
        details["last4"] = test.Last4;
        // Stripe tells equal cards by their fingerprint: the same for the same test card.
        details["fingerprint"] = Mixing.Mix(call.State.Seed ^ ulong.Parse("1" + test.Last4)).ToString("X16");
        if (!test.IsDebit)
        {
            details["brand"] = test.Brand;
            details["display_brand"] = test.Brand;
            details["funding"] = test.Funding;
            details["networks"]!["available"] = new JsonArray(test.Brand);
        }

        made[test.Type] = details;
        return made;
    }

    /// <summary>What the test payment method behind an object does.</summary>
    public static TestPaymentMethod BehaviourOf(JsonObject paymentMethod) => TestPaymentMethods.Find(paymentMethod.Text("_token"))!;

    /// <summary><c>GET /v1/payment_methods/:id</c>; a test token shows a payment method that is kept nowhere.</summary>
    public static JsonObject Retrieve(StripeCall call) => FromToken(call, call.Ids[0]) ?? call.Addressed(Kinds.PaymentMethod);

    /// <summary><c>GET /v1/customers/:id/payment_methods/:id</c></summary>
    public static JsonObject OfCustomer(StripeCall call) => Belonging(call, call.Ids[1], call.Addressed(Kinds.Customer).Id(), "payment_method", 404);

    /// <summary><c>POST /v1/payment_methods/:id</c></summary>
    public static JsonObject Update(StripeCall call)
    {
        var paymentMethod = call.Addressed(Kinds.PaymentMethod);
        call.Sent.LayMetadata(paymentMethod);
        call.Put(paymentMethod);
        call.Tell("payment_method.updated", paymentMethod);
        return paymentMethod;
    }

    /// <summary><c>POST /v1/payment_methods/:id/attach</c></summary>
    public static JsonObject Attach(StripeCall call) =>
        Attach(call, call.Ids[0], call.Named(Kinds.Customer, call.Sent.NeededText("customer"), "customer").Id(), "payment_method");

    /// <summary>Attaches a payment method, or a new one of a test token, to a customer. Most declining cards are declined here.</summary>
    public static JsonObject Attach(StripeCall call, string id, string customer, string parameter)
    {
        var paymentMethod = FromToken(call, id) ?? call.State.Find(Kinds.PaymentMethod, id) ?? throw StripeRefusal.Missing("PaymentMethod", id, parameter);
        if (paymentMethod.TextOrNone("customer") is { } has)
        {
            if (has == customer) return paymentMethod;
            throw StripeRefusal.Invalid("This payment method belongs to another customer.", parameter, "payment_method_unexpected_state");
        }

        if (paymentMethod["_detached"] is not null)
            throw StripeRefusal.Invalid("A payment method that was detached from its customer cannot be used again: attach another one.", parameter, "payment_method_unexpected_state");
        if (BehaviourOf(paymentMethod) is { DeclinesAtAttach: true, Declines: { } decline }) throw Declined(decline);

        paymentMethod["customer"] = customer;
        call.Put(paymentMethod, $"customer:{customer}");
        call.Tell("payment_method.attached", paymentMethod);
        return paymentMethod;
    }

    /// <summary><c>POST /v1/payment_methods/:id/detach</c></summary>
    public static JsonObject Detach(StripeCall call)
    {
        var paymentMethod = call.Addressed(Kinds.PaymentMethod);
        if (paymentMethod.TextOrNone("customer") is null)
            throw StripeRefusal.Invalid("This payment method belongs to no customer, so it cannot be detached.", "payment_method", "payment_method_unexpected_state");
        return Release(call, paymentMethod.Id());
    }

    /// <summary>Takes a payment method from its customer, who no longer pays with it by default.</summary>
    public static JsonObject Release(StripeCall call, string id)
    {
        var paymentMethod = call.Get(Kinds.PaymentMethod, id);
        var customer = call.Get(Kinds.Customer, paymentMethod.Text("customer"));
        var settings = customer["invoice_settings"]!.AsObject();
        if (settings.TextOrNone("default_payment_method") == id)
        {
            settings["default_payment_method"] = null;
            call.Put(customer);
            call.Tell("customer.updated", customer);
        }

        call.State.TakeKey(Kinds.PaymentMethod, id, $"customer:{customer.Id()}");
        paymentMethod["customer"] = null;
        paymentMethod["_detached"] = true;
        call.Put(paymentMethod);
        call.Tell("payment_method.detached", paymentMethod, new() { ["customer"] = customer.Id() });
        return paymentMethod;
    }

    /// <summary>A payment method that a parameter names and that the customer has.</summary>
    public static JsonObject Belonging(StripeCall call, string id, string customer, string parameter, int status = 400)
    {
        var found = call.State.Find(Kinds.PaymentMethod, id);
        if (found?.TextOrNone("customer") != customer) throw StripeRefusal.Missing("PaymentMethod", id, parameter, status);
        return found!;
    }

    /// <summary>The error of a declined card.</summary>
    public static StripeRefusal Declined(Decline decline, JsonObject? details = null)
    {
        var more = details ?? [];
        if (decline.DeclineCode is { } declineCode) more["decline_code"] = declineCode;
        return new(402, "card_error", decline.Message, decline.Code) { KeepsChanges = details is not null, Details = more };
    }
}
