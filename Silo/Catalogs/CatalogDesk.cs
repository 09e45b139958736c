using Billing.Http;
using Billing.Journal;
using Billing.Plans;
using Billing.Rating;
using Billing.Silo.Storage;

namespace Billing.Silo.Catalogs;

/// <summary>A catalogue version as it is kept.</summary>
/// <param name="Catalog">The version, read.</param>
/// <param name="Status">Whether it is a draft or published.</param>
/// <param name="At">When it was handed in, for a draft, or published.</param>
/// <param name="Json">The catalogue as it was handed in.</param>
internal sealed record KeptCatalog(Catalog Catalog, CatalogStatus Status, DateTimeOffset At, ReadOnlyMemory<byte> Json);

/// <summary>Takes drafts of catalogue versions and publishes them.</summary>
internal sealed class CatalogDesk(ICatalogStore store, PublishedCatalogs published, IBillingClock clock)
{
    private const int MaxVersionLength = 100;

    /// <summary>Keeps a catalogue as a draft, in the place of the draft of its version.</summary>
    /// <returns>The draft, or why it is not kept.</returns>
    public async Task<(KeptCatalog? Kept, Refusal? Refusal)> Draft(ReadOnlyMemory<byte> json)
    {
        var (catalog, problem) = CatalogReader.Read(json);
        if (catalog is null) return (null, new(RefusalKind.Invalid, $"{problem!.Detail} Nothing was stored.", problem.Path));
        if (!CanBeInAPath(catalog.Version))
            return (null, new(RefusalKind.Invalid, $"$.version is part of addresses: it has 1 to {MaxVersionLength} letters, digits, points, _ and -, and begins with a letter or digit. Nothing was stored.", "$.version"));
        if (NotToCome(catalog) is { } wrong) return (null, wrong);
        Compile(catalog);
        var draft = CatalogDraft.Of(catalog.Version, clock.Now, json);
        return await store.SaveDraft(draft)
            ? (new(catalog, CatalogStatus.Draft, draft.DraftedAt, json), null)
            : (null, await Published(catalog.Version, "Give the catalogue another version."));
    }

    /// <summary>Publishes a draft: it never changes again, and new subscriptions that name no version get it.</summary>
    /// <returns>The published version, or why there is none.</returns>
    public async Task<(KeptCatalog? Kept, Refusal? Refusal)> Publish(string version)
    {
        if ((await store.Drafts()).FirstOrDefault(d => d.Version == version) is not { } draft)
        {
            return (null, (await store.All()).Any(c => c.Version == version)
                ? await Published(version, "There is nothing left to publish.")
                : NoVersion(version));
        }

        var (catalog, refusal) = Read(draft);
        if (catalog is null) return (null, refusal);
        if (NotToCome(catalog) is { } wrong) return (null, wrong);
        Compile(catalog);
        var at = clock.Now;
        if (!await store.Publish(draft, at))
            return (null, new(RefusalKind.Conflict, $"The draft {version} was replaced or published by somebody else meanwhile. Nothing was published by this call; look at it, then publish it.", "version"));
        await published.Refresh();
        return (new(catalog, CatalogStatus.Published, at, draft.Json), null);
    }

    /// <summary>All versions: the published ones, the oldest first, then the drafts by version. Drafts that are damaged are left out.</summary>
    public async Task<IReadOnlyList<KeptCatalog>> All()
    {
        var drafts = await store.Drafts();
        var all = new List<KeptCatalog>();
        foreach (var version in await store.All()) all.Add(await Known(version));
        foreach (var draft in drafts)
            if (Read(draft).Catalog is { } catalog && all.TrueForAll(k => k.Catalog.Version != draft.Version)) all.Add(new(catalog, CatalogStatus.Draft, draft.DraftedAt, draft.Json));
        return all;
    }

    /// <summary>One version, or why it cannot be shown.</summary>
    public async Task<(KeptCatalog? Kept, Refusal? Refusal)> Find(string version)
    {
        var draft = (await store.Drafts()).FirstOrDefault(d => d.Version == version);
        if ((await store.All()).FirstOrDefault(c => c.Version == version) is { } stored) return (await Known(stored), null);
        if (draft is null) return (null, NoVersion(version));
        var (catalog, refusal) = Read(draft);
        return catalog is null ? (null, refusal) : (new(catalog, CatalogStatus.Draft, draft.DraftedAt, draft.Json), null);
    }

    private static bool CanBeInAPath(string version) =>
        version.Length <= MaxVersionLength && char.IsAsciiLetterOrDigit(version[0]) && version.All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '_' or '-');

    /// <summary>Why a version cannot come that the reader takes; null when it can. What is published is read as it was.</summary>
    public static Refusal? NotToCome(Catalog catalog) => NotPaidIn(catalog) ?? FeatureOfAMeter(catalog);

    private static Refusal? FeatureOfAMeter(Catalog catalog)
    {
        for (var product = 0; product < catalog.Products.Length; product++)
        {
            var plans = catalog.Products[product].Plans;
            for (var plan = 0; plan < plans.Length; plan++)
            {
                if (plans[plan].Features.Keys.FirstOrDefault(f => catalog.Meters.Any(m => m.Id == f)) is not { } feature) continue;
                var path = $"$.products[{product}].plans[{plan}].features['{feature}']";
                return new(RefusalKind.Invalid, $"{path} has the id of a meter: whether the meter may be used follows from the plan's allowance and the account's spend cap, past which the feature would lead. Give the feature another name, or leave it out. Nothing was stored.", path);
            }
        }

        return null;
    }

    private static Refusal? NotPaidIn(Catalog catalog) => Currencies.IsInUse(catalog.Currency)
        ? null
        : new(RefusalKind.Invalid, $"$.currency is {catalog.Currency}, by which ISO 4217 names no currency that is in use: how many places its amounts have is not known. Give the currency that merchants pay in. Nothing was stored.", "$.currency");

    // What cannot be compiled would keep every silo from starting once it is published.
    private static void Compile(Catalog catalog) => _ = new CompiledCatalog(catalog);

    private static (Catalog? Catalog, Refusal? Refusal) Read(CatalogDraft draft)
    {
        if (!draft.IsWell)
            return (null, new(RefusalKind.Damaged, $"The draft {draft.Version} is damaged in the store: it does not match its check sum. Nothing was published; hand the catalogue in again.", "version"));
        var (catalog, problem) = CatalogReader.Read(draft.Json);
        return catalog is null
            ? (null, new(RefusalKind.Conflict, $"The draft {draft.Version} can no longer be read: {problem!.Detail} Nothing was published; hand the catalogue in again.", problem.Path))
            : (catalog, null);
    }

    private static Refusal NoVersion(string version) => new(RefusalKind.NotFound, $"There is no catalogue version {version}, published or drafted.", "version");

    // Another silo of the store may have published it within the last second.
    private async Task<KeptCatalog> Known(StoredCatalog stored)
    {
        if (published.Find(stored.Version) is null) await published.Refresh();
        return new(published.Find(stored.Version)!.Catalog, CatalogStatus.Published, stored.PublishedAt, stored.Json);
    }

    private async Task<Refusal> Published(string version, string then)
    {
        var stored = (await store.All()).First(c => c.Version == version);
        return new(RefusalKind.Conflict, $"The catalogue version {version} is published since {UtcJsonConverter.ToText(stored.PublishedAt)} and never changes. Nothing was stored. {then}", "version");
    }
}
