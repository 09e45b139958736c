using System.Text.Json;
using Billing.Accounts;

namespace Billing.Silo.Storage.Sqlite;

/// <summary>The tables beside the journal. They share its file and thread, so each write is durable when its task completes.</summary>
internal sealed partial class SqliteStore
{
    ValueTask<DateTimeOffset?> IDueTimes.Next(DateTimeOffset? after)
    {
        lock (_dueGate)
        {
            var left = after is { } instant ? _due.GetViewBetween((instant.UtcTicks + 1, ""), (long.MaxValue, "")) : _due;
            return new(left.Min is { Account: not null } next ? new DateTimeOffset(next.Ticks, TimeSpan.Zero) : null);
        }
    }

    ValueTask<IReadOnlyList<string>> IDueTimes.DueAt(DateTimeOffset instant, int limit)
    {
        lock (_dueGate) return new([.. _due.TakeWhile(d => d.Ticks <= instant.UtcTicks).Take(limit).Select(d => d.Account)]);
    }

    Task<string?> ISettings.Get(string name) => Run(() =>
    {
        using var command = Command("SELECT value FROM settings WHERE name = $name", ("$name", name));
        return (string?)command.ExecuteScalar();
    });

    Task ISettings.Set(string name, string value) => Write(() =>
    {
        using var command = Command(
            "INSERT INTO settings (name, value) VALUES ($name, $value) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
            ("$name", name),
            ("$value", value));
        return command.ExecuteNonQuery();
    });

    Task<bool> ISettings.Replace(string name, string? before, string value) => Write(() =>
    {
        using var command = Command(
            before is null ? "INSERT OR IGNORE INTO settings (name, value) VALUES ($name, $value)" : "UPDATE settings SET value = $value WHERE name = $name AND value = $before",
            ("$name", name),
            ("$value", value),
            ("$before", before));
        return command.ExecuteNonQuery() == 1;
    });

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

    Task<IReadOnlyList<AccountSummary>> IAccountDirectory.List(AccountQuery query, string? after, int limit) =>
        Run<IReadOnlyList<AccountSummary>>(() =>
        {
            using var command = Command(
                """
                SELECT summary FROM accounts
                WHERE account > $after
                  AND ($status IS NULL OR status = $status)
                  AND ($text IS NULL OR instr(search, $text) > 0)
                  AND ($plan IS NULL OR EXISTS (SELECT 1 FROM json_each(summary, '$.plans') WHERE value = $plan))
                ORDER BY account LIMIT $limit
                """,
                ("$after", after ?? ""),
                ("$status", (int?)query.Status),
                ("$text", query.Text?.ToLowerInvariant()),
                ("$plan", query.Plan),
                ("$limit", limit));
            using var reader = command.ExecuteReader();
            var accounts = new List<AccountSummary>();
            while (reader.Read()) accounts.Add(JsonSerializer.Deserialize(reader.GetString(0), Http.BillingJson.Web.AccountSummary)!);
            return accounts;
        });

    Task<IReadOnlyList<StoredApiKey>> IApiKeyStore.All() => Run<IReadOnlyList<StoredApiKey>>(() =>
    {
        using var command = Command("SELECT hash, scopes, created_at FROM api_keys");
        using var reader = command.ExecuteReader();
        var keys = new List<StoredApiKey>();
        while (reader.Read()) keys.Add(new(reader.GetString(0), reader.GetString(1), new(reader.GetInt64(2), TimeSpan.Zero)));
        return keys;
    });

    Task IApiKeyStore.Add(StoredApiKey key) => Write(() =>
    {
        using var command = Command(
            "INSERT OR IGNORE INTO api_keys (hash, scopes, created_at) VALUES ($hash, $scopes, $at)",
            ("$hash", key.Hash),
            ("$scopes", key.Scopes),
            ("$at", key.CreatedAt.UtcTicks));
        return command.ExecuteNonQuery();
    });

    Task<StoredAnswer?> IIdempotencyStore.Find(string key) => Run(() =>
    {
        using var command = Command("SELECT request_hash, status, content_type, location, body FROM answers WHERE key = $key", ("$key", key));
        using var reader = command.ExecuteReader();
        return reader.Read() ? new StoredAnswer(
            reader.GetString(0), reader.GetInt32(1), reader.GetString(2), reader.IsDBNull(3) ? null : reader.GetString(3), reader.GetFieldValue<byte[]>(4)) : null;
    });

    Task IIdempotencyStore.Add(string key, StoredAnswer answer) => Write(() =>
    {
        using var command = Command(
            "INSERT OR IGNORE INTO answers (key, request_hash, status, content_type, location, body) VALUES ($key, $hash, $status, $type, $location, $body)",
            ("$key", key),
            ("$hash", answer.RequestHash),
            ("$status", answer.Status),
            ("$type", answer.ContentType),
            ("$location", answer.Location),
            ("$body", answer.Body));
        return command.ExecuteNonQuery();
    });
}
