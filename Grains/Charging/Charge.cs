using System.Collections.Immutable;
using System.Text.Json.Serialization;

namespace Billing.Charging;

/// <summary>What is to be done next for a charge. The numbers are stored: add at the end, reuse none.</summary>
internal enum ChargeStep
{
    /// <summary>Make the invoice at Stripe, a draft.</summary>
    Draft = 1,

    /// <summary>Add its lines.</summary>
    Lines = 2,

    /// <summary>Read it: what it shows decides what comes next.</summary>
    Read = 3,

    /// <summary>Finalise it.</summary>
    Finalize = 4,

    /// <summary>Pay it.</summary>
    Pay = 5,

    /// <summary>Look for the invoices of the intent: it is not known what was done.</summary>
    LookUp = 6,

    /// <summary>Delete a second draft of the same intent.</summary>
    DeleteDraft = 7,
}

/// <summary>What is to be done next about the customer. The numbers are stored: add at the end, reuse none.</summary>
internal enum CustomerStep
{
    /// <summary>Make the customer.</summary>
    Create = 1,

    /// <summary>Look for the customer: it is not known whether it was made.</summary>
    Find = 2,

    /// <summary>Attach the payment method that the merchant gave.</summary>
    Attach = 3,

    /// <summary>Make it the customer's default.</summary>
    SetDefault = 4,
}

/// <summary>Why a charge waits for a person. The numbers are stored: add at the end, reuse none.</summary>
internal enum ParkReason
{
    /// <summary>The total is far above what the account paid before.</summary>
    UnusualTotal = 1,

    /// <summary>The account has too many invoices in a day.</summary>
    TooManyInvoices = 2,

    /// <summary>The invoice's total is not the sum of its lines.</summary>
    TotalDiffersFromLines = 3,

    /// <summary>Other charges of the account wait.</summary>
    AccountHeld = 4,

    /// <summary>What Stripe has is not what the invoice asks for.</summary>
    Mismatch = 5,

    /// <summary>Stripe refused a step for good.</summary>
    Refused = 6,

    /// <summary>Look-ups were answered for a day and did not decide.</summary>
    Undecided = 7,
}

/// <summary>One try to pay an invoice.</summary>
/// <param name="N">1, 2, 3 … within the charge.</param>
/// <param name="Key">The idempotency key.</param>
/// <param name="SentAt">When it was first sent, by the billing clock.</param>
/// <param name="Outcome">What came of it; <see cref="StripeOutcome.Unknown"/> while nobody knows.</param>
/// <param name="Code">The decline code; null when there is none.</param>
internal sealed record PayAttempt(int N, string Key, DateTimeOffset SentAt, StripeOutcome Outcome, string? Code);

/// <summary>A step that was sent and whose outcome is not known.</summary>
/// <param name="Step">The step.</param>
/// <param name="SentAt">When it was last sent.</param>
/// <param name="Since">Since when it is not known.</param>
/// <param name="LookUps">How many look-ups were begun.</param>
/// <param name="Why">What happened, in words.</param>
/// <param name="Refused">Whether Stripe refused the step, so that a look-up only has to show that it was not done all the same.</param>
/// <param name="Seen">When look-ups were answered, by Stripe's clock; null while none was, or Stripe did not say.</param>
internal sealed record OpenQuestion(ChargeStep Step, DateTimeOffset SentAt, DateTimeOffset Since, int LookUps, string Why, bool Refused, SeenAtStripe? Seen = null);

/// <summary>When look-ups of one step were answered, by Stripe's clock. Ours may have been set meanwhile.</summary>
/// <param name="First">The first of them.</param>
/// <param name="Latest">The newest.</param>
internal sealed record SeenAtStripe(DateTimeOffset First, DateTimeOffset Latest)
{
    /// <summary>How long Stripe has shown that a step is not done.</summary>
    [JsonIgnore]
    public TimeSpan For => Latest - First;

    /// <summary>With one more answer; the same when it does not say when it was.</summary>
    public static SeenAtStripe? With(SeenAtStripe? before, DateTimeOffset? at) =>
        at is not { } seen ? before : before is null ? new(seen, seen) : before with { Latest = seen };
}

/// <summary>One finalised invoice on its way to being paid. Changed by facts only. Amounts are minor units.</summary>
internal sealed partial record Charge
{
    /// <summary><c>account/invoice/revision</c>.</summary>
    public required string Intent { get; init; }

    public required int Invoice { get; init; }

    public required long Amount { get; init; }

    public required string Currency { get; init; }

