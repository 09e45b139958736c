using System.Collections.Immutable;

namespace Billing.Lifecycle;

/// <summary>A time in which billing periods follow each other.</summary>
/// <param name="Anchor">When it began, UTC: the periods are counted from it.</param>
/// <param name="End">When it ended, at the end of a period; null while it goes on.</param>
internal sealed record BillingSpan(DateTimeOffset Anchor, DateTimeOffset? End = null);

/// <summary>
/// The periods of one account: its trial, if it has one, then billing periods, which pause while it is suspended. All its products share them.
/// </summary>
internal sealed class AccountCalendar
{
    private long _cachedStart = long.MaxValue;
    private long _cachedEnd;
    private BillingPeriod _cached;

    /// <summary>The trial; null for an account without one.</summary>
    public BillingPeriod? Trial { get; private set; }

    /// <summary>The times in which periods ran, in order; the last one runs, or the account is paused.</summary>
    public ImmutableArray<BillingSpan> Spans { get; private set; } = [];

    /// <summary>When the paid subscription began, or began again, UTC; null before.</summary>
    public DateTimeOffset? Anchor => Spans is [.., var last] ? last.Anchor : null;

    /// <summary>The anchor that the period of an instant is counted from; null before the first.</summary>
    public DateTimeOffset? AnchorAt(DateTimeOffset instant) => SpanAt(instant.UtcTicks)?.Anchor;

    /// <summary>When the periods stopped; null while they run.</summary>
    public DateTimeOffset? PausedAt => Spans is [.., var last] ? last.End : null;

    /// <summary>When the first period begins; null while the account has no subscription.</summary>
    public DateTimeOffset? Start => Trial?.Start ?? (Spans is [var first, ..] ? first.Anchor : null);

    /// <summary>Begins the trial.</summary>
    public void BeginTrial(BillingPeriod trial)
    {
        Trial = trial;
        _cachedStart = long.MaxValue;
    }

    /// <summary>Begins the billing periods, or begins them anew after a pause.</summary>
    public void Begin(DateTimeOffset anchor) => Restore(Spans.Add(new(anchor)));

    /// <summary>Stops the billing periods at the end of one.</summary>
    public void Pause(DateTimeOffset end) => Restore(Spans.SetItem(Spans.Length - 1, Spans[^1] with { End = end }));

    /// <summary>Takes over the spans of a snapshot.</summary>
    public void Restore(ImmutableArray<BillingSpan> spans)
    {
        Spans = spans;
        _cachedStart = long.MaxValue;
    }

    /// <summary>Whether a period is the trial: its usage is shown and never billed.</summary>
    public bool IsTrial(BillingPeriod period) => Trial == period;

    /// <summary>Whether the account was suspended at an instant, with no period running.</summary>
    public bool IsPausedAt(long ticks)
    {
        foreach (var span in Spans)
            if (span.End is { } end && ticks >= end.UtcTicks && !Spans.Any(s => s.Anchor >= end && s.Anchor.UtcTicks <= ticks)) return true;
        return false;
    }

    /// <summary>The period that an instant falls into; false before the subscription began and while the account is paused.</summary>
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
        else if (SpanAt(ticks) is { } span && !(ticks >= span.End?.UtcTicks)) period = BillingCalendar.PeriodContaining(span.Anchor, new(ticks, TimeSpan.Zero));
        else return false;
        _cached = period;
        _cachedStart = period.Start.UtcTicks;
        _cachedEnd = period.End.UtcTicks;
        return true;
    }

    /// <summary>The period of an instant at which the account was subscribed; while it is paused the one that would have run.</summary>
    public BillingPeriod PeriodOf(long ticks) =>
        TryPeriodOf(ticks, out var period) ? period
        : SpanAt(ticks) is { } span ? BillingCalendar.PeriodContaining(span.Anchor, new(ticks, TimeSpan.Zero))
        : throw new ArgumentOutOfRangeException(nameof(ticks), ticks, "No billing period contains the instant.");

    /// <summary>When a period runs next, from an instant on; null when none will as things stand.</summary>
    public DateTimeOffset? NextServed(DateTimeOffset from) => TryPeriodOf(from.UtcTicks, out _)
        ? from
        : Spans.Where(s => s.Anchor >= from).Select(s => (DateTimeOffset?)s.Anchor).FirstOrDefault();

    /// <summary>The ends of the billing periods that ended by an instant, in order.</summary>
    public IEnumerable<DateTimeOffset> PeriodEndsBy(DateTimeOffset last)
    {
        foreach (var span in Spans)
            for (var months = 0; BillingCalendar.PeriodAt(span.Anchor, months).End is var end && end <= last && !(end > span.End); months++) yield return end;
    }

    // The last span that had begun; before the first, the one that begins when the trial ends.
    private BillingSpan? SpanAt(long ticks)
    {
        for (var i = Spans.Length - 1; i >= 0; i--)
            if (ticks >= Spans[i].Anchor.UtcTicks) return Spans[i];
        return Spans.IsEmpty && Trial?.End is { } trialEnd && ticks >= trialEnd.UtcTicks ? new(trialEnd) : null;
    }
}
