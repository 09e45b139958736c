using Billing.Silo.Hosting;
using Npgsql;
using NpgsqlTypes;

namespace Billing.Silo.Storage.Postgres;

/// <summary>
/// The one connection that appends entries, with its prepared statements. A commit is one statement and one round trip, so
/// nothing that happens to this process leaves a row locked.
/// </summary>
internal sealed class PostgresWriter : IAsyncDisposable
{
    // Heads first, in the order of the accounts, so that two silos wait for each other and never both. A head that is not the one
    // before the entry's is locked and left; then nothing of that account is written.
    private const string Head =
        """
        WITH moves AS MATERIALIZED (
            SELECT * FROM unnest($1::text[], $2::bigint[], $3::bigint[], $4::bigint[], $11::integer[]) AS m (account, first_sequence, last_sequence, due_at, due_crc32c)
        ), moved AS (
            INSERT INTO billing.heads AS h (account, first_sequence, last_sequence, due_at, due_crc32c)
            SELECT account, first_sequence, last_sequence, due_at, due_crc32c FROM moves m
            WHERE first_sequence = 1 OR EXISTS (SELECT FROM billing.heads k WHERE k.account = m.account)
            ON CONFLICT (account) DO UPDATE
            SET first_sequence = excluded.first_sequence, last_sequence = excluded.last_sequence, due_at = excluded.due_at, due_crc32c = excluded.due_crc32c
            WHERE h.last_sequence = excluded.first_sequence - 1
            RETURNING account
        ), entered AS (
            INSERT INTO billing.entries (account, sequence, at, crc32c, facts, commit_number)
            SELECT e.account, e.sequence, e.at, e.crc32c, e.facts, CASE WHEN e.in_feed THEN (SELECT pg_current_xact_id()::text::bigint + billing.commit_offset()) END
            FROM unnest($5::text[], $6::bigint[], $7::bigint[], $8::integer[], $9::bytea[], $12::boolean[]) AS e (account, sequence, at, crc32c, facts, in_feed)
            WHERE e.account IN (SELECT account FROM moved)
        ), counted AS (
            UPDATE billing.writers SET commits = commits + 1, seen = now() WHERE writer = $10
        )
        """;

    private const string Beside =
        """
        , kept AS (
            INSERT INTO billing.bodies (account, sequence, at, length, crc32c, bytes)
            SELECT b.* FROM unnest($13::text[], $14::bigint[], $15::bigint[], $16::integer[], $17::integer[], $18::bytea[]) AS b (account, sequence, at, length, crc32c, bytes)
            WHERE b.account IN (SELECT account FROM moved)
        ), listed AS (
            INSERT INTO billing.accounts (account, status, search, plans, summary, crc32c)
            SELECT s.account, s.status, s.search, string_to_array(s.plans, E'\n'), s.summary, s.crc32c
            FROM unnest($19::text[], $20::integer[], $21::text[], $22::text[], $23::text[], $24::integer[]) AS s (account, status, search, plans, summary, crc32c)
            WHERE s.account IN (SELECT account FROM moved)
            ON CONFLICT (account) DO UPDATE
            SET status = excluded.status, search = excluded.search, plans = excluded.plans, summary = excluded.summary, crc32c = excluded.crc32c
        )
        """;

    private const string Fenced = "\nSELECT account FROM moves EXCEPT SELECT account FROM moved";

    private readonly NpgsqlConnection _connection;
    private readonly NpgsqlCommand _plain;
    private readonly NpgsqlCommand _full;

