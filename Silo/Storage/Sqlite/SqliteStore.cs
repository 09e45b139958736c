using System.Security.Cryptography;
using Billing.Deduplication;
using Billing.Journal;
using Microsoft.Data.Sqlite;
using SQLitePCL;

namespace Billing.Silo.Storage.Sqlite;

/// <summary>
/// The embedded store: one file, locked exclusively by this process, one thread. All entries that wait share a commit, which is
/// one row; the next commit begins when the last one returned.
/// </summary>
/// <remarks>
/// Durable means: WAL with <c>synchronous=FULL</c>, so a commit returns after its fsync. Which entries an account has and where
/// is kept in memory and read from the frames at start.
/// </remarks>
internal sealed partial class SqliteStore : SqliteConnectionThread, IJournal
{
    private const int SchemaVersion = 1;

    private readonly Dictionary<string, AccountIndex> _accounts = new(StringComparer.Ordinal);
    private readonly SortedSet<(long Ticks, string Account)> _due = new(DueOrder.Instance);
    private readonly Lock _dueGate = new();
    private readonly SqliteSnapshots _snapshots;
    private long _lastCommit;

    private SqliteStore(string folder, SqliteSnapshots snapshots)
        : base(
            Path.Combine(folder, "journal.db"),
            "PRAGMA locking_mode=EXCLUSIVE; PRAGMA page_size=16384; PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA wal_autocheckpoint=2000; PRAGMA cache_size=-65536;")
    {
        _snapshots = snapshots;
        try
        {
            Migrate();
            HashKey = ReadHashKey();
        }
        catch
        {
            Connection.Dispose();
            throw;
        }

        raw.sqlite3_prepare_v2(Connection.Handle, "INSERT INTO commits (id, frames, bodies) VALUES (?1, ?2, ?3)", out _insertCommit);
    }

    /// <inheritdoc/>
    public SipKey HashKey { get; }

    /// <summary>Raised once when the store cannot go on: a write failed in a way that leaves open what is on disk.</summary>
    public event Action<Exception>? Broken;

    /// <summary>What was written since the store was opened.</summary>
    public JournalFigures Figures { get; private set; }

    /// <summary>Opens the store in a folder, or makes it.</summary>
    /// <exception cref="StoreInUseException">Another process has it open.</exception>
    /// <exception cref="InvalidDataException">It is damaged, or of a newer release; the message says where and what to do.</exception>
    public static async Task<SqliteStore> Open(string folder)
    {
        Directory.CreateDirectory(folder);
        var snapshots = new SqliteSnapshots(Path.Combine(folder, "snapshots.db"));
        SqliteStore? store = null;
        try
        {
            store = new SqliteStore(folder, snapshots);
            store.BuildIndex(await snapshots.Sequences());
            store.Start();
            return store;
        }
        catch (Exception failed)
        {
            store?._insertCommit.Dispose();
            store?.Connection.Dispose();
            await snapshots.DisposeAsync();
            if (failed is not SqliteException damaged) throw;
            throw new InvalidDataException($"The store in {folder} is damaged: {damaged.Message} Restore it from a backup.", damaged);
        }
    }

    /// <inheritdoc/>
    public async Task<JournalTail> Read(string account, CancellationToken cancellation)
    {
        var (last, positions) = await Run(() => _accounts.TryGetValue(account, out var index) ? (index.LastSequence, index.Tail.ToArray()) : (0, []));
        var snapshot = await _snapshots.Find(account);
        if (snapshot is null && positions.Length < last) return await ReadAll(account, cancellation);
        var from = snapshot?.Sequence ?? 0;
        var entries = await Run(() => positions.Where(p => p.Sequence > from).Select(ReadFacts).ToList());
        return new(from, snapshot is { } found ? found.State : (ReadOnlyMemory<byte>?)null, entries);
    }

    /// <inheritdoc/>
    public async Task<JournalTail> ReadAll(string account, CancellationToken cancellation)
    {
        var entries = new List<ReadOnlyMemory<byte>>();
        await ForEachEntry((name, facts) =>
        {
            if (name == account) entries.Add(facts);
        });
        return new(0, null, entries);
    }