    public required string LinesHash { get; init; }

    public required DateTimeOffset RequestedAt { get; init; }

    public ChargeState State { get; init; } = ChargeState.Requested;

    /// <summary>What comes next, at <see cref="NextAt"/>.</summary>
    public ChargeStep Step { get; init; } = ChargeStep.Draft;

    /// <summary>Which try of the step it is, from 1: each has a key of its own.</summary>
    public int Try { get; init; } = 1;

    /// <summary>When the next step may be sent; null while the charge waits for something from outside, and at its end.</summary>
    public DateTimeOffset? NextAt { get; init; }

    /// <summary>The invoice at Stripe; null before it is known.</summary>
    public string? StripeInvoice { get; init; }

    /// <summary>A second draft of the intent, to be deleted.</summary>
    public string? ExtraDraft { get; init; }

    /// <summary>The lines that the invoice at Stripe lacks; null for all.</summary>
    public ImmutableArray<int>? MissingLines { get; init; }

    public string? PaymentIntent { get; init; }

    /// <summary>The newest charge at Stripe that we know of, made or failed.</summary>
    public string? StripeCharge { get; init; }

    public OpenQuestion? Question { get; init; }

    /// <summary>How many keys of each step were sent.</summary>
    public ImmutableSortedDictionary<ChargeStep, int> KeysSent { get; init; } = ImmutableSortedDictionary<ChargeStep, int>.Empty;

    /// <summary>When the key of the present step was first sent; null while it was not.</summary>
    public DateTimeOffset? KeySentAt { get; init; }

    /// <summary>The newest step that was sent and changes something at Stripe; null before the first.</summary>
    public ChargeStep? LastStep { get; init; }

    /// <summary>When the newest call that changes something at Stripe was sent; null before the first.</summary>
    public DateTimeOffset? LastSentAt { get; init; }

    /// <summary>How often in a row the step was answered with "not done".</summary>
    public int NotDone { get; init; }

    public ImmutableArray<PayAttempt> Attempts { get; init; } = [];

    /// <summary>Whether another payment method was attached since the newest attempt was sent: should that be declined, the new one is tried at once.</summary>
    public bool MethodIsNew { get; init; }

    public DateTimeOffset? FirstDeclinedAt { get; init; }

    /// <summary>When the newest decline became known.</summary>
    public DateTimeOffset? DeclinedAt { get; init; }

    /// <summary>When a declined charge is tried again; null when it waits for a new payment method.</summary>
    public DateTimeOffset? DunningAt { get; init; }

    /// <summary>The newest decline code.</summary>
    public string? DeclineCode { get; init; }

    public ParkReason? Parked { get; init; }

    /// <summary>What a person is shown who is to release it.</summary>
    public string? Evidence { get; init; }

    /// <summary>Whether Stripe told of the invoice since the newest call of it was sent.</summary>
    public bool Noticed { get; init; }

    /// <summary>When what went back of it is to be read at Stripe; null when Stripe told of nothing new.</summary>
    public DateTimeOffset? ReversalsAt { get; init; }

    /// <summary>Its refunds and disputes at Stripe, the first that became known first.</summary>
    public ImmutableArray<Reversal> Reversals
    {
        get => field.IsDefault ? [] : field;
        init;
    }

    public DateTimeOffset? SettledAt { get; init; }

    /// <summary>How many invoices were final when the charge settled: its place in the ledger among them.</summary>
    public int SettledAfterInvoice { get; init; }

    /// <summary>How many times money had gone back, or come again, when the charge settled: its place among those in the ledger.</summary>
    public int SettledAfterReturns { get; init; }

    [JsonIgnore]
    public bool IsOver => State is ChargeState.Settled or ChargeState.Void;

    /// <summary>When what went back is read next; null when it is not, as long as the charge is not known to be made.</summary>
    [JsonIgnore]
    public DateTimeOffset? NextReversalsAt => State == ChargeState.Settled ? ReversalsAt : null;

    /// <summary>The idempotency key of the next step.</summary>
    [JsonIgnore]
    public string Key => Step switch
    {
        ChargeStep.Pay => $"{Intent}/pay/{Try}",
        _ when Try > 1 => $"{Intent}/{Word}/{Try}",
        _ => $"{Intent}/{Word}",
    };

    private string Word => Step switch
    {
        ChargeStep.Draft => "draft",
        ChargeStep.Lines => "lines",
        ChargeStep.Finalize => "finalize",
        _ => throw new InvalidOperationException($"A step {Step} has no key."),
    };
}
