using System.Buffers.Binary;
using System.Text;
using System.Text.Json;
using Billing.Accounts;
using Billing.Deduplication;
using Billing.Journal;
using Billing.Silo.Storage;
using Billing.Silo.Storage.Sqlite;

namespace Billing.Tests.Simulation;

/// <summary>
/// A journal on a simulated disk: a log of commits, each with its check sum, and snapshots and segments in files that are written anew,
/// synced and renamed. One task commits all that waits, and begins again when the last commit returned.
/// </summary>
internal sealed partial class SimulatedStore : IJournal, ISettings, IDueTimes, IAccountDirectory, IRetention
{
    private const string Log = "log";

    private readonly World _world;
    private readonly Process _process;
    private readonly SimulatedDisk _disk;
    private readonly PlantedFault _fault;
    private readonly SortedDictionary<string, Account> _accounts = new(StringComparer.Ordinal);
    private readonly Dictionary<string, string> _settings = new(StringComparer.Ordinal);
    private List<Waiting> _waiting = [];
    private bool _committing;
    private int _end;
    private Exception? _broken;

    /// <summary>Opens what the disk holds. A torn end of the log is cut off: nobody was told that it was stored.</summary>
    public SimulatedStore(World world, Process process, SimulatedDisk disk, SipKey hashKey, PlantedFault fault = PlantedFault.None)
    {
        (_world, _process, _disk, _fault, HashKey) = (world, process, disk, fault, hashKey);
        if (!disk.Exists(Log))
        {
            disk.Append(Log, []);
            disk.SyncFolder();
        }

        Recover();
        OpenSnapshots();
    }

    /// <summary>Raised once when it is not known what the disk holds.</summary>
    public event Action? Broken;

    /// <inheritdoc/>
    public SipKey HashKey { get; }

    /// <summary>All accounts that have entries.</summary>
    public IEnumerable<string> Accounts => _accounts.Where(a => a.Value.Last > 0).Select(a => a.Key);

    /// <summary>The number of an account's last entry that is durable.</summary>
    public long LastSequence(string account) => _accounts.TryGetValue(account, out var found) ? found.Last : 0;

    /// <summary>When an account is due next, as it is stored.</summary>
    public long? DueTicks(string account) => _accounts.TryGetValue(account, out var found) ? found.Due : null;

    /// <summary>All due times, for a person to read.</summary>
    public string DueTimes => string.Join(", ", _accounts.Where(a => a.Value.Due is not null).Select(a => $"{a.Key} {new DateTimeOffset(a.Value.Due!.Value, TimeSpan.Zero):O}"));

    /// <summary>The earliest due time of all.</summary>
    public long? EarliestDue => _accounts.Values.Min(a => a.Due);

    /// <inheritdoc/>
    public async Task<Appended> Append(JournalEntry entry)
    {
        var body = new byte[CommitFrames.LengthOf(entry)];
        CommitFrames.Write(entry, body);
        var waiting = new Waiting(entry.Account, entry.Sequence, body, entry.Bodies.ToArray(), entry.At.UtcTicks, entry.DueAt?.UtcTicks, entry.Summary, null);
        if (_fault == PlantedFault.AcknowledgedBeforeAppend)
        {
            _ = Commit(waiting);
            return Appended.Yes;
        }

        _world.OnEffect?.Invoke($"entry {entry.Sequence} of {entry.Account} is handed in");
        var appended = await Commit(waiting);
        _world.OnEffect?.Invoke($"entry {entry.Sequence} of {entry.Account}: {(appended == Appended.Yes ? "durable" : appended)}");
        return appended;
    }

    /// <inheritdoc/>
    public Task<JournalTail> ReadAll(string account, CancellationToken cancellation) =>
        Task.FromResult(JournalTail.Of(_accounts.TryGetValue(account, out var found) ? Entries(account, found, 0) : []));

