namespace Billing.Lifecycle;

/// <summary>The periods of one account: its trial, if it has one, then billing periods. All its products share them.</summary>
internal sealed class AccountCalendar
{
    private long _cachedStart = long.MaxValue;
    private long _cachedEnd;
    private BillingPeriod _cached;

    /// <summary>The trial; null for an account without one.</summary>
    public BillingPeriod? Trial { get; private set; }

    /// <summary>When the paid subscription began, UTC; null before.</summary>
    public DateTimeOffset? Anchor { get; private set; }

    /// <summary>When the first period begins; null while the account has no subscription.</summary>
    public DateTimeOffset? Start => Trial?.Start ?? Anchor;

    /// <summary>Begins the trial.</summary>
    public void BeginTrial(BillingPeriod trial)
    {
        Trial = trial;
        _cachedStart = long.MaxValue;
    }

    /// <summary>Begins the billing periods.</summary>
    public void Begin(DateTimeOffset anchor)
    {
        Anchor = anchor;
        _cachedStart = long.MaxValue;
    }

    /// <summary>Whether a period is the trial: its usage is shown and never billed.</summary>
    public bool IsTrial(BillingPeriod period) => Trial == period;

    /// <summary>The period that an instant falls into; false before the subscription began.</summary>
    /// <remarks>During the trial the first billing period is known already: an event may be a few minutes ahead.</remarks>
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
        if (Trial is { } trial && ticks >= trial.Start.UtcTicks && ticks < trial.End.UtcTicks) period = trial;
        else if ((Anchor ?? Trial?.End) is { } anchor && ticks >= anchor.UtcTicks) period = BillingCalendar.PeriodContaining(anchor, new(ticks, TimeSpan.Zero));
        else return false;
        _cached = period;
        _cachedStart = period.Start.UtcTicks;
        _cachedEnd = period.End.UtcTicks;
        return true;
    }

    /// <summary>The period of an instant at which the account was subscribed.</summary>
    public BillingPeriod PeriodOf(long ticks) =>
        TryPeriodOf(ticks, out var period) ? period : throw new ArgumentOutOfRangeException(nameof(ticks), ticks, "No billing period contains the instant.");
}
