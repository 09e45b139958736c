using System.Collections.Immutable;
using Orleans;

namespace Billing.Usage;

/// <summary>What the account answers for one event.</summary>
/// <param name="Outcome">What became of the event.</param>
/// <param name="Reason">
/// Why, where the outcome alone does not say it: <c>no_subscription</c>, <c>trial</c>, <c>account_held</c> or <c>account_failed</c> when the
/// event waits for its account, or a sentence.
/// </param>
/// <param name="Meters">What the event changed, a row per meter that it matched and the account subscribes to.</param>
/// <param name="BilledOn">The invoice that bills the event, if a meter counted it.</param>
[GenerateSerializer, Immutable, Alias("billing.usage-receipt")]
public sealed record UsageReceipt(
    [property: Id(0)] UsageOutcome Outcome,
    [property: Id(1)] string? Reason,
    [property: Id(2)] ImmutableArray<MeterReceipt> Meters,
    [property: Id(3)] BilledOn? BilledOn);

/// <summary>How one event changed one meter when it was first accepted.</summary>
/// <param name="Meter">The meter.</param>
/// <param name="Quantity">
/// By how much the event changed the usage of its period, in the meter's unit. 0 when its session was counted before;
/// -1 when it merged two sessions into one.
/// </param>
/// <param name="Period">The billing period of the event's <c>time</c>.</param>
[GenerateSerializer, Immutable, Alias("billing.meter-receipt")]
public sealed record MeterReceipt(
    [property: Id(0)] string Meter,
    [property: Id(1)] Quantity Quantity,
    [property: Id(2)] BillingPeriod Period);

/// <summary>The invoice on which an event is billed.</summary>
/// <param name="Kind"><c>usage</c> while its period is open or in grace, <c>adjustment</c> afterwards.</param>
/// <param name="InvoicePeriod">The period of that invoice: the one its base fees pay for.</param>
[GenerateSerializer, Immutable, Alias("billing.billed-on")]
public sealed record BilledOn([property: Id(0)] string Kind, [property: Id(1)] BillingPeriod InvoicePeriod);