    /// <inheritdoc/>
    public Task<JournalTail> Read(string account, CancellationToken cancellation)
    {
        if (!_accounts.TryGetValue(account, out var found) || ReadSnapshot(found) is not { } snapshot) return ReadAll(account, cancellation);
        _world.Trace.Count(snapshot.Sealed.Count > 0 ? "read from a snapshot with segments" : "read from a snapshot");
        return Task.FromResult(new JournalTail(snapshot.Sequence, snapshot.State, snapshot.Sealed, Entries(account, found, snapshot.Sequence)));
    }

    /// <inheritdoc/>
    public Task<ReadOnlyMemory<byte>> ReadBodies(string account, long sequence, CancellationToken cancellation) =>
        Task.FromResult<ReadOnlyMemory<byte>>(_accounts.TryGetValue(account, out var found) && sequence >= 1 && sequence <= found.Entries.Count
            ? _disk.Read(Log, found.Entries[(int)sequence - 1].Bodies, found.Entries[(int)sequence - 1].BodiesLength)
            : []);

    /// <inheritdoc/>
    public Task<string?> Get(string name) => Task.FromResult(_settings.GetValueOrDefault(name));

    /// <inheritdoc/>
    public async Task<bool> Replace(string name, string? before, string value)
    {
        if (await Get(name) != before) return false;
        await Set(name, value);
        return true;
    }

    /// <inheritdoc/>
    public Task Set(string name, string value) => Commit(new("", 0, [], [], 0, null, null, (name, value)));

    /// <inheritdoc/>
    public ValueTask<DateTimeOffset?> Next(DateTimeOffset? after = null) => new(
        _accounts.Values.Where(a => after is null || a.Due > after.Value.UtcTicks).Min(a => a.Due) is { } ticks ? new DateTimeOffset(ticks, TimeSpan.Zero) : null);

    /// <inheritdoc/>
    public ValueTask<IReadOnlyList<string>> DueAt(DateTimeOffset instant, int limit) => new(
        [.. _accounts.Where(a => a.Value.Due <= instant.UtcTicks).OrderBy(a => a.Value.Due).Take(limit).Select(a => a.Key)]);

    /// <inheritdoc/>
    public Task<IReadOnlyList<ListedAccount>> List(AccountQuery query, string? after, int limit) => Task.FromResult<IReadOnlyList<ListedAccount>>(
    [
        .. _accounts.Values.Select(a => a.Summary).OfType<AccountSummary>()
            .Where(s => after is null || string.CompareOrdinal(s.Id, after) > 0)
            .Where(s => query.Text is null || $"{s.Id}\n{s.Name}\n{s.Email}".Contains(query.Text, StringComparison.OrdinalIgnoreCase))
            .Where(s => (query.Status is null || s.Status == query.Status) && (query.Plan is null || s.Plans.Contains(query.Plan)))
            .Take(limit).Select(s => new ListedAccount(s.Id, s)),
    ]);

    /// <inheritdoc/>
    public Task MendSummary(string account, AccountSummary? summary) => throw new NotSupportedException("Rows for lists are not damaged here.");

    private List<ReadOnlyMemory<byte>> Entries(string account, Account found, long after)
    {
        var entries = new List<ReadOnlyMemory<byte>>();
        for (var i = (int)after; i < found.Last; i++)
        {
            var place = found.Entries[i];
            var frame = _disk.Read(Log, place.Frame, place.FrameLength);
            if (!CommitFrames.TryRead(frame, out var name, out var sequence, out var facts, out _) || name != account || (sequence != i + 1 && _fault != PlantedFault.AppendedWithoutFence))
                throw new JournalDamagedException($"Entry {i + 1} of account {account} is damaged.");
            entries.Add(frame.AsMemory(facts));
        }

        return entries;
    }

    private Task<Appended> Commit(Waiting waiting)
    {
        _waiting.Add(waiting);
        if (!_committing)
        {
            _committing = true;
            _process.Begin(CommitAll);
        }

        return waiting.Done.Task;
    }

    private async Task CommitAll()
    {
        while (_waiting.Count > 0)
        {
            var gathered = _waiting;
            _waiting = [];
            await CommitOnce(gathered);
        }

        _committing = false;
    }

