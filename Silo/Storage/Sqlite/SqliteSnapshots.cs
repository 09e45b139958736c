using Microsoft.Data.Sqlite;
using SQLitePCL;

namespace Billing.Silo.Storage.Sqlite;

/// <summary>Account snapshots in a file and on a thread of their own, so that writing one delays no commit. The file may be deleted: the journal holds everything.</summary>
internal sealed class SqliteSnapshots : SqliteConnectionThread
{
    private readonly sqlite3_stmt _save;

    public SqliteSnapshots(string file)
        : base(file, "PRAGMA locking_mode=EXCLUSIVE; PRAGMA page_size=16384; PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;")
    {
        try
        {
            Execute("CREATE TABLE IF NOT EXISTS snapshots (account TEXT PRIMARY KEY, sequence INTEGER NOT NULL, crc INTEGER NOT NULL, state BLOB NOT NULL)");
            raw.sqlite3_prepare_v2(
                Connection.Handle,
                """
                INSERT INTO snapshots (account, sequence, crc, state) VALUES (?1, ?2, ?3, ?4)
                ON CONFLICT (account) DO UPDATE SET sequence = excluded.sequence, crc = excluded.crc, state = excluded.state
                WHERE excluded.sequence > sequence
                """,
                out _save);
        }
        catch
        {
            Connection.Dispose();
            throw;
        }

        Start();
    }

    /// <summary>Replaces the snapshot of an account unless the stored one is newer.</summary>
    public Task Save(string account, long sequence, ReadOnlyMemory<byte> state) => Run(() =>
    {
        raw.sqlite3_bind_text(_save, 1, account);
        raw.sqlite3_bind_int64(_save, 2, sequence);
        raw.sqlite3_bind_int64(_save, 3, Crc32C.Of(state.Span));
        raw.sqlite3_bind_blob(_save, 4, state.Span);
        var result = raw.sqlite3_step(_save);
        raw.sqlite3_reset(_save);
        raw.sqlite3_clear_bindings(_save);
        if (result != raw.SQLITE_DONE) throw new SqliteException(raw.sqlite3_errmsg(Connection.Handle).utf8_to_string(), result);
    });

    /// <inheritdoc/>
    protected override void Stopping() => _save.Dispose();

    /// <summary>The snapshot of an account; null without one, or when its check sum does not hold.</summary>
    public Task<(long Sequence, byte[] State)?> Find(string account) => Run<(long, byte[])?>(() =>
    {
        using var command = Command("SELECT sequence, crc, state FROM snapshots WHERE account = $account", ("$account", account));
        using var reader = command.ExecuteReader();
        if (!reader.Read()) return null;
        var state = reader.GetFieldValue<byte[]>(2);
        return Crc32C.Of(state) == (uint)reader.GetInt64(1) ? (reader.GetInt64(0), state) : null;
    });

    /// <summary>Up to which entry each account has a snapshot.</summary>
    public Task<Dictionary<string, long>> Sequences() => Run(() =>
    {
        using var command = Command("SELECT account, sequence FROM snapshots");
        using var reader = command.ExecuteReader();
        var sequences = new Dictionary<string, long>(StringComparer.Ordinal);
        while (reader.Read()) sequences.Add(reader.GetString(0), reader.GetInt64(1));
        return sequences;
    });
}
