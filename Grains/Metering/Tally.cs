using Billing.Lifecycle;

namespace Billing.Metering;

/// <summary>An event as a tally takes it.</summary>
internal readonly ref struct TalliedEvent(EventPlace at, BillingPeriod period, UInt128 key, Quantity value, int gapSeconds)
{
    public EventPlace At { get; } = at;

    /// <summary>The billing period of its time.</summary>
    public BillingPeriod Period { get; } = period;

    /// <summary>Keyed hash of the value that counts once; zero for a meter that counts each event.</summary>
    public UInt128 Key { get; } = key;

    /// <summary>The value in the meter's unit; one for a count.</summary>
    public Quantity Value { get; } = value;

    public int GapSeconds { get; } = gapSeconds;
}

/// <summary>
/// Turns a set of events into a quantity per billing period. What it holds depends on the set alone, never on the order in
/// which events were added and removed.
/// </summary>
internal abstract class Tally
{
    /// <summary>The number of an event in a tally that remembers none.</summary>
    public const int NoNode = -1;

    /// <summary>The tally that a meter asks for.</summary>
    /// <param name="meter">The meter.</param>
    /// <param name="ids">Keeps the names of events.</param>
    /// <param name="calendar">Finds the periods of an event's neighbours.</param>
    public static Tally For(Meter meter, EventIdPool ids, AccountCalendar calendar) => meter switch
    {
        { Aggregate: Aggregate.Unique } or { CountOnce.Window: CountOnceWindow.Period } => new PeriodTally(meter, ids, calendar),
        { CountOnce.Window: CountOnceWindow.Session session } => new SessionTally(meter, session, ids, calendar),
        { CountOnce.Window: CountOnceWindow.Span span } => new SpanTally(meter, span, ids, calendar),
        { Aggregate: Aggregate.Max } => new MaxTally(ids, calendar),
        { Aggregate: Aggregate.Latest } => new LatestTally(ids, calendar),
        _ => new SumTally(calendar),
    };

    /// <summary>How many events are held, to place others among.</summary>
    public abstract int Count { get; }

    /// <summary>Takes an event in.</summary>
    /// <param name="counted">The event.</param>
    /// <param name="changes">Takes what it changed.</param>
    /// <returns>Its number, to remove it by.</returns>
    public abstract int Add(in TalliedEvent counted, UsageChanges changes);

    /// <summary>Takes an event out again, until it is put back or dropped.</summary>
    public abstract void Remove(int node, UInt128 key, long timeTicks, Quantity value, UsageChanges changes);

    /// <summary>Takes in again what was taken out last.</summary>
    public abstract void PutBack(int node, UInt128 key, long timeTicks, Quantity value, UsageChanges changes);

    /// <summary>Forgets an event that was taken out.</summary>
    public abstract void Drop(int node);

    /// <summary>The number of an event; <see cref="NoNode"/> when it is not held.</summary>
    public abstract int Find(in TalliedEvent counted);

    /// <summary>What an event that was not taken out adds to the usage of its period.</summary>
    public abstract Quantity ShareOf(in TalliedEvent counted);

    /// <summary>Forgets what no event can change any more.</summary>
    /// <param name="oldestChange">The oldest time of an event that may still be added or removed, UTC ticks.</param>
    /// <param name="forgetting">Told each event's number just before it is forgotten.</param>
    public abstract void Forget(long oldestChange, Action<int> forgetting);

    /// <summary>Writes what is held.</summary>
    /// <param name="writer">Takes the bytes.</param>
    /// <param name="canonical">Whether equal sets give equal bytes.</param>
    /// <param name="beside">Writes what belongs to an event beside it.</param>
    public abstract void Write(SnapshotWriter writer, bool canonical, Action<int> beside);

    /// <summary>Reads what <see cref="Write"/> wrote into an empty tally.</summary>
    public abstract void Read(ref SnapshotReader reader, NodeReader beside);

    public delegate void NodeReader(int node, ref SnapshotReader reader);
}

/// <summary>Adds the values of all events: a sum, or a count where each is one.</summary>
internal sealed class SumTally(AccountCalendar calendar) : Tally
{
    public override int Count => 0;

    public override int Add(in TalliedEvent counted, UsageChanges changes)
    {
        changes.Add(counted.Period, counted.Value);
        return NoNode;
    }

    public override void Remove(int node, UInt128 key, long timeTicks, Quantity value, UsageChanges changes) =>
        changes.Add(calendar.PeriodOf(timeTicks), Quantity.Zero - value);

    public override void PutBack(int node, UInt128 key, long timeTicks, Quantity value, UsageChanges changes) =>
        changes.Add(calendar.PeriodOf(timeTicks), value);

    public override void Drop(int node)
    {
    }

    public override int Find(in TalliedEvent counted) => NoNode;

    public override Quantity ShareOf(in TalliedEvent counted) => counted.Value;

    public override void Forget(long oldestChange, Action<int> forgetting)
    {
    }

    public override void Write(SnapshotWriter writer, bool canonical, Action<int> beside)
    {
    }

    public override void Read(ref SnapshotReader reader, NodeReader beside)
    {
    }
}
