using System.Text.Json.Serialization;

namespace Billing.Usage;

/// <summary>What became of one usage event. The numbers are stored: add at the end, reuse none.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<UsageOutcome>))]
public enum UsageOutcome : byte
{
    /// <summary>First sight of its key: durable, and counted where a meter and a subscription want it.</summary>
    [JsonStringEnumMemberName("accepted")]
    Accepted = 1,

    /// <summary>Its key was seen with the same content: not counted again.</summary>
    [JsonStringEnumMemberName("duplicate")]
    Duplicate = 2,

    /// <summary>Its key was seen with other content: not counted; kept so that support can compare the two.</summary>
    [JsonStringEnumMemberName("conflict")]
    Conflict = 3,

    /// <summary>Its time is outside the window, or its account is unknown: kept as a dead letter, not counted.</summary>
    [JsonStringEnumMemberName("quarantined")]
    Quarantined = 4,

    /// <summary>Not a readable CloudEvent, or a meter lacks a value it needs: kept as a dead letter, not counted.</summary>
    [JsonStringEnumMemberName("rejected")]
    Rejected = 5,
}
