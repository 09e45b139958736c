using Billing.Lifecycle;
using Billing.Usage;

namespace Billing.Metering;

/// <summary>The usage of one meter of an account: a quantity per billing period, and what is needed to place late events.</summary>
/// <remarks>It is a function of the set of events: their order, and how they came in batches, makes no difference.</remarks>
internal sealed class MeterState
{
    private readonly List<PeriodUsage> _periods = [];
    private readonly FirstChanges _first = new();
    private readonly Tally _tally;
    private readonly Cancellations? _cancellations;
    private readonly AccountCalendar _calendar;
    private readonly bool _remembers;
    private readonly bool _hasDaily;
    private readonly Action<long> _uncount;
    private (long At, UsageChanges Changes, UsageChanges Events)? _pending;
    private long _oldestCancelled;

    public MeterState(Meter meter, string catalogVersion, EventIdPool ids, AccountCalendar calendar)
    {
        Meter = meter;
        CatalogVersion = catalogVersion;
        _calendar = calendar;
        _uncount = ticks =>
        {
            In(calendar.PeriodOf(ticks)).EventCount--;
            _oldestCancelled = long.Min(_oldestCancelled, ticks);
        };
        _tally = Tally.For(meter, ids, calendar);
        _remembers = _tally is not SumTally || meter.CancelledBy is not null;
        _hasDaily = meter.Aggregate is not (Aggregate.Max or Aggregate.Latest);
        if (meter.CancelledBy is { } by) _cancellations = new(by.Within, _tally, ids);
    }

    public Meter Meter { get; }

    /// <summary>The catalogue version that the definition comes from.</summary>
    public string CatalogVersion { get; }

    /// <summary>The periods that have usage or a bill, in order of time.</summary>
    public IReadOnlyList<PeriodUsage> Periods => _periods;

    /// <summary>The usage by days, for forecasts; empty where a value stands for the whole period.</summary>
    public DailyUsage Daily { get; } = new();

    /// <summary>
    /// The period in which somebody waits for usage, and from how much on, pending usage included; null while nobody does. Without an amount
    /// it is another meter whose usage has to come to one.
    /// </summary>
    public (BillingPeriod Period, Quantity? From)? WatchedFrom { get; set; }

    /// <summary>Whether as much is used as somebody waits for.</summary>
    public bool IsWatchedUsageReached => WatchedFrom is { From: { } from } watched && QuantityOf(watched.Period) >= from;

    /// <summary>How many events are held, to place late ones among.</summary>
    public int HeldEvents => _cancellations?.Count ?? _tally.Count;

    /// <summary>Counts an accepted event.</summary>
    /// <param name="reading">What the meter reads from the event, with the hashes of its keys.</param>
    /// <param name="at">When it happened, and its name.</param>
    /// <param name="period">The billing period of its time.</param>
    /// <param name="changes">Takes what it changed, pending usage included; the first row is that of its own period.</param>
    public void Add(in HashedReading reading, in EventPlace at, BillingPeriod period, UsageChanges changes)
    {
        _pending = null;
        changes.Begin(period);
        var counted = new TalliedEvent(at, period, reading.Key, reading.Value, reading.GapSeconds);
        var (node, stands) = _cancellations is null ? (_tally.Add(counted, changes), true) : _cancellations.Add(reading.CancelKey, counted, changes);
        changes.Trim(keep: 1);
        Apply(changes, at.TimeTicks);
        if (stands) In(period).EventCount++;
        if (_remembers) _first.Set(node, reading.Value, changes);
    }

    /// <summary>Takes in an event that cancels others.</summary>
    /// <param name="key">The hash of the key it shares with them.</param>
    /// <param name="name">The hash of its own source and id.</param>
    /// <param name="timeTicks">Its time, UTC ticks.</param>
    /// <param name="changes">Takes what it changed; no row when it changed nothing.</param>
    /// <returns>The time of the oldest event that it cancelled, UTC ticks; its own when it cancelled none.</returns>
    public long Cancel(UInt128 key, UInt128 name, long timeTicks, UsageChanges changes)
    {
        (_pending, _oldestCancelled) = (null, timeTicks);
        changes.Clear();
        _cancellations!.Cancel(key, name, timeTicks, changes, _uncount);
        Apply(changes, timeTicks);
        return _oldestCancelled;
    }

    /// <summary>Repeats what <see cref="Add"/> answered for an event that was counted before.</summary>
    public void FirstAdded(in HashedReading reading, in EventPlace at, BillingPeriod period, UsageChanges changes)
    {
        changes.Begin(period);
        if (!_remembers)
        {
            changes.Add(period, reading.Value);
            return;
        }

        var node = Find(reading, at, period);
        if (node >= 0) _first.Get(node, period, reading.Value, changes);
    }

    /// <summary>Repeats what <see cref="Cancel"/> answered for an event that was taken in before.</summary>
    public void FirstCancelled(UInt128 key, UInt128 name, long timeTicks, UsageChanges changes) =>
        _cancellations!.FirstCancelled(key, name, timeTicks, changes);

    /// <summary>Runs something while the usage is as it is billed at an instant: without what is pending then.</summary>
    public void AsBilledAt(DateTimeOffset clock, Action ask)
    {
        if (_cancellations is { } cancellations) cancellations.WithoutPending(clock.UtcTicks, new(), static _ => { }, ask);
        else ask();
    }

