using System.Buffers;
using System.Collections.Concurrent;
using System.Security.Cryptography;
using Billing.Deduplication;
using Billing.Journal;
using Billing.Silo.Hosting;
using Microsoft.Data.Sqlite;
using SQLitePCL;

namespace Billing.Silo.Storage.Sqlite;

/// <summary>
/// The embedded store: one file, locked exclusively by this process, one thread. All entries that wait share a commit, which is
/// one row; the next commit begins when the last one returned.
/// </summary>
/// <remarks>
/// Durable means: WAL with <c>synchronous=FULL</c>, so a commit returns after its fsync. Where the newest entries of an account
/// lie is kept in memory; of the others the index knows.
/// </remarks>
internal sealed partial class SqliteStore : SqliteConnectionThread, IStore
{
    private readonly Dictionary<string, AccountIndex> _accounts = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, string> _damaged = new(StringComparer.Ordinal);
    private readonly Availability _availability;
    private readonly List<string> _notices = [];
    private SqliteIndex _index;
    private readonly HeadFile _head;
    private readonly string _id;
    private long _lastCommit;
    private long _indexedCommit;
    private long _bytesSinceIndexing;
    private Task _indexing = Task.CompletedTask;

    private SqliteStore(string folder, SqliteIndex index, HeadFile head)
        : base(
            Path.Combine(folder, "journal.db"),
            "PRAGMA locking_mode=EXCLUSIVE; PRAGMA page_size=16384; PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA wal_autocheckpoint=2000; PRAGMA cache_size=-65536;")
    {
        _availability = new(why => AvailabilityChanged?.Invoke(why));
        _index = index;
        _head = head;
        try
        {
            RefuseALostEnd(LastCommit(), head.Read() ?? 0);
            Migrate();
            Execute(WaitingEventsTable);
            HashKey = ReadHashKey();
            _id = ReadOrMake("store_id", static () => Guid.NewGuid().ToString("N"));
        }
        catch
        {
            Connection.Dispose();
            throw;
        }

        raw.sqlite3_prepare_v2(Connection.Handle, "INSERT INTO commits (id, heads, frames) VALUES (?1, ?2, ?3)", out _insertCommit);
        raw.sqlite3_prepare_v2(Connection.Handle, "INSERT INTO bodies (commit_id, at, bytes, crcs) VALUES (?1, ?2, ?3, ?4)", out _insertBodies);
        raw.sqlite3_prepare_v2(Connection.Handle, "INSERT INTO feed (commit_id, places) VALUES (?1, ?2)", out _insertFeed);
    }

    /// <inheritdoc/>
    public SipKey HashKey { get; }

    /// <inheritdoc/>
    public event Action<Exception>? Broken;

    /// <inheritdoc/>
    public event Action<StoreUnavailableException?>? AvailabilityChanged;

    /// <summary>Raised when what is derived from the journal could not be written; it is tried again later.</summary>
    public event Action<Exception>? IndexingFailed;

    /// <inheritdoc/>
    public IReadOnlyList<string> Notices => _notices;

    /// <summary>What was written since the store was opened.</summary>
    public JournalFigures Figures { get; private set; }

    /// <summary>Opens the store in a folder, or makes it.</summary>
    /// <exception cref="StoreInUseException">Another process has it open.</exception>
    /// <exception cref="InvalidDataException">It is damaged, or of a newer release; the message says where and what to do.</exception>
    public static async Task<SqliteStore> Open(string folder)
    {
        Directory.CreateDirectory(folder);
        var notices = new List<string>();
        var index = SqliteIndex.Open(Path.Combine(folder, "index.db"), notices.Add);
        HeadFile? head = null;
        SqliteStore? store = null;
        try
        {
            var journal = Path.Combine(folder, "journal.db");
            head = new HeadFile(Path.Combine(folder, "journal.head"));
            RefuseALogWithoutItsJournal(journal, head.Read() ?? 0);
            if (head.Read() is null or 0) RefuseALogThatWasCut(journal);
            store = new SqliteStore(folder, index, head);
            store._notices.AddRange(notices);
            await store.BuildIndex();
            store.Start();
            return store;
        }
        catch (Exception failed)
        {
            store?.Stopping();
            store?.Connection.Dispose();
            head?.Dispose();
            await (store?._index ?? index).DisposeAsync();
            if (failed is SqliteException damaged)
                throw new InvalidDataException($"The store in {folder} is damaged: {damaged.Message} Restore it from a backup. Nothing was changed.", damaged);
            throw;
        }
    }

