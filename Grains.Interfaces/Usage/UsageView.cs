using System.Collections.Immutable;
using Orleans;

namespace Billing.Usage;

/// <summary>The usage of one meter, a row per billing period.</summary>
/// <param name="Meter">The meter.</param>
/// <param name="Items">The periods, in order of time.</param>
[GenerateSerializer, Immutable, Alias("billing.usage-view")]
public sealed record UsageView([property: Id(0)] string Meter, [property: Id(1)] ImmutableArray<PeriodUsageView> Items);

/// <summary>The usage of one meter in one billing period.</summary>
/// <param name="Period">The billing period.</param>
/// <param name="Quantity">What counts, in the meter's unit.</param>
/// <param name="Pending">What may still be cancelled and is not billed yet, in the meter's unit; not part of <paramref name="Quantity"/>.</param>
[GenerateSerializer, Immutable, Alias("billing.period-usage-view")]
public sealed record PeriodUsageView(
    [property: Id(0)] BillingPeriod Period,
    [property: Id(1)] Quantity Quantity,
    [property: Id(2)] Quantity Pending);

/// <summary>Usage, or why there is none to show.</summary>
/// <param name="Refusal">Set when there is nothing to show.</param>
/// <param name="Usage">The usage, when there is no refusal.</param>
[GenerateSerializer, Immutable, Alias("billing.usage-answer")]
public sealed record UsageAnswer([property: Id(0)] Refusal? Refusal, [property: Id(1)] UsageView? Usage);
