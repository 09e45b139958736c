using System.Text.Json.Serialization;

namespace Billing.Usage;

/// <summary>How an accepted event stands in the usage of a meter. The numbers are stored: add at the end, reuse none.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<EventStanding>))]
public enum EventStanding
{
    /// <summary>It adds to the quantity.</summary>
    [JsonStringEnumMemberName("counted")]
    Counted = 1,

    /// <summary>Another event stands for it: the first of its session, span, period or value; the largest; the latest.</summary>
    [JsonStringEnumMemberName("covered")]
    Covered = 2,

    /// <summary>It may still be cancelled, and is not billed yet.</summary>
    [JsonStringEnumMemberName("pending")]
    Pending = 3,

    /// <summary>A later event took it back.</summary>
    [JsonStringEnumMemberName("cancelled")]
    Cancelled = 4,
}
