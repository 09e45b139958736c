using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Text;
using System.Text.Json;
using Billing.Accounts;
using Billing.Metering;
using Billing.Plans;

namespace Billing.History;

/// <summary>
/// The catalogue versions that an account was on, each with the rules of another version, or with its plans and rules. Meters, grace and
/// dedup window stay: by them the usage was counted. Thread-safe.
/// </summary>
/// <param name="published">The published versions.</param>
/// <param name="other">The version whose rules or plans are taken.</param>
/// <param name="withPlans">Whether its plans are taken too.</param>
internal sealed class BackTestCatalogs(ICatalogs published, Catalog other, bool withPlans) : ICatalogs
{
    private readonly ConcurrentDictionary<string, CompiledCatalog> _versions = new(StringComparer.Ordinal);

    /// <summary>The catalogues that a question asks for.</summary>
    /// <exception cref="InvalidDataException">What it bears cannot be read by this release.</exception>
    public static BackTestCatalogs Of(BackTestQuestion question, ICatalogs published)
    {
        var (catalog, problem) = CatalogReader.Read(Encoding.UTF8.GetBytes(question.Catalog));
        if (catalog is { } read && question.Transitions is { } transitions)
        {
            using var rules = JsonDocument.Parse(transitions);
            (catalog, problem) = TransitionOverrides.Apply(read, rules.RootElement);
        }

        return catalog is null ? throw new InvalidDataException(problem!.Detail) : new(published, catalog, question.WithPlans);
    }

    /// <inheritdoc/>
    public CompiledCatalog? Latest => published.Latest is { } latest ? Find(latest.Catalog.Version) : null;

    /// <inheritdoc/>
    public ImmutableArray<string> Currencies => published.Currencies;

    /// <inheritdoc/>
    public CompiledCatalog? LatestIn(string currency) => published.LatestIn(currency) is { } latest ? Find(latest.Catalog.Version) : null;

    /// <inheritdoc/>
    public CompiledCatalog? Find(string version)
    {
        if (_versions.TryGetValue(version, out var known)) return known;
        return published.Find(version) is { } own ? _versions.GetOrAdd(version, new CompiledCatalog(withPlans ? WithPlans(own.Catalog) : WithRules(own.Catalog))) : null;
    }

    /// <summary>Why an account in a currency cannot be on these plans; null when it can.</summary>
    public string? RefusedCurrency(string currency) => withPlans && currency != other.Currency
        ? $"The account pays in {currency}, and the catalogue {other.Version} is priced in {other.Currency}."
        : null;

    /// <summary>Why an account cannot be on a plan here that it was on; null when it can.</summary>
    public string? RefusedPlan(string product, string plan) => withPlans && other.FindPlan(plan)?.Product != product
        ? $"The account was on the plan {plan} of {product}, which the catalogue {other.Version} does not have."
        : null;

    /// <summary>What the figures leave out for a product that was subscribed to in a version.</summary>
    public IEnumerable<string> NotesOf(string product, string version)
    {
        if (!withPlans || published.Find(version)?.Catalog is not { } own) yield break;
        foreach (var meter in other.MetersOf(product))
        {
            if (own.MetersOf(product).FirstOrDefault(m => m.Id == meter.Id) is not { } counted)
                yield return $"The catalogue {version} did not count the meter {meter.Id}: what the catalogue {other.Version} asks for it is not in the figures.";
            else if (!MeterDefinitions.AreSame(counted, meter))
                yield return $"The catalogue {other.Version} counts the meter {meter.Id} in another way than {version}; the figures are for the usage as it was counted.";
        }
    }

    private Catalog WithRules(Catalog own) => With(own, [.. own.Products.Select(p => other.FindProduct(p.Id) is { } ruled ? p with { Transitions = ruled.Transitions } : p)]);

    private Catalog WithPlans(Catalog own)
    {
        return With(own, [.. other.Products.Where(p => own.FindProduct(p.Id) is not null).Select(p => p with { Plans = [.. p.Plans.Select(Counted)] })]);

        Plan Counted(Plan plan)
        {
            var counted = own.MetersOf(plan.Product).Select(m => m.Id).ToHashSet(StringComparer.Ordinal);
            return plan with
            {
                Included = plan.Included.RemoveRange(plan.Included.Keys.Where(m => !counted.Contains(m))),
                Prices = plan.Prices.RemoveRange(plan.Prices.Keys.Where(m => !counted.Contains(m))),
            };
        }
    }

    private static Catalog With(Catalog own, ImmutableArray<Product> products) => new(own.Version, own.Currency, own.Grace, own.DedupWindow, own.Meters, products);
}
