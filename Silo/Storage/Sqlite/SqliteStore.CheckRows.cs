using Microsoft.Data.Sqlite;

namespace Billing.Silo.Storage.Sqlite;

/// <summary>Compares the rows beside the journal with their check sums, some at a time, beside the commits.</summary>
internal sealed partial class SqliteStore
{
    private const int RowsAtOnce = 500;

    private async Task CheckRows(CheckFindings found, CancellationToken cancellation)
    {
        try
        {
            foreach (var accounts in (await Run(() => _accounts.Where(a => a.Value.LastSequence > 0).Select(a => a.Key).ToList())).Chunk(RowsAtOnce))
            {
                if (cancellation.IsCancellationRequested) return;
                var damaged = await Run(() => accounts.Where(a => !IsDueWell(a)).ToList());
                foreach (var account in damaged) found.AddDue(account, $"{File}, due");
                if (damaged.Count > 0) await Write(() => WriteDuesAnew(damaged));
                foreach (var account in await Run(() => accounts.Where(a => IsListed(a) == false).ToList())) found.AddUnlisted(account, $"{File}, accounts", "missing");
                found.Count(accounts.Length);
            }

            await CheckEach(
                "SELECT rowid, account, status, search, summary, crc32c FROM accounts",
                row => SummaryAt(row, 1) is not null,
                row => found.AddUnlisted(row.GetString(1), $"{File}, accounts", "damaged"),
                found,
                cancellation);
            await CheckEach(
                "SELECT number AS rowid, account, received_at, reason, keep_bodies, events, crc32c, records FROM waiting_events",
                row => WaitingAt(row).Events is not null,
                row => found.AddWaiting(row.GetString(1), row.GetInt64(0), $"{File}, waiting_events"),
                found,
                cancellation);
            await CheckEach(
                $"SELECT rowid, {StripeEventColumns}, crc32c FROM stripe_events",
                row => !row.IsDBNull(9) && StripeEventAt(row, 1).Crc == row.GetInt64(9),
                row => found.AddStripeEvent(row.GetString(1), $"{File}, stripe_events"),
                found,
                cancellation);
        }
        catch (SqliteException unreadable) when (IsDamage(unreadable))
        {
            found.Add($"The store is damaged at {File}: {unreadable.Message} Restore it from a backup.");
        }
    }

    private async Task CheckEach(string select, Func<SqliteDataReader, bool> isWell, Action<SqliteDataReader> damaged, CheckFindings found, CancellationToken cancellation)
    {
        for (var (after, rows) = (long.MinValue, RowsAtOnce); rows == RowsAtOnce && !cancellation.IsCancellationRequested; found.Count(rows))
        {
            var from = after;
            (after, rows) = await Run(() =>
            {
                using var command = Command($"{select} WHERE rowid > $after ORDER BY rowid LIMIT $limit", ("$after", from), ("$limit", RowsAtOnce));
                using var reader = command.ExecuteReader();
                var (last, count) = (from, 0);
                for (; reader.Read(); count++)
                {
                    last = reader.GetInt64(0);
                    if (!isWell(reader)) damaged(reader);
                }

                return (last, count);
            });
        }
    }

    // What the silo knows is right: it was read under its check sum, or the account has said it.
    private bool IsDueWell(string account)
    {
        var index = _accounts[account];
        if (index.DueTicks is null or DueRow.Unknown) return true;
        using var command = Command("SELECT at, crc32c FROM due WHERE account = $account", ("$account", account));
        using var reader = command.ExecuteReader();
        return reader.Read() && reader.GetInt64(0) == index.DueTicks && !reader.IsDBNull(1) && reader.GetInt64(1) == DueRow.Crc(account, reader.GetInt64(0));
    }

    private bool WriteDuesAnew(List<string> accounts)
    {
        foreach (var account in accounts) WriteDue(account, _accounts[account].DueTicks!.Value);
        return true;
    }

    // An account that has something to do was opened, so it is listed; of the others the row alone can tell.
    private bool? IsListed(string account)
    {
        if (_accounts[account].DueTicks is null or DueRow.Unknown or DueRow.Never) return null;
        using var command = Command("SELECT 1 FROM accounts WHERE account = $account", ("$account", account));
        return command.ExecuteScalar() is not null;
    }
}
