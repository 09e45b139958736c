using System.Text.Json.Serialization;
using Orleans;

namespace Billing.Charging;

/// <summary>What went back of a charge, or may go back: a refund made at Stripe, or a dispute. The invoice stays paid.</summary>
/// <param name="Kind">Which of the two.</param>
/// <param name="Id">Its id at Stripe.</param>
/// <param name="Amount">What it is about, in minor units of its currency.</param>
/// <param name="Currency">ISO 4217, upper case.</param>
/// <param name="Reason">Stripe's word for the reason; left out when it gives none.</param>
/// <param name="Status">Stripe's word for where it stands.</param>
/// <param name="Taken">What of it has left us by now, in minor units of its currency; 0 to the amount.</param>
/// <param name="At">When this became known, by the billing clock.</param>
/// <param name="Waits">Whether it waits for a person.</param>
[GenerateSerializer, Immutable, Alias("billing.charge-reversal")]
public sealed record ChargeReversal(
    [property: Id(0)] ReversalKind Kind,
    [property: Id(1)] string Id,
    [property: Id(2)] long Amount,
    [property: Id(3)] string Currency,
    [property: Id(4), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Reason,
    [property: Id(5)] string Status,
    [property: Id(6)] long Taken,
    [property: Id(7)] DateTimeOffset At,
    [property: Id(8)] bool Waits);

/// <summary>How the money of a charge goes back. The numbers are stored: add at the end, reuse none.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<ReversalKind>))]
public enum ReversalKind
{
    /// <summary>Given back, by whoever may at Stripe.</summary>
    [JsonStringEnumMemberName("refund")]
    Refund = 1,

    /// <summary>Questioned by the cardholder at the bank, which may take it back.</summary>
    [JsonStringEnumMemberName("dispute")]
    Dispute = 2,
}
