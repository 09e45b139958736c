using System.Text.Json.Nodes;

namespace Billing.Silo.Sandbox;

/// <summary>Charges: one for each attempt to pay, succeeded, failed or pending, and the balance transactions of those that moved money.</summary>
internal static class Charges
{
    private const string Template =
        """
        {"id":"","object":"charge","amount":0,"amount_captured":0,"amount_refunded":0,"application":null,"application_fee":null,
         "application_fee_amount":null,"balance_transaction":null,"billing_details":null,"calculated_statement_descriptor":"SANDBOX",
         "captured":true,"created":0,"currency":"","customer":null,"description":null,"disputed":false,"failure_balance_transaction":null,
         "failure_code":null,"failure_message":null,"fraud_details":{},"livemode":false,"metadata":{},"on_behalf_of":null,
         "outcome":{"advice_code":null,"network_advice_code":null,"network_decline_code":null,"network_status":"approved_by_network",
         "reason":null,"seller_message":"Payment complete.","type":"authorized"},"paid":true,"payment_intent":null,"payment_method":"",
         "payment_method_details":null,"receipt_email":null,"receipt_number":null,"receipt_url":null,"refunded":false,"refunds":null,
         "review":null,"shipping":null,"source":null,"source_transfer":null,"statement_descriptor":null,"statement_descriptor_suffix":null,
         "status":"succeeded","transfer_data":null,"transfer_group":null}
        """;

    private const string CardDetails =
        """
        {"amount_authorized":0,"authorization_code":null,"brand":"","checks":null,"country":"US","exp_month":8,"exp_year":2030,
         "extended_authorization":{"status":"disabled"},"fingerprint":"","funding":"","incremental_authorization":{"status":"unavailable"},
         "installments":null,"last4":"","mandate":null,"multicapture":{"status":"unavailable"},"network":"",
         "network_token":{"used":false},"network_transaction_id":null,
         "overcapture":{"maximum_amount_capturable":0,"status":"unavailable"},"regulated_status":"unregulated","three_d_secure":null,
         "transaction_link_id":null,"wallet":null}
        """;

    private const string TransactionTemplate =
        """
        {"id":"","object":"balance_transaction","amount":0,"available_on":0,"balance_type":"payments","created":0,"currency":"",
         "description":null,"exchange_rate":null,"fee":0,"fee_details":[],"net":0,"reporting_category":"","source":"","status":"pending","type":""}
        """;

    private const long DaysUntilAvailable = 2;

    /// <summary>A new charge of what an intent asks for.</summary>
    public static JsonObject Make(StripeCall call, JsonObject intent, JsonObject method, string invoice)
    {
        var type = method.Text("type");
        var charge = call.Make(Template, type == "card" ? "ch" : "py");
        charge["amount"] = intent.Number("amount");
        charge["currency"] = intent.Text("currency");
        charge["customer"] = intent.Text("customer");
        charge["payment_intent"] = intent.Id();
        charge["payment_method"] = method.Id();
        charge["billing_details"] = method["billing_details"]!.DeepClone();
        charge["_invoice"] = invoice;
        var of = method[type]!.AsObject();
        var details = type == "card" ? (JsonObject)JsonNode.Parse(CardDetails)! : new() { ["bank_name"] = of.Text("bank_name"), ["routing_number"] = of.Text("routing_number") };
        foreach (var name in new[] { "brand", "checks", "country", "exp_month", "exp_year", "fingerprint", "funding", "last4" })
            if (of.TryGetPropertyValue(name, out var value)) details[name] = value?.DeepClone();
        if (type == "card")
        {
            details["network"] = of.Text("brand");
            details["amount_authorized"] = intent.Number("amount");
            details["overcapture"]!["maximum_amount_capturable"] = intent.Number("amount");
        }

        charge["payment_method_details"] = new JsonObject { [type] = details, ["type"] = type };
        return charge;
    }

    /// <summary>Puts a charge where it is found: by its customer, intent and invoice.</summary>
    public static void Put(StripeCall call, JsonObject charge) => call.Put(
        charge, $"customer:{charge.Text("customer")}", $"payment_intent:{charge.Text("payment_intent")}", $"invoice:{charge.Text("_invoice")}");

    /// <summary>The money has moved.</summary>
    public static void Succeed(StripeCall call, JsonObject charge)
    {
        var amount = charge.Number("amount");
        charge["status"] = "succeeded";
        charge["paid"] = true;
        charge["captured"] = true;
        charge["amount_captured"] = amount;
        charge["receipt_url"] = $"https://pay.stripe.com/receipts/sandbox/{charge.Id()}";
        // 2.9% and 30 minor units, rounded half up, as Stripe's list price is for cards of the country.
        charge["balance_transaction"] = Transaction(call, amount, ((amount * 29) + 500) / 1000 + 30, charge.Text("currency"), charge.Id(), "charge").Id();
        Put(call, charge);
    }

    /// <summary>The charge was declined.</summary>
    public static void Fail(StripeCall call, JsonObject charge, Decline decline)
    {
        charge["status"] = "failed";
        charge["paid"] = false;
        charge["captured"] = false;
        charge["failure_code"] = decline.Code;
        charge["failure_message"] = decline.Message;
        charge["outcome"] = new JsonObject
        {
            ["advice_code"] = decline.DeclineCode is "insufficient_funds" ? "try_again_later" : null,
            ["network_advice_code"] = null,
            ["network_decline_code"] = null,
            ["network_status"] = "declined_by_network",
            ["reason"] = decline.DeclineCode ?? decline.Code,
            ["seller_message"] = "The bank did not approve the charge.",
            ["type"] = "issuer_declined",
        };
        Put(call, charge);
    }

    /// <summary>An entry in the balance at Stripe.</summary>
    /// <param name="call">The call.</param>
    /// <param name="amount">Minor units; below zero it leaves.</param>
    /// <param name="fee">Minor units that Stripe keeps.</param>
    /// <param name="currency">The currency of both.</param>
    /// <param name="source">The object that made it.</param>
    /// <param name="type">What it is, in Stripe's words.</param>
    public static JsonObject Transaction(StripeCall call, long amount, long fee, string currency, string source, string type)
    {
        var transaction = call.Make(TransactionTemplate, "txn");
        transaction["amount"] = amount;
        transaction["fee"] = fee;
        transaction["net"] = amount - fee;
        if (fee > 0)
        {
            transaction["fee_details"] = new JsonArray(new JsonObject
            {
                ["amount"] = fee, ["application"] = null, ["currency"] = currency, ["description"] = "Stripe processing fees", ["type"] = "stripe_fee",
            });
        }

        transaction["currency"] = currency;
        transaction["source"] = source;
        transaction["type"] = type;
        transaction["reporting_category"] = type;
        transaction["available_on"] = call.Now + (DaysUntilAvailable * 86_400);
        call.Put(transaction, $"source:{source}");
        return transaction;
    }

    /// <summary><c>POST /v1/charges/:id</c> and <c>POST /v1/payment_intents/:id</c>: description and metadata.</summary>
    public static Func<StripeCall, JsonObject> Update(string kind) => call =>
    {
        var value = call.Addressed(kind);
        call.Sent.LayTexts(value, "description");
        call.Sent.LayMetadata(value);
        call.Put(value);
        if (kind == Kinds.Charge) call.Tell("charge.updated", value);
        return value;
    };
}