    /// <summary>Shows every entry of every account in the order of the commits. Commits wait meanwhile.</summary>
    public Task ForEachEntry(Action<string, ReadOnlyMemory<byte>> visit) => Run(() =>
    {
        foreach (var (commit, frames) in Commits())
        {
            for (var offset = 0; offset < frames.Length;)
            {
                var (account, _, facts) = CommitFrames.Read(frames.AsSpan(offset), Where(commit, offset), out var length);
                visit(account, frames.AsMemory(offset + facts, length - facts));
                offset += length;
            }
        }
    });

    /// <inheritdoc/>
    public Task<ReadOnlyMemory<byte>> ReadBodies(string account, long sequence, CancellationToken cancellation) => Run(() =>
    {
        using var command = Command("SELECT id, bodies FROM commits WHERE bodies IS NOT NULL ORDER BY id");
        using var reader = command.ExecuteReader();
        while (reader.Read())
        {
            cancellation.ThrowIfCancellationRequested();
            if (CommitBodies.Find(reader.GetFieldValue<byte[]>(1), account, sequence, $"{File}, commit {reader.GetInt64(0)}") is { } found) return found;
        }

        return ReadOnlyMemory<byte>.Empty;
    });

    /// <inheritdoc/>
    public async Task SaveSnapshot(string account, long sequence, ReadOnlyMemory<byte> state)
    {
        await _snapshots.Save(account, sequence, state);
        await Run(() => _accounts[account].Tail.RemoveAll(p => p.Sequence <= sequence));
    }

