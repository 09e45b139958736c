namespace Billing.Silo.Storage.Sqlite;

/// <summary>The catalogue versions, published and drafted.</summary>
internal sealed partial class SqliteStore
{
    private const string CatalogDraftsTable =
        "CREATE TABLE IF NOT EXISTS catalog_drafts (version TEXT PRIMARY KEY, drafted_at INTEGER NOT NULL, crc32c INTEGER NOT NULL, json BLOB NOT NULL);";

    Task<IReadOnlyList<StoredCatalog>> ICatalogStore.All(int skip) => Run<IReadOnlyList<StoredCatalog>>(() =>
    {
        using var command = Command("SELECT version, published_at, json FROM catalogs ORDER BY position LIMIT -1 OFFSET $skip", ("$skip", skip));
        using var reader = command.ExecuteReader();
        var catalogs = new List<StoredCatalog>();
        while (reader.Read())
            catalogs.Add(new(reader.GetString(0), new(reader.GetInt64(1), TimeSpan.Zero), reader.GetFieldValue<byte[]>(2)));
        return catalogs;
    });

    Task<bool> ICatalogStore.Add(StoredCatalog catalog) => Write(() =>
    {
        using var command = Command(
            "INSERT OR IGNORE INTO catalogs (version, published_at, json) VALUES ($version, $at, $json)",
            ("$version", catalog.Version),
            ("$at", catalog.PublishedAt.UtcTicks),
            ("$json", catalog.Json.ToArray()));
        return command.ExecuteNonQuery() == 1;
    });

    Task<IReadOnlyList<CatalogDraft>> ICatalogStore.Drafts() => Run<IReadOnlyList<CatalogDraft>>(() =>
    {
        using var command = Command("SELECT version, drafted_at, json, crc32c FROM catalog_drafts ORDER BY version");
        using var reader = command.ExecuteReader();
        var drafts = new List<CatalogDraft>();
        while (reader.Read())
            drafts.Add(new(reader.GetString(0), new(reader.GetInt64(1), TimeSpan.Zero), reader.GetFieldValue<byte[]>(2), reader.GetInt32(3)));
        return drafts;
    });

    Task<bool> ICatalogStore.SaveDraft(CatalogDraft draft) => Write(() =>
    {
        using var command = Command(
            """
            INSERT INTO catalog_drafts (version, drafted_at, crc32c, json)
            SELECT $version, $at, $crc, $json WHERE NOT EXISTS (SELECT 1 FROM catalogs WHERE version = $version)
            ON CONFLICT (version) DO UPDATE SET drafted_at = excluded.drafted_at, crc32c = excluded.crc32c, json = excluded.json
            """,
            ("$version", draft.Version),
            ("$at", draft.DraftedAt.UtcTicks),
            ("$crc", draft.Crc32C),
            ("$json", draft.Json.ToArray()));
        return command.ExecuteNonQuery() == 1;
    });

    Task<bool> ICatalogStore.Publish(CatalogDraft draft, DateTimeOffset at) => Write(() => InTransaction(() =>
    {
        using var taken = Command(
            "DELETE FROM catalog_drafts WHERE version = $version AND drafted_at = $drafted AND json = $json",
            ("$version", draft.Version),
            ("$drafted", draft.DraftedAt.UtcTicks),
            ("$json", draft.Json.ToArray()));
        if (taken.ExecuteNonQuery() == 0) return false;
        using var added = Command(
            "INSERT INTO catalogs (version, published_at, json) VALUES ($version, $at, $json)",
            ("$version", draft.Version),
            ("$at", at.UtcTicks),
            ("$json", draft.Json.ToArray()));
        return added.ExecuteNonQuery() == 1;
    }));
}