    private PostgresWriter(NpgsqlConnection connection, Guid id)
    {
        _connection = connection;
        ServerProcess = connection.ProcessID;
        _plain = new(Head + Fenced, connection);
        _full = new(Head + Beside + Fenced, connection);
        foreach (var command in new[] { _plain, _full })
        {
            Add<string[]>(command, NpgsqlDbType.Text);
            Add<long[]>(command, NpgsqlDbType.Bigint);
            Add<long[]>(command, NpgsqlDbType.Bigint);
            Add<long?[]>(command, NpgsqlDbType.Bigint);
            Add<string[]>(command, NpgsqlDbType.Text);
            Add<long[]>(command, NpgsqlDbType.Bigint);
            Add<long[]>(command, NpgsqlDbType.Bigint);
            Add<int[]>(command, NpgsqlDbType.Integer);
            Add<byte[][]>(command, NpgsqlDbType.Bytea);
            command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = id });
            Add<int[]>(command, NpgsqlDbType.Integer);
            Add<bool[]>(command, NpgsqlDbType.Boolean);
        }

        Add<string[]>(_full, NpgsqlDbType.Text);
        Add<long[]>(_full, NpgsqlDbType.Bigint);
        Add<long[]>(_full, NpgsqlDbType.Bigint);
        Add<int[]>(_full, NpgsqlDbType.Integer);
        Add<int[]>(_full, NpgsqlDbType.Integer);
        Add<byte[][]>(_full, NpgsqlDbType.Bytea);
        Add<string[]>(_full, NpgsqlDbType.Text);
        Add<int[]>(_full, NpgsqlDbType.Integer);
        Add<string[]>(_full, NpgsqlDbType.Text);
        Add<string[]>(_full, NpgsqlDbType.Text);
        Add<string[]>(_full, NpgsqlDbType.Text);
        Add<int[]>(_full, NpgsqlDbType.Integer);
    }

    /// <summary>The commits of this writer that the database held when the connection was opened.</summary>
    public long CommitsAtOpening { get; private init; }

    /// <summary>Whether the connection can still be used.</summary>
    public bool IsOpen => _connection.FullState == System.Data.ConnectionState.Open;

    /// <summary>The server's process for this connection.</summary>
    public int ServerProcess { get; }

    /// <summary>Makes the writer of a session.</summary>
    /// <param name="session">Its connection, from <see cref="SiloSession"/>; the writer disposes of it, also when this fails.</param>
    /// <param name="id">Names the store that was opened, over all its connections.</param>
    /// <param name="first">Whether it is the first one: then the writer is made known to the database.</param>
    /// <exception cref="CommitsLostException">The database does not know the writer any more.</exception>
    public static async Task<PostgresWriter> Begin(NpgsqlConnection session, Guid id, bool first)
    {
        try
        {
            await using (var settings = new NpgsqlCommand(
                // The arrays of a commit are of any length: the plan that walks the indexes is the one for all of them.
                "SET plan_cache_mode = force_generic_plan; SET enable_nestloop = off; SET enable_mergejoin = off; SET jit = off", session))
            {
                await settings.ExecuteNonQueryAsync();
            }

            if (first)
            {
                await using var insert = new NpgsqlCommand("INSERT INTO billing.writers (writer, commits) VALUES ($1, 0)", session);
                insert.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = id });
                await insert.ExecuteNonQueryAsync();
            }

            await using var select = new NpgsqlCommand("SELECT commits FROM billing.writers WHERE writer = $1", session);
            select.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = id });
            var commits = await select.ExecuteScalarAsync() as long? ?? throw new CommitsLostException("it does not know this silo any more");
            var writer = new PostgresWriter(session, id) { CommitsAtOpening = commits };
            await writer._plain.PrepareAsync();
            await writer._full.PrepareAsync();
            return writer;
        }
        catch
        {
            await session.DisposeAsync();
            throw;
        }
    }

    /// <summary>Commits entries; durable when the task completes.</summary>
    /// <returns>The accounts whose head was not the one before; nothing of them was written.</returns>
    public async Task<HashSet<string>> Write(CommitRows rows)
    {
        var command = rows.HasMore ? _full : _plain;
        rows.Fill(command.Parameters);
        var fenced = new HashSet<string>(StringComparer.Ordinal);
        var sent = command.ExecuteReaderAsync();
        CrashPoints.Reach(CrashPoints.Sent);
        await using var reader = await sent;
        while (await reader.ReadAsync()) fenced.Add(reader.GetString(0));

        // The server commits after the last row and says so at the end of the answer; most often it has by the time the rows arrive.
        await reader.NextResultAsync();
        return fenced;
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _plain.DisposeAsync();
        await _full.DisposeAsync();
        await _connection.DisposeAsync();
    }

    private static void Add<T>(NpgsqlCommand command, NpgsqlDbType element) =>
        command.Parameters.Add(new NpgsqlParameter<T> { NpgsqlDbType = NpgsqlDbType.Array | element });
}

/// <summary>The database holds less than it had acknowledged, as after a restored backup or a standby that was promoted too early.</summary>
internal sealed class CommitsLostException(string how)
    : Exception($"The database lost commits that it had acknowledged: {how}. What this silo holds in memory is ahead of the store. Was an older backup restored, or a standby promoted that lacked them? The platform stops; started again, it goes on from what the database holds.");
