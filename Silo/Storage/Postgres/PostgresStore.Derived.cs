using System.Collections.Concurrent;
using Billing.Accounts;
using Npgsql;

namespace Billing.Silo.Storage.Postgres;

/// <summary>What is derived from the accounts: when they have something to do next, and their rows for lists and search.</summary>
internal sealed partial class PostgresStore
{
    private const string SummaryColumns = "account, status, search, array_to_string(plans, E'\n'), summary, crc32c, xmin::text";

    // Listed as due with a due time that is damaged, in the version of the row that is named: nobody has written it since.
    private readonly ConcurrentDictionary<string, string> _doubtful = new(StringComparer.Ordinal);

    ValueTask<DateTimeOffset?> IDueTimes.Next(DateTimeOffset? after) => new(Reading<DateTimeOffset?>(
        async connection =>
        {
            await using var select = Command(connection, "SELECT due_at FROM billing.heads WHERE due_at > $1 ORDER BY due_at LIMIT 1", after?.UtcTicks ?? long.MinValue);
            return await select.ExecuteScalarAsync() is long ticks ? new DateTimeOffset(long.Clamp(ticks, 0, DateTimeOffset.MaxValue.UtcTicks), TimeSpan.Zero) : null;
        },
        default));

    async ValueTask<IReadOnlyList<string>> IDueTimes.DueAt(DateTimeOffset instant, int limit)
    {
        var rows = await Rows(DueAt, "SELECT account, due_at, due_crc32c, xmin::text FROM billing.heads WHERE due_at <= $1 ORDER BY due_at, account LIMIT $2", instant.UtcTicks, limit);
        foreach (var row in rows)
        {
            if (row.Ticks == DueRow.Unknown || !row.IsWell) _doubtful[row.Account] = row.Version;
            else _doubtful.TryRemove(row.Account, out _);
        }

        return [.. rows.Select(r => r.Account)];
    }

    async Task<bool> IDueTimes.MendDue(string account, DateTimeOffset? next) =>
        _doubtful.TryRemove(account, out var version) && await SetDue(account, next?.UtcTicks ?? DueRow.Never, version);

    Task<IReadOnlyList<ListedAccount>> IAccountDirectory.List(AccountQuery query, string? after, int limit) => Rows(
        static row => new ListedAccount(row.GetString(0), SummaryAt(row).Read(CrcAt(row))),
        $"""
        SELECT {SummaryColumns} FROM billing.accounts
        WHERE account > $1
          AND ($2::integer IS NULL OR status = $2)
          AND ($3::text IS NULL OR strpos(search, $3) > 0)
          AND ($4::text IS NULL OR $4 = ANY (plans))
        ORDER BY account LIMIT $5
        """,
        CommitRows.Storable(after ?? ""),
        (int?)query.Status,
        query.Text is null ? null : CommitRows.Storable(query.Text.ToLowerInvariant()),
        query.Plan is null ? null : CommitRows.Storable(query.Plan),
        limit);

    async Task IAccountDirectory.MendSummary(string account, AccountSummary? summary)
    {
        // Only the version of the row that was found damaged is replaced.
        var found = await Rows(
            static row => (IsWell: SummaryAt(row).Read(CrcAt(row)) is not null, Version: row.GetString(6)),
            $"SELECT {SummaryColumns} FROM billing.accounts WHERE account = $1",
            account);
        if (found.Count > 0 && found[0].IsWell) return;
        if (summary is null)
        {
            if (found.Count > 0) await Write("DELETE FROM billing.accounts WHERE account = $1 AND xmin::text = $2", account, found[0].Version);
            return;
        }

        var row = SummaryRow.Of(summary);
        await Write(
            """
            INSERT INTO billing.accounts AS a (account, status, search, plans, summary, crc32c) VALUES ($1, $2, $3, string_to_array($4, E'\n'), $5, $6)
            ON CONFLICT (account) DO UPDATE SET status = excluded.status, search = excluded.search, plans = excluded.plans, summary = excluded.summary, crc32c = excluded.crc32c
            WHERE a.xmin::text = $7
            """,
            account,
            row.Status,
            row.Search,
            row.Plans,
            row.Json,
            row.Crc,
            found.Count > 0 ? found[0].Version : "");
    }

    private async Task<bool> SetDue(string account, long ticks, string version) => await Write(
        "UPDATE billing.heads SET due_at = $2, due_crc32c = $3 WHERE account = $1 AND xmin::text = $4",
        account,
        ticks == DueRow.Never ? null : ticks,
        DueRow.Crc(account, ticks),
        version) == 1;

    private static SummaryRow SummaryAt(NpgsqlDataReader row) => new(row.GetString(0), row.GetInt32(1), row.GetString(2), row.IsDBNull(3) ? "" : row.GetString(3), row.GetString(4));

    private static int? CrcAt(NpgsqlDataReader row) => row.IsDBNull(5) ? null : row.GetInt32(5);

    private static DueTime DueAt(NpgsqlDataReader row) => new(
        row.GetString(0), row.IsDBNull(1) ? DueRow.Never : row.GetInt64(1), row.IsDBNull(2) ? null : row.GetInt32(2), row.GetString(3));

    /// <summary>The due time in a head.</summary>
    private readonly record struct DueTime(string Account, long Ticks, int? Crc, string Version)
    {
        /// <summary>Whether it is what was written; of a release without check sums it is taken as it stands.</summary>
        public bool IsWell => Crc is null || Crc == DueRow.Crc(Account, Ticks);
    }
}
