using Billing.Benchmarks.Postgres;
using Billing.Journal;
using Billing.Silo.Storage;
using Billing.Silo.Storage.Postgres;
using Npgsql;
using NpgsqlTypes;

namespace Billing.Benchmarks.Journal;

/// <summary>A way to keep accepted events in PostgreSQL.</summary>
internal abstract class JournalForm(TemporaryCluster cluster) : IAsyncDisposable
{
    public abstract string Name { get; }

    protected TemporaryCluster Cluster => cluster;

    /// <summary>The tables whose size is the form's.</summary>
    public abstract IReadOnlyList<string> Tables { get; }

    public abstract Task Start(IReadOnlyList<JournalEntry> openings);

    /// <summary>Writes a poll; durable when the task completes. Of single events it may stop before the end.</summary>
    /// <returns>The events written.</returns>
    public abstract Task<int> Write(JournalPoll poll, CancellationToken stop);

    /// <summary>How many events are stored.</summary>
    public abstract Task<long> Stored();

    public virtual ValueTask DisposeAsync() => ValueTask.CompletedTask;

    protected async Task<long> Scalar(string sql)
    {
        await using var command = cluster.DataSource.CreateCommand(sql);
        return (long)(await command.ExecuteScalarAsync())!;
    }
}

/// <summary>Our journal: an entry for each account that a commit touches, fenced by the account's head.</summary>
internal sealed class OwnForm(TemporaryCluster cluster) : JournalForm(cluster)
{
    private IStore _store = null!;

    public override string Name => "orleans-billing journal, 4,096 events a commit";

    public override IReadOnlyList<string> Tables => ["billing.entries", "billing.heads"];

    public override async Task Start(IReadOnlyList<JournalEntry> openings)
    {
        _store = await PostgresStore.Open(Cluster.DataSource.ConnectionString);
        foreach (var some in openings.Chunk(4_096)) await Task.WhenAll(some.Select(_store.Append));
    }

    public override async Task<int> Write(JournalPoll poll, CancellationToken stop)
    {
        var appended = await Task.WhenAll(poll.Entries.Select(_store.Append));
        return appended.All(a => a == Appended.Yes) ? poll.Rows.Length : throw new InvalidOperationException("An entry was fenced; there is one writer.");
    }

    public override async Task<long> Stored()
    {
        var events = 0L;
        await using var command = Cluster.DataSource.CreateCommand("SELECT facts FROM billing.entries");
        await using var reader = await command.ExecuteReaderAsync();
        while (await reader.ReadAsync()) events += JournalEvents.EventsOf(reader.GetFieldValue<byte[]>(0));
        return events;
    }

    public override ValueTask DisposeAsync() => _store.DisposeAsync();
}

/// <summary>A row per event with a unique key, which is what makes it count once; no other index.</summary>
internal abstract class RowForm(TemporaryCluster cluster, string table, int clients) : JournalForm(cluster)
{
    private readonly List<NpgsqlConnection> _connections = [];

    public override IReadOnlyList<string> Tables => [table];

    protected string Table => table;

    protected IReadOnlyList<NpgsqlConnection> Connections => _connections;

    public override async Task Start(IReadOnlyList<JournalEntry> openings)
    {
        await using (var create = Cluster.DataSource.CreateCommand(
            $"CREATE TABLE {table} (key uuid PRIMARY KEY, time timestamptz NOT NULL, quantity bigint NOT NULL, fingerprint integer NOT NULL, account integer NOT NULL, meter smallint NOT NULL, source text NOT NULL, id text NOT NULL)"))
        {
            await create.ExecuteNonQueryAsync();
        }

        for (var i = 0; i < clients; i++) _connections.Add(await Cluster.DataSource.OpenConnectionAsync());
    }

    public override async Task<int> Write(JournalPoll poll, CancellationToken stop)
    {
        var written = await Task.WhenAll(Enumerable.Range(0, clients).Select(client => Task.Run(() => WritePart(client, [.. poll.Rows.Where((_, i) => i % clients == client)], stop))));
        return written.Sum();
    }

    public override Task<long> Stored() => Scalar($"SELECT count(*) FROM {table}");

    public override async ValueTask DisposeAsync()
    {
        foreach (var connection in _connections) await connection.DisposeAsync();
    }

    protected abstract Task<int> WritePart(int client, EventRow[] rows, CancellationToken stop);
}

/// <summary>About 1,000 events a transaction, two clients, one prepared insert from arrays.</summary>
internal sealed class BatchedRows(TemporaryCluster cluster) : RowForm(cluster, "rows_batched", clients: 2)
{
    private const int EventsPerTransaction = 1_000;

    private readonly Dictionary<int, NpgsqlCommand> _commands = [];

    public override string Name => "row per event, 1,000 a transaction, insert from arrays";

    public override async Task Start(IReadOnlyList<JournalEntry> openings)
    {
        await base.Start(openings);
        for (var client = 0; client < Connections.Count; client++)
        {
            var command = new NpgsqlCommand(
                $"INSERT INTO {Table} (key, time, quantity, fingerprint, account, meter, source, id) SELECT * FROM unnest($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING", Connections[client]);
            Add<Guid[]>(NpgsqlDbType.Uuid);
            Add<DateTime[]>(NpgsqlDbType.TimestampTz);
            Add<long[]>(NpgsqlDbType.Bigint);
            Add<int[]>(NpgsqlDbType.Integer);
            Add<int[]>(NpgsqlDbType.Integer);
            Add<short[]>(NpgsqlDbType.Smallint);
            Add<string[]>(NpgsqlDbType.Text);
            Add<string[]>(NpgsqlDbType.Text);
            await command.PrepareAsync();
            _commands.Add(client, command);

            void Add<T>(NpgsqlDbType element) => command.Parameters.Add(new NpgsqlParameter<T> { NpgsqlDbType = NpgsqlDbType.Array | element });
        }
    }

