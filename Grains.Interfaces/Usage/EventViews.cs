using System.Collections.Immutable;
using System.Text.Json.Serialization;
using Orleans;

namespace Billing.Usage;

/// <summary>One event behind an invoice line, or one that was refused and would have been.</summary>
/// <param name="Source">The CloudEvents <c>source</c>; empty when it could not be read.</param>
/// <param name="Id">The CloudEvents <c>id</c>; empty when it could not be read.</param>
/// <param name="Time">The CloudEvents <c>time</c>, UTC; null when it could not be read.</param>
/// <param name="ReceivedAt">The billing clock at its receipt.</param>
/// <param name="Outcome">What became of it.</param>
/// <param name="Standing">How it stood when the invoice became final; null for a refused event.</param>
/// <param name="Quantity">
/// What it adds to the line, in the meter's unit; null for a refused event. On an adjustment what it adds to the difference. The
/// quantities of all events add up to that of the line.
/// </param>
/// <param name="CancelledBy">The event that took it back first; null when none did.</param>
/// <param name="Reason">Why it was refused.</param>
[GenerateSerializer, Immutable, Alias("billing.line-event")]
public sealed record LineEvent(
    [property: Id(0)] string Source,
    [property: Id(1)] string Id,
    [property: Id(2), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] DateTimeOffset? Time,
    [property: Id(3)] DateTimeOffset ReceivedAt,
    [property: Id(4)] UsageOutcome Outcome,
    [property: Id(5), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] EventStanding? Standing,
    [property: Id(6), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] Quantity? Quantity,
    [property: Id(7), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] EventName? CancelledBy,
    [property: Id(8), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Reason);

/// <summary>What an event is called, and when it happened.</summary>
/// <param name="Source">The CloudEvents <c>source</c>.</param>
/// <param name="Id">The CloudEvents <c>id</c>.</param>
/// <param name="Time">The CloudEvents <c>time</c>, UTC.</param>
[GenerateSerializer, Immutable, Alias("billing.event-name")]
public sealed record EventName([property: Id(0)] string Source, [property: Id(1)] string Id, [property: Id(2)] DateTimeOffset Time);

/// <summary>A page of the events behind an invoice line: those that were accepted by time, source and id, then those that were refused.</summary>
/// <param name="Refusal">Set when there is nothing to show.</param>
/// <param name="Items">The events of this page.</param>
/// <param name="Next">Where the next page begins; null on the last.</param>
[GenerateSerializer, Immutable, Alias("billing.line-event-page")]
public sealed record LineEventPage(
    [property: Id(0)] Refusal? Refusal,
    [property: Id(1)] ImmutableArray<LineEvent> Items,
    [property: Id(2)] int? Next);

/// <summary>All that is known of one event: its first receipt, where it is counted now, and what else came under its name.</summary>
/// <param name="Source">The CloudEvents <c>source</c>.</param>
/// <param name="Id">The CloudEvents <c>id</c>.</param>
/// <param name="Type">The CloudEvents <c>type</c>; null when it was never accepted.</param>
/// <param name="Time">The CloudEvents <c>time</c>, UTC; null when it could not be read.</param>
/// <param name="ReceivedAt">The billing clock at the receipt that decided.</param>
/// <param name="Outcome">What became of it: of its first receipt, or of its last when it was never accepted.</param>
/// <param name="Reason">Why, where the outcome alone does not say it.</param>
/// <param name="Meters">What it changed when it was accepted, a row per meter and period.</param>
/// <param name="BilledOn">The invoice that bills it, as its receipt said.</param>
/// <param name="Counted">How it stands in each meter now.</param>
/// <param name="Lines">The lines of finalised invoices that bear the usage of its period since it was received.</param>
/// <param name="Body">The event as it came; null when bodies were not kept.</param>
/// <param name="Refused">What came under the same source and id and was refused, in order: an event with other content is a conflict.</param>
[GenerateSerializer, Immutable, Alias("billing.event-view")]
public sealed record EventView(
    [property: Id(0)] string Source,
    [property: Id(1)] string Id,
    [property: Id(2), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Type,
    [property: Id(3), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] DateTimeOffset? Time,
    [property: Id(4)] DateTimeOffset ReceivedAt,
    [property: Id(5)] UsageOutcome Outcome,
    [property: Id(6), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Reason,
    [property: Id(7)] ImmutableArray<MeterReceipt> Meters,
    [property: Id(8), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] BilledOn? BilledOn,
    [property: Id(9)] ImmutableArray<EventCount> Counted,
    [property: Id(10)] ImmutableArray<InvoiceLineName> Lines,
    [property: Id(11), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Body,
    [property: Id(12)] ImmutableArray<RefusedEvent> Refused);

/// <summary>How an event stands in one meter.</summary>
/// <param name="Meter">The meter.</param>
/// <param name="Period">The billing period of its time.</param>
/// <param name="Standing">Its standing now.</param>
/// <param name="Quantity">What it adds to the usage of the period now, in the meter's unit.</param>
[GenerateSerializer, Immutable, Alias("billing.event-count")]
public sealed record EventCount(
    [property: Id(0)] string Meter,
    [property: Id(1)] BillingPeriod Period,
    [property: Id(2)] EventStanding Standing,
    [property: Id(3)] Quantity Quantity);

/// <summary>Names a line of a finalised invoice.</summary>
/// <param name="Invoice">The number of the invoice.</param>
/// <param name="Line">The number of the line on it.</param>
[GenerateSerializer, Immutable, Alias("billing.invoice-line-name")]
public sealed record InvoiceLineName([property: Id(0)] int Invoice, [property: Id(1)] int Line);

/// <summary>An event that was refused under a name that is known.</summary>
/// <param name="Outcome">What became of it.</param>
/// <param name="Reason">Why.</param>
/// <param name="ReceivedAt">The billing clock at its receipt.</param>
/// <param name="Body">The event as it came.</param>
[GenerateSerializer, Immutable, Alias("billing.refused-event")]
public sealed record RefusedEvent(
    [property: Id(0)] UsageOutcome Outcome,
    [property: Id(1)] string Reason,
    [property: Id(2)] DateTimeOffset ReceivedAt,
    [property: Id(3)] string Body);

/// <summary>An event, or why there is none to show.</summary>
/// <param name="Refusal">Set when there is nothing to show.</param>
/// <param name="Event">The event, when there is no refusal.</param>
[GenerateSerializer, Immutable, Alias("billing.event-answer")]
public sealed record EventAnswer([property: Id(0)] Refusal? Refusal, [property: Id(1)] EventView? Event);
