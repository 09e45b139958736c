using System.Buffers.Binary;
using System.Text;
using Billing.Accounts;
using Billing.Benchmarks.Ingest;
using Billing.Benchmarks.Workloads;
using Billing.Deduplication;
using Billing.Journal;
using Billing.Plans;
using Billing.Silo.Ingest;
using Billing.Usage;

namespace Billing.Benchmarks.Journal;

/// <summary>What one poll of 4,096 events writes: an entry for each account it touches, and the same accepted events as rows.</summary>
internal sealed record JournalPoll(IReadOnlyList<JournalEntry> Entries, EventRow[] Rows);

/// <summary>An event as a row of its own: all that the entry holds of it, its account and what it is counted by as short numbers.</summary>
internal readonly record struct EventRow(Guid Key, int Fingerprint, int Account, short Meter, DateTime Time, string Source, string Id, long Quantity);

/// <summary>The workload of <c>ingest</c>, decided and written as facts before the clock starts: what is measured is the journal alone.</summary>
internal sealed class JournalEvents(string catalog)
{
    private static readonly SipKey HashKey = new(1, 2);
    private static readonly DateTimeOffset Opened = IngestOptions.Clock.AddDays(-30);

    private readonly OneCatalog _catalogs = new(Compiled(catalog));
    private readonly UsageDecider _decider = new();
    private readonly FactWriter _facts = new();
    private readonly Dictionary<string, (AccountState State, int Number)> _accounts = new(StringComparer.Ordinal);

    /// <summary>The entries that open the accounts.</summary>
    public List<JournalEntry> Openings { get; } = [];

    /// <summary>Makes the accounts and decides the polls.</summary>
    public List<JournalPoll> Make(Workload workload)
    {
        for (var number = 0; number < workload.Options.Accounts; number++) Open(Workload.AccountId(number), number);
        var sorted = new SortedEvents(HashKey);
        var polls = new List<JournalPoll>();
        foreach (var poll in workload.Polls)
        {
            sorted.Clear();
            sorted.Sort(EventFormat.Lines, poll.Ndjson.Span, wantNames: false);
            var (entries, rows) = (new List<JournalEntry>(), new List<EventRow>());
            foreach (var account in sorted.Accounts) Turn(account.Id, sorted.BatchOf(account, keepBodies: false, wantReceipts: false, receivedAt: default), entries, rows);
            if (rows.Count != poll.Accepted) throw new InvalidOperationException($"{rows.Count} events of a poll were accepted; right are {poll.Accepted}. Nothing was measured.");
            polls.Add(new(entries, [.. rows]));
        }

        return polls;
    }

    /// <summary>How many accepted events an entry holds.</summary>
    public static int EventsOf(ReadOnlySpan<byte> entry)
    {
        var reader = new FactReader(entry);
        var events = 0;
        while (reader.TryRead(out var kind, out _))
            if (kind == FactKind.UsageRecorded) events++;
        return events;
    }

    private void Open(string id, int number)
    {
        var state = new AccountState(id, HashKey, _catalogs);
        _facts.Begin(Opened);
        var command = new OpenAccount(id, $"{id}@example.com", null, null, ["helpdesk-pro", "voice-payg"], "2026-11-01", "pm_card_visa", true, null);
        if (AccountDecider.Open(state, command, _catalogs, Opened, _facts) is { } refusal) throw new InvalidOperationException(refusal.Detail);
        AccountDecider.CatchUp(state, IngestOptions.Clock, _facts);
        _accounts.Add(id, (state, number));
        Openings.Add(Entry(state));
    }

    private void Turn(string id, UsageBatch batch, List<JournalEntry> entries, List<EventRow> rows)
    {
        var (state, number) = _accounts[id];
        _facts.Begin(IngestOptions.Clock);
        AccountDecider.CatchUp(state, IngestOptions.Clock, _facts);
        Span<byte> key = stackalloc byte[16];
        var records = new UsageBatchReader(batch.Records.Span);
        while (records.TryRead(out var record))
        {
            if (_decider.Decide(state, record, IngestOptions.Clock, _facts, receipts: null) != UsageOutcome.Accepted) continue;
            BinaryPrimitives.WriteUInt128BigEndian(key, record.KeyHash);
            rows.Add(new(
                new Guid(key, bigEndian: true), unchecked((int)record.Fingerprint), number, record.Type.EndsWith("ended"u8) ? (short)2 : (short)1, new DateTime(record.TimeTicks, DateTimeKind.Utc),
                Encoding.UTF8.GetString(record.Source), Encoding.UTF8.GetString(record.Id), 1));
        }

        if (_facts.HasFacts) entries.Add(Entry(state));
    }

    private JournalEntry Entry(AccountState state) =>
        new(state.Id, ++state.Sequence, _facts.ReceivedAt, _facts.Entry.ToArray(), default, state.NextDueAt, null);

    private static CompiledCatalog Compiled(string catalog)
    {
        var (read, problem) = CatalogReader.Read(Encoding.UTF8.GetBytes(catalog));
        return new(read ?? throw new InvalidOperationException($"The catalogue of the benchmark is wrong: {problem!.Detail}"));
    }

    private sealed class OneCatalog(CompiledCatalog catalog) : ICatalogs
    {
        public CompiledCatalog? Latest => catalog;

        public CompiledCatalog? Find(string version) => version == catalog.Catalog.Version ? catalog : null;
    }
}
