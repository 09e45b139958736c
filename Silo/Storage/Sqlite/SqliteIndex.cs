using System.Runtime.InteropServices;
using Billing.Journal;
using Billing.Silo.Hosting;
using Microsoft.Data.Sqlite;
using SQLitePCL;

namespace Billing.Silo.Storage.Sqlite;

/// <summary>
/// What is derived from the journal so that it need not be read whole: account snapshots, sealed ids, and where each account's
/// entries lie. In a file and on a thread of its own, so that writing it delays no commit. The file may be deleted: the journal
/// holds everything.
/// </summary>
internal sealed partial class SqliteIndex : SqliteConnectionThread
{
    private const int SchemaVersion = 3;

    // The file, its write-ahead log and the log's shared memory.
    private static readonly string[] Parts = ["", "-wal", "-shm"];

    private readonly sqlite3_stmt _save;

    private SqliteIndex(string file)
        : base(file, "PRAGMA locking_mode=EXCLUSIVE; PRAGMA page_size=16384; PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;")
    {
        try
        {
            Migrate();
            var prepared = raw.sqlite3_prepare_v2(
                Connection.Handle,
                """
                INSERT INTO snapshots (account, sequence, crc, state) VALUES (?1, ?2, ?3, ?4)
                ON CONFLICT (account) DO UPDATE SET sequence = excluded.sequence, crc = excluded.crc, state = excluded.state
                WHERE excluded.sequence > sequence
                """,
                out _save);
            if (prepared != raw.SQLITE_OK) throw new SqliteException(raw.sqlite3_errmsg(Connection.Handle).utf8_to_string(), prepared);
        }
        catch (SqliteException damaged) when (damaged.SqliteErrorCode != raw.SQLITE_FULL)
        {
            Connection.Dispose();
            throw new InvalidDataException(damaged.Message, damaged);
        }
        catch
        {
            Connection.Dispose();
            throw;
        }

        Start();
    }

    /// <summary>Opens the index, or makes it. One of another release, or a damaged one, is made anew: nothing in it is lost.</summary>
    /// <param name="file">The file.</param>
    /// <param name="notice">Is told a sentence when a damaged one was set aside.</param>
    public static SqliteIndex Open(string file, Action<string> notice)
    {
        try
        {
            return new(file);
        }
        catch (OtherReleaseException)
        {
            foreach (var part in Parts) System.IO.File.Delete(file + part);
            return new(file);
        }
        catch (Exception damaged) when (damaged is InvalidDataException or IOException && System.IO.File.Exists(file))
        {
            return Replace(file, (damaged.InnerException ?? damaged).Message, notice);
        }
    }

    /// <summary>Sets an index aside that nobody has open, and makes a new one.</summary>
    public static SqliteIndex Replace(string file, string damage, Action<string> notice)
    {
        var number = 1;
        while (System.IO.File.Exists($"{file}.damaged-{number}")) number++;
        var aside = $"{file}.damaged-{number}";
        foreach (var part in Parts.Where(part => System.IO.File.Exists(file + part))) System.IO.File.Move(file + part, aside + part);
        notice($"The index {file} is damaged: {damage.TrimEnd('.')}. It was set aside as {aside}, which may be deleted, and is made anew from the journal. Nothing is lost.");
        return new(file);
    }

