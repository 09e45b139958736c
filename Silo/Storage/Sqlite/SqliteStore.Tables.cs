namespace Billing.Silo.Storage.Sqlite;

/// <summary>The tables beside the journal. They share its file and thread, so each write is durable when its task completes.</summary>
internal sealed partial class SqliteStore
{
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
