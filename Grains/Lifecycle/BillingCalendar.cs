namespace Billing.Lifecycle;

/// <summary>Billing periods of one month, counted from an anchor, and the years that yearly plans pay for.</summary>
/// <remarks>
/// Month ends clamp and come back: an anchor on the 31st bills on 28 February and on 31 March again, since every boundary
/// is counted from the anchor, not from the boundary before.
/// </remarks>
internal static class BillingCalendar
{
    /// <summary>How many billing periods a year has.</summary>
    public const int PeriodsPerYear = 12;

    /// <summary>The period whose start is <paramref name="months"/> months after the anchor.</summary>
    public static BillingPeriod PeriodAt(DateTimeOffset anchor, int months) => new(anchor.AddMonths(months), anchor.AddMonths(months + 1));

    /// <summary>The twelve periods from the one whose start is <paramref name="months"/> months after the anchor.</summary>
    public static BillingPeriod YearAt(DateTimeOffset anchor, int months) => new(anchor.AddMonths(months), anchor.AddMonths(months + PeriodsPerYear));

    /// <summary>The period that contains an instant at or after the anchor.</summary>
    public static BillingPeriod PeriodContaining(DateTimeOffset anchor, DateTimeOffset instant) => PeriodAt(anchor, MonthsTo(anchor, instant));

    /// <summary>How many months after the anchor the period begins that contains an instant at or after it.</summary>
    public static int MonthsTo(DateTimeOffset anchor, DateTimeOffset instant)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(instant, anchor);
        var months = ((instant.Year - anchor.Year) * 12) + instant.Month - anchor.Month;
        return anchor.AddMonths(months) > instant ? months - 1 : months;
    }

    /// <summary>The period after one that was counted from the same anchor.</summary>
    public static BillingPeriod PeriodAfter(DateTimeOffset anchor, BillingPeriod period) => PeriodContaining(anchor, period.End);
}
