using System.Collections.Immutable;
using Orleans;

namespace Billing.Accounts;

/// <summary>Makes an account and begins its subscriptions.</summary>
/// <param name="Name">The merchant's name; 1 to 200 characters.</param>
/// <param name="Email">Where the merchant is written to; need not be unique.</param>
/// <param name="Currency">ISO 4217; null for the currency of the catalogue.</param>
/// <param name="Country">ISO 3166-1 alpha-2, if known.</param>
/// <param name="Plans">The plans, at most one of each product.</param>
/// <param name="CatalogVersion">The published catalogue version the plans come from.</param>
/// <param name="PaymentMethod">The payment method's id at Stripe, if there is one.</param>
/// <param name="AutomaticPlanChanges">Whether usage may move its plans.</param>
/// <param name="CommandId">Names this command, so that a retry after a lost answer gets the first answer; null for none.</param>
[GenerateSerializer, Immutable, Alias("billing.open-account")]
public sealed record OpenAccount(
    [property: Id(0)] string Name,
    [property: Id(1)] string Email,
    [property: Id(2)] string? Currency,
    [property: Id(3)] string? Country,
    [property: Id(4)] ImmutableArray<string> Plans,
    [property: Id(5)] string CatalogVersion,
    [property: Id(6)] string? PaymentMethod,
    [property: Id(7)] bool AutomaticPlanChanges,
    [property: Id(8)] string? CommandId);
