using Npgsql;

namespace Billing.Silo.Storage.Postgres;

/// <summary>The events that wait for their account.</summary>
internal sealed partial class PostgresStore
{
    /// <summary>Made beside the numbered schema: a release that does not know the table leaves it alone.</summary>
    public const string WaitingEventsTable =
        """
        CREATE TABLE IF NOT EXISTS billing.waiting_events (
            number bigint GENERATED ALWAYS AS IDENTITY, received_at bigint NOT NULL, events integer NOT NULL, crc32c integer NOT NULL, keep_bodies boolean NOT NULL,
            account text COLLATE "C" NOT NULL, reason text NOT NULL, records bytea NOT NULL,
            PRIMARY KEY (account, number));
        """;

    private const string WaitingColumns = "number, account, received_at, reason, keep_bodies, events, crc32c, records";

    Task IWaitingEvents.Add(WaitingEvents events) => Write(
        "INSERT INTO billing.waiting_events (account, received_at, reason, keep_bodies, events, crc32c, records) VALUES ($1, $2, $3, $4, $5, $6, $7)",
        events.Account,
        events.ReceivedAt.UtcTicks,
        events.Reason,
        events.Batch.KeepBodies,
        events.Batch.Count,
        events.Crc,
        events.Batch.Records.ToArray());

    Task<IReadOnlyList<string>> IWaitingEvents.Accounts() =>
        Rows(static row => row.GetString(0), "SELECT DISTINCT account FROM billing.waiting_events ORDER BY account");

    // A lower number may be committed after a higher one: who is through with an account begins with the first again.
    async Task<StoredEvents?> IWaitingEvents.Next(string account, long after) => (await Rows(
        static row => WaitingAt(row), $"SELECT {WaitingColumns} FROM billing.waiting_events WHERE account = $1 AND number > $2 ORDER BY number LIMIT 1", account, after)).FirstOrDefault();

    Task IWaitingEvents.Remove(string account, long number) => Write("DELETE FROM billing.waiting_events WHERE account = $1 AND number = $2", account, number);

    private static StoredEvents WaitingAt(NpgsqlDataReader row) => new(
        row.GetInt64(0),
        WaitingEvents.Of(row.GetString(1), row.GetInt64(2), row.GetString(3), row.GetBoolean(4), row.GetInt32(5), row.GetInt32(6), row.GetFieldValue<byte[]>(7)));
}
