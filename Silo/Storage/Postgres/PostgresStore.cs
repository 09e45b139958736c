using System.Buffers;
using System.Collections.Concurrent;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography;
using Billing.Deduplication;
using Billing.Journal;
using Billing.Silo.Hosting;
using Npgsql;

namespace Billing.Silo.Storage.Postgres;

/// <summary>
/// The store on PostgreSQL, for one silo or many. Each account has a head row with its last entry's number: a commit moves the
/// heads on from exactly the number before, and so fences whoever else appends to the account.
/// </summary>
internal sealed partial class PostgresStore : IStore
{
    private const int KeyBytes = 16;

    private readonly NpgsqlDataSource _readers;
    private readonly NpgsqlDataSource _writers;
    private readonly ConcurrentDictionary<string, string> _damaged = new(StringComparer.Ordinal);
    private readonly Guid _id = Guid.NewGuid();
    private readonly string _place;
    private readonly int _poolSize;
    private readonly bool _alone;
    private readonly Availability _availability;

    private PostgresStore(NpgsqlConnectionStringBuilder settings, bool alone)
    {
        _alone = alone;
        _poolSize = settings.MaxPoolSize;
        _availability = new(why => AvailabilityChanged?.Invoke(why));
        _place = $"the database {settings.Database ?? settings.Username}";
        _readers = PostgresConnections.Pool(settings);
        _writers = PostgresConnections.Writer(settings);
    }

    /// <inheritdoc/>
    public SipKey HashKey { get; private set; }

    /// <inheritdoc/>
    public event Action<Exception>? Broken;

    /// <inheritdoc/>
    public event Action<StoreUnavailableException?>? AvailabilityChanged;

    /// <summary>Opens the store in a database, or makes it there.</summary>
    /// <param name="connectionString">Where it is, as Npgsql reads it.</param>
    /// <param name="alone">Whether no other silo may use it at the same time.</param>
    /// <exception cref="FormatException">It is not a connection string. The message does not show it, for it may hold a password.</exception>
    /// <exception cref="StoreUnavailableException">The database cannot be used; the message says why.</exception>
    /// <exception cref="StoreInUseException">Other silos use it, and this one or one of them is to be alone.</exception>
    /// <exception cref="InvalidDataException">The store is of a newer release, damaged or not ours, or the server cannot hold it.</exception>
    public static async Task<PostgresStore> Open(string connectionString, bool alone = false)
    {
        var settings = PostgresConnections.Settings(connectionString);
        PostgresStore? store = null;
        NpgsqlConnection? session = null;
        try
        {
            store = new(settings, alone);
            session = await SiloSession.Open(store._writers, alone, former: 0);
            await PostgresSchema.Migrate(session);
            store.HashKey = await ReadHashKey(session);
            if (alone) await ForgetWriters(session);
            store._writer = await PostgresWriter.Begin(session, store._id, first: true);
            return store;
        }
        catch (Exception failed)
        {
            if (session is not null) await session.DisposeAsync();
            if (store is not null) await store.DisposeAsync();

            // Npgsql's own exceptions quote names of settings and files, never a password.
            if (failed is NpgsqlException or ArgumentException or NotSupportedException or SocketException or IOException or UnauthorizedAccessException or CryptographicException or AuthenticationException)
                throw new StoreUnavailableException(Told.Why(failed), failed);
            throw;
        }
    }

    /// <inheritdoc/>
    public async Task<JournalTail> Read(string account, CancellationToken cancellation)
    {
        ThrowIfDamaged(account);
        if (!IsStorable(account)) return JournalTail.Of([]);
        return await Reading(
            async connection =>
            {
                // One view of all tables: what is saved meanwhile is not seen in parts.
                await using var transaction = await connection.BeginTransactionAsync(System.Data.IsolationLevel.RepeatableRead, cancellation);
                var (head, snapshot, behind) = await ReadTail(connection, account, cancellation);
                if (snapshot is { } found && found.Sequence <= head)
                    return new JournalTail(found.Sequence, found.State, found.Sealed, Facts(account, found.Sequence, head, behind!));
                return JournalTail.Of(Facts(account, 0, head, behind ?? await ReadEntries(connection, account, cancellation)));
            },
            cancellation);
    }

    /// <inheritdoc/>
    public async Task<JournalTail> ReadAll(string account, CancellationToken cancellation)
    {
        ThrowIfDamaged(account);
        return await ReadFromTheFirst(account, cancellation);
    }

    /// <inheritdoc/>
    public async Task ReadAgain(string account, CancellationToken cancellation)
    {
        await ReadFromTheFirst(account, cancellation);
        _damaged.TryRemove(account, out _);
    }

