using Microsoft.Data.Sqlite;

namespace Billing.Silo.Storage.Sqlite;

/// <summary>The events that wait for their account.</summary>
internal sealed partial class SqliteStore
{
    // Beside the numbered schema: a release that does not know the table leaves it alone.
    private const string WaitingEventsTable =
        """
        CREATE TABLE IF NOT EXISTS waiting_events (
            number INTEGER PRIMARY KEY AUTOINCREMENT, account TEXT NOT NULL, received_at INTEGER NOT NULL, reason TEXT NOT NULL,
            keep_bodies INTEGER NOT NULL, events INTEGER NOT NULL, crc32c INTEGER NOT NULL, records BLOB NOT NULL);
        CREATE INDEX IF NOT EXISTS waiting_events_by_account ON waiting_events (account, number);
        """;

    Task IWaitingEvents.Add(WaitingEvents events)
    {
        var (crc, records) = (events.Crc, events.Batch.Records.ToArray());
        return Write(() =>
        {
            using var command = Command(
                """
                INSERT INTO waiting_events (account, received_at, reason, keep_bodies, events, crc32c, records)
                VALUES ($account, $at, $reason, $keep, $events, $crc, $records)
                """,
                ("$account", events.Account),
                ("$at", events.ReceivedAt.UtcTicks),
                ("$reason", events.Reason),
                ("$keep", events.Batch.KeepBodies),
                ("$events", events.Batch.Count),
                ("$crc", crc),
                ("$records", records));
            return command.ExecuteNonQuery();
        });
    }

    Task<IReadOnlyList<string>> IWaitingEvents.Accounts() => Run<IReadOnlyList<string>>(() =>
    {
        using var command = Command("SELECT DISTINCT account FROM waiting_events ORDER BY account");
        using var reader = command.ExecuteReader();
        var accounts = new List<string>();
        while (reader.Read()) accounts.Add(reader.GetString(0));
        return accounts;
    });

    Task<StoredEvents?> IWaitingEvents.Next(string account, long after) => Run(() =>
    {
        using var command = Command(
            "SELECT number, account, received_at, reason, keep_bodies, events, crc32c, records FROM waiting_events WHERE account = $account AND number > $after ORDER BY number LIMIT 1",
            ("$account", account),
            ("$after", after));
        using var reader = command.ExecuteReader();
        return reader.Read() ? WaitingAt(reader) : null;
    });

    Task IWaitingEvents.Remove(string account, long number) => Write(() =>
    {
        using var command = Command("DELETE FROM waiting_events WHERE account = $account AND number = $number", ("$account", account), ("$number", number));
        return command.ExecuteNonQuery();
    });

    // A number of more bits than it has is damage too.
    private static StoredEvents WaitingAt(SqliteDataReader row) => new(
        row.GetInt64(0),
        row.GetInt64(5) is >= 0 and <= int.MaxValue and var count && row.GetInt64(6) is >= int.MinValue and <= int.MaxValue and var crc
            ? WaitingEvents.Of(row.GetString(1), row.GetInt64(2), row.GetString(3), row.GetInt64(4) != 0, (int)count, (int)crc, row.GetFieldValue<byte[]>(7))
            : null);
}
