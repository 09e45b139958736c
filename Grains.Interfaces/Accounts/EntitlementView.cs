using System.Text.Json.Serialization;
using Orleans;

namespace Billing.Accounts;

/// <summary>Whether an account may use a feature, and why.</summary>
/// <param name="Feature">The feature: a name of the catalogue, or a meter.</param>
/// <param name="Allowed">Whether it may be used now.</param>
/// <param name="Limit">How much of it, in its own unit; for a meter its allowance of the period. Left out without a bound.</param>
/// <param name="Used">What of the period is used, for a meter; pending usage is not part of it. Left out for other features.</param>
/// <param name="Reason">Why, in words.</param>
[GenerateSerializer, Immutable, Alias("billing.entitlement")]
public sealed record EntitlementView(
    [property: Id(0)] string Feature,
    [property: Id(1)] bool Allowed,
    [property: Id(2), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] Quantity? Limit,
    [property: Id(3), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] Quantity? Used,
    [property: Id(4)] string Reason);

/// <summary>An entitlement, or why there is none to show.</summary>
/// <param name="Refusal">Set when there is nothing to show.</param>
/// <param name="Entitlement">The entitlement, when there is no refusal.</param>
[GenerateSerializer, Immutable, Alias("billing.entitlement-answer")]
public sealed record EntitlementAnswer([property: Id(0)] Refusal? Refusal, [property: Id(1)] EntitlementView? Entitlement);