    // Opened without its database, or with an empty one, a write-ahead log is dropped.
    private static void RefuseALogWithoutItsJournal(string journal, long acknowledged)
    {
        var file = new FileInfo(journal);
        if (file is { Exists: true, Length: > 0 }) return;
        if (acknowledged == 0 && !(new FileInfo(journal + "-wal") is { Exists: true, Length: > 0 })) return;
        throw new InvalidDataException(
            $"The journal {journal} is {(file.Exists ? "empty" : "missing")}, but {acknowledged} commits were acknowledged in its folder or its write-ahead log is there. "
            + "Put journal.db back beside journal.db-wal; if a new store is wanted, empty the folder. Nothing was changed.");
    }

    // Without the note of the last commit, nothing else tells later that they are gone.
    private static void RefuseALogThatWasCut(string journal)
    {
        if (!WriteAheadLog.LostCommits(journal + "-wal")) return;
        throw new InvalidDataException(
            $"The write-ahead log {journal}-wal is damaged: a check sum in it does not hold, and commits that were acknowledged, which lie behind it, would be lost. "
            + "Put a sound copy of journal.db-wal in its place, or restore the folder from a backup. Nothing was changed.");
    }

    /// <inheritdoc/>
    public async Task<JournalTail> Read(string account, CancellationToken cancellation)
    {
        ThrowIfDamaged(account);
        var last = await Run(() => _accounts.GetValueOrDefault(account)?.LastSequence ?? 0);
        if (last == 0) return JournalTail.Of([]);
        if (await FindSnapshot(account) is not { } snapshot) return await ReadAll(account, cancellation);
        var entries = await Run(() =>
        {
            var index = _accounts[account];
            if (snapshot.Sequence + 1 < index.FirstPosition) return null;
            return ReadEntries(account, snapshot.Sequence + 1, index.PositionsBehind(snapshot.Sequence));
        });
        return entries is null ? await ReadAll(account, cancellation) : new(snapshot.Sequence, snapshot.State, snapshot.Sealed, entries);
    }

    /// <inheritdoc/>
    public async Task<JournalTail> ReadAll(string account, CancellationToken cancellation)
    {
        ThrowIfDamaged(account);
        return await ReadFromTheFirst(account);
    }

    /// <inheritdoc/>
    public async Task ReadAgain(string account, CancellationToken cancellation)
    {
        await Run(() => Execute("PRAGMA shrink_memory"));
        await ReadFromTheFirst(account);
        _damaged.TryRemove(account, out _);
    }

    private async Task<JournalTail> ReadFromTheFirst(string account)
    {
        // The store's own list first: what it drops meanwhile is indexed by then.
        var (first, recent) = await Run(() => _accounts.TryGetValue(account, out var index) ? (index.FirstPosition, index.Positions.ToArray()) : (1, []));
        var positions = await IndexedPositions(account, first - 1);
        positions.AddRange(recent);
        return JournalTail.Of(await Run(() => ReadEntries(account, 1, positions)));
    }

