using Billing.Benchmarks.Ingest;
using Npgsql;
using NpgsqlTypes;

namespace Billing.Benchmarks.Postgres;

/// <summary>
/// PostgreSQL at its best: a quarter of a poll (1,024 events) a transaction, over two clients, ids and counters written by
/// one prepared statement in one round trip.
/// </summary>
public sealed class BatchedTarget(TargetContext context) : PostgresTarget(context, Clients)
{
    private const int Clients = 2;
    private const int EventsPerTransaction = 1_024;

    // Sorted by key and by account, so that no two clients wait for each other's rows in a circle.
    private const string Statement =
        """
        with fresh as (
            insert into seen select * from unnest($1, $2, $3, $4)
                on conflict do nothing returning account, meter, quantity),
        counted as (
            insert into counter as c
                select account, meter, count(*), sum(quantity)::bigint from fresh
                group by account, meter order by account, meter
                on conflict (account, meter) do update set events = c.events + excluded.events, quantity = c.quantity + excluded.quantity)
        select count(*) from fresh
        """;

    public override string Name => "postgres-batched";

    public override Task Ingest(ReadOnlyMemory<byte> ndjsonPoll, CancellationToken cancellation) =>
        Task.WhenAll(Reader.Read(ndjsonPoll.Span).Chunk(EventsPerTransaction).Select(rows =>
        {
            Array.Sort(rows, static (left, right) => left.Key.CompareTo(right.Key));
            return Store(rows.Length, command => Execute(command, rows, cancellation), cancellation);
        }));

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

    private static async Task<int> Execute(NpgsqlCommand command, UsageRow[] rows, CancellationToken cancellation)
    {
        ((NpgsqlParameter<Guid[]>)command.Parameters[0]).TypedValue = Array.ConvertAll(rows, row => row.Key);
        ((NpgsqlParameter<int[]>)command.Parameters[1]).TypedValue = Array.ConvertAll(rows, row => row.Account);
        ((NpgsqlParameter<short[]>)command.Parameters[2]).TypedValue = Array.ConvertAll(rows, row => row.Meter);
        ((NpgsqlParameter<long[]>)command.Parameters[3]).TypedValue = Array.ConvertAll(rows, row => row.Quantity);
        return (int)(long)(await command.ExecuteScalarAsync(cancellation) ?? 0L);
    }
}
