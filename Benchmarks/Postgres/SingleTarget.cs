using Billing.Benchmarks.Ingest;
using Npgsql;
using NpgsqlTypes;

namespace Billing.Benchmarks.Postgres;

/// <summary>PostgreSQL as services commonly use it: each event in a transaction of its own, over sixteen connections.</summary>
public sealed class SingleTarget(TargetContext context) : PostgresTarget(context, lanes: 1, clientsPerLane: Connections)
{
    private const int Connections = 16;

    private const string Statement =
        """
        with fresh as (
            insert into seen values ($1, $2, $3, $4) on conflict do nothing returning key)
        update counter set events = events + 1, quantity = quantity + $4
            where account = $2 and meter = $3 and exists (select from fresh)
        """;

    public override string Name => "postgres-single";

    public override Task Ingest(ReadOnlyMemory<byte> ndjsonPoll, CancellationToken cancellation) =>
        Parallel.ForEachAsync(
            Reader.Read(ndjsonPoll.Span),
            new ParallelOptions { MaxDegreeOfParallelism = Connections, CancellationToken = cancellation },
            async (row, token) => await Store(lane: 0, events: 1, command => Execute(command, row, token), token));

    protected override async Task<NpgsqlCommand> Prepare(NpgsqlConnection connection)
    {
        var command = new NpgsqlCommand(Statement, connection);
        command.Parameters.Add(new NpgsqlParameter<Guid> { NpgsqlDbType = NpgsqlDbType.Uuid });
        command.Parameters.Add(new NpgsqlParameter<int> { NpgsqlDbType = NpgsqlDbType.Integer });
        command.Parameters.Add(new NpgsqlParameter<short> { NpgsqlDbType = NpgsqlDbType.Smallint });
        command.Parameters.Add(new NpgsqlParameter<long> { NpgsqlDbType = NpgsqlDbType.Bigint });
        await command.PrepareAsync();
        return command;
    }

    private static Task<int> Execute(NpgsqlCommand command, UsageRow row, CancellationToken cancellation)
    {
        ((NpgsqlParameter<Guid>)command.Parameters[0]).TypedValue = row.Key;
        ((NpgsqlParameter<int>)command.Parameters[1]).TypedValue = row.Account;
        ((NpgsqlParameter<short>)command.Parameters[2]).TypedValue = row.Meter;
        ((NpgsqlParameter<long>)command.Parameters[3]).TypedValue = row.Quantity;
        return command.ExecuteNonQueryAsync(cancellation);
    }
}
