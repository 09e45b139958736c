using System.Text.Json.Nodes;

namespace Billing.Silo.Sandbox;

/// <summary>Refunds: of a whole charge or part of it, never of more than is left.</summary>
internal static class Refunds
{
    /// <summary>What create takes.</summary>
    public const string Parameters = "charge payment_intent amount reason metadata.*";

    private const string Template =
        """
        {"id":"","object":"refund","amount":0,"balance_transaction":null,"charge":"","created":0,"currency":"","customer":null,
         "customer_account":null,"destination_details":{"card":{"type":"refund"},"type":"card"},"metadata":{},"payment_intent":null,
         "payment_method":null,"reason":null,"receipt_number":null,"source_transfer_reversal":null,"status":"succeeded","transfer_reversal":null}
        """;

    /// <summary><c>POST /v1/refunds</c></summary>
    public static JsonObject Create(StripeCall call)
    {
        var sent = call.Sent;
        var charge = call.Named(Kinds.Charge, "charge");
        var intent = call.Named(Kinds.PaymentIntent, "payment_intent");
        if (charge is null && intent is null)
            throw StripeRefusal.WrongParameter("A refund is of a charge or a payment intent: name one.", "charge", "parameter_missing");
        if (charge is not null && intent is not null && charge.TextOrNone("payment_intent") != intent.Id())
            throw StripeRefusal.Invalid("The charge is not of that payment intent.", "payment_intent");
        charge ??= intent!.TextOrNone("latest_charge") is { } latest
            ? call.Get(Kinds.Charge, latest)
            : throw StripeRefusal.Invalid("The payment intent has no charge that could be refunded.", "payment_intent");
        var reason = sent.OneOf("reason", "duplicate", "fraudulent", "requested_by_customer");
        var refund = Make(call, charge, sent.Amount("amount"), reason);
        sent.LayMetadata(refund);
        call.Put(refund);
        return refund;
    }

    /// <summary>Refunds an amount of a charge, in minor units; all that is left when none is given.</summary>
    public static JsonObject Make(StripeCall call, JsonObject charge, long? amount, string? reason)
    {
        var left = charge.Number("amount") - charge.Number("amount_refunded");
        if (charge.Text("status") != "succeeded") throw StripeRefusal.Invalid($"A charge that is {charge.Text("status")} cannot be refunded.", "charge");
        if (Disputes.Keep(call, charge)) throw StripeRefusal.Invalid("The charge is disputed; its money has gone back already.", "charge", "charge_disputed");
        if (left == 0) throw StripeRefusal.Invalid($"Charge {charge.Id()} has already been refunded.", "charge", "charge_already_refunded");
        var refunded = amount ?? left;
        if (refunded < 1) throw StripeRefusal.WrongParameter("A refund is of at least one minor unit.", "amount", "parameter_invalid_integer");
        if (refunded > left) throw StripeRefusal.Invalid($"The refund of {refunded} is more than the {left} that are left of the charge.", "amount");

        var refund = call.Make(Template, "re");
        refund["amount"] = refunded;
        refund["charge"] = charge.Id();
        refund["currency"] = charge.Text("currency");
        refund["payment_intent"] = charge.TextOrNone("payment_intent");
        refund["reason"] = reason;
        refund["balance_transaction"] = Charges.Transaction(call, -refunded, 0, charge.Text("currency"), refund.Id(), "refund").Id();
        call.Put(refund, $"charge:{charge.Id()}", $"payment_intent:{charge.TextOrNone("payment_intent")}", $"customer:{charge.TextOrNone("customer")}");
        charge["amount_refunded"] = charge.Number("amount_refunded") + refunded;
        charge["refunded"] = charge.Number("amount_refunded") == charge.Number("amount");
        call.Put(charge);
        call.Tell("refund.created", refund);
        call.Tell("charge.refunded", charge);
        return refund;
    }

    /// <summary><c>POST /v1/refunds/:id</c>: metadata.</summary>
    public static JsonObject Update(StripeCall call)
    {
        var refund = call.Addressed(Kinds.Refund);
        call.Sent.LayMetadata(refund);
        call.Put(refund);
        call.Tell("refund.updated", refund);
        return refund;
    }
}