    private async Task CommitOnce(List<Waiting> gathered)
    {
        if (_broken is not null)
        {
            foreach (var waiting in gathered) waiting.Done.SetException(_broken);
            return;
        }

        var taken = new Dictionary<string, long>(StringComparer.Ordinal);
        gathered.RemoveAll(waiting =>
        {
            if (waiting.Setting is not null) return false;
            var last = taken.GetValueOrDefault(waiting.Account, LastSequence(waiting.Account));
            if (waiting.Sequence != last + 1 && _fault != PlantedFault.AppendedWithoutFence)
            {
                _world.Trace.Count("append fenced");
                waiting.Done.SetResult(Appended.Fenced);
                return true;
            }

            taken[waiting.Account] = last + 1;
            return false;
        });
        if (gathered.Count == 0) return;

        var commit = Commits.Write(gathered, _fault == PlantedFault.DueTimeNotWritten);
        await _world.Delay(_process, _world.Latency());
        try
        {
            _disk.Append(Log, commit);
        }
        catch (IOException undone)
        {
            _world.Trace.Count("append undone");
            _disk.Cut(Log, _end);
            foreach (var waiting in gathered) waiting.Done.SetException(undone);
            return;
        }

        await _world.Delay(_process, _world.Latency());
        if (!TrySync(gathered)) return;
        await _world.Delay(_process, _world.Latency());
        Show(gathered);
        _world.Trace.Add(_end, Crc32C.Of(commit));
    }

    // Whether a failed sync made anything durable nobody can tell, and the next one would not try again: only a restart reads what is there.
    private bool TrySync(List<Waiting> gathered)
    {
        try
        {
            _disk.Sync(Log);
        }
        catch (IOException failed)
        {
            if (_fault == PlantedFault.FailedSyncRetried)
            {
                _disk.Sync(Log);
                return true;
            }

            _world.Trace.Count("sync failed");
            _broken = failed;
            foreach (var waiting in gathered) waiting.Done.SetException(failed);
            Broken?.Invoke();
            return false;
        }

        return true;
    }

    private void Show(List<Waiting> committed)
    {
        _end = Commits.Read(_disk.Read(Log), _end, Take);
        foreach (var waiting in committed)
        {
            if (_fault == PlantedFault.DueTimeNotWritten && waiting.Setting is null) _accounts[waiting.Account].Due = waiting.Due;
            waiting.Done.SetResult(Appended.Yes);
        }
    }

    private void Take(Commits.Stored stored)
    {
        if (stored.Setting is { } setting)
        {
            _settings[setting.Name] = setting.Value;
            return;
        }

        if (!_accounts.TryGetValue(stored.Account, out var account)) _accounts.Add(stored.Account, account = new());
        account.Entries.Add(stored.Place);
        account.Due = stored.Due;
        account.Summary = stored.Summary ?? account.Summary;
    }

    private void Recover()
    {
        while (true)
        {
            var next = Commits.Read(_disk.Read(Log), _end, _fault == PlantedFault.LastCommitDropped ? _ => { } : Take);
            if (next < 0) break;
            if (_fault == PlantedFault.LastCommitDropped)
            {
                if (next == _disk.Length(Log) && _world.Chance(30)) break;
                Commits.Read(_disk.Read(Log), _end, Take);
            }

            _end = next;
        }

        if (_disk.Length(Log) == _end) return;
        _world.Trace.Count("torn end cut");
        _disk.Cut(Log, _end);
        _disk.Sync(Log);
    }

    private sealed class Account
    {
        public List<Place> Entries { get; } = [];

        public long Last => Entries.Count;

        public long? Due { get; set; }

        public AccountSummary? Summary { get; set; }

        public Snapshot? Snapshot { get; set; }
    }

    /// <summary>Where an entry lies in the log.</summary>
    private readonly record struct Place(int Frame, int FrameLength, int Bodies, int BodiesLength);

