using Npgsql;

namespace Billing.Silo.Storage.Postgres;

/// <summary>The tables beside the journal. Each write is a transaction of its own and durable when its task completes.</summary>
internal sealed partial class PostgresStore
{
    async Task<string?> ISettings.Get(string name) =>
        (await Rows(static row => row.GetString(0), "SELECT value FROM billing.settings WHERE name = $1", name)).FirstOrDefault();

    Task ISettings.Set(string name, string value) =>
        Write("INSERT INTO billing.settings (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value", name, value);

    async Task<bool> ISettings.Replace(string name, string? before, string value) => before is null
        ? await Write("INSERT INTO billing.settings (name, value) VALUES ($1, $2) ON CONFLICT DO NOTHING", name, value) == 1
        : await Write("UPDATE billing.settings SET value = $2 WHERE name = $1 AND value = $3", name, value, before) == 1;

    Task<IReadOnlyList<StoredApiKey>> IApiKeyStore.All() => Rows(
        static row => new StoredApiKey(row.GetString(0), row.GetString(1), new(row.GetInt64(2), TimeSpan.Zero)),
        "SELECT hash, scopes, created_at FROM billing.api_keys ORDER BY hash");

    Task IApiKeyStore.Add(StoredApiKey key) =>
        Write("INSERT INTO billing.api_keys (hash, scopes, created_at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING", key.Hash, key.Scopes, key.CreatedAt.UtcTicks);

    async Task<StoredAnswer?> IIdempotencyStore.Find(string key) => (await Rows(
        static row => new StoredAnswer(row.GetString(0), row.GetInt32(1), row.GetString(2), row.IsDBNull(3) ? null : row.GetString(3), row.GetFieldValue<byte[]>(4)),
        "SELECT request_hash, status, content_type, location, body FROM billing.answers WHERE key = $1",
        CommitRows.Storable(key))).FirstOrDefault();

    Task IIdempotencyStore.Add(string key, StoredAnswer answer) => Write(
        "INSERT INTO billing.answers (key, request_hash, status, content_type, location, body) VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING",
        CommitRows.Storable(key),
        answer.RequestHash,
        answer.Status,
        answer.ContentType,
        answer.Location,
        answer.Body);

    private Task<int> Write(string sql, params object?[] parameters) => Writing(async connection =>
    {
        await using var command = Command(connection, sql, parameters);
        return await command.ExecuteNonQueryAsync();
    });

    private Task<IReadOnlyList<T>> Rows<T>(Func<NpgsqlDataReader, T> read, string sql, params object?[] parameters) => Reading<IReadOnlyList<T>>(
        async connection =>
        {
            await using var command = Command(connection, sql, parameters);
            await using var reader = await command.ExecuteReaderAsync();
            var rows = new List<T>();
            while (await reader.ReadAsync()) rows.Add(read(reader));
            return rows;
        },
        default);
}
