using System.Collections.Concurrent;
using Billing.Journal;
using Billing.Plans;
using Billing.Silo.Storage;

namespace Billing.Silo.Catalogs;

/// <summary>The published catalogue versions, compiled once and kept.</summary>
internal sealed class PublishedCatalogs : ICatalogs, ICatalogUpdates, IDisposable
{
    private readonly ICatalogStore _store;
    private readonly SemaphoreSlim _one = new(1, 1);
    private readonly ConcurrentDictionary<string, CompiledCatalog> _versions = new(StringComparer.Ordinal);

    private PublishedCatalogs(ICatalogStore store) => _store = store;

    /// <inheritdoc/>
    public CompiledCatalog? Latest { get; private set; }

    /// <summary>Loads what is published; publishes a file when nothing is.</summary>
    /// <exception cref="InvalidDataException">The file is not a catalogue; the message says where.</exception>
    public static async Task<PublishedCatalogs> Load(ICatalogStore store, IBillingClock clock, string file)
    {
        if ((await store.All()).Count == 0)
        {
            var json = await File.ReadAllBytesAsync(file);
            var (catalog, problem) = CatalogReader.Read(json);
            if (catalog is null) throw new InvalidDataException($"The catalogue {file} cannot be published: {problem!.Detail}");
            await store.Add(new(catalog.Version, clock.Now, json));
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
            foreach (var version in await _store.All(_versions.Count)) Keep(version);
        }
        finally
        {
            _one.Release();
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _one.Dispose();

    /// <inheritdoc/>
    public CompiledCatalog? Find(string version) => _versions.GetValueOrDefault(version);

    private void Keep(StoredCatalog version)
    {
        var (catalog, problem) = CatalogReader.Read(version.Json);
        if (catalog is null) throw new InvalidDataException($"The published catalogue {version.Version} can no longer be read: {problem!.Detail}");
        Latest = _versions[catalog.Version] = new(catalog);
    }
}
