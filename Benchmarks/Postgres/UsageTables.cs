using Npgsql;

namespace Billing.Benchmarks.Postgres;

/// <summary>The peer's tables: the ids that were seen with what they counted, and a counter for each account and meter.</summary>
public static class UsageTables
{
    public const int Meters = 2;

    public static async Task Create(NpgsqlDataSource dataSource, int accounts)
    {
        string[] statements =
        [
            "create table seen (key uuid primary key, account int not null, meter smallint not null, quantity bigint not null)",
            "create table counter (account int, meter smallint, events bigint not null, quantity bigint not null, primary key (account, meter)) with (fillfactor = 50)",
            $"insert into counter select account, meter, 0, 0 from generate_series(0, {accounts - 1}) account, generate_series(1, {Meters}) meter",
            "vacuum analyze counter",
            "checkpoint",
        ];
        foreach (var statement in statements)
        {
            await using var command = dataSource.CreateCommand(statement);
            await command.ExecuteNonQueryAsync();
        }
    }

    /// <summary>The events counted. Each must have left its id, or the peer was not exact.</summary>
    public static async Task<long> Accepted(NpgsqlDataSource dataSource)
    {
        await using var command = dataSource.CreateCommand("select (select count(*) from seen), (select sum(events)::bigint from counter)");
        await using var reader = await command.ExecuteReaderAsync();
        await reader.ReadAsync();
        var (ids, counted) = (reader.GetInt64(0), reader.GetInt64(1));
        return ids == counted ? counted : throw new InvalidOperationException($"PostgreSQL holds {ids} ids and counted {counted} events.");
    }
}
