using System.Text.Json.Serialization;
using Orleans;

namespace Billing;

/// <summary>A stretch of time that is billed as one: from <c>Start</c>, included, to <c>End</c>, excluded; both UTC.</summary>
/// <param name="Start">The first instant inside.</param>
/// <param name="End">The first instant after.</param>
[GenerateSerializer, Immutable, Alias("billing.period")]
public readonly record struct BillingPeriod([property: Id(0)] DateTimeOffset Start, [property: Id(1)] DateTimeOffset End)
{
    /// <summary>Whether the instant lies inside; the end does not.</summary>
    public bool Contains(DateTimeOffset instant) => Start <= instant && instant < End;

    /// <summary>The length of the period.</summary>
    [JsonIgnore]
    public TimeSpan Length => End - Start;
}