    /// <inheritdoc/>
    public async Task<ReadOnlyMemory<byte>> ReadBodies(string account, long sequence, CancellationToken cancellation)
    {
        if (!IsStorable(account)) return default;
        return await Reading<ReadOnlyMemory<byte>>(
            async connection =>
            {
                await using var select = Command(connection, "SELECT at, length, crc32c, bytes FROM billing.bodies WHERE account = $1 AND sequence = $2", account, sequence);
                await using var reader = await select.ExecuteReaderAsync(cancellation);
                if (!await reader.ReadAsync(cancellation)) return default;
                var bytes = reader.GetFieldValue<byte[]>(3);
                return RowCrc.Of(account, sequence, reader.GetInt64(0), bytes) == reader.GetInt32(2) && StoredBodies.Decompress(bytes, reader.GetInt32(1)) is { } bodies
                    ? bodies
                    : throw new JournalDamagedException(DamagedBodies(account, sequence));
            },
            cancellation);
    }

    /// <inheritdoc/>
    public async Task SaveSnapshot(JournalSnapshot snapshot)
    {
        const string Save =
            """
            WITH saved AS (
                INSERT INTO billing.snapshots AS s (account, sequence, crc32c, state) VALUES ($1, $2, $3, $4)
                ON CONFLICT (account) DO UPDATE SET sequence = excluded.sequence, crc32c = excluded.crc32c, state = excluded.state
                WHERE excluded.sequence > s.sequence
                RETURNING account
            )
            INSERT INTO billing.segments (account, forget_day, crc32c, ids)
            SELECT saved.account, g.forget_day, g.crc32c, g.ids FROM saved, unnest($5::integer[], $6::integer[], $7::bytea[]) AS g (forget_day, crc32c, ids)
            ON CONFLICT (account, forget_day) DO UPDATE SET crc32c = excluded.crc32c, ids = excluded.ids
            """;
        var (account, sequence, state) = (snapshot.Account, snapshot.Sequence, snapshot.State.ToArray());
        var days = snapshot.Sealed.Select(s => s.ForgetDay).ToArray();
        var ids = snapshot.Sealed.Select(s => s.Ids.ToArray()).ToArray();
        var checks = days.Zip(ids, (day, bytes) => RowCrc.Of(account, day, 0, bytes)).ToArray();
        CrashPoints.Reach(CrashPoints.BeforeSnapshot);
        await Write(Save, account, sequence, RowCrc.Of(account, sequence, 0, state), state, days, checks, ids);
        CrashPoints.Reach(CrashPoints.AfterSnapshot);
    }

    /// <summary>Commits what waits and lets go of the connections.</summary>
    public async ValueTask DisposeAsync()
    {
        Task committing;
        lock (_gate)
        {
            _stopping = true;
            committing = _committing;
        }

        await committing;
        if (_writer is not null) await _writer.DisposeAsync();
        await _writers.DisposeAsync();
        await _readers.DisposeAsync();
    }

    private async Task<JournalTail> ReadFromTheFirst(string account, CancellationToken cancellation)
    {
        if (!IsStorable(account)) return JournalTail.Of([]);
        return await Reading(
            async connection =>
            {
                await using var transaction = await connection.BeginTransactionAsync(System.Data.IsolationLevel.RepeatableRead, cancellation);
                await using var select = Command(connection, "SELECT last_sequence FROM billing.heads WHERE account = $1", account);
                var head = await select.ExecuteScalarAsync(cancellation) as long? ?? 0;
                return JournalTail.Of(Facts(account, 0, head, await ReadEntries(connection, account, cancellation)));
            },
            cancellation);
    }

    // Those of silos that ran before: where one is alone, nobody asks for them any more.
    private static async Task ForgetWriters(NpgsqlConnection connection)
    {
        await using var delete = Command(connection, "DELETE FROM billing.writers");
        await delete.ExecuteNonQueryAsync();
    }

    private static async Task<SipKey> ReadHashKey(NpgsqlConnection connection)
    {
        var made = Convert.ToHexString(RandomNumberGenerator.GetBytes(KeyBytes));
        await using (var insert = Command(connection, "INSERT INTO billing.settings (name, value) SELECT 'hash_key', $1 WHERE NOT EXISTS (SELECT 1 FROM billing.heads) ON CONFLICT DO NOTHING", made))
            await insert.ExecuteNonQueryAsync();
        await using var select = Command(connection, "SELECT value FROM billing.settings WHERE name = 'hash_key'");
        if (await select.ExecuteScalarAsync() is not string text) throw HashKeyCheck.Missing($"the database {connection.Database}");
        var bytes = new byte[KeyBytes];
        if (Convert.FromHexString(text, bytes, out var consumed, out var written) != OperationStatus.Done || consumed != text.Length || written != KeyBytes)
            throw new InvalidDataException($"The store in the database {connection.Database} is damaged: \"hash_key\" in billing.settings is not {KeyBytes} bytes in hexadecimal. Without it no event is known again: restore it from a backup. Nothing was changed.");
        return new(BitConverter.ToUInt64(bytes, 0), BitConverter.ToUInt64(bytes, 8));
    }

