namespace Billing.Lifecycle;

/// <summary>The billing periods of one account. All its products share them.</summary>
internal sealed class AccountCalendar
{
    private long _cachedStart = long.MaxValue;
    private long _cachedEnd;
    private BillingPeriod _cached;

    /// <summary>When the paid subscription began, UTC; null before.</summary>
    public DateTimeOffset? Anchor { get; private set; }

    /// <summary>Begins the periods.</summary>
    public void Begin(DateTimeOffset anchor)
    {
        Anchor = anchor;
        _cachedStart = long.MaxValue;
    }

    /// <summary>The period that an instant falls into; false before the subscription began.</summary>
    /// <param name="ticks">UTC, 100 ns since 0001-01-01.</param>
    /// <param name="period">The period; meaningful only when true is returned.</param>
    public bool TryPeriodOf(long ticks, out BillingPeriod period)
    {
        if (ticks >= _cachedStart && ticks < _cachedEnd)
        {
            period = _cached;
            return true;
        }

        period = default;
        if (Anchor is not { } anchor || ticks < anchor.UtcTicks) return false;
        _cached = period = BillingCalendar.PeriodContaining(anchor, new(ticks, TimeSpan.Zero));
        _cachedStart = period.Start.UtcTicks;
        _cachedEnd = period.End.UtcTicks;
        return true;
    }

    /// <summary>The period of an instant at which the account was subscribed.</summary>
    public BillingPeriod PeriodOf(long ticks) =>
        TryPeriodOf(ticks, out var period) ? period : throw new ArgumentOutOfRangeException(nameof(ticks), ticks, "No billing period contains the instant.");
}
