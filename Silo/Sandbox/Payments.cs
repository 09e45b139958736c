using System.Text.Json.Nodes;

namespace Billing.Silo.Sandbox;

/// <summary>
/// Payments of invoices: a payment intent for each finalised invoice, a charge for each attempt. An invoice is paid by one charge at the
/// most: what is paid, void, or under way takes no other attempt.
/// </summary>
internal static class Payments
{
    /// <summary>What pay takes.</summary>
    public const string Parameters = "payment_method paid_out_of_band off_session forgive mandate";

    /// <summary>How long a bank debit is under way.</summary>
    public static readonly TimeSpan DebitTakes = TimeSpan.FromDays(4);

    private const string IntentTemplate =
        """
        {"id":"","object":"payment_intent","amount":0,"amount_capturable":0,"amount_details":{"tip":{}},"amount_received":0,
         "application":null,"application_fee_amount":null,"automatic_payment_methods":null,"canceled_at":null,"cancellation_reason":null,
         "capture_method":"automatic","client_secret":"","confirmation_method":"automatic","created":0,"currency":"","customer":null,
         "customer_account":null,"description":null,"excluded_payment_method_types":null,"last_payment_error":null,"latest_charge":null,
         "livemode":false,"managed_payments":null,"metadata":{},"next_action":null,"on_behalf_of":null,"payment_method":null,
         "payment_method_configuration_details":null,"payment_method_options":{},"payment_method_types":["card"],"processing":null,
         "receipt_email":null,"review":null,"setup_future_usage":null,"shipping":null,"source":null,"statement_descriptor":null,
         "statement_descriptor_suffix":null,"status":"requires_payment_method","transfer_data":null,"transfer_group":null}
        """;

    private const string InvoicePaymentTemplate =
        """
        {"id":"","object":"invoice_payment","amount_paid":null,"amount_requested":0,"created":0,"currency":"","invoice":"","is_default":true,
         "livemode":false,"payment":{"type":"payment_intent"},"status":"open","status_transitions":{"canceled_at":null,"paid_at":null}}
        """;

    /// <summary>Makes the payment that a finalised invoice waits for.</summary>
    public static void Begin(StripeCall call, JsonObject invoice)
    {
        var intent = call.Make(IntentTemplate, "pi");
        intent["amount"] = invoice.Number("amount_due");
        intent["currency"] = invoice.Text("currency");
        intent["customer"] = invoice.Text("customer");
        intent["client_secret"] = $"{intent.Id()}_secret_{call.State.NewId("s")[2..]}";
        intent["_invoice"] = invoice.Id();
        call.Put(intent, $"customer:{invoice.Text("customer")}", $"invoice:{invoice.Id()}");
        invoice["_payment_intent"] = intent.Id();

        var payment = call.Make(InvoicePaymentTemplate, "inpay");
        payment["amount_requested"] = invoice.Number("amount_due");
        payment["currency"] = invoice.Text("currency");
        payment["invoice"] = invoice.Id();
        payment["payment"]!["payment_intent"] = intent.Id();
        call.Put(payment, $"invoice:{invoice.Id()}", $"payment[payment_intent]:{intent.Id()}");
        invoice["_invoice_payment"] = payment.Id();
        call.Tell("payment_intent.created", intent);
    }

    /// <summary><c>POST /v1/invoices/:id/pay</c>; a draft is finalised first.</summary>
    public static JsonObject Pay(StripeCall call)
    {
        var invoice = call.Addressed(Kinds.Invoice);
        var sent = call.Sent;
        var outOfBand = sent.Flag("paid_out_of_band") ?? false;
        if (outOfBand && sent.Has("payment_method")) throw StripeRefusal.Invalid("An invoice that is paid elsewhere takes no payment method.", "payment_method");
        if (invoice.Text("status") == "draft")
        {
            Invoices.FinalizeDraft(call, invoice);
            if (invoice.Text("status") == "paid") return invoice;
        }

        if (invoice.Text("status") == "paid") throw StripeRefusal.Invalid("Invoice is already paid");
        if (invoice.Text("status") == "void") throw StripeRefusal.Invalid("The invoice is void and cannot be paid.");
        var intent = call.Get(Kinds.PaymentIntent, invoice.Text("_payment_intent"));
        if (intent.Text("status") == "processing") throw UnderWay();
        if (outOfBand)
        {
            Cancel(call, invoice, "void_invoice");
            invoice["amount_paid"] = invoice.Number("amount_due");
            invoice["amount_remaining"] = 0;
            Invoices.MarkPaid(call, invoice);
            return invoice;
        }

        Attempt(call, invoice, intent, MethodOf(call, invoice, sent.Text("payment_method")));
        return invoice;
    }

