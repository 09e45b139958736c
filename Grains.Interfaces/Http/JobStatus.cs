using System.Text.Json.Serialization;

namespace Billing.Http;

/// <summary>How far a job is that goes through accounts.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<JobStatus>))]
public enum JobStatus
{
    /// <summary>It runs, or waits for one before it.</summary>
    [JsonStringEnumMemberName("running")]
    Running = 1,

    /// <summary>It has been at all accounts.</summary>
    [JsonStringEnumMemberName("done")]
    Done = 2,

    /// <summary>It did not come to its end.</summary>
    [JsonStringEnumMemberName("stopped")]
    Stopped = 3,
}
