using Npgsql;

namespace Billing.Silo.Storage.Postgres;

/// <summary>The catalogue versions, published and drafted. One silo changes them at a time, so that no version appears before one that is known already.</summary>
internal sealed partial class PostgresStore
{
    public const string CatalogDraftsTable =
        """
        CREATE TABLE IF NOT EXISTS billing.catalog_drafts (
            version text COLLATE "C" PRIMARY KEY, drafted_at bigint NOT NULL, crc32c integer NOT NULL, json bytea NOT NULL);
        """;

    private const string AddCatalog =
        """
        INSERT INTO billing.catalogs (position, version, published_at, json)
        SELECT coalesce(max(position), 0) + 1, $1, $2, $3 FROM billing.catalogs
        ON CONFLICT (version) DO NOTHING
        """;

    Task<IReadOnlyList<StoredCatalog>> ICatalogStore.All(int skip) => Rows(
        static row => new StoredCatalog(row.GetString(0), new(row.GetInt64(1), TimeSpan.Zero), row.GetFieldValue<byte[]>(2)),
        "SELECT version, published_at, json FROM billing.catalogs ORDER BY position OFFSET $1",
        skip);

    Task<bool> ICatalogStore.Add(StoredCatalog catalog) => Alone(async connection =>
    {
        await using var insert = Command(connection, AddCatalog, catalog.Version, catalog.PublishedAt.UtcTicks, catalog.Json.ToArray());
        return await insert.ExecuteNonQueryAsync() == 1;
    });

    Task<IReadOnlyList<CatalogDraft>> ICatalogStore.Drafts() => Rows(
        static row => new CatalogDraft(row.GetString(0), new(row.GetInt64(1), TimeSpan.Zero), row.GetFieldValue<byte[]>(2), row.GetInt32(3)),
        "SELECT version, drafted_at, json, crc32c FROM billing.catalog_drafts ORDER BY version");

    Task<bool> ICatalogStore.SaveDraft(CatalogDraft draft) => Alone(async connection =>
    {
        await using var insert = Command(
            connection,
            """
            INSERT INTO billing.catalog_drafts (version, drafted_at, crc32c, json)
            SELECT $1, $2, $3, $4 WHERE NOT EXISTS (SELECT 1 FROM billing.catalogs WHERE version = $1)
            ON CONFLICT (version) DO UPDATE SET drafted_at = excluded.drafted_at, crc32c = excluded.crc32c, json = excluded.json
            """,
            draft.Version,
            draft.DraftedAt.UtcTicks,
            draft.Crc32C,
            draft.Json.ToArray());
        return await insert.ExecuteNonQueryAsync() == 1;
    });

    Task<bool> ICatalogStore.Publish(CatalogDraft draft, DateTimeOffset at) => Alone(async connection =>
    {
        await using var taken = Command(
            connection,
            "DELETE FROM billing.catalog_drafts WHERE version = $1 AND drafted_at = $2 AND json = $3",
            draft.Version,
            draft.DraftedAt.UtcTicks,
            draft.Json.ToArray());
        if (await taken.ExecuteNonQueryAsync() == 0) return false;
        await using var added = Command(connection, AddCatalog, draft.Version, at.UtcTicks, draft.Json.ToArray());
        return await added.ExecuteNonQueryAsync() == 1;
    });

    private Task<bool> Alone(Func<NpgsqlConnection, Task<bool>> change) => Writing(async connection =>
    {
        await using var transaction = await connection.BeginTransactionAsync();
        await using (var alone = Command(connection, "LOCK TABLE billing.catalogs IN SHARE ROW EXCLUSIVE MODE")) await alone.ExecuteNonQueryAsync();
        var changed = await change(connection);
        await transaction.CommitAsync();
        return changed;
    });
}