    /// <summary>An entry, or a setting, on its way.</summary>
    private sealed record Waiting(
        string Account, long Sequence, byte[] Frame, byte[] Bodies, long At, long? Due, AccountSummary? Summary, (string Name, string Value)? Setting)
    {
        public TaskCompletionSource<Appended> Done { get; } = new();
    }

    /// <summary>The bytes of a commit: length (4), CRC-32C of what follows (4), then per entry its frame, due time, summary and bodies.</summary>
    private static class Commits
    {
        private const int HeadBytes = 8;
        private const byte EntryKind = 1;
        private const byte SettingKind = 2;

        internal readonly record struct Stored(string Account, Place Place, long? Due, AccountSummary? Summary, (string Name, string Value)? Setting);

        public static byte[] Write(List<Waiting> entries, bool leaveOutDue)
        {
            using var stream = new MemoryStream();
            using var writer = new BinaryWriter(stream);
            writer.Write(0L);
            foreach (var entry in entries)
            {
                if (entry.Setting is { } setting)
                {
                    writer.Write(SettingKind);
                    writer.Write(setting.Name);
                    writer.Write(setting.Value);
                    continue;
                }

                writer.Write(EntryKind);
                writer.Write(entry.Account);
                writer.Write(leaveOutDue ? 0 : entry.Due ?? 0);
                writer.Write(entry.Summary is null ? "" : JsonSerializer.Serialize(entry.Summary, Billing.Http.BillingJson.Web.AccountSummary));
                writer.Write(entry.Frame.Length);
                writer.Write(entry.Frame);
                writer.Write(entry.Bodies.Length);
                writer.Write(entry.Bodies);
            }

            var bytes = stream.ToArray();
            BinaryPrimitives.WriteInt32LittleEndian(bytes, bytes.Length);
            BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(4), Crc32C.Of(bytes.AsSpan(HeadBytes)));
            return bytes;
        }

        /// <summary>Reads the commit at an offset and gives the offset behind it; -1 when there is none, or its check sum does not hold.</summary>
        public static int Read(ReadOnlySpan<byte> log, int offset, Action<Stored> take)
        {
            if (log.Length - offset < HeadBytes) return -1;
            var length = BinaryPrimitives.ReadInt32LittleEndian(log[offset..]);
            if (length <= HeadBytes || length > log.Length - offset) return -1;
            var commit = log.Slice(offset, length);
            if (Crc32C.Of(commit[HeadBytes..]) != BinaryPrimitives.ReadUInt32LittleEndian(commit[4..])) return -1;
            var at = HeadBytes;
            while (at < commit.Length)
            {
                if (commit[at++] == SettingKind)
                {
                    take(new("", default, null, null, (Text(commit, ref at), Text(commit, ref at))));
                    continue;
                }

                var account = Text(commit, ref at);
                var due = BinaryPrimitives.ReadInt64LittleEndian(commit[at..]);
                at += sizeof(long);
                var summary = Text(commit, ref at);
                var frame = Block(commit, ref at);
                var bodies = Block(commit, ref at);
                take(new(
                    account,
                    new(offset + frame.Start, frame.Length, offset + bodies.Start, bodies.Length),
                    due == 0 ? null : due,
                    summary.Length == 0 ? null : JsonSerializer.Deserialize(summary, Billing.Http.BillingJson.Web.AccountSummary),
                    null));
            }

            return offset + length;
        }

        private static (int Start, int Length) Block(ReadOnlySpan<byte> commit, ref int at)
        {
            var length = BinaryPrimitives.ReadInt32LittleEndian(commit[at..]);
            at += sizeof(int) + length;
            return (at - length, length);
        }

        // As BinaryWriter writes it: the length in groups of seven bits, then UTF-8.
        private static string Text(ReadOnlySpan<byte> commit, ref int at)
        {
            var (length, shift) = (0, 0);
            byte group;
            do
            {
                group = commit[at++];
                length |= (group & 0x7f) << shift;
                shift += 7;
            }
            while (group >= 0x80);
            at += length;
            return Encoding.UTF8.GetString(commit.Slice(at - length, length));
        }
    }
}
