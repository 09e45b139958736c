using System.Collections.Immutable;
using System.Text.Json.Serialization;
using Orleans;

namespace Billing.Accounts;

/// <summary>Why usage moved, or did settle, the plan of a subscription: all figures it was decided by.</summary>
/// <param name="Rule">Which rule decided.</param>
/// <param name="Product">The product.</param>
/// <param name="From">The plan before.</param>
/// <param name="To">The plan from then on.</param>
/// <param name="Period">The billing period whose usage decided; for a downgrade the last of them.</param>
/// <param name="EffectiveAt">From when on the plan holds.</param>
/// <param name="Usage">The usage that counted, by meter.</param>
/// <param name="Alternatives">What the period costs on each plan that was compared, by rising rank.</param>
/// <param name="Text">The decision in words that can be read out.</param>
[GenerateSerializer, Immutable, Alias("billing.plan-decision")]
public sealed record PlanDecision(
    [property: Id(0)] PlanRule Rule,
    [property: Id(1)] string Product,
    [property: Id(2)] string From,
    [property: Id(3)] string To,
    [property: Id(4)] BillingPeriod Period,
    [property: Id(5)] DateTimeOffset EffectiveAt,
    [property: Id(6)] ImmutableArray<MeterQuantity> Usage,
    [property: Id(7)] ImmutableArray<PlanAlternative> Alternatives,
    [property: Id(8)] string Text);

/// <summary>A rule by which usage moves plans. The numbers are stored: add at the end, reuse none.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<PlanRule>))]
public enum PlanRule
{
    /// <summary>A higher plan costs less for the period's usage so far.</summary>
    [JsonStringEnumMemberName("upgrade")]
    Upgrade = 1,

    /// <summary>The period is over and settles on the cheapest plan at or above the one it began with.</summary>
    [JsonStringEnumMemberName("settling")]
    Settling = 2,

    /// <summary>The next lower plan would have cost less for some periods in a row.</summary>
    [JsonStringEnumMemberName("downgrade")]
    Downgrade = 3,
}

/// <summary>How much of a meter was used.</summary>
/// <param name="Meter">The meter.</param>
/// <param name="Quantity">In the meter's unit.</param>
[GenerateSerializer, Immutable, Alias("billing.meter-quantity")]
public sealed record MeterQuantity([property: Id(0)] string Meter, [property: Id(1)] Quantity Quantity);

/// <summary>What a period costs on one plan. Amounts are minor units of the account's currency.</summary>
/// <param name="Plan">The plan.</param>
/// <param name="Base">The base price, or its parts, rounded half to even.</param>
/// <param name="Overage">The usage over the allowance, each meter rounded half to even.</param>
/// <param name="Total">Their sum.</param>
[GenerateSerializer, Immutable, Alias("billing.plan-alternative")]
public sealed record PlanAlternative(
    [property: Id(0)] string Plan,
    [property: Id(1)] long Base,
    [property: Id(2)] long Overage,
    [property: Id(3)] long Total);
