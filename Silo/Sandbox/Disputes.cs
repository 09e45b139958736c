using System.Text.Json.Nodes;

namespace Billing.Silo.Sandbox;

/// <summary>
/// Disputes: a charge of a test card for it is disputed as soon as it succeeds. It ends by the evidence, as Stripe's test disputes do: <c>winning_evidence</c>
/// and <c>losing_evidence</c> as <c>uncategorized_text</c> decide it at once, anything else leaves it under review.
/// </summary>
internal static class Disputes
{
    /// <summary>What update takes.</summary>
    public const string Parameters =
        "submit metadata.* evidence.access_activity_log evidence.billing_address evidence.cancellation_policy_disclosure evidence.cancellation_rebuttal " +
        "evidence.customer_email_address evidence.customer_name evidence.customer_purchase_ip evidence.duplicate_charge_explanation evidence.duplicate_charge_id " +
        "evidence.product_description evidence.refund_policy_disclosure evidence.refund_refusal_explanation evidence.service_date evidence.shipping_address " +
        "evidence.shipping_carrier evidence.shipping_date evidence.shipping_tracking_number evidence.uncategorized_text";

    private static readonly TimeSpan AnsweredWithin = TimeSpan.FromDays(7);

    private const string Template =
        """
        {"id":"","object":"dispute","amount":0,"balance_transactions":[],"charge":"","created":0,"currency":"","enhanced_eligibility_types":[],
         "evidence":{"access_activity_log":null,"billing_address":null,"cancellation_policy":null,"cancellation_policy_disclosure":null,
         "cancellation_rebuttal":null,"customer_communication":null,"customer_email_address":null,"customer_name":null,
         "customer_purchase_ip":null,"customer_signature":null,"duplicate_charge_documentation":null,"duplicate_charge_explanation":null,
         "duplicate_charge_id":null,"enhanced_evidence":{},"product_description":null,"receipt":null,"refund_policy":null,
         "refund_policy_disclosure":null,"refund_refusal_explanation":null,"service_date":null,"service_documentation":null,
         "shipping_address":null,"shipping_carrier":null,"shipping_date":null,"shipping_documentation":null,
         "shipping_tracking_number":null,"uncategorized_file":null,"uncategorized_text":null},
         "evidence_details":{"due_by":0,"enhanced_eligibility":{},"has_evidence":false,"past_due":false,"submission_count":0},
         "is_charge_refundable":false,"livemode":false,"metadata":{},"payment_intent":null,
         "payment_method_details":{"card":{"brand":"visa","case_type":"chargeback","network":"visa","network_reason_code":"10.4"},"type":"card"},
         "reason":"fraudulent","status":"needs_response"}
        """;

    /// <summary>The customer's bank takes the money of a charge back, or in an inquiry first asks about it.</summary>
    public static void Open(StripeCall call, JsonObject charge, bool isInquiry)
    {
        var dispute = call.Make(Template, "dp");
        dispute["amount"] = charge.Number("amount");
        dispute["currency"] = charge.Text("currency");
        dispute["charge"] = charge.Id();
        dispute["payment_intent"] = charge.Text("payment_intent");
        dispute["evidence_details"]!["due_by"] = (call.At + AnsweredWithin).ToUnixTimeSeconds();
        if (isInquiry)
        {
            dispute["status"] = "warning_needs_response";
            dispute["is_charge_refundable"] = true;
            dispute["payment_method_details"]!["card"]!["case_type"] = "inquiry";
        }
        else
        {
            Move(call, dispute, -charge.Number("amount"), 1500);
        }

        call.Put(dispute, $"charge:{charge.Id()}", $"payment_intent:{charge.Text("payment_intent")}");
        charge["disputed"] = true;
        Charges.Put(call, charge);
        call.Tell("charge.dispute.created", dispute);
        if (!isInquiry) call.Tell("charge.dispute.funds_withdrawn", dispute);
    }

