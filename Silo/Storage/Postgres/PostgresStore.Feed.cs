namespace Billing.Silo.Storage.Postgres;

/// <summary>
/// The entries in the order of their commits. Transactions are numbered when they begin to write, and several silos write at once: what is read
/// ends before the oldest one that is still open, so nothing appears later in front of it.
/// </summary>
internal sealed partial class PostgresStore
{
    /// <summary>A read stops behind so many bytes of facts.</summary>
    private const long FeedBytes = 1 << 20;

    /// <inheritdoc/>
    public async Task<FeedEntries?> ReadFeed(FeedPlace? from, int limit, CancellationToken cancellation)
    {
        var (commit, account, sequence) = from ?? new(long.MinValue, "", 0);
        if (!IsStorable(account)) return null;
        var rows = await Rows(
            static row => (Place: new FeedPlace(row.GetInt64(0), row.GetString(1), row.GetInt64(2)), Entry: new EntryRow(row.GetInt64(2), row.GetInt64(3), row.GetInt32(4), row.GetFieldValue<byte[]>(5)), All: row.GetInt64(6)),
            """
            SELECT commit_number, account, sequence, at, crc32c, facts, all_rows
            FROM (
                SELECT next.*, row_number() OVER w AS n, sum(octet_length(facts)) OVER w AS bytes, count(*) OVER () AS all_rows
                FROM (
                    SELECT commit_number, account, sequence, at, crc32c, facts FROM billing.entries
                    WHERE commit_number IS NOT NULL AND (commit_number, account, sequence) >= ($1, $2, $3)
                        AND commit_number < pg_snapshot_xmin(pg_current_snapshot())::text::bigint + billing.commit_offset()
                    ORDER BY commit_number, account, sequence LIMIT $4
                ) next
                WINDOW w AS (ORDER BY commit_number, account, sequence)
            ) counted
            WHERE n <= 2 OR bytes <= $5 ORDER BY n
            """,
            commit,
            account,
            sequence,
            limit + 1L,
            FeedBytes);
        if (from is { } wanted && (rows.Count == 0 || rows[0].Place != wanted)) return null;
        return new([.. rows.Select(r => Entry(r.Place, r.Entry))], rows.Count <= limit && rows.Count == (rows.Count == 0 ? 0 : rows[0].All));

        FeedEntry Entry(FeedPlace place, EntryRow row) => row.Holds(place.Account)
            ? new(place, row.Facts, null)
            : new(place, default, Hold(place.Account, place.Sequence, "its check sum does not hold").Message);
    }

    // It comes behind what was committed since. Told out of its order it is not missed.
    private async Task MendFeed(string account, long sequence, CheckFindings found)
    {
        if (await Write("UPDATE billing.entries SET commit_number = DEFAULT WHERE account = $1 AND sequence = $2 AND commit_number IS NULL", account, sequence) == 1)
            found.Add($"The place in the feed is missing of {_place}, billing.entries, account {account}, entry {sequence}. It has a new one: those who follow the feed get it now, behind later ones of the account.");
    }
}
