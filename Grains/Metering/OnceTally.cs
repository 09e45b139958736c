using Billing.Lifecycle;

namespace Billing.Metering;

/// <summary>Counts the events of one key once in a window: the first of it counts, in its own period, with its value.</summary>
internal abstract class OnceTally(Meter meter, EventIdPool ids, AccountCalendar calendar) : Tally
{
    private readonly bool _valued = meter.Aggregate == Aggregate.Sum;
    private readonly NodeValues<bool> _counts = new();
    private readonly NodeValues<Quantity> _values = new();
    private readonly NodeValues<int> _gaps = new();

    protected Timelines Events { get; } = new(ids);

    protected AccountCalendar Calendar => calendar;

    public sealed override int Count => Events.Count;

    public sealed override int Add(in TalliedEvent counted, UsageChanges changes)
    {
        var node = Events.Insert(counted.Key, counted.At);
        Set(node, counts: false, counted.Value, counted.GapSeconds);
        Entered(counted.Key, node, changes);
        return node;
    }

    public sealed override void Remove(int node, UInt128 key, long timeTicks, Quantity value, UsageChanges changes)
    {
        var next = Events.Next(node);
        Events.Detach(key, node);
        Left(key, node, next, changes);
    }

    public sealed override void PutBack(int node, UInt128 key, long timeTicks, Quantity value, UsageChanges changes)
    {
        Events.Attach(key, node);
        Entered(key, node, changes);
    }

    public sealed override void Drop(int node) => Events.Free(node);

    public sealed override int Find(in TalliedEvent counted) => Events.Find(counted.Key, counted.At);

    public sealed override Quantity ShareOf(in TalliedEvent counted) =>
        Find(counted) is >= 0 and var node && _counts[node] ? counted.Value : Quantity.Zero;

    public override void Forget(long oldestChange, Action<int> forgetting) => Events.Forget(Reach(oldestChange), keepsLast: false, forgetting);

    public override void Write(SnapshotWriter writer, bool canonical, Action<int> beside)
    {
        writer.Int(Events.Count);
        Events.ForEach(canonical, (key, node) =>
        {
            writer.Hash(key);
            writer.Place(Events.PlaceOf(node));
            writer.Int(_gaps[node]);
            writer.Byte(_counts[node] ? (byte)1 : (byte)0);
            if (_valued) writer.Quantity(_values[node]);
            beside(node);
        });
    }

    public override void Read(ref SnapshotReader reader, NodeReader beside)
    {
        var count = reader.Int();
        Events.Reserve(count);
        _counts.Reserve(count);
        _gaps.Reserve(count);
        if (_valued) _values.Reserve(count);
        for (; count > 0; count--)
        {
            var key = reader.Hash();
            var node = Events.Append(key, reader.Place());
            var gap = reader.Int();
            var counts = reader.Byte() == 1;
            Set(node, counts, _valued ? reader.Quantity() : Quantity.One, gap);
            if (counts) Restored(key, node);
            beside(node, ref reader);
        }
    }

    /// <summary>An event has taken its place: sets which events count now.</summary>
    protected abstract void Entered(UInt128 key, int node, UsageChanges changes);

    /// <summary>An event has left its place before <paramref name="next"/>: sets which events count now.</summary>
    protected abstract void Left(UInt128 key, int node, int next, UsageChanges changes);

    /// <summary>The oldest event that matters when none before <paramref name="oldestChange"/> is added or removed any more.</summary>
    protected abstract long Reach(long oldestChange);

    /// <summary>An event that counts was read from a snapshot.</summary>
    protected virtual void Restored(UInt128 key, int node)
    {
    }

    protected bool Counts(int node) => _counts[node];

    protected long GapTicksOf(int node) => _gaps[node] * TimeSpan.TicksPerSecond;

    /// <summary>Lets an event count, or no longer.</summary>
    protected void SetCounts(int node, bool counts, UsageChanges changes)
    {
        if (_counts[node] == counts) return;
        _counts[node] = counts;
        var value = _valued ? _values[node] : Quantity.One;
        changes.Add(calendar.PeriodOf(Events.TimeOf(node)), counts ? value : Quantity.Zero - value);
    }

    private void Set(int node, bool counts, Quantity value, int gapSeconds)
    {
        _counts[node] = counts;
        _gaps[node] = gapSeconds;
        if (_valued) _values[node] = value;
    }
}

/// <summary>A window in which an event counts or not by the event before it alone.</summary>
internal abstract class NeighbourTally(Meter meter, EventIdPool ids, AccountCalendar calendar) : OnceTally(meter, ids, calendar)
{
    protected sealed override void Entered(UInt128 key, int node, UsageChanges changes)
    {
        Judge(node, changes);
        Judge(Events.Next(node), changes);
    }

    protected sealed override void Left(UInt128 key, int node, int next, UsageChanges changes)
    {
        SetCounts(node, false, changes);
        Judge(next, changes);
    }

    /// <summary>Whether an event begins a window although another is before it.</summary>
    protected abstract bool Begins(int previous, int node);

    private void Judge(int node, UsageChanges changes)
    {
        if (node < 0) return;
        var previous = Events.Previous(node);
        SetCounts(node, previous < 0 || Begins(previous, node), changes);
    }
}

/// <summary>Once per billing period. A meter that counts different values counts each value once per billing period.</summary>
internal sealed class PeriodTally(Meter meter, EventIdPool ids, AccountCalendar calendar) : NeighbourTally(meter, ids, calendar)
{
    protected override bool Begins(int previous, int node) =>
        Events.TimeOf(previous) < Calendar.PeriodOf(Events.TimeOf(node)).Start.UtcTicks;

    protected override long Reach(long oldestChange) =>
        Calendar.TryPeriodOf(oldestChange, out var period) ? period.Start.UtcTicks : oldestChange;
}

/// <summary>
/// Once per session: events of one key whose distance is at most the gap of the earlier one. A late event can merge two
/// sessions or, with a shorter gap of its own, split one.
/// </summary>
internal sealed class SessionTally(Meter meter, CountOnceWindow.Session session, EventIdPool ids, AccountCalendar calendar)
    : NeighbourTally(meter, ids, calendar)
{
    protected override bool Begins(int previous, int node) => Events.TimeOf(node) - Events.TimeOf(previous) > GapTicksOf(previous);

    protected override long Reach(long oldestChange) => oldestChange - session.LongestGap.Ticks;
}
