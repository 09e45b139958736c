using System.Collections.Immutable;
using System.Text.Json.Serialization;
using Orleans;

namespace Billing.Accounts;

/// <summary>Puts products of an account on plans: all of them, or none.</summary>
/// <param name="Changes">The products and their plans, each product once.</param>
/// <param name="CatalogVersion">The published catalogue version the plans come from; null for the one that each subscription is on, and the newest for a product that is added.</param>
/// <param name="When">From when on.</param>
/// <param name="Reason">Why, in words; 1 to 500 characters.</param>
/// <param name="DryRun">Whether only to say what would change.</param>
/// <param name="CommandId">Names this command, so that a retry after a lost answer gets the first answer; null for none.</param>
[GenerateSerializer, Immutable, Alias("billing.change-plans")]
public sealed record ChangePlans(
    [property: Id(0)] ImmutableArray<PlanChange> Changes,
    [property: Id(1)] string? CatalogVersion,
    [property: Id(2)] PlanChangeTime When,
    [property: Id(3)] string? Reason,
    [property: Id(4)] bool DryRun,
    [property: Id(5)] string? CommandId);

/// <summary>A product, and the plan it is to be on.</summary>
/// <param name="Product">The product.</param>
/// <param name="Plan">A plan of the product.</param>
[GenerateSerializer, Immutable, Alias("billing.plan-change"), JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
public sealed record PlanChange([property: Id(0)] string? Product, [property: Id(1)] string? Plan);

/// <summary>From when on a plan change holds. The numbers are part of the wire: add at the end, reuse none.</summary>
public enum PlanChangeTime
{
    /// <summary>At once.</summary>
    Now = 1,

    /// <summary>From the end of the running period.</summary>
    PeriodEnd = 2,
}
