using System.Text.Json;
using Billing.Silo.Hosting;
using Microsoft.Data.Sqlite;

namespace Billing.Silo.Storage.Sqlite;

/// <summary>The events that Stripe has told.</summary>
internal sealed partial class SqliteStore
{
    // Objects without an id are never the same.
    private const string StripeEventsTable =
        """
        CREATE TABLE stripe_events (
            id TEXT PRIMARY KEY, type TEXT NOT NULL, created INTEGER NOT NULL, received_at INTEGER NOT NULL, object_id TEXT, invoice TEXT, account TEXT, intent TEXT,
            processed INTEGER NOT NULL DEFAULT 0, crc32c INTEGER, UNIQUE (object_id, type, created));
        CREATE INDEX stripe_events_pending ON stripe_events (id) WHERE processed = 0;
        """;

    private const string StripeEventColumns = "id, type, created, received_at, object_id, invoice, account, intent";

    Task<StripeEventNews> IStripeEvents.Add(StripeEvent told) => Write(() =>
    {
        using var command = Command(
            """
            INSERT INTO stripe_events (id, type, created, received_at, object_id, invoice, account, intent, crc32c)
            VALUES ($id, $type, $created, $at, $object, $invoice, $account, $intent, $crc)
            ON CONFLICT DO NOTHING
            """,
            ("$id", told.Id),
            ("$type", told.Type),
            ("$created", told.Created),
            ("$at", told.ReceivedAt.UtcTicks),
            ("$object", told.ObjectId),
            ("$invoice", told.Invoice),
            ("$account", told.Account),
            ("$intent", told.Intent),
            ("$crc", told.Crc));
        return command.ExecuteNonQuery() == 1 ? StripeEventNews.New : StripeEventNews.Duplicate;
    });

    Task<IReadOnlyList<StripeEvent>> IStripeEvents.Pending(string after, int limit) => Run<IReadOnlyList<StripeEvent>>(() =>
    {
        using var command = Command(
            $"SELECT {StripeEventColumns} FROM stripe_events WHERE processed = 0 AND id > $after ORDER BY id LIMIT $limit",
            ("$after", after),
            ("$limit", limit));
        using var reader = command.ExecuteReader();
        var pending = new List<StripeEvent>();
        while (reader.Read()) pending.Add(StripeEventAt(reader));
        return pending;
    });

    Task IStripeEvents.Processed(IReadOnlyList<string> events)
    {
        var ids = JsonSerializer.Serialize(events);
        return Write(() =>
        {
            using var command = Command("UPDATE stripe_events SET processed = 1 WHERE id IN (SELECT value FROM json_each($ids))", ("$ids", ids));
            return command.ExecuteNonQuery();
        });
    }

    async Task<long> IStripeEvents.Drop(DateTimeOffset before, CancellationToken cancellation)
    {
        var total = 0L;
        for (var dropped = DroppedAtOnce; dropped == DroppedAtOnce && !cancellation.IsCancellationRequested; total += dropped)
        {
            dropped = await Write(() =>
            {
                using var delete = Command(
                    "DELETE FROM stripe_events WHERE id IN (SELECT id FROM stripe_events WHERE received_at < $before AND processed = 1 LIMIT $limit)",
                    ("$before", before.UtcTicks),
                    ("$limit", DroppedAtOnce));
                return delete.ExecuteNonQuery();
            });
            CrashPoints.Reach(CrashPoints.BetweenExpiry);
        }

        return total;
    }

    private static StripeEvent StripeEventAt(SqliteDataReader row, int first = 0)
    {
        return new(Text(0)!, Text(1)!, row.GetInt64(first + 2), StripeEvent.TimeOf(row.GetInt64(first + 3)), Text(4), Text(5), Text(6), Text(7));

        string? Text(int column) => row.IsDBNull(first + column) ? null : row.GetString(first + column);
    }
}
