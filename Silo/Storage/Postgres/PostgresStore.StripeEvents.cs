using Npgsql;

namespace Billing.Silo.Storage.Postgres;

/// <summary>The events that Stripe has told.</summary>
internal sealed partial class PostgresStore
{
    /// <summary>The table; objects without an id are never the same.</summary>
    public const string StripeEventsTable =
        """
        CREATE TABLE billing.stripe_events (
            created bigint NOT NULL, received_at bigint NOT NULL, crc32c integer, processed boolean NOT NULL DEFAULT false, id text COLLATE "C" PRIMARY KEY, type text COLLATE "C" NOT NULL,
            object_id text COLLATE "C", invoice text, account text, intent text, UNIQUE (object_id, type, created));
        CREATE INDEX stripe_events_pending ON billing.stripe_events (id) WHERE NOT processed;
        """;

    private const string StripeEventColumns = "id, type, created, received_at, object_id, invoice, account, intent";

    // Where another silo is noting the same, this waits for its commit.
    async Task<StripeEventNews> IStripeEvents.Add(StripeEvent told) => await Write(
        """
        INSERT INTO billing.stripe_events (id, type, created, received_at, object_id, invoice, account, intent, crc32c)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
        ON CONFLICT DO NOTHING
        """,
        told.Id,
        told.Type,
        told.Created,
        told.ReceivedAt.UtcTicks,
        told.ObjectId,
        told.Invoice,
        told.Account,
        told.Intent,
        told.Crc) == 1 ? StripeEventNews.New : StripeEventNews.Duplicate;

    Task<IReadOnlyList<StripeEvent>> IStripeEvents.Pending(string after, int limit) => Rows(
        static row => StripeEventAt(row),
        $"SELECT {StripeEventColumns} FROM billing.stripe_events WHERE NOT processed AND id > $1 ORDER BY id LIMIT $2",
        after,
        limit);

    Task IStripeEvents.Processed(IReadOnlyList<string> events) => Write("UPDATE billing.stripe_events SET processed = true WHERE id = ANY ($1)", (object)events.ToArray());

    Task<long> IStripeEvents.Drop(DateTimeOffset before, CancellationToken cancellation) => InSteps(
        """
        DELETE FROM billing.stripe_events WHERE ctid = ANY (ARRAY(
            SELECT ctid FROM billing.stripe_events WHERE received_at < $1 AND processed LIMIT $2 FOR UPDATE SKIP LOCKED))
        """,
        before.UtcTicks,
        cancellation);

    private static StripeEvent StripeEventAt(NpgsqlDataReader row)
    {
        return new(row.GetString(0), row.GetString(1), row.GetInt64(2), StripeEvent.TimeOf(row.GetInt64(3)), Text(4), Text(5), Text(6), Text(7));

        string? Text(int column) => row.IsDBNull(column) ? null : row.GetString(column);
    }
}
