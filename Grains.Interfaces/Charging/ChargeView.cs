using System.Collections.Immutable;
using System.Text.Json.Serialization;
using Billing.Ledger;
using Orleans;

namespace Billing.Charging;

/// <summary>The charge of one finalised invoice: its intent, every attempt, and what is proven of it.</summary>
/// <param name="Intent"><c>account/invoice/revision</c>.</param>
/// <param name="Invoice">The number of the invoice.</param>
/// <param name="Currency">ISO 4217, upper case; the amount is in its minor unit.</param>
/// <param name="Amount">In minor units: the total of the invoice.</param>
/// <param name="State">Where it stands.</param>
/// <param name="Verdict">Whether what Stripe has is shown to be what the invoice asks for.</param>
/// <param name="Attempts">Every attempt to pay, the first one first.</param>
/// <param name="Stripe">What it is at Stripe.</param>
/// <param name="Ledger">The ledger entries that settle it, and those of what went back.</param>
/// <param name="NextAt">When something is sent next; left out when nothing is to be sent.</param>
/// <param name="Evidence">Why it waits or what is amiss, in words; left out when nothing is.</param>
/// <param name="Reversals">Its refunds and disputes at Stripe, the first that became known first; left out when there are none.</param>
[GenerateSerializer, Immutable, Alias("billing.charge")]
public sealed record ChargeView(
    [property: Id(0)] string Intent,
    [property: Id(1)] int Invoice,
    [property: Id(2)] string Currency,
    [property: Id(3)] long Amount,
    [property: Id(4)] ChargeState State,
    [property: Id(5)] ChargeVerdict Verdict,
    [property: Id(6)] ImmutableArray<ChargeAttempt> Attempts,
    [property: Id(7)] ChargeAtStripe Stripe,
    [property: Id(8)] ImmutableArray<LedgerEntry> Ledger,
    [property: Id(9), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] DateTimeOffset? NextAt,
    [property: Id(10), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Evidence,
    [property: Id(11), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] ImmutableArray<ChargeReversal>? Reversals = null);

/// <summary>One attempt to pay an invoice.</summary>
/// <param name="N">1, 2, 3 … within the charge.</param>
/// <param name="Key">The idempotency key it was sent with.</param>
/// <param name="SentAt">When it was first sent, by the billing clock.</param>
/// <param name="Outcome"><c>settled</c>, <c>declined</c>, <c>requires_action</c>, <c>not_done</c> or <c>unknown</c>.</param>
/// <param name="Code">Stripe's decline code; left out when there is none.</param>
[GenerateSerializer, Immutable, Alias("billing.charge-attempt")]
public sealed record ChargeAttempt(
    [property: Id(0)] int N,
    [property: Id(1)] string Key,
    [property: Id(2)] DateTimeOffset SentAt,
    [property: Id(3)] string Outcome,
    [property: Id(4), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Code);

/// <summary>The ids of a charge at Stripe, as far as they are known.</summary>
/// <param name="Invoice">The invoice's id.</param>
/// <param name="PaymentIntent">The payment intent's id.</param>
/// <param name="Charge">The id of the newest charge.</param>
[GenerateSerializer, Immutable, Alias("billing.charge-at-stripe")]
public sealed record ChargeAtStripe(
    [property: Id(0), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Invoice,
    [property: Id(1), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? PaymentIntent,
    [property: Id(2), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Charge);

/// <summary>Where a charge stands. The numbers are stored: add at the end, reuse none.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<ChargeState>))]
public enum ChargeState
{
    /// <summary>Intended; nothing was sent.</summary>
    [JsonStringEnumMemberName("requested")]
    Requested = 1,

    /// <summary>Under way at Stripe.</summary>
    [JsonStringEnumMemberName("sent")]
    Sent = 2,

    /// <summary>It is not known whether the last step was done; it is looked up.</summary>
    [JsonStringEnumMemberName("unknown")]
    Unknown = 3,

    /// <summary>Charged.</summary>
    [JsonStringEnumMemberName("settled")]
    Settled = 4,

    /// <summary>Declined; it is tried again or waits for another payment method.</summary>
    [JsonStringEnumMemberName("declined")]
    Declined = 5,

    /// <summary>Waits for a person.</summary>
    [JsonStringEnumMemberName("parked")]
    Parked = 6,

    /// <summary>Given up: nothing is charged.</summary>
    [JsonStringEnumMemberName("void")]
    Void = 7,
}

/// <summary>Whether what Stripe has is shown to be what the invoice asks for. The numbers are part of the wire: add at the end, reuse none.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<ChargeVerdict>))]
public enum ChargeVerdict
{
    /// <summary>Read at Stripe: paid, for the amount.</summary>
    [JsonStringEnumMemberName("proven")]
    Proven = 1,

    /// <summary>Not paid yet, and nothing speaks against it.</summary>
    [JsonStringEnumMemberName("pending")]
    Pending = 2,

    /// <summary>It is not known what was done.</summary>
    [JsonStringEnumMemberName("unknown")]
    Unknown = 3,

    /// <summary>Stripe has something else than the invoice asks for.</summary>
    [JsonStringEnumMemberName("mismatch")]
    Mismatch = 4,
}

/// <summary>A page of an account's charges, the newest invoice last.</summary>
/// <param name="Refusal">Set when there is nothing to show.</param>
/// <param name="Items">The charges of this page.</param>
/// <param name="Next">Where the next page begins; null on the last.</param>
[GenerateSerializer, Immutable, Alias("billing.charge-page")]
public sealed record ChargePage(
    [property: Id(0)] Refusal? Refusal,
    [property: Id(1)] ImmutableArray<ChargeView> Items,
    [property: Id(2)] int? Next);