    /// <summary>The head of an account, its snapshot and the rows behind it; no snapshot and no rows when a check sum does not hold.</summary>
    private static async Task<(long Head, JournalSnapshot? Snapshot, List<EntryRow>? Behind)> ReadTail(NpgsqlConnection connection, string account, CancellationToken cancellation)
    {
        await using var batch = new NpgsqlBatch(connection);
        foreach (var sql in new[]
        {
            "SELECT last_sequence FROM billing.heads WHERE account = $1",
            "SELECT sequence, crc32c, state FROM billing.snapshots WHERE account = $1",
            "SELECT forget_day, crc32c, ids FROM billing.segments WHERE account = $1 ORDER BY forget_day",
            "SELECT sequence, at, crc32c, facts FROM billing.entries WHERE account = $1 AND sequence > coalesce((SELECT sequence FROM billing.snapshots WHERE account = $1), 0) ORDER BY sequence",
        })
        {
            batch.BatchCommands.Add(new(sql) { Parameters = { new NpgsqlParameter<string> { TypedValue = account } } });
        }

        await using var reader = await batch.ExecuteReaderAsync(cancellation);
        var head = await reader.ReadAsync(cancellation) ? reader.GetInt64(0) : 0;
        await reader.NextResultAsync(cancellation);
        var (sequence, state, holds) = (0L, default(byte[]), true);
        if (await reader.ReadAsync(cancellation))
        {
            (sequence, state) = (reader.GetInt64(0), reader.GetFieldValue<byte[]>(2));
            holds = RowCrc.Of(account, sequence, 0, state) == reader.GetInt32(1) && sequence <= head;
        }

        await reader.NextResultAsync(cancellation);
        var segments = new List<IdSegment>();
        while (await reader.ReadAsync(cancellation))
        {
            var ids = reader.GetFieldValue<byte[]>(2);
            holds &= RowCrc.Of(account, reader.GetInt32(0), 0, ids) == reader.GetInt32(1);
            segments.Add(new(reader.GetInt32(0), ids));
        }

        await reader.NextResultAsync(cancellation);
        if (!holds) return (head, null, null);
        var behind = await EntryRows(reader, cancellation);
        return (head, state is null ? null : new(account, sequence, state, segments), behind);
    }

    private static async Task<List<EntryRow>> ReadEntries(NpgsqlConnection connection, string account, CancellationToken cancellation)
    {
        await using var select = Command(connection, "SELECT sequence, at, crc32c, facts FROM billing.entries WHERE account = $1 ORDER BY sequence", account);
        await using var reader = await select.ExecuteReaderAsync(cancellation);
        return await EntryRows(reader, cancellation);
    }

    private static async Task<List<EntryRow>> EntryRows(NpgsqlDataReader reader, CancellationToken cancellation)
    {
        var rows = new List<EntryRow>();
        while (await reader.ReadAsync(cancellation))
            rows.Add(new(reader.GetInt64(0), reader.GetInt64(1), reader.GetInt32(2), reader.GetFieldValue<byte[]>(3)));
        return rows;
    }

    /// <summary>The facts of the entries behind a number up to the head, each compared with its check sum and its place.</summary>
    private List<ReadOnlyMemory<byte>> Facts(string account, long behind, long head, List<EntryRow> rows)
    {
        var facts = new List<ReadOnlyMemory<byte>>(rows.Count);
        var expected = behind;
        foreach (var row in rows)
        {
            if (row.Sequence != ++expected) throw Hold(account, expected, "it is missing");
            if (row.Sequence > head) throw Hold(account, row.Sequence, $"it lies behind the account's head, which says {head}");
            if (!row.Holds(account)) throw Hold(account, row.Sequence, "its check sum does not hold");
            facts.Add(row.Facts);
        }

        return expected == head ? facts : throw Hold(account, expected + 1, $"it is missing; the account's head says {head}");
    }

    private void ThrowIfDamaged(string account)
    {
        if (_damaged.TryGetValue(account, out var sentence)) throw new JournalDamagedException(sentence);
    }

    private string DamagedBodies(string account, long sequence) =>
        $"The bodies of events are damaged at {_place}, billing.bodies, account {account}, entry {sequence}. What was counted is not touched: restore the store from a backup to read them.";

    private JournalDamagedException Hold(string account, long sequence, string damage)
    {
        var sentence = $"The journal is damaged at {_place}, billing.entries, account {account}, entry {sequence}: {damage}. Restore the store from a backup.";
        _damaged.TryAdd(account, sentence);
        return new(sentence);
    }

    private static NpgsqlCommand Command(NpgsqlConnection connection, string sql, params ReadOnlySpan<object?> parameters)
    {
        var command = new NpgsqlCommand(sql, connection);
        foreach (var value in parameters) command.Parameters.Add(new() { Value = value ?? DBNull.Value });
        return command;
    }

    /// <summary>A row of billing.entries.</summary>
    private readonly record struct EntryRow(long Sequence, long At, int Crc, byte[] Facts)
    {
        public bool Holds(string account) => RowCrc.Of(account, Sequence, At, Facts) == Crc;
    }
}
