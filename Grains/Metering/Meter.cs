using System.Collections.Immutable;

namespace Billing.Metering;

/// <summary>Turns events into a quantity per account and billing period.</summary>
/// <param name="Id">The meter.</param>
/// <param name="Product">The product it belongs to.</param>
/// <param name="Event">The event type it listens to.</param>
/// <param name="Where">Filters on the event's data; all must hold.</param>
/// <param name="Aggregate">How the events of a period become one quantity.</param>
/// <param name="Value">Where the value is; null for <see cref="Aggregate.Count"/>.</param>
/// <param name="CountOnce">Counts the events of one key once; null counts each.</param>
/// <param name="CancelledBy">Events that take others back; null for none.</param>
public sealed record Meter(
    string Id,
    string Product,
    string Event,
    ImmutableArray<Filter> Where,
    Aggregate Aggregate,
    JsonPath? Value,
    CountOnce? CountOnce,
    CancelledBy? CancelledBy);

/// <summary>How the events of a period become one quantity.</summary>
public enum Aggregate
{
    /// <summary>How many events.</summary>
    Count = 1,

    /// <summary>The sum of their values.</summary>
    Sum = 2,

    /// <summary>The largest value.</summary>
    Max = 3,

    /// <summary>The value of the latest event by time, source and id.</summary>
    Latest = 4,

    /// <summary>How many different values.</summary>
    Unique = 5,
}

/// <summary>Holds when the data has one of the allowed values at the path; a missing path does not match.</summary>
public sealed record Filter(JsonPath Path, ImmutableArray<JsonScalar> Allowed);

/// <summary>Counts the events of one key once in a window.</summary>
/// <param name="Key">Where the key is: a string or a number.</param>
/// <param name="Window">What "once" is measured in.</param>
public sealed record CountOnce(JsonPath Key, CountOnceWindow Window);

/// <summary>What "once" is measured in.</summary>
public abstract record CountOnceWindow
{
    private CountOnceWindow()
    {
    }

    /// <summary>Once per billing period.</summary>
    public sealed record Period : CountOnceWindow;

    /// <summary>Once per span that the first event outside every other span of its key opens; its end is excluded.</summary>
    public sealed record Span(TimeSpan Length) : CountOnceWindow;

    /// <summary>Once per session: events of one key whose distance is at most the gap of the earlier one.</summary>
    /// <param name="Gap">The gap, where <c>Gaps</c> names no other.</param>
    /// <param name="By">Where the value is that chooses the gap; null for one gap.</param>
    /// <param name="Gaps">Gaps by that value.</param>
    public sealed record Session(TimeSpan Gap, JsonPath? By, ImmutableSortedDictionary<string, TimeSpan> Gaps) : CountOnceWindow
    {
        /// <summary>The longest gap there is.</summary>
        public TimeSpan LongestGap => Gaps.Values.Append(Gap).Max();
    }
}

/// <summary>An event counts only if none of these follows it in time.</summary>
/// <param name="Event">The type of the cancelling event.</param>
/// <param name="Where">Filters on the cancelling event's data.</param>
/// <param name="Key">Where the key is, in both events.</param>
/// <param name="Within">How long after an event it can be cancelled; the end is included.</param>
public sealed record CancelledBy(string Event, ImmutableArray<Filter> Where, JsonPath Key, TimeSpan Within);
