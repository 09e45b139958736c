using System.Diagnostics;
using System.Text;
using Billing.Accounts;
using Billing.Benchmarks.Workloads;
using Billing.Deduplication;
using Billing.Journal;
using Billing.Plans;
using Billing.Silo.Ingest;
using Billing.Usage;

namespace Billing.Benchmarks.Window;

/// <summary>The rules in memory, on one thread, a turn for each poll as the grain has it; what they would journal is thrown away. Reading the events is not measured.</summary>
internal sealed class RulesAlone : IHotPath
{
    private static readonly SipKey HashKey = new(1, 2);

    private readonly OneCatalog _catalogs;
    private readonly UsageDecider _decider = new();
    private readonly FactWriter _facts = new();
    private readonly Dictionary<string, (AccountState State, AnswerCounts Counts)> _accounts = new(StringComparer.Ordinal);
    private readonly List<SortedEvents> _read = [new(HashKey)];

    public RulesAlone(string catalog)
    {
        var (read, problem) = CatalogReader.Read(Encoding.UTF8.GetBytes(catalog));
        _catalogs = new(new(read ?? throw new InvalidOperationException($"The catalogue of the benchmark is wrong: {problem!.Detail}")));
    }

    public Task<string?> Open(IReadOnlyList<string> accounts)
    {
        foreach (var account in accounts)
        {
            var state = new AccountState(account, HashKey, _catalogs);
            _facts.Begin(WindowEvents.Anchor);
            if (AccountDecider.Open(state, HotAccount.Command(account), _catalogs, WindowEvents.Anchor, _facts) is { } refusal)
                return Task.FromResult<string?>(refusal.Detail);
            state.Sequence++;
            _accounts.Add(account, (state, new()));
        }

        return Task.FromResult<string?>(null);
    }

    public Task Take(string account, Poll poll)
    {
        Turn(account, Read(0, poll));
        return Task.CompletedTask;
    }

    public Task<RoundCost> Measure(string account, IReadOnlyList<Poll> polls)
    {
        while (_read.Count < polls.Count) _read.Add(new(HashKey));
        var batches = polls.Select((poll, index) => Read(index, poll)).ToArray();

        var (cpu, allocated) = (Environment.CpuUsage.TotalTime, GC.GetAllocatedBytesForCurrentThread());
        var start = Stopwatch.GetTimestamp();
        foreach (var batch in batches) Turn(account, batch);
        var elapsed = Stopwatch.GetElapsedTime(start);
        (cpu, allocated) = (Environment.CpuUsage.TotalTime - cpu, GC.GetAllocatedBytesForCurrentThread() - allocated);
        return Task.FromResult(new RoundCost(polls.Sum(poll => poll.Accepted), elapsed.TotalSeconds, cpu.TotalSeconds, allocated));
    }

    public Task<HeldUsage> Held(string account)
    {
        var (state, counts) = _accounts[account];
        var usage = AccountViews.Usage(state, WindowCase.MeterId, null, null, WindowEvents.Clock)!;
        return Task.FromResult(new HeldUsage(usage, state.RememberedIds.Count, counts.Accepted, counts.Duplicates));
    }

    public SnapshotCost? Snapshot(string account)
    {
        // The first one compiles the code.
        Write();
        return Write();

        SnapshotCost Write()
        {
            using var bytes = new PooledBuffer();
            var start = Stopwatch.GetTimestamp();
            _accounts[account].State.WriteSnapshot(bytes, AccountState.EpochDayOf(WindowEvents.Clock.UtcTicks), canonical: false);
            return new(Stopwatch.GetElapsedTime(start).TotalMilliseconds, bytes.Length);
        }
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private UsageBatch Read(int reader, Poll poll)
    {
        var events = _read[reader];
        events.Clear();
        events.Sort(EventFormat.Lines, poll.Ndjson.Span, wantNames: false);
        return events.BatchOf(events.Accounts.Single(), keepBodies: false, wantReceipts: false, receivedAt: default);
    }

    private void Turn(string account, UsageBatch batch)
    {
        var (state, counts) = _accounts[account];
        _facts.Begin(WindowEvents.Clock);
        AccountDecider.CatchUp(state, WindowEvents.Clock, _facts);
        var outcomes = new byte[batch.Count];
        var records = new UsageBatchReader(batch.Records.Span);
        for (var i = 0; records.TryRead(out var record); i++)
            outcomes[i] = (byte)_decider.Decide(state, record, WindowEvents.Clock, _facts, receipts: null);
        if (_facts.HasFacts) state.Sequence++;
        counts.Add(outcomes.AsSpan().Count((byte)UsageOutcome.Accepted), outcomes.AsSpan().Count((byte)UsageOutcome.Duplicate));
    }

    private sealed class OneCatalog(CompiledCatalog catalog) : ICatalogs
    {
        public CompiledCatalog? Latest => catalog;

        public CompiledCatalog? Find(string version) => version == catalog.Catalog.Version ? catalog : null;
    }
}