    protected override async Task<int> WritePart(int client, EventRow[] rows, CancellationToken stop)
    {
        var written = 0;
        var command = _commands[client];
        var transactions = int.Max(1, (int)double.Round(rows.Length / (double)EventsPerTransaction));

        // Sorted, because an index takes neighbours in faster.
        foreach (var part in rows.Chunk((rows.Length + transactions - 1) / transactions).Select(chunk => chunk.OrderBy(row => row.Key).ToArray()))
        {
            Set(0, Array.ConvertAll(part, row => row.Key));
            Set(1, Array.ConvertAll(part, row => row.Time));
            Set(2, Array.ConvertAll(part, row => row.Quantity));
            Set(3, Array.ConvertAll(part, row => row.Fingerprint));
            Set(4, Array.ConvertAll(part, row => row.Account));
            Set(5, Array.ConvertAll(part, row => row.Meter));
            Set(6, Array.ConvertAll(part, row => row.Source));
            Set(7, Array.ConvertAll(part, row => row.Id));
            written += await command.ExecuteNonQueryAsync(CancellationToken.None);
        }

        return written;

        void Set<T>(int index, T value) => ((NpgsqlParameter<T>)command.Parameters[index]).TypedValue = value;
    }
}

/// <summary>About 1,000 events a transaction, two clients, binary <c>COPY</c>, which leaves no way to pass over a duplicate.</summary>
internal sealed class CopiedRows(TemporaryCluster cluster) : RowForm(cluster, "rows_copied", clients: 2)
{
    private const int EventsPerTransaction = 1_000;

    public override string Name => "row per event, 1,000 a transaction, binary COPY";

    protected override async Task<int> WritePart(int client, EventRow[] rows, CancellationToken stop)
    {
        var transactions = int.Max(1, (int)double.Round(rows.Length / (double)EventsPerTransaction));
        foreach (var part in rows.Chunk((rows.Length + transactions - 1) / transactions).Select(chunk => chunk.OrderBy(row => row.Key)))
        {
            await using var copy = await Connections[client].BeginBinaryImportAsync($"COPY {Table} (key, time, quantity, fingerprint, account, meter, source, id) FROM STDIN (FORMAT binary)", CancellationToken.None);
            foreach (var row in part)
            {
                await copy.StartRowAsync(CancellationToken.None);
                await copy.WriteAsync(row.Key, NpgsqlDbType.Uuid, CancellationToken.None);
                await copy.WriteAsync(row.Time, NpgsqlDbType.TimestampTz, CancellationToken.None);
                await copy.WriteAsync(row.Quantity, NpgsqlDbType.Bigint, CancellationToken.None);
                await copy.WriteAsync(row.Fingerprint, NpgsqlDbType.Integer, CancellationToken.None);
                await copy.WriteAsync(row.Account, NpgsqlDbType.Integer, CancellationToken.None);
                await copy.WriteAsync(row.Meter, NpgsqlDbType.Smallint, CancellationToken.None);
                await copy.WriteAsync(row.Source, NpgsqlDbType.Text, CancellationToken.None);
                await copy.WriteAsync(row.Id, NpgsqlDbType.Text, CancellationToken.None);
            }

            await copy.CompleteAsync(CancellationToken.None);
        }

        return rows.Length;
    }
}

/// <summary>Each event a transaction of its own, over sixteen connections.</summary>
internal sealed class SingleRows(TemporaryCluster cluster) : RowForm(cluster, "rows_single", clients: 16)
{
    public override string Name => "row per event, one a transaction, 16 connections";

    protected override async Task<int> WritePart(int client, EventRow[] rows, CancellationToken stop)
    {
        await using var command = new NpgsqlCommand(
            $"INSERT INTO {Table} (key, time, quantity, fingerprint, account, meter, source, id) VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING", Connections[client]);
        var (key, time, quantity, fingerprint) = (Add<Guid>(NpgsqlDbType.Uuid), Add<DateTime>(NpgsqlDbType.TimestampTz), Add<long>(NpgsqlDbType.Bigint), Add<int>(NpgsqlDbType.Integer));
        var (account, meter, source, id) = (Add<int>(NpgsqlDbType.Integer), Add<short>(NpgsqlDbType.Smallint), Add<string>(NpgsqlDbType.Text), Add<string>(NpgsqlDbType.Text));
        await command.PrepareAsync(CancellationToken.None);
        var written = 0;
        foreach (var row in rows)
        {
            if (stop.IsCancellationRequested) break;
            (key.TypedValue, time.TypedValue, quantity.TypedValue, fingerprint.TypedValue) = (row.Key, row.Time, row.Quantity, row.Fingerprint);
            (account.TypedValue, meter.TypedValue, source.TypedValue, id.TypedValue) = (row.Account, row.Meter, row.Source, row.Id);
            written += await command.ExecuteNonQueryAsync(CancellationToken.None);
        }

        return written;

        NpgsqlParameter<T> Add<T>(NpgsqlDbType type)
        {
            var parameter = new NpgsqlParameter<T> { NpgsqlDbType = type };
            command.Parameters.Add(parameter);
            return parameter;
        }
    }
}
