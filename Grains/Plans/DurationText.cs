using System.Globalization;

namespace Billing.Plans;

/// <summary>Durations in words.</summary>
internal static class DurationText
{
    /// <summary>A length in days, or in hours when it is no whole number of days.</summary>
    public static string TotalDaysText(this TimeSpan length) =>
        length.Ticks % TimeSpan.TicksPerDay == 0
            ? string.Create(CultureInfo.InvariantCulture, $"{length.Ticks / TimeSpan.TicksPerDay} days")
            : string.Create(CultureInfo.InvariantCulture, $"{length.Ticks / TimeSpan.TicksPerHour} hours");
}
