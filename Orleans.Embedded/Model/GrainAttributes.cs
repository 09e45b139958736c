using System.Globalization;

namespace Orleans;

/// <summary>How long a caller waits for this method before it gets a <see cref="TimeoutException"/>.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class ResponseTimeoutAttribute : Attribute
{
    /// <summary>Sets the time, written as <c>hh:mm:ss</c>.</summary>
    public ResponseTimeoutAttribute(string timeout) => Timeout = TimeSpan.Parse(timeout, CultureInfo.InvariantCulture);

    /// <summary>The time.</summary>
    public TimeSpan? Timeout { get; init; }
}

/// <summary>How long an unused activation of this class stays in memory.</summary>
[AttributeUsage(AttributeTargets.Class)]
public class CollectionAgeLimitAttribute : Attribute
{
    /// <summary>The time is set by the properties.</summary>
    public CollectionAgeLimitAttribute()
    {
    }

    /// <summary>Sets the time, written as <c>hh:mm:ss</c>.</summary>
    public CollectionAgeLimitAttribute(string inactivityPeriod) =>
        Minutes = TimeSpan.Parse(inactivityPeriod, CultureInfo.InvariantCulture).TotalMinutes;

    /// <summary>Days of the time; days, hours and minutes add up.</summary>
    public double Days { get; set; }

    /// <summary>Hours of the time.</summary>
    public double Hours { get; set; }

    /// <summary>Minutes of the time.</summary>
    public double Minutes { get; set; }

    /// <summary>Whether it is never collected for being unused.</summary>
    public bool AlwaysActive { get; set; }

    /// <summary>The whole time.</summary>
    public TimeSpan AgeLimit => AlwaysActive
        ? Timeout.InfiniteTimeSpan
        : TimeSpan.FromDays(Days) + TimeSpan.FromHours(Hours) + TimeSpan.FromMinutes(Minutes);
}
