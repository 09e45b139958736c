using System.Text.Json;
using Billing.Charging;

namespace Billing.Silo.Stripe;

/// <summary>An HTTP answer of Stripe's.</summary>
/// <param name="Status">The HTTP status.</param>
/// <param name="Body">Its JSON object; null when it has none.</param>
/// <param name="ShouldRetry">What <c>Stripe-Should-Retry</c> says; null without one.</param>
/// <param name="RetryAfter">How long it asks to wait; null when it does not say.</param>
/// <param name="RequestId">Its request id; null without one.</param>
/// <param name="At">When Stripe answered, by its own clock, in whole seconds; null when it does not say.</param>
internal sealed record StripeReply(int Status, JsonElement? Body, bool? ShouldRetry, TimeSpan? RetryAfter, string? RequestId, DateTimeOffset? At = null);

/// <summary>Says what an answer of Stripe's means for the request.</summary>
internal static class StripeOutcomes
{
    private const int MessageLengthMax = 500;

    /// <summary>What an answer means.</summary>
    /// <param name="writes">Whether the request changes something.</param>
    /// <param name="reply">The answer.</param>
    public static StripeResult Of(bool writes, StripeReply reply)
    {
        var result = new StripeResult(StripeOutcome.Done, reply.Status, default, RetryAfter: reply.RetryAfter, RequestId: reply.RequestId, At: reply.At);
        if (reply.Status is >= 200 and < 300)
            return reply.Body is { } body ? result with { Body = body } : result.Unreadable(writes, $"HTTP {reply.Status} without a JSON object.");

        var error = Error(reply.Body);
        result = result with
        {
            Outcome = OutcomeOf(writes, reply, error),
            Code = Text(error, "code") ?? Text(error, "type"),
            DeclineCode = Text(error, "decline_code"),
            Charge = Text(error, "charge") ?? Text(Object(error, "payment_intent"), "latest_charge"),
        };
        return result with { Message = MessageOf(reply.Status, error) };
    }

    private static StripeOutcome OutcomeOf(bool writes, StripeReply reply, JsonElement? error)
    {
        var noAnswer = writes ? StripeOutcome.Unknown : StripeOutcome.NotDone;
        if (reply.ShouldRetry == true) return StripeOutcome.NotDone;
        if (reply.Status is 401 or 403 or 429 || Text(error, "code") == "lock_timeout") return StripeOutcome.NotDone;
        if (reply.Status == 409) return reply.ShouldRetry == false ? noAnswer : StripeOutcome.NotDone;
        // 424 is about something outside Stripe; what bears no error of Stripe's was answered by somebody on the way.
        if (reply.Status is < 400 or >= 500 or 424 || error is null) return noAnswer;
        if (NeedsAction(error.Value)) return StripeOutcome.RequiresAction;
        return reply.Status == 402 ? StripeOutcome.Declined : StripeOutcome.Refused;
    }

    private static bool NeedsAction(JsonElement error) =>
        Text(error, "code") is "authentication_required" or "payment_intent_action_required" or "invoice_payment_intent_requires_action"
        || Text(error, "decline_code") == "authentication_required"
        || Text(Object(error, "payment_intent"), "status") == "requires_action";

    private static string MessageOf(int status, JsonElement? error)
    {
        if (status is 401 or 403)
            return $"Stripe does not let our key do this (HTTP {status}): STRIPE_SECRET_KEY is wrong, was revoked or lacks a permission. Nothing was done.";
        if (error is null) return $"HTTP {status} without an error of Stripe's.";

        var message = Text(error, "message") ?? $"HTTP {status} without a message.";
        if (message.Length > MessageLengthMax) message = message[..MessageLengthMax] + "…";
        return Text(error, "param") is { } parameter ? $"{message} (parameter {parameter})" : message;
    }

    private static JsonElement? Error(JsonElement? body) =>
        body is { } answer && answer.TryGetProperty("error", out var error) && error.ValueKind == JsonValueKind.Object ? error : null;

    private static JsonElement? Object(JsonElement? from, string name) =>
        from is { } element && element.TryGetProperty(name, out var found) && found.ValueKind == JsonValueKind.Object ? found : null;

    private static string? Text(JsonElement? from, string name) =>
        from is { } element && element.TryGetProperty(name, out var text) && text.ValueKind == JsonValueKind.String ? text.GetString() : null;
}
