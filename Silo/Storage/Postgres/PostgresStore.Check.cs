using Billing.Accounts;

namespace Billing.Silo.Storage.Postgres;

/// <summary>Compares all that is stored with its check sums, some rows at a time, beside the commits.</summary>
internal sealed partial class PostgresStore
{
    private const int CheckedAtOnce = 500;
    private const int BodiesAtOnce = 50;

    /// <inheritdoc/>
    public async Task Check(CheckFindings found, CancellationToken cancellation)
    {
        await CheckEntries(found, cancellation);
        await CheckHeads(found, cancellation);
        await CheckSummaries(found, cancellation);
        await CheckBodies(found, cancellation);
        await CheckWaiting(found, cancellation);
        await CheckStripeEvents(found, cancellation);
        await CheckDerived("snapshots", "sequence", "state", found, cancellation);
        await CheckDerived("segments", "forget_day", "ids", found, cancellation);
    }

    // Each entry follows the one before it, holds its check sum, and does not lie behind its head.
    private async Task CheckEntries(CheckFindings found, CancellationToken cancellation)
    {
        var (account, sequence) = ("", 0L);
        while (!cancellation.IsCancellationRequested)
        {
            var rows = await Rows(
                static row => (
                    Account: row.GetString(0),
                    Entry: new EntryRow(row.GetInt64(1), row.GetInt64(2), row.GetInt32(3), row.GetFieldValue<byte[]>(4)),
                    Head: row.IsDBNull(5) ? 0 : row.GetInt64(5),
                    IsInFeed: row.GetBoolean(6)),
                """
                SELECT e.account, e.sequence, e.at, e.crc32c, e.facts, h.last_sequence, e.commit_number IS NOT NULL
                FROM billing.entries e LEFT JOIN billing.heads h ON h.account = e.account
                WHERE (e.account, e.sequence) > ($1, $2) ORDER BY e.account, e.sequence LIMIT $3
                """,
                account,
                sequence,
                CheckedAtOnce);
            if (rows.Count == 0) return;
            found.Count(rows.Count);
            foreach (var row in rows)
            {
                var expected = row.Account == account ? sequence + 1 : 1;
                (account, sequence) = (row.Account, row.Entry.Sequence);
                if (sequence != expected) found.AddHeld(account, Hold(account, expected, "it is missing").Message);
                if (sequence > row.Head) found.AddHeld(account, Hold(account, sequence, $"it lies behind the account's head, which says {row.Head}").Message);
                if (!row.Entry.Holds(account)) found.AddHeld(account, Hold(account, sequence, "its check sum does not hold").Message);
                else if (!row.IsInFeed && FeedFacts.MayBeIn(row.Entry.Facts)) await MendFeed(account, sequence, found);
            }
        }
    }

    // Each head has its entry, and its due time; an account that has something to do was opened, so it is listed.
    private async Task CheckHeads(CheckFindings found, CancellationToken cancellation)
    {
        for (var account = ""; !cancellation.IsCancellationRequested;)
        {
            var rows = await Rows(
                static row => (Due: DueAt(row), Head: row.GetInt64(4), Stands: row.GetBoolean(5), IsListed: row.GetBoolean(6)),
                """
                SELECT h.account, h.due_at, h.due_crc32c, h.xmin::text, h.last_sequence,
                       EXISTS (SELECT FROM billing.entries e WHERE e.account = h.account AND e.sequence = h.last_sequence),
                       EXISTS (SELECT FROM billing.accounts a WHERE a.account = h.account)
                FROM billing.heads h WHERE h.account > $1 ORDER BY h.account LIMIT $2
                """,
                account,
                CheckedAtOnce);
            if (rows.Count == 0) return;
            found.Count(rows.Count);
            foreach (var row in rows)
            {
                account = row.Due.Account;
                if (!row.Stands) found.AddHeld(account, Hold(account, row.Head, "it is missing, but the account's head names it").Message);
                if (!row.Due.IsWell && await SetDue(account, DueRow.Unknown, row.Due.Version)) found.AddDue(account, $"{_place}, billing.heads");
                if (row is { IsListed: false, Due: { IsWell: true, Ticks: not DueRow.Unknown and not DueRow.Never } }) found.AddUnlisted(account, $"{_place}, billing.accounts", "missing");
            }

            await Seal("heads", "due_crc32c", [.. rows.Where(r => r.Due.Crc is null).Select(r => (r.Due.Account, DueRow.Crc(r.Due.Account, r.Due.Ticks), r.Due.Version))]);
        }
    }

    private async Task CheckSummaries(CheckFindings found, CancellationToken cancellation)
    {
        for (var account = ""; !cancellation.IsCancellationRequested;)
        {
            var rows = await Rows(
                static row => (Row: SummaryAt(row), Crc: CrcAt(row), Version: row.GetString(6)), $"SELECT {SummaryColumns} FROM billing.accounts WHERE account > $1 ORDER BY account LIMIT $2", account, CheckedAtOnce);
            if (rows.Count == 0) return;
            found.Count(rows.Count);
            foreach (var row in rows.Where(r => r.Row.Read(r.Crc) is null)) found.AddUnlisted(row.Row.Account, $"{_place}, billing.accounts", "damaged");
            await Seal("accounts", "crc32c", [.. rows.Where(r => r.Crc is null && r.Row.Read(null) is not null).Select(r => (r.Row.Account, r.Row.Crc, r.Version))]);
            account = rows[^1].Row.Account;
        }
    }

