using Billing.Deduplication;
using Billing.Journal;
using Billing.Plans;
using Billing.Silo.Hosting;
using Billing.Silo.Scheduling;
using Billing.Usage;
using Microsoft.Extensions.ObjectPool;

namespace Billing.Silo.Ingest;

/// <summary>How the events lie in a body.</summary>
internal enum EventFormat
{
    /// <summary>One structured CloudEvent.</summary>
    Single,

    /// <summary>A JSON array of CloudEvents.</summary>
    Batch,

    /// <summary>One CloudEvent a line.</summary>
    Lines,
}

/// <summary>What became of the events of one body.</summary>
internal sealed class IngestResult
{
    public int[] Counts { get; } = new int[(int)UsageOutcome.Rejected + 1];

    /// <summary>One per event, in the order of the body; empty when nobody asked.</summary>
    public IReadOnlyList<EventReceipt> Receipts { get; set; } = [];

    /// <summary>Set when some account could not say that its events are stored: send the whole body again.</summary>
    public Refusal? Refusal { get; set; }

    public int Of(UsageOutcome outcome) => Counts[(int)outcome];
}

/// <summary>A receipt with the name of its event.</summary>
internal sealed record EventReceipt(string? Source, string? Id, UsageReceipt Receipt);

/// <summary>
/// Takes bodies of events apart, brings each event to its account in one call per account and body, and puts the answers back
/// into the order of the body. The answer is durable.
/// </summary>
internal sealed class UsageIngest(IJournal journal, AccountLanes lanes, WaitingRoom waiting, BillingClock clock)
{
    private readonly ObjectPool<SortedEvents> _sorted = new DefaultObjectPool<SortedEvents>(new SortedEventsPolicy(journal.HashKey), 16);

    /// <summary>Ingests a body.</summary>
    /// <param name="format">How the events lie in it.</param>
    /// <param name="body">The bytes; not kept beyond the call.</param>
    /// <param name="keepBodies">Whether the journal keeps the full events.</param>
    /// <param name="wantReceipts">Whether the result carries a receipt per event.</param>
    public async Task<IngestResult> Ingest(EventFormat format, ReadOnlyMemory<byte> body, bool keepBodies, bool wantReceipts)
    {
        var events = _sorted.Get();
        events.Sort(format, body.Span, wantReceipts);
        CrashPoints.Reach(CrashPoints.BeforeIngestAppend);

        // Ahead of the clock as it is known here: another silo may have moved it.
        if (events.LatestTicks > (clock.Now + Catalog.FutureTolerance).UtcTicks) await clock.RefreshForEvent();
        var receivedAt = clock.Now;
        var calls = new Task<UsageResult>[events.Accounts.Count];
        for (var i = 0; i < calls.Length; i++) calls[i] = lanes.Send(events.Accounts[i].Id, Batch(events.Accounts[i]));

        var result = new IngestResult();
        var receipts = wantReceipts ? new EventReceipt[events.Count] : null;
        for (var i = 0; i < calls.Length; i++)
        {
            var (account, answer) = (events.Accounts[i], await calls[i]);
            if (answer.Refusal is { } refusal && WaitingRoom.IsFor(refusal))
                Collect(events, account, await waiting.Keep(account.Id, Batch(account), refusal), result, receipts);
            else Collect(events, account, answer, result, receipts);
        }

        foreach (var (position, reason) in events.Unaddressed)
        {
            result.Counts[(int)UsageOutcome.Rejected]++;
            if (receipts is not null) receipts[position] = events.Named(position, new(UsageOutcome.Rejected, reason, [], null));
        }

        result.Receipts = receipts ?? [];

        // Only now: after an exception a call that nobody waits for may still look into the buffers.
        _sorted.Return(events);
        return result;

        UsageBatch Batch(SortedEvents.Account account) => events.BatchOf(account, keepBodies, wantReceipts, receivedAt);
    }

    private static void Collect(SortedEvents events, SortedEvents.Account account, UsageReceipt each, IngestResult result, EventReceipt[]? receipts)
    {
        result.Counts[(int)each.Outcome] += account.Events;
        if (receipts is null) return;
        foreach (var position in events.PositionsOf(account)) receipts[position] = events.Named(position, each);
    }

    private static void Collect(SortedEvents events, SortedEvents.Account account, UsageResult answer, IngestResult result, EventReceipt[]? receipts)
    {
        if (answer.Refusal is { } refusal)
        {
            result.Refusal = refusal;
            return;
        }

        var outcomes = answer.Outcomes.Span;
        foreach (var outcome in outcomes) result.Counts[outcome]++;
        if (receipts is null) return;
        var positions = events.PositionsOf(account);
        for (var i = 0; i < outcomes.Length; i++) receipts[positions[i]] = events.Named(positions[i], answer.Receipts[i]);
    }

    private sealed class SortedEventsPolicy(SipKey key) : PooledObjectPolicy<SortedEvents>
    {
        public override SortedEvents Create() => new(key);

        public override bool Return(SortedEvents events) => events.Clear();
    }
}