    /// <summary>Whether a dispute keeps a charge from being refunded.</summary>
    public static bool Keep(StripeCall call, JsonObject charge) =>
        charge.Flag("disputed") && call.State.NewestFirst(Kinds.Dispute, $"charge:{charge.Id()}").Any(id => !call.Get(Kinds.Dispute, id).Flag("is_charge_refundable"));

    /// <summary><c>POST /v1/disputes/:id</c>: evidence, handed in at once unless <c>submit</c> is false, and metadata.</summary>
    public static JsonObject Update(StripeCall call)
    {
        var dispute = call.Addressed(Kinds.Dispute);
        call.Sent.LayMetadata(dispute);
        var submits = call.Sent.Flag("submit") ?? true;
        if (call.Sent.Has("evidence") || call.Sent.Has("submit"))
        {
            if (!NeedsResponse(dispute)) throw StripeRefusal.Invalid($"This dispute is {dispute.Text("status")}: it takes no evidence any more.", "evidence");
            var evidence = dispute["evidence"]!.AsObject();
            var sent = call.Sent.Within("evidence");
            foreach (var name in Parameters.Split(' ').Where(p => p.StartsWith("evidence.", StringComparison.Ordinal)).Select(p => p["evidence.".Length..])) sent.LayTexts(evidence, name);
            dispute["evidence_details"]!["has_evidence"] = evidence.Any(e => e.Value is JsonValue);
            if (submits)
            {
                dispute["evidence_details"]!["submission_count"] = (long)dispute["evidence_details"]!["submission_count"]! + 1;
                dispute["status"] = IsInquiry(dispute) ? "warning_under_review" : "under_review";
            }
        }

        call.Put(dispute);
        call.Tell("charge.dispute.updated", dispute);
        if (!dispute.Text("status").EndsWith("under_review", StringComparison.Ordinal)) return dispute;
        switch (dispute["evidence"]!.AsObject().TextOrNone("uncategorized_text"))
        {
            case "winning_evidence":
                End(call, dispute, IsInquiry(dispute) ? "warning_closed" : "won");
                break;
            case "losing_evidence":
                End(call, dispute, "lost");
                break;
        }

        return dispute;
    }

    /// <summary><c>POST /v1/disputes/:id/close</c>: it is given up, and lost.</summary>
    public static JsonObject Close(StripeCall call)
    {
        var dispute = call.Addressed(Kinds.Dispute);
        if (!NeedsResponse(dispute)) throw StripeRefusal.Invalid($"This dispute is {dispute.Text("status")}: it cannot be closed.", null);
        End(call, dispute, "lost");
        return dispute;
    }

    private static void End(StripeCall call, JsonObject dispute, string status)
    {
        var takenBefore = dispute["balance_transactions"]!.AsArray().Count > 0;
        dispute["status"] = status;
        if (status == "won") Move(call, dispute, dispute.Number("amount"), 0);
        if (status == "lost" && !takenBefore) Move(call, dispute, -dispute.Number("amount"), 1500);
        if (status == "lost") dispute["is_charge_refundable"] = false;
        call.Put(dispute);
        if (status == "won") call.Tell("charge.dispute.funds_reinstated", dispute);
        if (status == "lost" && !takenBefore) call.Tell("charge.dispute.funds_withdrawn", dispute);
        call.Tell("charge.dispute.closed", dispute);
    }

    private static void Move(StripeCall call, JsonObject dispute, long amount, long fee) => dispute["balance_transactions"]!.AsArray().Add(
        (JsonNode)Charges.Transaction(call, amount, fee, dispute.Text("currency"), dispute.Id(), "adjustment").Copy());

    private static bool NeedsResponse(JsonObject dispute) => dispute.Text("status").EndsWith("needs_response", StringComparison.Ordinal);

    private static bool IsInquiry(JsonObject dispute) => dispute.Text("status").StartsWith("warning_", StringComparison.Ordinal);
}
