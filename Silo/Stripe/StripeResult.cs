using System.Text.Json;
using Billing.Charging;

namespace Billing.Silo.Stripe;

/// <summary>What came of one request to Stripe.</summary>
/// <param name="Outcome">What is known of it.</param>
/// <param name="Status">The HTTP status; 0 when there was no answer.</param>
/// <param name="Body">What was answered, when it is done; otherwise undefined.</param>
/// <param name="Code">Stripe's error code, or its error type where it gave no code; null when it gave none.</param>
/// <param name="DeclineCode">Why the card's bank declined; null when it gave no reason.</param>
/// <param name="Message">What went wrong, for people; null when it is done. Without secrets, but it may name a customer's things: it is not for logs.</param>
/// <param name="RetryAfter">How long Stripe asks to wait; null when it does not say.</param>
/// <param name="RequestId">The id under which Stripe's support finds the request; null without one.</param>
/// <param name="At">When Stripe answered, by its own clock, in whole seconds; null when it does not say.</param>
/// <param name="Charge">The charge that a refused payment made and that failed; null when it does not say.</param>
internal sealed record StripeResult(
    StripeOutcome Outcome,
    int Status,
    JsonElement Body,
    string? Code = null,
    string? DeclineCode = null,
    string? Message = null,
    TimeSpan? RetryAfter = null,
    string? RequestId = null,
    DateTimeOffset? At = null,
    string? Charge = null)
{
    /// <summary>Whether it is done and answered.</summary>
    public bool IsDone => Outcome == StripeOutcome.Done;

    /// <summary>A request without an answer that says anything: a read was not done, of a write it is not known.</summary>
    public static StripeResult NoAnswer(bool writes, string message) => new(writes ? StripeOutcome.Unknown : StripeOutcome.NotDone, 0, default, Message: message);

    /// <summary>A request that never left.</summary>
    public static StripeResult NotSent(string message) => new(StripeOutcome.NotDone, 0, default, Message: message);

    /// <summary>The same where the answer turned out not to say what it should.</summary>
    public StripeResult Unreadable(bool writes, string why) =>
        this with { Outcome = writes ? StripeOutcome.Unknown : StripeOutcome.NotDone, Body = default, Message = $"Stripe's answer cannot be used: {why}" };

    /// <summary>Outcome, status and request id: nothing of the answer.</summary>
    public override string ToString() => $"{Outcome} (HTTP {Status}, {RequestId ?? "no request id"})";
}

/// <summary>A list that was read to its end.</summary>
/// <param name="Result">Done, or what came of the page that could not be read.</param>
/// <param name="Items">All items in Stripe's order; empty when it is not done.</param>
internal sealed record StripeList(StripeResult Result, IReadOnlyList<JsonElement> Items);

/// <summary>An object that was read.</summary>
/// <param name="Result">Done, or what came of the request that was not.</param>
/// <param name="Value">The object; null when it is not done or there is none.</param>
internal sealed record StripeRead<T>(StripeResult Result, T? Value)
    where T : class;
