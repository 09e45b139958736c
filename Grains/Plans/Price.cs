using System.Collections.Immutable;

namespace Billing.Plans;

/// <summary>What the units of a meter over the allowance cost. Prices are in major units of the catalogue's currency, of up to 12 places.</summary>
public abstract record Price
{
    private Price()
    {
    }

    /// <summary>Each unit costs the same.</summary>
    public sealed record PerUnit(decimal UnitPrice) : Price;

    /// <summary>Each started block of <c>Size</c> units costs the same.</summary>
    public sealed record Package(Quantity Size, decimal PackagePrice) : Price;

    /// <summary>Each unit costs what the tier it falls into says.</summary>
    public sealed record Graduated(ImmutableArray<Tier> Tiers) : Price;

    /// <summary>All units cost what the tier of their sum says.</summary>
    public sealed record Volume(ImmutableArray<Tier> Tiers) : Price;
}

/// <summary>A tier: it counts the units over the allowance up to <c>UpTo</c>, included; null is without end.</summary>
public sealed record Tier(Quantity? UpTo, decimal UnitPrice);
