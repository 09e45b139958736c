using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Security.Cryptography;
using Billing.Journal;
using Billing.Plans;
using Billing.Silo.Storage;

namespace Billing.Silo.Catalogs;

/// <summary>The published catalogue versions, compiled once and kept.</summary>
internal sealed class PublishedCatalogs : ICatalogs, ICatalogUpdates, IDisposable
{
    private readonly IStore _store;
    private readonly SemaphoreSlim _one = new(1, 1);
    private readonly ConcurrentDictionary<string, CompiledCatalog> _versions = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, CompiledCatalog> _latestIn = new(StringComparer.Ordinal);

    private PublishedCatalogs(IStore store) => _store = store;

    /// <inheritdoc/>
    public CompiledCatalog? Latest { get; private set; }

    /// <inheritdoc/>
    public ImmutableArray<string> Currencies { get; private set; } = [];

    /// <summary>Loads what is published; publishes a file when nothing is.</summary>
    /// <exception cref="InvalidDataException">The file is not a catalogue, or a published one is damaged; the message says where.</exception>
    public static async Task<PublishedCatalogs> Load(IStore store, IBillingClock clock, string file)
    {
        if ((await ((ICatalogStore)store).All()).Count == 0)
        {
            var json = await File.ReadAllBytesAsync(file);
            var (catalog, problem) = CatalogReader.Read(json);
            if (catalog is null) throw new InvalidDataException($"The catalogue {file} cannot be published: {problem!.Detail}");
            if (CatalogDesk.NotToCome(catalog) is { } wrong) throw new InvalidDataException($"The catalogue {file} cannot be published: {wrong.Detail}");
            await ((ICatalogStore)store).Add(new(catalog.Version, clock.Now, json));
        }

        var catalogs = new PublishedCatalogs(store);
        await catalogs.Refresh();
        return catalogs;
    }

    /// <inheritdoc/>
    public async Task Refresh()
    {
        await _one.WaitAsync();
        try
        {
            foreach (var version in await ((ICatalogStore)_store).All(_versions.Count)) await Keep(version);
        }
        finally
        {
            _one.Release();
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _one.Dispose();

    /// <inheritdoc/>
    public CompiledCatalog? LatestIn(string currency) => _latestIn.GetValueOrDefault(currency);

    /// <inheritdoc/>
    public CompiledCatalog? Find(string version) => _versions.GetValueOrDefault(version);

    private async Task Keep(StoredCatalog version)
    {
        await Compare(version);
        var (catalog, problem) = CatalogReader.Read(version.Json);
        if (catalog is null) throw new InvalidDataException($"The published catalogue {version.Version} can no longer be read: {problem!.Detail}");
        if (!Currencies.Contains(catalog.Currency)) Currencies = Currencies.Add(catalog.Currency);
        Latest = _latestIn[catalog.Currency] = _versions[catalog.Version] = new(catalog);
    }

    // Kept apart from the catalogue; one that was published without it gets it when it is first loaded.
    private async Task Compare(StoredCatalog version)
    {
        var setting = $"catalog_check {version.Version}";
        var sum = Convert.ToHexString(SHA256.HashData(version.Json.Span));
        if (await _store.Get(setting) is null) await _store.Replace(setting, null, sum);
        if (await _store.Get(setting) != sum)
        {
            throw new InvalidDataException(
                $"The published catalogue {version.Version} is damaged in the store: it does not match its check sum in the setting \"{setting}\", and could bill wrong amounts. "
                + "Restore it, or the store, from a backup. Nothing is billed from it.");
        }
    }
}