    /// <summary>Shows every entry of every account in the order of the commits. Commits wait meanwhile.</summary>
    /// <exception cref="JournalDamagedException">A frame is damaged.</exception>
    public Task ForEachEntry(Action<string, ReadOnlyMemory<byte>> visit) => Run(() =>
    {
        using var command = Command("SELECT id, frames FROM commits ORDER BY id");
        using var reader = command.ExecuteReader();
        while (reader.Read())
        {
            var frames = reader.GetFieldValue<byte[]>(1);
            for (var offset = 0; offset < frames.Length;)
            {
                if (!CommitFrames.TryRead(frames.AsSpan(offset), out var account, out _, out var facts, out var length))
                    throw new JournalDamagedException(Sentence(Where(reader.GetInt64(0), offset) + ": a frame's check sum does not hold"));
                visit(account, frames.AsMemory(offset + facts, length - facts));
                offset += length;
            }
        }
    });

    /// <inheritdoc/>
    public async Task<ReadOnlyMemory<byte>> ReadBodies(string account, long sequence, CancellationToken cancellation)
    {
        var (there, recent) = await Run(() => !_accounts.TryGetValue(account, out var index) || sequence < 1 || sequence > index.LastSequence ? (false, null)
            : (true, sequence >= index.FirstPosition ? index.Positions[(int)(sequence - index.FirstPosition)].Commit : (long?)null));
        if (!there) return ReadOnlyMemory<byte>.Empty;
        var commit = recent ?? (await IndexedPositions(account, sequence))[(int)sequence - 1].Commit;
        return await Run(() => BodiesOf(commit) is var (bytes, crcs) && CommitBodies.Find(bytes, crcs, account, sequence, $"{File}, commit {commit}") is { } found
            ? found
            : ReadOnlyMemory<byte>.Empty);
    }

    /// <inheritdoc/>
    public async Task SaveSnapshot(JournalSnapshot snapshot)
    {
        CrashPoints.Reach(CrashPoints.BeforeSnapshot);
        if (!await NotingDamage(() => _index.Save(snapshot))) return;
        CrashPoints.Reach(CrashPoints.AfterSnapshot);
        await Run(() =>
        {
            var index = _accounts[snapshot.Account];
            index.SnapshotSequence = long.Max(index.SnapshotSequence, snapshot.Sequence);
            index.Trim();
        });
    }

    /// <summary>Commits what waits, indexes it, stops the threads and lets go of the files.</summary>
    public new async ValueTask DisposeAsync()
    {
        try
        {
            await _indexing;
            if (_broken is null && _lastCommit > _indexedCommit) await NotingDamage(WriteIndex);
        }
        catch (Exception failed) when (failed is SqliteException or ObjectDisposedException)
        {
            IndexingFailed?.Invoke(failed);
        }

        await base.DisposeAsync();
        await _index.DisposeAsync();
        _head.Dispose();
    }

    /// <inheritdoc/>
    protected override void Stopping()
    {
        _insertCommit.Dispose();
        _insertBodies.Dispose();
        _insertFeed.Dispose();
    }

    /// <summary>The facts of entries that follow each other, each compared with its check sum and its place.</summary>
    private List<ReadOnlyMemory<byte>> ReadEntries(string account, long firstSequence, IReadOnlyList<Position> positions)
    {
        var entries = new List<ReadOnlyMemory<byte>>(positions.Count);
        SqliteBlob? blob = null;
        try
        {
            for (var i = 0; i < positions.Count; i++)
            {
                var position = positions[i];
                if (i == 0 || positions[i - 1].Commit != position.Commit)
                {
                    blob?.Dispose();
                    blob = new(Connection, "commits", "frames", position.Commit, readOnly: true);
                }

                var frame = new byte[position.Length];
                blob!.Position = position.Offset;
                if (blob.Length < position.Offset + position.Length) throw Hold(account, Where(position.Commit, position.Offset) + ": a frame ends too soon");
                blob.ReadExactly(frame);
                if (!CommitFrames.TryRead(frame, out var name, out var sequence, out var facts, out _) || name != account || sequence != firstSequence + i)
                    throw Hold(account, Where(position.Commit, position.Offset) + ": a frame's check sum does not hold");
                entries.Add(frame.AsMemory(facts));
            }
        }
        catch (SqliteException missing)
        {
            throw Hold(account, $"{File}: {missing.Message}");
        }
        finally
        {
            blob?.Dispose();
        }

        return entries;
    }

