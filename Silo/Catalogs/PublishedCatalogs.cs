using System.Collections.Concurrent;
using Billing.Journal;
using Billing.Plans;
using Billing.Silo.Storage;

namespace Billing.Silo.Catalogs;

/// <summary>The published catalogue versions, compiled once and kept.</summary>
internal sealed class PublishedCatalogs : ICatalogs
{
    private readonly ConcurrentDictionary<string, CompiledCatalog> _versions = new(StringComparer.Ordinal);

    /// <inheritdoc/>
    public CompiledCatalog? Latest { get; private set; }

    /// <summary>Loads what is published; publishes a file when nothing is.</summary>
    /// <exception cref="InvalidDataException">The file is not a catalogue; the message says where.</exception>
    public static async Task<PublishedCatalogs> Load(ICatalogStore store, IBillingClock clock, string file)
    {
        var stored = await store.All();
        if (stored.Count == 0)
        {
            var json = await File.ReadAllBytesAsync(file);
            var (catalog, problem) = CatalogReader.Read(json);
            if (catalog is null) throw new InvalidDataException($"The catalogue {file} cannot be published: {problem!.Detail}");
            await store.Add(new(catalog.Version, clock.Now, json));
            stored = await store.All();
        }

        var catalogs = new PublishedCatalogs();
        foreach (var version in stored) catalogs.Keep(version);
        return catalogs;
    }

    /// <inheritdoc/>
    public CompiledCatalog? Find(string version) => _versions.GetValueOrDefault(version);

    private void Keep(StoredCatalog version)
    {
        var (catalog, problem) = CatalogReader.Read(version.Json);
        if (catalog is null) throw new InvalidDataException($"The published catalogue {version.Version} can no longer be read: {problem!.Detail}");
        Latest = _versions[catalog.Version] = new(catalog);
    }
}
