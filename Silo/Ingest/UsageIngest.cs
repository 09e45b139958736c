using System.Text;
using Billing.Deduplication;
using Billing.Journal;
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
internal sealed class UsageIngest(IJournal journal, AccountLanes lanes)
{
    private readonly ObjectPool<Sorting> _sortings = new DefaultObjectPool<Sorting>(new SortingPolicy(journal.HashKey), 16);

    /// <summary>Ingests a body.</summary>
    /// <param name="format">How the events lie in it.</param>
    /// <param name="body">The bytes; not kept beyond the call.</param>
    /// <param name="keepBodies">Whether the journal keeps the full events.</param>
    /// <param name="wantReceipts">Whether the result carries a receipt per event.</param>
    public async Task<IngestResult> Ingest(EventFormat format, ReadOnlyMemory<byte> body, bool keepBodies, bool wantReceipts)
    {
        var sorting = _sortings.Get();
        sorting.Sort(format, body.Span, wantReceipts);
        var result = new IngestResult();
        var calls = new List<(AccountEvents Events, Task<UsageResult> Answer)>(sorting.Accounts.Count);
        foreach (var events in sorting.Accounts)
            calls.Add((events, lanes.Send(events.Account, events.Writer.ToBatch(keepBodies, wantReceipts))));

        var receipts = wantReceipts ? new EventReceipt[sorting.Count] : null;
        foreach (var (events, answer) in calls) Collect(events, await answer, result, receipts, sorting);
        foreach (var (position, reason) in sorting.Unaddressed)
        {
            result.Counts[(int)UsageOutcome.Rejected]++;
            if (receipts is not null) receipts[position] = sorting.Named(position, new(UsageOutcome.Rejected, reason, [], null));
        }

        result.Receipts = receipts ?? [];

        // Only now: after an exception a call that nobody waits for may still look into the buffers.
        _sortings.Return(sorting);
        return result;
    }

    private static void Collect(AccountEvents events, UsageResult answer, IngestResult result, EventReceipt[]? receipts, Sorting sorting)
    {
        if (answer.Refusal is { } refusal)
        {
            result.Refusal = refusal;
            return;
        }

        var outcomes = answer.Outcomes.Span;
        foreach (var outcome in outcomes) result.Counts[outcome]++;
        if (receipts is null) return;
        for (var i = 0; i < outcomes.Length; i++)
            receipts[events.Positions[i]] = sorting.Named(events.Positions[i], answer.Receipts[i]);
    }

    /// <summary>The events of one account, as they lie in a body.</summary>
    private sealed class AccountEvents
    {
        public string Account { get; set; } = "";

        public UsageBatchWriter Writer { get; } = new();

        public List<int> Positions { get; } = [];
    }

    /// <summary>Sorts the events of a body by account. Reused from body to body.</summary>
    private sealed class Sorting(SipKey key)
    {
        private readonly CloudEventReader _reader = new(key);
        private readonly Dictionary<string, AccountEvents> _byAccount = new(StringComparer.Ordinal);
        private readonly Stack<AccountEvents> _spare = [];
        private readonly List<(string? Source, string? Id)> _names = [];
        private bool _wantNames;

        public List<AccountEvents> Accounts { get; } = [];

        /// <summary>Events that name no account, with the reason; they are only reported.</summary>
        public List<(int Position, string Reason)> Unaddressed { get; } = [];

        public int Count { get; private set; }

        public void Sort(EventFormat format, ReadOnlySpan<byte> body, bool wantNames)
        {
            _wantNames = wantNames;
            switch (format)
            {
                case EventFormat.Single:
                    Add(body);
                    break;

                case EventFormat.Lines:
                    while (EventBodies.TryNextLine(ref body, out var line)) Add(line);
                    break;

                case EventFormat.Batch:
                    var batch = new BatchSplitter(body);
                    while (batch.TryNext(out var element)) Add(element);
                    if (batch.Problem is not { } problem) break;
                    if (_wantNames) _names.Add(default);
                    Unaddressed.Add((Count++, problem));
                    break;
            }
        }

        public EventReceipt Named(int position, UsageReceipt receipt) => new(_names[position].Source, _names[position].Id, receipt);

        public void Clear()
        {
            foreach (var events in Accounts)
            {
                events.Writer.Reset();
                events.Positions.Clear();
                _spare.Push(events);
            }

            Accounts.Clear();
            _byAccount.Clear();
            Unaddressed.Clear();
            _names.Clear();
            Count = 0;
        }

        private void Add(ReadOnlySpan<byte> json)
        {
            var position = Count++;
            CloudEvent read = default;
            var readable = _reader.Read(json, ref read);
            if (_wantNames) _names.Add((Text(read.Source), Text(read.Id)));
            if (read.Subject.IsEmpty)
            {
                Unaddressed.Add((position, read.Reason ?? "The event names no account."));
                return;
            }

            var events = EventsOf(read.Subject);
            events.Positions.Add(position);
            if (readable)
            {
                events.Writer.Add(new()
                {
                    KeyHash = read.KeyHash,
                    Fingerprint = read.Fingerprint,
                    TimeTicks = read.TimeTicks,
                    Type = read.Type,
                    Source = read.Source,
                    Id = read.Id,
                    Data = read.Data,
                    Body = json,
                });
                return;
            }

            events.Writer.Add(new()
            {
                KeyHash = EventKey.Hash(key, read.Source, read.Id),
                Source = read.Source,
                Id = read.Id,
                Unreadable = Encoding.UTF8.GetBytes(read.Reason!),
                Body = json[..int.Min(json.Length, CloudEventReader.BytesMax)],
            });
        }

        private AccountEvents EventsOf(ReadOnlySpan<byte> subject)
        {
            Span<char> name = stackalloc char[subject.Length];
            name = name[..Encoding.UTF8.GetChars(subject, name)];
            var byName = _byAccount.GetAlternateLookup<ReadOnlySpan<char>>();
            if (byName.TryGetValue(name, out var events)) return events;
            events = _spare.TryPop(out var spare) ? spare : new();
            events.Account = new(name);
            _byAccount.Add(events.Account, events);
            Accounts.Add(events);
            return events;
        }

        private static string? Text(ReadOnlySpan<byte> utf8) => utf8.IsEmpty ? null : Encoding.UTF8.GetString(utf8);
    }

    private sealed class SortingPolicy(SipKey key) : PooledObjectPolicy<Sorting>
    {
        public override Sorting Create() => new(key);

        public override bool Return(Sorting sorting)
        {
            sorting.Clear();
            return true;
        }
    }
}
