using Billing.Silo.Hosting;

namespace Billing.Silo.Storage.Postgres;

/// <summary>What runs beside the commits: dropping what is kept for a time only, and comparing all with its check sums.</summary>
internal sealed partial class PostgresStore
{
    private const int DroppedAtOnce = 200;
    private const int CheckedAtOnce = 500;
    private const int BodiesAtOnce = 50;

    /// <summary>How long the count of a silo that does nothing is kept: one that is cut off for longer stops when it is back.</summary>
    private const string WritersKept = "30 days";

    /// <inheritdoc/>
    public async Task<Dropped> Drop(int forgetDay, DateTimeOffset bodiesBefore, CancellationToken cancellation)
    {
        // What another silo is dropping is left to it.
        var segments = await InSteps(
            "DELETE FROM billing.segments WHERE ctid = ANY (ARRAY(SELECT ctid FROM billing.segments WHERE forget_day <= $1 LIMIT $2 FOR UPDATE SKIP LOCKED))", forgetDay, cancellation);
        var bodies = await InSteps(
            "DELETE FROM billing.bodies WHERE ctid = ANY (ARRAY(SELECT ctid FROM billing.bodies WHERE at < $1 LIMIT $2 FOR UPDATE SKIP LOCKED))", bodiesBefore.UtcTicks, cancellation);
        await Write("UPDATE billing.writers SET seen = now() WHERE writer = $1", _id);
        await Write($"DELETE FROM billing.writers WHERE seen < now() - interval '{WritersKept}'");
        return new(segments, bodies);
    }

    /// <inheritdoc/>
    public async Task<IReadOnlyList<string>> Check(CancellationToken cancellation)
    {
        var found = new List<string>();
        await CheckEntries(found, cancellation);
        await CheckHeads(found, cancellation);
        await CheckBodies(found, cancellation);
        await CheckDerived("snapshots", "sequence", "state", found, cancellation);
        await CheckDerived("segments", "forget_day", "ids", found, cancellation);
        return found;
    }

    private async Task<long> InSteps(string delete, object until, CancellationToken cancellation)
    {
        var total = 0L;
        for (var dropped = DroppedAtOnce; dropped == DroppedAtOnce && !cancellation.IsCancellationRequested; total += dropped)
        {
            dropped = await Write(delete, until, DroppedAtOnce);
            CrashPoints.Reach(CrashPoints.BetweenExpiry);
        }

        return total;
    }

    // Each entry follows the one before it, holds its check sum, and does not lie behind its head.
    private async Task CheckEntries(List<string> found, CancellationToken cancellation)
    {
        var (account, sequence) = ("", 0L);
        while (!cancellation.IsCancellationRequested)
        {
            var rows = await Rows(
                static row => (
                    Account: row.GetString(0),
                    Entry: new EntryRow(row.GetInt64(1), row.GetInt64(2), row.GetInt32(3), row.GetFieldValue<byte[]>(4)),
                    Head: row.IsDBNull(5) ? 0 : row.GetInt64(5)),
                """
                SELECT e.account, e.sequence, e.at, e.crc32c, e.facts, h.last_sequence
                FROM billing.entries e LEFT JOIN billing.heads h ON h.account = e.account
                WHERE (e.account, e.sequence) > ($1, $2) ORDER BY e.account, e.sequence LIMIT $3
                """,
                account,
                sequence,
                CheckedAtOnce);
            if (rows.Count == 0) return;
            foreach (var row in rows)
            {
                var expected = row.Account == account ? sequence + 1 : 1;
                (account, sequence) = (row.Account, row.Entry.Sequence);
                if (sequence != expected) found.Add(Hold(account, expected, "it is missing").Message);
                if (sequence > row.Head) found.Add(Hold(account, sequence, $"it lies behind the account's head, which says {row.Head}").Message);
                if (!row.Entry.Holds(account)) found.Add(Hold(account, sequence, "its check sum does not hold").Message);
            }
        }
    }

    // Each head has its entry.
    private async Task CheckHeads(List<string> found, CancellationToken cancellation)
    {
        for (var account = ""; !cancellation.IsCancellationRequested;)
        {
            var rows = await Rows(
                static row => (Account: row.GetString(0), Head: row.GetInt64(1), Stands: row.GetBoolean(2)),
                """
                SELECT h.account, h.last_sequence, EXISTS (SELECT FROM billing.entries e WHERE e.account = h.account AND e.sequence = h.last_sequence)
                FROM billing.heads h WHERE h.account > $1 ORDER BY h.account LIMIT $2
                """,
                account,
                CheckedAtOnce);
            if (rows.Count == 0) return;
            foreach (var row in rows.Where(row => !row.Stands)) found.Add(Hold(row.Account, row.Head, "it is missing, but the account's head names it").Message);
            account = rows[^1].Account;
        }
    }

    // Bodies hold nobody up either: what was counted stands in the entries.
    private async Task CheckBodies(List<string> found, CancellationToken cancellation)
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
            foreach (var row in rows.Where(row => RowCrc.Of(row.Account, row.Sequence, row.At, row.Bytes) != row.Crc)) found.Add(DamagedBodies(row.Account, row.Sequence));
            (account, sequence) = (rows[^1].Account, rows[^1].Sequence);
        }
    }

    // Snapshots and segments hold nobody up: what is damaged is made anew from the entries.
    private async Task CheckDerived(string table, string number, string bytes, List<string> found, CancellationToken cancellation)
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
            foreach (var row in rows.Where(row => RowCrc.Of(row.Account, row.Number, 0, row.Bytes) != row.Crc))
                found.Add($"A check sum does not hold at {_place}, billing.{table}, account {row.Account}, {number} {row.Number}. Nothing is lost: it is made anew from the entries.");
            (account, last) = (rows[^1].Account, rows[^1].Number);
        }
    }
}