    private async Task CheckWaiting(CheckFindings found, CancellationToken cancellation)
    {
        for (var (account, number) = ("", 0L); !cancellation.IsCancellationRequested;)
        {
            var rows = await Rows(
                static row => (Account: row.GetString(1), Stored: WaitingAt(row)),
                $"SELECT {WaitingColumns} FROM billing.waiting_events WHERE (account, number) > ($1, $2) ORDER BY account, number LIMIT $3",
                account,
                number,
                BodiesAtOnce);
            if (rows.Count == 0) return;
            found.Count(rows.Count);
            foreach (var row in rows.Where(r => r.Stored.Events is null)) found.AddWaiting(row.Account, row.Stored.Number, $"{_place}, billing.waiting_events");
            (account, number) = (rows[^1].Account, rows[^1].Stored.Number);
        }
    }

    // Those of a release without check sums are forgotten before long.
    private async Task CheckStripeEvents(CheckFindings found, CancellationToken cancellation)
    {
        for (var id = ""; !cancellation.IsCancellationRequested;)
        {
            var rows = await Rows(
                static row => (Event: StripeEventAt(row), Crc: row.IsDBNull(8) ? (int?)null : row.GetInt32(8)),
                $"SELECT {StripeEventColumns}, crc32c FROM billing.stripe_events WHERE id > $1 ORDER BY id LIMIT $2",
                id,
                CheckedAtOnce);
            if (rows.Count == 0) return;
            found.Count(rows.Count);
            foreach (var row in rows.Where(r => r.Crc is { } crc && crc != r.Event.Crc)) found.AddStripeEvent(row.Event.Id, $"{_place}, billing.stripe_events");
            id = rows[^1].Event.Id;
        }
    }

    // Rows of a release without check sums get them, for what they say now.
    private async Task Seal(string table, string column, (string Account, int Crc, string Version)[] rows)
    {
        if (rows.Length == 0) return;
        await Write(
            $"UPDATE billing.{table} t SET {column} = r.crc FROM unnest($1::text[], $2::integer[], $3::text[]) AS r (account, crc, version) WHERE t.account = r.account AND t.xmin::text = r.version",
            Array.ConvertAll(rows, static r => r.Account),
            Array.ConvertAll(rows, static r => r.Crc),
            Array.ConvertAll(rows, static r => r.Version));
    }

    // Bodies hold nobody up either: what was counted stands in the entries.
    private async Task CheckBodies(CheckFindings found, CancellationToken cancellation)
    {
        for (var (account, sequence) = ("", 0L); !cancellation.IsCancellationRequested;)
        {
            var rows = await Rows(
                static row => (Account: row.GetString(0), Sequence: row.GetInt64(1), At: row.GetInt64(2), Crc: row.GetInt32(3), Bytes: row.GetFieldValue<byte[]>(4)),
                "SELECT account, sequence, at, crc32c, bytes FROM billing.bodies WHERE (account, sequence) > ($1, $2) ORDER BY account, sequence LIMIT $3",
                account,
                sequence,
                BodiesAtOnce);
            if (rows.Count == 0) return;
            found.Count(rows.Count);
            foreach (var row in rows.Where(row => RowCrc.Of(row.Account, row.Sequence, row.At, row.Bytes) != row.Crc)) found.Add(DamagedBodies(row.Account, row.Sequence));
            (account, sequence) = (rows[^1].Account, rows[^1].Sequence);
        }
    }

    // Snapshots and segments hold nobody up: what is damaged is made anew from the entries.
    private async Task CheckDerived(string table, string number, string bytes, CheckFindings found, CancellationToken cancellation)
    {
        for (var (account, last) = ("", long.MinValue); !cancellation.IsCancellationRequested;)
        {
            var rows = await Rows(
                static row => (Account: row.GetString(0), Number: row.GetInt64(1), Crc: row.GetInt32(2), Bytes: row.GetFieldValue<byte[]>(3)),
                $"SELECT account, {number}::bigint, crc32c, {bytes} FROM billing.{table} WHERE (account, {number}) > ($1, $2) ORDER BY account, {number} LIMIT $3",
                account,
                last,
                CheckedAtOnce);
            if (rows.Count == 0) return;
            found.Count(rows.Count);
            foreach (var row in rows.Where(row => RowCrc.Of(row.Account, row.Number, 0, row.Bytes) != row.Crc))
                found.Add($"A check sum does not hold at {_place}, billing.{table}, account {row.Account}, {number} {row.Number}. Nothing is lost: it is made anew from the entries.");
            (account, last) = (rows[^1].Account, rows[^1].Number);
        }
    }
}
