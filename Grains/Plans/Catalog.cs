using System.Collections.Frozen;
using System.Collections.Immutable;
using Billing.Metering;

namespace Billing.Plans;

/// <summary>One edition of what is sold: meters, products, plans and prices. Immutable once published.</summary>
/// <param name="Version">Names the edition; subscriptions pin it.</param>
/// <param name="Currency">ISO 4217, upper case.</param>
/// <param name="Grace">How long after a period's end its invoice still follows late events.</param>
/// <param name="DedupWindow">How far back in event time ids are remembered and events accepted.</param>
/// <param name="Meters">What is counted.</param>
/// <param name="Products">What is sold.</param>
public sealed record Catalog(
    string Version,
    string Currency,
    TimeSpan Grace,
    TimeSpan DedupWindow,
    ImmutableArray<Meter> Meters,
    ImmutableArray<Product> Products)
{
    private readonly FrozenDictionary<string, Plan> _plans = Products.SelectMany(p => p.Plans).ToFrozenDictionary(p => p.Id);

    /// <summary>How far in the future an event's time may lie: clocks differ.</summary>
    public static readonly TimeSpan FutureTolerance = TimeSpan.FromMinutes(5);

    /// <summary>All plans of all products.</summary>
    public IEnumerable<Plan> Plans => _plans.Values;

    /// <summary>The plan of this id, or null.</summary>
    public Plan? FindPlan(string id) => _plans.GetValueOrDefault(id);

    /// <summary>The product of this id, or null.</summary>
    public Product? FindProduct(string id) => Products.FirstOrDefault(p => p.Id == id);

    /// <summary>The meters of a product.</summary>
    public IEnumerable<Meter> MetersOf(string product) => Meters.Where(m => m.Product == product);
}

/// <summary>A thing that is sold, in plans of rising rank.</summary>
/// <param name="Id">The product.</param>
/// <param name="Plans">Its plans, in the order of the catalogue.</param>
/// <param name="Transitions">How usage moves accounts along the ladder; null for not at all.</param>
public sealed record Product(string Id, ImmutableArray<Plan> Plans, Transitions? Transitions = null);

/// <summary>How often a plan's base price is paid.</summary>
public enum PlanInterval
{
    /// <summary>Each billing period.</summary>
    Month = 1,

    /// <summary>Each twelfth billing period.</summary>
    Year = 2,
}

/// <summary>One rung of a product's ladder.</summary>
/// <param name="Id">The plan.</param>
/// <param name="Product">The product it belongs to.</param>
/// <param name="Rank">Its place in the ladder; unique in the product.</param>
/// <param name="Interval">How often the base price is paid.</param>
/// <param name="BasePriceMinor">The base price per interval, in minor units, paid in advance.</param>
/// <param name="Trial">How long the first of it is free; null for no trial.</param>
/// <param name="Included">The allowance per billing period, by meter, in the meter's unit.</param>
/// <param name="Prices">What the units over the allowance cost, by meter.</param>
/// <param name="Features">What the plan gives beside usage, by feature; null for nothing.</param>
public sealed record Plan(
    string Id,
    string Product,
    int Rank,
    PlanInterval Interval,
    long BasePriceMinor,
    TimeSpan? Trial,
    ImmutableSortedDictionary<string, Quantity> Included,
    ImmutableSortedDictionary<string, Price> Prices,
    ImmutableSortedDictionary<string, Feature>? Features = null)
{
    /// <summary>What the plan gives beside usage, by feature.</summary>
    public ImmutableSortedDictionary<string, Feature> Features { get; init; } = Features ?? ImmutableSortedDictionary<string, Feature>.Empty;
}