    /// <summary>What an accepted event adds to the usage of its period, and its standing at an instant; to be asked inside <see cref="AsBilledAt"/>.</summary>
    public (Quantity Share, EventStanding Standing) ShareOf(in HashedReading reading, in EventPlace at, BillingPeriod period, DateTimeOffset clock)
    {
        if (_cancellations is { } cancellations)
        {
            if (cancellations.Find(reading.CancelKey, at) is not (>= 0 and var node) || !cancellations.Stands(node)) return (Quantity.Zero, EventStanding.Cancelled);
            if (cancellations.IsPending(at.TimeTicks, clock.UtcTicks)) return (Quantity.Zero, EventStanding.Pending);
        }

        var share = _tally.ShareOf(new(at, period, reading.Key, reading.Value, reading.GapSeconds));
        return (share, share.IsZero && !reading.Value.IsZero ? EventStanding.Covered : EventStanding.Counted);
    }

    /// <summary>The usage of a period as it is billed at an instant of the billing clock.</summary>
    public MeteredUsage UsageAt(BillingPeriod period, DateTimeOffset at)
    {
        if (Find(period) is not { } usage) return default;
        if (_cancellations is null) return new(usage.Quantity, Quantity.Zero, usage.EventCount);
        var (_, changes, events) = PendingAt(at.UtcTicks);
        var billable = usage.Quantity + ChangeIn(changes, period);
        return new(billable, usage.Quantity - billable, usage.EventCount + (long)ChangeIn(events, period).Whole);
    }

    /// <summary>The last instant of the billing clock at which an event of this time can be pending; null for a meter without <c>cancelled_by</c>.</summary>
    public DateTimeOffset? PendingUntil(long timeTicks) =>
        Meter.CancelledBy is { } by ? new DateTimeOffset(timeTicks + by.Within.Ticks, TimeSpan.Zero) : null;

    /// <summary>Whether changes just made are of the period in which somebody waits for usage.</summary>
    public bool IsWatched(UsageChanges changes)
    {
        if (WatchedFrom is not { } watched) return false;
        foreach (var row in changes.Rows)
            if (row.Period.Start == watched.Period.Start) return true;
        return false;
    }

    /// <summary>The first instant at which an event that is pending now cannot be cancelled any more; null when none is pending.</summary>
    public DateTimeOffset? NextCertain(DateTimeOffset at) => _cancellations?.NextCertain(at.UtcTicks) is { } ticks ? new DateTimeOffset(ticks, TimeSpan.Zero) : null;

    /// <summary>Forgets what no event can change any more.</summary>
    /// <param name="windowStart">The oldest time that an event may still have, UTC ticks.</param>
    public void Forget(long windowStart)
    {
        _pending = null;
        if (_cancellations is { } cancellations) cancellations.Forget(windowStart, _first.Forget);
        else _tally.Forget(windowStart, _first.Forget);
    }

    public PeriodUsage In(BillingPeriod period)
    {
        for (var i = _periods.Count - 1; i >= 0; i--)
        {
            if (_periods[i].Period.Start == period.Start) return _periods[i];
            if (_periods[i].Period.Start < period.Start) return Insert(i + 1);
        }

        return Insert(0);

        PeriodUsage Insert(int index)
        {
            var usage = new PeriodUsage(period);
            _periods.Insert(index, usage);
            return usage;
        }
    }

    public PeriodUsage? Find(BillingPeriod period) => _periods.Find(p => p.Period.Start == period.Start);

    /// <summary>Writes the events that are held.</summary>
    public void Write(SnapshotWriter writer, bool canonical)
    {
        if (_cancellations is { } cancellations) cancellations.Write(writer, canonical, node => _first.Write(writer, node));
        else _tally.Write(writer, canonical, node => _first.Write(writer, node));
    }

    /// <summary>Reads what <see cref="Write"/> wrote.</summary>
    public void Read(ref SnapshotReader reader)
    {
        Tally.NodeReader first = (int node, ref SnapshotReader rest) => _first.Read(ref rest, node);
        if (_cancellations is { } cancellations) cancellations.Read(ref reader, _calendar.PeriodOf, first);
        else _tally.Read(ref reader, first);
    }

    private void Apply(UsageChanges changes, long timeTicks)
    {
        foreach (var row in changes.Rows)
        {
            In(row.Period).Quantity += row.Change;
            if (_hasDaily && !row.Change.IsZero) Daily.Add(timeTicks, row.Change);
        }
    }

    private Quantity QuantityOf(BillingPeriod period)
    {
        for (var i = _periods.Count - 1; i >= 0; i--)
            if (_periods[i].Period.Start == period.Start) return _periods[i].Quantity;
        return Quantity.Zero;
    }

    private static Quantity ChangeIn(UsageChanges changes, BillingPeriod period)
    {
        foreach (var row in changes.Rows)
            if (row.Period.Start == period.Start) return row.Change;
        return Quantity.Zero;
    }

    private int Find(in HashedReading reading, in EventPlace at, BillingPeriod period) =>
        _cancellations?.Find(reading.CancelKey, at) ?? _tally.Find(new(at, period, reading.Key, reading.Value, reading.GapSeconds));

    private (long At, UsageChanges Changes, UsageChanges Events) PendingAt(long atTicks)
    {
        if (_pending is { } known && known.At == atTicks) return known;
        var (changes, events) = (new UsageChanges(), new UsageChanges());
        _cancellations!.WithoutPending(atTicks, changes, ticks => events.Add(_calendar.PeriodOf(ticks), Quantity.Of(-1)), static () => { });
        _pending = (atTicks, changes, events);
        return (atTicks, changes, events);
    }
}