    /// <summary>Replaces the snapshot of an account unless the stored one is newer, and adds the ids it seals; all or nothing.</summary>
    /// <returns>Whether it was stored.</returns>
    public Task<bool> Save(JournalSnapshot snapshot) => Run(() => InTransaction(() =>
    {
        raw.sqlite3_bind_text(_save, 1, snapshot.Account);
        raw.sqlite3_bind_int64(_save, 2, snapshot.Sequence);
        raw.sqlite3_bind_int64(_save, 3, RowCrc.Of(snapshot.Account, snapshot.Sequence, 0, snapshot.State.Span));
        raw.sqlite3_bind_blob(_save, 4, snapshot.State.Span);
        var result = raw.sqlite3_step(_save);
        raw.sqlite3_reset(_save);
        raw.sqlite3_clear_bindings(_save);
        if (result != raw.SQLITE_DONE) throw new SqliteException(raw.sqlite3_errmsg(Connection.Handle).utf8_to_string(), result);
        if (raw.sqlite3_changes(Connection.Handle) == 0) return false;
        foreach (var segment in snapshot.Sealed)
        {
            using var insert = Command(
                "INSERT OR REPLACE INTO segments (account, forget_day, crc, ids) VALUES ($account, $day, $crc, $ids)",
                ("$account", snapshot.Account),
                ("$day", segment.ForgetDay),
                ("$crc", (long)RowCrc.Of(snapshot.Account, segment.ForgetDay, 0, segment.Ids.Span)),
                ("$ids", segment.Ids.ToArray()));
            insert.ExecuteNonQuery();
            CrashPoints.Reach(CrashPoints.SegmentSeal);
        }

        return true;
    }));

    /// <summary>The snapshot of an account and its sealed ids; null without one, or when a check sum does not hold.</summary>
    /// <exception cref="IndexDamagedException">The file cannot be read there.</exception>
    public Task<JournalSnapshot?> Find(string account) => Reading<JournalSnapshot?>(() =>
    {
        using var command = Command("SELECT sequence, crc, state FROM snapshots WHERE account = $account", ("$account", account));
        using var reader = command.ExecuteReader();
        if (!reader.Read()) return null;
        var state = reader.GetFieldValue<byte[]>(2);
        if (RowCrc.Of(account, reader.GetInt64(0), 0, state) != reader.GetInt64(1)) return null;

        using var segments = Command("SELECT forget_day, crc, ids FROM segments WHERE account = $account ORDER BY forget_day", ("$account", account));
        using var rows = segments.ExecuteReader();
        var found = new List<IdSegment>();
        while (rows.Read())
        {
            var ids = rows.GetFieldValue<byte[]>(2);
            if (RowCrc.Of(account, rows.GetInt32(0), 0, ids) != rows.GetInt64(1)) return null;
            found.Add(new(rows.GetInt32(0), ids));
        }

        return new(account, reader.GetInt64(0), state, found);
    });

    /// <summary>Adds where entries lie; all or nothing.</summary>
    /// <param name="store">The store they lie in.</param>
    /// <param name="lastCommit">The commit up to which every entry is then indexed.</param>
    /// <param name="blocks">Entries of one account each, without gaps, behind those indexed before.</param>
    public Task Add(string store, long lastCommit, IReadOnlyList<PositionBlock> blocks) => Run(() => InTransaction(() =>
    {
        using var insert = Command("INSERT INTO blocks (account, first_sequence, last_sequence, place_crc, crc, positions) VALUES ($account, $first, $last, $place, $crc, $positions)");
        foreach (var name in new[] { "$account", "$first", "$last", "$place", "$crc", "$positions" }) insert.Parameters.Add(new(name, null));
        foreach (var block in blocks)
        {
            var bytes = MemoryMarshal.AsBytes(block.Positions.AsSpan()).ToArray();
            insert.Parameters[0].Value = block.Account;
            insert.Parameters[1].Value = block.FirstSequence;
            insert.Parameters[2].Value = block.LastSequence;
            insert.Parameters[3].Value = (long)RowCrc.Of(block.Account, block.FirstSequence, block.LastSequence, []);
            insert.Parameters[4].Value = (long)RowCrc.Of(block.Account, block.FirstSequence, block.LastSequence, bytes);
            insert.Parameters[5].Value = bytes;
            insert.ExecuteNonQuery();
        }

        using var before = Command("SELECT entries FROM indexed");
        var entries = (long)(before.ExecuteScalar() ?? 0L) + blocks.Sum(b => (long)b.Positions.Length);
        Execute("DELETE FROM indexed");
        using var until = Command(
            "INSERT INTO indexed (store, last_commit, entries, crc) VALUES ($store, $commit, $entries, $crc)",
            ("$store", store),
            ("$commit", lastCommit),
            ("$entries", entries),
            ("$crc", (long)RowCrc.Of(store, lastCommit, entries, [])));
        return until.ExecuteNonQuery();
    }));

