using Billing.Benchmarks.Ingest;
using Npgsql;
using NpgsqlTypes;

namespace Billing.Benchmarks.Postgres;

/// <summary>
/// PostgreSQL at its best: about 1,000 events a transaction, over two clients, ids and counters written by one prepared
/// statement in one round trip. Each client has accounts of its own, so neither waits for a busy account's row.
/// </summary>
public sealed class BatchedTarget(TargetContext context) : PostgresTarget(context, lanes: Clients, clientsPerLane: 1)
{
    private const int Clients = 2;
    private const double EventsPerTransaction = 1_024;

    private const string Statement =
        """
        with fresh as (
            insert into seen select * from unnest($1, $2, $3, $4)
                on conflict do nothing returning account, meter, quantity),
        counted as (
            insert into counter as c
                select account, meter, count(*), sum(quantity)::bigint from fresh
                group by account, meter
                on conflict (account, meter) do update set events = c.events + excluded.events, quantity = c.quantity + excluded.quantity)
        select count(*) from fresh
        """;

    public override string Name => "postgres-batched";

    public override Task Ingest(ReadOnlyMemory<byte> ndjsonPoll, CancellationToken cancellation) =>
        Task.WhenAll(Reader.Read(ndjsonPoll.Span).GroupBy(row => row.Account % Clients).SelectMany(Transactions).Select(transaction =>
            Store(transaction.Lane, transaction.Rows.Length, command => Execute(command, transaction.Rows, cancellation), cancellation)));

    protected override async Task<NpgsqlCommand> Prepare(NpgsqlConnection connection)
    {
        var command = new NpgsqlCommand(Statement, connection);
        command.Parameters.Add(new NpgsqlParameter<Guid[]> { NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Uuid });
        command.Parameters.Add(new NpgsqlParameter<int[]> { NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Integer });
        command.Parameters.Add(new NpgsqlParameter<short[]> { NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Smallint });
        command.Parameters.Add(new NpgsqlParameter<long[]> { NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Bigint });
        await command.PrepareAsync();
        return command;
    }

    /// <summary>Cuts a client's part of a poll into transactions of equal size.</summary>
    private static IEnumerable<(int Lane, UsageRow[] Rows)> Transactions(IGrouping<int, UsageRow> part)
    {
        var rows = part.ToArray();
        var transactions = Math.Max(1, (int)Math.Round(rows.Length / EventsPerTransaction));
        // Sorted, because an index takes neighbours in faster.
        return rows.Chunk((rows.Length + transactions - 1) / transactions).Select(chunk => (part.Key, chunk.OrderBy(row => row.Key).ToArray()));
    }

    private static async Task<int> Execute(NpgsqlCommand command, UsageRow[] rows, CancellationToken cancellation)
    {
        ((NpgsqlParameter<Guid[]>)command.Parameters[0]).TypedValue = Array.ConvertAll(rows, row => row.Key);
        ((NpgsqlParameter<int[]>)command.Parameters[1]).TypedValue = Array.ConvertAll(rows, row => row.Account);
        ((NpgsqlParameter<short[]>)command.Parameters[2]).TypedValue = Array.ConvertAll(rows, row => row.Meter);
        ((NpgsqlParameter<long[]>)command.Parameters[3]).TypedValue = Array.ConvertAll(rows, row => row.Quantity);
        return (int)(long)(await command.ExecuteScalarAsync(cancellation) ?? 0L);
    }
}
