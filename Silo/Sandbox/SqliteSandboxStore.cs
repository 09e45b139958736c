using Billing.Silo.Storage;
using Billing.Silo.Storage.Sqlite;
using Microsoft.Data.Sqlite;
using SQLitePCL;

namespace Billing.Silo.Sandbox;

/// <summary>
/// Keeps the sandbox in a file of its own, <c>stripe-sandbox.db</c>. What waits when a commit returns goes into the next one together.
/// </summary>
internal sealed class SqliteSandboxStore : SqliteConnectionThread, ISandboxStore
{
    private const int SchemaVersion = 1;

    private readonly Lock _gate = new();
    private readonly sqlite3_stmt _put;
    private readonly sqlite3_stmt _remove;
    private List<(IReadOnlyList<SandboxChange> Changes, TaskCompletionSource Done)> _waiting = [];
    private Exception? _broken;

    private SqliteSandboxStore(string file)
        : base(file, "PRAGMA locking_mode=EXCLUSIVE; PRAGMA page_size=8192; PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA wal_autocheckpoint=2000;")
    {
        try
        {
            Migrate();
            _put = Prepare(
                """
                INSERT INTO rows (kind, id, sequence, keys, value) VALUES (?1, ?2, ?3, ?4, ?5)
                ON CONFLICT (kind, id) DO UPDATE SET sequence = excluded.sequence, keys = excluded.keys, value = excluded.value
                """);
            _remove = Prepare("DELETE FROM rows WHERE kind = ?1 AND id = ?2");
        }
        catch
        {
            Connection.Dispose();
            throw;
        }

        Start();
    }

    /// <summary>Opens the file in a folder, or makes both.</summary>
    /// <exception cref="StoreInUseException">Another process has it open.</exception>
    public static SqliteSandboxStore Open(string folder)
    {
        Directory.CreateDirectory(folder);
        return new(Path.Combine(folder, "stripe-sandbox.db"));
    }

    /// <inheritdoc/>
    public IReadOnlyList<SandboxChange> Load() => Run(() =>
    {
        var rows = new List<SandboxChange>();
        using var select = Command("SELECT kind, id, sequence, keys, value FROM rows");
        using var reader = select.ExecuteReader();
        while (reader.Read()) rows.Add(new(reader.GetString(0), reader.GetString(1), reader.GetInt64(2), reader.GetString(3), (byte[])reader.GetValue(4)));
        return rows;
    }).GetAwaiter().GetResult();

    /// <inheritdoc/>
    public Task Save(IReadOnlyList<SandboxChange> changes)
    {
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (_gate) _waiting.Add((changes, done));
        if (!TryWake()) done.TrySetException(new ObjectDisposedException(nameof(SqliteSandboxStore)));
        return done.Task;
    }

    /// <inheritdoc/>
    protected override void BeforeWork()
    {
        List<(IReadOnlyList<SandboxChange> Changes, TaskCompletionSource Done)> taken;
        lock (_gate)
        {
            if (_waiting.Count == 0) return;
            (taken, _waiting) = (_waiting, []);
        }

        try
        {
            if (_broken is not null) throw _broken;
            InTransaction(() =>
            {
                foreach (var change in taken.SelectMany(t => t.Changes)) Write(change);
                return true;
            });
        }
        catch (SqliteException failed)
        {
            // Memory is ahead of the file from here on: nothing more is taken, and a restart reads what is durable.
            _broken = failed;
            foreach (var (_, done) in taken) done.TrySetException(failed);
            return;
        }

        foreach (var (_, done) in taken) done.TrySetResult();
    }

    /// <inheritdoc/>
    protected override void Stopping()
    {
        BeforeWork();
        _put.Dispose();
        _remove.Dispose();
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
            CREATE TABLE rows (kind TEXT NOT NULL, id TEXT NOT NULL, sequence INTEGER NOT NULL, keys TEXT NOT NULL, value BLOB NOT NULL, PRIMARY KEY (kind, id)) WITHOUT ROWID;
            PRAGMA user_version = {SchemaVersion};
            COMMIT;
            """);
    }

    private void Write(SandboxChange change)
    {
        var statement = change.Value is null ? _remove : _put;
        raw.sqlite3_bind_text(statement, 1, change.Kind);
        raw.sqlite3_bind_text(statement, 2, change.Id);
        if (change.Value is { } value)
        {
            raw.sqlite3_bind_int64(statement, 3, change.Sequence);
            raw.sqlite3_bind_text(statement, 4, change.Keys);
            raw.sqlite3_bind_blob(statement, 5, value);
        }

        var result = raw.sqlite3_step(statement);
        raw.sqlite3_reset(statement);
        raw.sqlite3_clear_bindings(statement);
        if (result != raw.SQLITE_DONE) throw new SqliteException(raw.sqlite3_errmsg(Connection.Handle).utf8_to_string(), result);
    }

    private sqlite3_stmt Prepare(string sql)
    {
        if (raw.sqlite3_prepare_v2(Connection.Handle, sql, out var statement) != raw.SQLITE_OK)
            throw new SqliteException(raw.sqlite3_errmsg(Connection.Handle).utf8_to_string(), raw.SQLITE_ERROR);
        return statement;
    }
}