    private void ThrowIfDamaged(string account)
    {
        if (_damaged.TryGetValue(account, out var sentence)) throw new JournalDamagedException(sentence);
    }

    private JournalDamagedException Hold(string account, string damage)
    {
        var sentence = Sentence(damage);
        _damaged.TryAdd(account, sentence);
        return new(sentence);
    }

    private static string Sentence(string damage) => $"The journal is damaged at {damage}. Restore the store from a backup.";

    private string ReadOrMake(string name, Func<string> make)
    {
        using (var insert = Command("INSERT OR IGNORE INTO settings (name, value) VALUES ($name, $value)", ("$name", name), ("$value", make())))
            insert.ExecuteNonQuery();
        using var select = Command("SELECT value FROM settings WHERE name = $name", ("$name", name));
        return (string)select.ExecuteScalar()!;
    }

    private SipKey ReadHashKey()
    {
        const int Bytes = 16;
        using (var insert = Command(
            "INSERT OR IGNORE INTO settings (name, value) SELECT 'hash_key', $value WHERE NOT EXISTS (SELECT 1 FROM commits)",
            ("$value", Convert.ToHexString(RandomNumberGenerator.GetBytes(Bytes)))))
        {
            insert.ExecuteNonQuery();
        }

        using var select = Command("SELECT value FROM settings WHERE name = 'hash_key'");
        if (select.ExecuteScalar() is not string text) throw HashKeyCheck.Missing(File);
        var key = new byte[Bytes];
        if (Convert.FromHexString(text, key, out var consumed, out var written) != OperationStatus.Done || consumed != text.Length || written != Bytes)
            throw new InvalidDataException($"The store in {File} is damaged: \"hash_key\" in its settings is not {Bytes} bytes in hexadecimal. Without it no event is known again: restore it from a backup. Nothing was changed.");
        return new(BitConverter.ToUInt64(key, 0), BitConverter.ToUInt64(key, 8));
    }

    private AccountIndex IndexOf(string account)
    {
        if (!_accounts.TryGetValue(account, out var index)) _accounts.Add(account, index = new());
        return index;
    }

    private string Where(long commit, int offset) => $"{File}, commit {commit}, byte {offset}";

    /// <summary>Counts of what was written.</summary>
    internal readonly record struct JournalFigures(long Commits, long Entries, long Bytes, long BodyBytes);

    /// <summary>Where the entries of an account lie that are in no snapshot or not indexed yet.</summary>
    private sealed class AccountIndex
    {
        public long LastSequence { get; set; }

        /// <summary>The last entry in a snapshot.</summary>
        public long SnapshotSequence { get; set; }

        /// <summary>The last entry whose place is in the index.</summary>
        public long IndexedSequence { get; set; }

        /// <summary>The number of the entry that the first position is of.</summary>
        public long FirstPosition { get; set; } = 1;

        public List<Position> Positions { get; } = [];

        /// <summary>What is durable, and shown, as <see cref="DueRow"/> has it; null when nothing is stored.</summary>
        public long? DueTicks { get; set; }

        /// <summary>What the file holds, counting the commit under way.</summary>
        public long? WrittenDueTicks { get; set; }

        public IReadOnlyList<Position> PositionsBehind(long sequence) => Positions.GetRange((int)(sequence + 1 - FirstPosition), (int)(FirstPosition + Positions.Count - sequence - 1));

        public PositionBlock NotIndexed(string account) => new(account, IndexedSequence + 1, [.. PositionsBehind(IndexedSequence)]);

        /// <summary>Forgets the places that nobody needs but for reading an account from its first entry.</summary>
        public void Trim()
        {
            var drop = (int)(long.Min(SnapshotSequence, IndexedSequence) + 1 - FirstPosition);
            if (drop <= 0) return;
            Positions.RemoveRange(0, drop);
            FirstPosition += drop;
        }
    }
}
