using System.Collections.Frozen;
using System.Security.Cryptography;
using System.Text;
using Billing.Journal;
using Billing.Silo.Storage;

namespace Billing.Silo.Security;

/// <summary>What a key may do. A key has one or more.</summary>
internal static class Scopes
{
    public const string Ingest = "ingest";
    public const string Read = "read";
    public const string Operate = "operate";
    public const string Admin = "admin";

    public static readonly string[] All = [Ingest, Read, Operate, Admin];
}

/// <summary>The API keys. Only hashes are kept, in the store and in memory.</summary>
internal sealed class ApiKeys
{
    private const int AdminKeyLengthMin = 20;

    private readonly IApiKeyStore _store;
    private IReadOnlyList<StoredApiKey> _keys = [];
    private volatile FrozenDictionary<string, string[]> _scopesByHash = FrozenDictionary<string, string[]>.Empty;

    private ApiKeys(IApiKeyStore store) => _store = store;

    /// <summary>Loads the keys and sees that there is a first one.</summary>
    /// <param name="store">Where they are kept.</param>
    /// <param name="clock">Dates a new key.</param>
    /// <param name="adminKey">The key that was configured; null or empty makes one if the store has none.</param>
    /// <param name="show">Shows a key that was made, before it is stored: so none is stored that nobody has seen.</param>
    public static async Task<ApiKeys> Load(IApiKeyStore store, IBillingClock clock, string? adminKey, Action<string> show)
    {
        if (adminKey is "") adminKey = null;
        if (adminKey is { Length: < AdminKeyLengthMin })
            throw new InvalidOperationException($"BILLING_ADMIN_KEY has {adminKey.Length} characters; it needs at least {AdminKeyLengthMin}.");
        if (adminKey is null && (await store.All()).Count == 0)
        {
            adminKey = "bk_" + Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(20));
            show(adminKey);
        }

        if (adminKey is not null) await store.Add(new(HashOf(adminKey), string.Join(' ', Scopes.All), clock.Now));
        var keys = new ApiKeys(store);
        await keys.Refresh();
        return keys;
    }

    /// <summary>Takes over what another silo has changed. To be called by one at a time.</summary>
    public async Task Refresh()
    {
        var keys = await _store.All();
        if (keys.SequenceEqual(_keys)) return;
        _scopesByHash = keys.ToFrozenDictionary(k => k.Hash, k => k.Scopes.Split(' '), StringComparer.Ordinal);
        _keys = keys;
    }

    /// <summary>The scopes of a key; null for an unknown one.</summary>
    public string[]? ScopesOf(string key) => _scopesByHash.GetValueOrDefault(HashOf(key));

    public static string HashOf(string key) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(key)));
}