    /// <summary>Drops segments of ids, some at a time.</summary>
    /// <returns>How many went; fewer than the limit when none is left.</returns>
    public Task<int> DropSegments(int forgetDay, int limit) => Run(() =>
    {
        using var delete = Command(
            "DELETE FROM segments WHERE rowid IN (SELECT rowid FROM segments WHERE forget_day <= $day LIMIT $limit)", ("$day", forgetDay), ("$limit", limit));
        return delete.ExecuteNonQuery();
    });

    /// <inheritdoc/>
    protected override void Stopping() => _save.Dispose();

    private void Migrate()
    {
        using (var version = Command("PRAGMA user_version"))
        {
            var found = (long)version.ExecuteScalar()!;
            if (found == SchemaVersion) return;
            if (found != 0) throw new OtherReleaseException();
        }

        Execute(
            $"""
            BEGIN IMMEDIATE;
            CREATE TABLE snapshots (account TEXT PRIMARY KEY, sequence INTEGER NOT NULL, crc INTEGER NOT NULL, state BLOB NOT NULL);
            CREATE TABLE segments (account TEXT NOT NULL, forget_day INTEGER NOT NULL, crc INTEGER NOT NULL, ids BLOB NOT NULL, PRIMARY KEY (account, forget_day));
            CREATE INDEX segments_by_day ON segments (forget_day);
            CREATE TABLE blocks (account TEXT NOT NULL, first_sequence INTEGER NOT NULL, last_sequence INTEGER NOT NULL, place_crc INTEGER NOT NULL, crc INTEGER NOT NULL, positions BLOB NOT NULL);
            CREATE INDEX blocks_by_account ON blocks (account, first_sequence, last_sequence, place_crc);
            CREATE TABLE indexed (store TEXT NOT NULL, last_commit INTEGER NOT NULL, entries INTEGER NOT NULL, crc INTEGER NOT NULL);
            PRAGMA user_version = {SchemaVersion};
            COMMIT;
            """);
    }

    private sealed class OtherReleaseException : Exception;
}

/// <summary>Where an entry lies in the journal.</summary>
/// <param name="Commit">The commit.</param>
/// <param name="Offset">Its first byte among the frames of the commit.</param>
/// <param name="Length">Its bytes.</param>
internal readonly record struct Position(long Commit, int Offset, int Length)
{
    /// <summary>How long one is in the index.</summary>
    public const int Bytes = 16;
}

/// <summary>Where entries of an account lie that follow each other.</summary>
/// <param name="Account">The account.</param>
/// <param name="FirstSequence">The number of the first of them.</param>
/// <param name="Positions">One for each.</param>
internal sealed record PositionBlock(string Account, long FirstSequence, Position[] Positions)
{
    /// <summary>The number of the last of them.</summary>
    public long LastSequence => FirstSequence + Positions.Length - 1;
}

/// <summary>What a start takes from the index.</summary>
/// <param name="Until">The last commit whose entries are indexed, of which store; null before the first.</param>
/// <param name="LastSequences">The last indexed entry of each account.</param>
/// <param name="BehindSnapshots">The indexed entries that are in no snapshot, account by account, in order.</param>
/// <param name="SnapshotSequences">Up to which entry each account has a snapshot; not compared with a check sum.</param>
internal sealed record IndexContents(
    (string Store, long Commit)? Until, Dictionary<string, long> LastSequences, List<PositionBlock> BehindSnapshots, Dictionary<string, long> SnapshotSequences);

/// <summary>The index is damaged. Nothing is lost: all of it is in the journal.</summary>
internal sealed class IndexDamagedException(string message) : Exception(message);
