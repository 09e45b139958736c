using Billing.Accounts;
using Microsoft.Data.Sqlite;

namespace Billing.Silo.Storage.Sqlite;

/// <summary>The rows of accounts for lists and search.</summary>
internal sealed partial class SqliteStore
{
    // What is no JSON any more is found whatever plan is asked for, and then made anew.
    Task<IReadOnlyList<ListedAccount>> IAccountDirectory.List(AccountQuery query, string? after, int limit) =>
        Run<IReadOnlyList<ListedAccount>>(() =>
        {
            using var command = Command(
                """
                SELECT account, status, search, summary, crc32c FROM accounts
                WHERE account > $after
                  AND ($status IS NULL OR status = $status)
                  AND ($text IS NULL OR instr(search, $text) > 0)
                  AND ($plan IS NULL OR CASE WHEN json_valid(summary) THEN EXISTS (SELECT 1 FROM json_each(summary, '$.plans') WHERE value = $plan) ELSE 1 END)
                ORDER BY account LIMIT $limit
                """,
                ("$after", after ?? ""),
                ("$status", (int?)query.Status),
                ("$text", query.Text?.ToLowerInvariant()),
                ("$plan", query.Plan),
                ("$limit", limit));
            using var reader = command.ExecuteReader();
            var accounts = new List<ListedAccount>();
            while (reader.Read()) accounts.Add(new(reader.GetString(0), SummaryAt(reader)));
            return accounts;
        });

    Task IAccountDirectory.MendSummary(string account, AccountSummary? summary) => Run(() =>
    {
        using (var select = Command("SELECT account, status, search, summary, crc32c FROM accounts WHERE account = $account", ("$account", account)))
        {
            using var reader = select.ExecuteReader();
            if (reader.Read() && SummaryAt(reader) is not null) return false;
        }

        return Guarded(() => summary is null ? DeleteSummary(account) : WriteSummary(SummaryRow.Of(summary)));
    });

    private bool WriteSummary(SummaryRow row)
    {
        using var upsert = Command(
            """
            INSERT INTO accounts (account, status, search, summary, crc32c) VALUES ($account, $status, $search, $summary, $crc)
            ON CONFLICT (account) DO UPDATE SET status = excluded.status, search = excluded.search, summary = excluded.summary, crc32c = excluded.crc32c
            """,
            ("$account", row.Account),
            ("$status", row.Status),
            ("$search", row.Search),
            ("$summary", row.Json),
            ("$crc", (row with { Plans = "" }).Crc));
        return upsert.ExecuteNonQuery() == 1;
    }

    private bool DeleteSummary(string account)
    {
        using var delete = Command("DELETE FROM accounts WHERE account = $account", ("$account", account));
        return delete.ExecuteNonQuery() == 1;
    }

    // The plans are in the JSON alone. A status of more bits than it has is damage too.
    private static AccountSummary? SummaryAt(SqliteDataReader reader, int first = 0) =>
        !reader.IsDBNull(first + 4) && reader.GetInt64(first + 1) is >= 0 and <= int.MaxValue and var status && reader.GetInt64(first + 4) is >= int.MinValue and <= int.MaxValue and var crc
            ? new SummaryRow(reader.GetString(first), (int)status, reader.GetString(first + 2), "", reader.GetString(first + 3)).Read((int)crc)
            : null;
}