    /// <summary>Collects an invoice that advances by itself, when its time has come.</summary>
    public static void Collect(StripeCall call, string id)
    {
        if (call.State.Find(Kinds.Invoice, id) is not { } invoice || invoice.Text("status") != "open" || !invoice.Flag("auto_advance")) return;
        if (invoice.Text("collection_method") != "charge_automatically") return;
        var intent = call.Get(Kinds.PaymentIntent, invoice.Text("_payment_intent"));
        if (intent.Text("status") == "processing") return;
        invoice["next_payment_attempt"] = null;
        Attempt(call, invoice, intent, MethodOf(call, invoice, null));
    }

    /// <summary>Ends a bank debit that was under way.</summary>
    public static void SettleDebit(StripeCall call, string id)
    {
        var intent = call.Get(Kinds.PaymentIntent, id);
        if (intent.Text("status") != "processing") return;
        var invoice = call.Get(Kinds.Invoice, intent.Text("_invoice"));
        var charge = call.Get(Kinds.Charge, intent.Text("latest_charge"));
        var method = call.Get(Kinds.PaymentMethod, intent.Text("payment_method"));
        intent["processing"] = null;
        if (PaymentMethods.BehaviourOf(method).Declines is { } decline) Fail(call, invoice, intent, charge, method, decline);
        else Succeed(call, invoice, intent, charge);
    }

    /// <summary>Cancels the payment that an invoice waits for; one that is under way at the bank cannot be.</summary>
    public static void Cancel(StripeCall call, JsonObject invoice, string reason)
    {
        if (invoice.TextOrNone("_payment_intent") is not { } id) return;
        var intent = call.Get(Kinds.PaymentIntent, id);
        if (intent.Text("status") == "processing") throw UnderWay();
        intent["status"] = "canceled";
        intent["canceled_at"] = call.Now;
        intent["cancellation_reason"] = reason;
        intent["next_action"] = null;
        call.Put(intent);
        var payment = call.Get(Kinds.InvoicePayment, invoice.Text("_invoice_payment"));
        payment["status"] = "canceled";
        payment["status_transitions"]!["canceled_at"] = call.Now;
        call.Put(payment);
        call.Tell("payment_intent.canceled", intent);
    }

    /// <summary>Asks for less: what a credit note took off an open invoice. What is under way at the bank does not change.</summary>
    public static void Reduce(StripeCall call, JsonObject invoice)
    {
        var intent = call.Get(Kinds.PaymentIntent, invoice.Text("_payment_intent"));
        if (intent.Text("status") == "processing") throw UnderWay();
        intent["amount"] = invoice.Number("amount_remaining");
        call.Put(intent);
        var payment = call.Get(Kinds.InvoicePayment, invoice.Text("_invoice_payment"));
        payment["amount_requested"] = invoice.Number("amount_remaining");
        call.Put(payment);
    }

    private static StripeRefusal UnderWay() =>
        StripeRefusal.Invalid("A payment of the invoice is under way; wait until it has succeeded or failed.", code: "payment_intent_unexpected_state");

    private static JsonObject MethodOf(StripeCall call, JsonObject invoice, string? named)
    {
        var customer = call.Get(Kinds.Customer, invoice.Text("customer"));
        if (named is not null)
        {
            // A test token stands for a payment method that is used once.
            if (PaymentMethods.FromToken(call, named) is not { } once) return PaymentMethods.Belonging(call, named, customer.Id(), "payment_method");
            call.Put(once);
            return once;
        }

        if ((invoice.TextOrNone("default_payment_method") ?? customer["invoice_settings"]?.AsObject().TextOrNone("default_payment_method")) is { } standing)
            return PaymentMethods.Belonging(call, standing, customer.Id(), "payment_method");
        throw StripeRefusal.Invalid("Neither the invoice nor its customer has a default payment method.", code: "resource_missing");
    }