    /// <summary>Commits what waits, stops the thread and lets go of the files.</summary>
    public new async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        await _snapshots.DisposeAsync();
    }

    /// <inheritdoc/>
    protected override void Stopping() => _insertCommit.Dispose();

    private ReadOnlyMemory<byte> ReadFacts(Position position)
    {
        using var blob = new SqliteBlob(Connection, "commits", "frames", position.Commit, readOnly: true);
        var frame = new byte[position.Length];
        blob.Position = position.Offset;
        blob.ReadExactly(frame);
        var (_, _, facts) = CommitFrames.Read(frame, Where(position.Commit, position.Offset), out _);
        return frame.AsMemory(facts);
    }

    private void BuildIndex(Dictionary<string, long> snapshots)
    {
        foreach (var (commit, frames) in Commits())
        {
            for (var offset = 0; offset < frames.Length;)
            {
                var (account, sequence, _) = CommitFrames.Read(frames.AsSpan(offset), Where(commit, offset), out var length);
                var index = IndexOf(account);
                if (sequence != index.LastSequence + 1)
                    throw new InvalidDataException($"The journal is damaged at {Where(commit, offset)}: account {account} has entry {sequence} behind {index.LastSequence}. Restore the store from a backup.");
                index.LastSequence = sequence;
                if (sequence > snapshots.GetValueOrDefault(account)) index.Tail.Add(new(sequence, commit, offset, length));
                offset += length;
            }

            _lastCommit = commit;
        }

        foreach (var (account, snapshot) in snapshots)
        {
            var last = _accounts.TryGetValue(account, out var index) ? index.LastSequence : 0;
            if (snapshot > last)
            {
                throw new InvalidDataException(
                    $"The journal {File} is damaged: account {account} has a snapshot at entry {snapshot}, but the journal ends at entry {last}. "
                    + "Put back what is missing, such as journal.db-wal; if an older journal is wanted, delete snapshots.db.");
            }
        }

        using var command = Command("SELECT account, at FROM due");
        using var reader = command.ExecuteReader();
        while (reader.Read())
        {
            var index = IndexOf(reader.GetString(0));
            index.WrittenDueTicks = reader.GetInt64(1);
            SetDue(reader.GetString(0), index, reader.GetInt64(1));
        }
    }

    private IEnumerable<(long Commit, byte[] Frames)> Commits()
    {
        using var command = Command("SELECT id, frames FROM commits ORDER BY id");
        using var reader = command.ExecuteReader();
        while (reader.Read()) yield return (reader.GetInt64(0), reader.GetFieldValue<byte[]>(1));
    }

    private void Migrate()
    {
        using (var version = Command("PRAGMA user_version"))
        {
            var found = (long)version.ExecuteScalar()!;
            if (found > SchemaVersion)
                throw new InvalidDataException($"The store {File} has schema {found}; this release knows {SchemaVersion}. Start the newer release again. Nothing was changed.");
            if (found == SchemaVersion) return;
        }

        Execute(
            $"""
            BEGIN IMMEDIATE;
            CREATE TABLE settings (name TEXT PRIMARY KEY, value TEXT NOT NULL);
            CREATE TABLE commits (id INTEGER PRIMARY KEY, frames BLOB NOT NULL, bodies BLOB);
            CREATE TABLE due (account TEXT PRIMARY KEY, at INTEGER NOT NULL);
            CREATE TABLE accounts (account TEXT PRIMARY KEY, status INTEGER NOT NULL, search TEXT NOT NULL, summary TEXT NOT NULL);
            CREATE TABLE catalogs (position INTEGER PRIMARY KEY, version TEXT NOT NULL UNIQUE, published_at INTEGER NOT NULL, json BLOB NOT NULL);
            CREATE TABLE api_keys (hash TEXT PRIMARY KEY, scopes TEXT NOT NULL, created_at INTEGER NOT NULL);
            CREATE TABLE answers (key TEXT PRIMARY KEY, request_hash TEXT NOT NULL, status INTEGER NOT NULL, content_type TEXT NOT NULL, location TEXT, body BLOB NOT NULL);
            PRAGMA user_version = {SchemaVersion};
            COMMIT;
            """);
    }

    private SipKey ReadHashKey()
    {
        using (var insert = Command("INSERT OR IGNORE INTO settings (name, value) VALUES ('hash_key', $key)", ("$key", Convert.ToHexString(RandomNumberGenerator.GetBytes(16)))))
            insert.ExecuteNonQuery();
        using var select = Command("SELECT value FROM settings WHERE name = 'hash_key'");
        var bytes = Convert.FromHexString((string)select.ExecuteScalar()!);
        return new(BitConverter.ToUInt64(bytes, 0), BitConverter.ToUInt64(bytes, 8));
    }

    private AccountIndex IndexOf(string account)
    {
        if (!_accounts.TryGetValue(account, out var index)) _accounts.Add(account, index = new());
        return index;
    }

    private void SetDue(string account, AccountIndex index, long? ticks)
    {
        if (index.DueTicks == ticks) return;
        lock (_dueGate)
        {
            if (index.DueTicks is { } before) _due.Remove((before, account));
            if (ticks is { } after) _due.Add((after, account));
        }

        index.DueTicks = ticks;
    }

    private string Where(long commit, int offset) => $"{File}, commit {commit}, byte {offset}";

    /// <summary>Counts of what was written.</summary>
    internal readonly record struct JournalFigures(long Commits, long Entries, long Bytes, long BodyBytes);

    private sealed class AccountIndex
    {
        public long LastSequence { get; set; }

        /// <summary>What is durable, and shown.</summary>
        public long? DueTicks { get; set; }

        /// <summary>What the file holds, counting the commit under way.</summary>
        public long? WrittenDueTicks { get; set; }

        public List<Position> Tail { get; } = [];
    }

    private readonly record struct Position(long Sequence, long Commit, int Offset, int Length);

    private sealed class DueOrder : IComparer<(long Ticks, string Account)>
    {
        public static readonly DueOrder Instance = new();

        public int Compare((long Ticks, string Account) x, (long Ticks, string Account) y) =>
            x.Ticks != y.Ticks ? x.Ticks.CompareTo(y.Ticks) : string.CompareOrdinal(x.Account, y.Account);
    }
}
