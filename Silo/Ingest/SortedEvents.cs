using System.Text;
using Billing.Deduplication;
using Billing.Usage;

namespace Billing.Silo.Ingest;

/// <summary>
/// The events of one body, sorted by account: read once, written one behind the other, then brought together in one buffer, so
/// that the batch of an account is a slice of it. Reused from body to body; not thread-safe.
/// </summary>
internal sealed class SortedEvents(SipKey key)
{
    // What a larger body has left behind is let go, and so are names when there are too many.
    private const int KeptBytesMax = 8 << 20;
    private const int KeptNamesMax = 100_000;

    private readonly CloudEventReader _reader = new(key);
    private readonly UsageBatchWriter _written = new();
    private readonly Dictionary<string, Account> _byId = new(StringComparer.Ordinal);
    private readonly List<Placed> _placed = [];
    private readonly List<(string? Source, string? Id)> _names = [];
    private byte[] _together = [];
    private int[] _positions = [];
    private bool _wantNames;

    /// <summary>The accounts that the body names.</summary>
    public List<Account> Accounts { get; } = [];

    /// <summary>Events that name no account, with the reason; they are only reported.</summary>
    public List<(int Position, string Reason)> Unaddressed { get; } = [];

    /// <summary>How many events the body has.</summary>
    public int Count { get; private set; }

    /// <summary>The latest time of a readable event, in ticks; 0 without one.</summary>
    public long LatestTicks { get; private set; }

    /// <summary>Reads a body.</summary>
    /// <param name="format">How the events lie in it.</param>
    /// <param name="body">The bytes.</param>
    /// <param name="wantNames">Whether <see cref="Named"/> will be asked.</param>
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

        BringTogether();
    }

    /// <summary>The events of an account, in the order of the body; valid until <see cref="Clear"/>.</summary>
    public UsageBatch BatchOf(Account account, bool keepBodies, bool wantReceipts, DateTimeOffset receivedAt) =>
        new(_together.AsMemory(account.FirstByte, account.Bytes), account.Events, keepBodies, wantReceipts, receivedAt);

    /// <summary>Where the events of an account stand in the body.</summary>
    public ReadOnlySpan<int> PositionsOf(Account account) => _positions.AsSpan(account.FirstEvent, account.Events);

    /// <summary>A receipt with the name of its event.</summary>
    public EventReceipt Named(int position, UsageReceipt receipt) => new(_names[position].Source, _names[position].Id, receipt);

    /// <summary>Gets ready for the next body; false when a body has made it too large to keep.</summary>
    public bool Clear()
    {
        foreach (var account in Accounts) account.Reset();
        Accounts.Clear();
        Unaddressed.Clear();
        _placed.Clear();
        _names.Clear();
        _written.Reset();
        Count = 0;
        LatestTicks = 0;
        if (_byId.Count > KeptNamesMax) _byId.Clear();
        return _together.Length <= KeptBytesMax;
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

        var before = _written.Length;
        if (readable)
        {
            LatestTicks = long.Max(LatestTicks, read.TimeTicks);
            _written.Add(new()
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
        }
        else
        {
            _written.Add(new()
            {
                KeyHash = EventKey.Hash(key, read.Source, read.Id),
                Source = read.Source,
                Id = read.Id,
                Unreadable = Encoding.UTF8.GetBytes(read.Reason!),
                Body = json[..int.Min(json.Length, CloudEventReader.BytesMax)],
            });
        }

        var account = AccountOf(read.Subject);
        account.Events++;
        account.Bytes += _written.Length - before;
        _placed.Add(new(account, position, before, _written.Length - before));
    }

    private Account AccountOf(ReadOnlySpan<byte> subject)
    {
        Span<char> id = stackalloc char[subject.Length];
        id = id[..Encoding.UTF8.GetChars(subject, id)];
        if (!_byId.GetAlternateLookup<ReadOnlySpan<char>>().TryGetValue(id, out var account))
        {
            account = new(new(id));
            _byId.Add(account.Id, account);
        }

        if (account.Events == 0) Accounts.Add(account);
        return account;
    }

    // A counting sort: each account gets its slice, then each event is copied to the next free place in the slice of its account.
    private void BringTogether()
    {
        var bytes = 0;
        var events = 0;
        foreach (var account in Accounts)
        {
            account.FirstByte = account.NextByte = bytes;
            account.FirstEvent = account.NextEvent = events;
            bytes += account.Bytes;
            events += account.Events;
        }

        if (_together.Length < bytes) _together = new byte[int.Max(bytes, _together.Length * 2)];
        if (_positions.Length < events) _positions = new int[int.Max(events, _positions.Length * 2)];
        var written = _written.Written;
        foreach (var (account, position, offset, length) in _placed)
        {
            written.Slice(offset, length).CopyTo(_together.AsSpan(account.NextByte));
            account.NextByte += length;
            _positions[account.NextEvent++] = position;
        }
    }

    private static string? Text(ReadOnlySpan<byte> utf8) => utf8.IsEmpty ? null : Encoding.UTF8.GetString(utf8);

    private readonly record struct Placed(Account Account, int Position, int Offset, int Length);

    /// <summary>An account, and where its events lie while a body is worked on.</summary>
    internal sealed class Account(string id)
    {
        public string Id { get; } = id;

        public int Events { get; set; }

        public int Bytes { get; set; }

        public int FirstByte { get; set; }

        public int NextByte { get; set; }

        public int FirstEvent { get; set; }

        public int NextEvent { get; set; }

        public void Reset() => Events = Bytes = 0;
    }
}