    private static void Attempt(StripeCall call, JsonObject invoice, JsonObject intent, JsonObject method)
    {
        var test = PaymentMethods.BehaviourOf(method);
        invoice["attempt_count"] = invoice.Number("attempt_count") + 1;
        invoice["attempted"] = true;
        intent["payment_method"] = method.Id();
        intent["payment_method_types"] = new JsonArray(test.Type);
        intent["next_action"] = null;
        if (test.RequiresAction)
        {
            intent["status"] = "requires_action";
            intent["next_action"] = new JsonObject { ["type"] = "use_stripe_sdk", ["use_stripe_sdk"] = new JsonObject { ["type"] = "three_d_secure_redirect" } };
            call.Put(intent);
            call.Put(invoice);
            call.Tell("payment_intent.requires_action", intent);
            call.Tell("invoice.payment_action_required", invoice);
            throw new StripeRefusal(402, "card_error", "The customer has to authenticate this payment before it can succeed.", "invoice_payment_intent_requires_action") { KeepsChanges = true };
        }

        var charge = Charges.Make(call, intent, method, invoice.Id());
        if (test.IsDebit)
        {
            charge["status"] = "pending";
            charge["paid"] = false;
            Charges.Put(call, charge);
            intent["status"] = "processing";
            intent["processing"] = new JsonObject { ["type"] = test.Type };
            intent["latest_charge"] = charge.Id();
            call.Put(intent);
            call.Put(invoice);
            call.Tell("charge.pending", charge);
            call.Tell("payment_intent.processing", intent);
            call.Later(DebitTakes, "settle", intent.Id());
            return;
        }

        if (test.Declines is { } decline) throw Fail(call, invoice, intent, charge, method, decline);
        Succeed(call, invoice, intent, charge);
        if (test.IsDisputed) Disputes.Open(call, charge, test.IsInquiry);
    }

    private static void Succeed(StripeCall call, JsonObject invoice, JsonObject intent, JsonObject charge)
    {
        Charges.Succeed(call, charge);
        intent["status"] = "succeeded";
        intent["amount_received"] = charge.Number("amount");
        intent["latest_charge"] = charge.Id();
        intent["last_payment_error"] = null;
        call.Put(intent);
        var payment = call.Get(Kinds.InvoicePayment, invoice.Text("_invoice_payment"));
        payment["status"] = "paid";
        payment["amount_paid"] = charge.Number("amount");
        payment["status_transitions"]!["paid_at"] = call.Now;
        call.Put(payment);
        invoice["amount_paid"] = invoice.Number("amount_paid") + charge.Number("amount");
        invoice["amount_remaining"] = 0;
        call.Tell("charge.succeeded", charge);
        call.Tell("payment_intent.succeeded", intent);
        call.Tell("invoice_payment.paid", payment);
        Invoices.MarkPaid(call, invoice);
    }

    private static StripeRefusal Fail(StripeCall call, JsonObject invoice, JsonObject intent, JsonObject charge, JsonObject method, Decline decline)
    {
        Charges.Fail(call, charge, decline);
        intent["status"] = "requires_payment_method";
        intent["payment_method"] = null;
        intent["latest_charge"] = charge.Id();
        var error = new JsonObject
        {
            ["charge"] = charge.Id(),
            ["code"] = decline.Code,
            ["message"] = decline.Message,
            ["payment_method"] = Rendering.Render(call.State, method),
            ["type"] = "card_error",
        };
        if (decline.DeclineCode is { } declineCode) error["decline_code"] = declineCode;
        intent["last_payment_error"] = error;
        call.Put(intent);
        call.Put(invoice);
        call.Tell("charge.failed", charge);
        call.Tell("payment_intent.payment_failed", intent);
        call.Tell("invoice.payment_failed", invoice);
        return PaymentMethods.Declined(decline, new()
        {
            ["charge"] = charge.Id(),
            ["payment_intent"] = Rendering.Render(call.State, intent),
            ["payment_method"] = Rendering.Render(call.State, method),
        });
    }
}
