using System.Collections.Immutable;
using Orleans;

namespace Billing.Usage;

/// <summary>Usage events of one account, in the order in which they are to be decided.</summary>
/// <param name="Records">The events, written by <see cref="UsageBatchWriter"/>, read by <see cref="UsageBatchReader"/>.</param>
/// <param name="Count">How many events <paramref name="Records"/> holds.</param>
/// <param name="KeepBodies">Whether the full body of each accepted event is journaled. Refused events are always kept.</param>
/// <param name="WantReceipts">Whether the answer carries a receipt per event, or only its outcome.</param>
/// <param name="ReceivedAt">The billing clock of the silo that received the events; the account's silo may be behind it. Null says nothing.</param>
/// <param name="Waited">
/// Whether the events waited for the account: they are decided as of <paramref name="ReceivedAt"/>, or of the account's last entry when that is later.
/// </param>
[GenerateSerializer, Immutable, Alias("billing.usage-batch")]
public sealed record UsageBatch(
    [property: Id(0)] ReadOnlyMemory<byte> Records,
    [property: Id(1)] int Count,
    [property: Id(2)] bool KeepBodies,
    [property: Id(3)] bool WantReceipts,
    [property: Id(4)] DateTimeOffset? ReceivedAt = null,
    [property: Id(5)] bool Waited = false);

/// <summary>The answer to a <see cref="UsageBatch"/>. When <c>Refusal</c> is null, every outcome in it is durable.</summary>
/// <param name="Refusal">Set when nothing can be said to be stored: send the whole batch again.</param>
/// <param name="Outcomes">One <see cref="UsageOutcome"/> per event, in the order of the batch.</param>
/// <param name="Receipts">One receipt per event if the batch asked for them, else empty.</param>
[GenerateSerializer, Immutable, Alias("billing.usage-result")]
public sealed record UsageResult(
    [property: Id(0)] Refusal? Refusal,
    [property: Id(1)] ReadOnlyMemory<byte> Outcomes,
    [property: Id(2)] ImmutableArray<UsageReceipt> Receipts)
{
    /// <summary>A result that stored nothing.</summary>
    public static UsageResult Refused(Refusal refusal) => new(refusal, default, []);
}
