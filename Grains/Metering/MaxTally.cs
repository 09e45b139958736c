using Billing.Lifecycle;

namespace Billing.Metering;

/// <summary>The largest value of a period.</summary>
internal sealed class MaxTally(EventIdPool ids, AccountCalendar calendar) : Tally
{
    private readonly Timelines _events = new(ids);
    private readonly NodeValues<Quantity> _values = new();

    // By the start of the period, and in order of value. Of what was forgotten the largest value stays, without a node.
    // Of equal values the first event by time, source and id ranks highest: it is the one that counts.
    private readonly SortedDictionary<long, SortedSet<(Quantity Value, int Node)>> _ranked = [];

    public override int Count => _events.Count;

    public override int Add(in TalliedEvent counted, UsageChanges changes)
    {
        var node = _events.Insert(KeyOf(counted.Period), counted.At);
        _values[node] = counted.Value;
        Enter(node, counted.Period, changes);
        return node;
    }

    public override void Remove(int node, UInt128 key, long timeTicks, Quantity value, UsageChanges changes)
    {
        var period = calendar.PeriodOf(timeTicks);
        var ranked = RankedIn(period);
        var before = Largest(ranked);
        _events.Detach(KeyOf(period), node);
        ranked.Remove((_values[node], node));
        changes.Add(period, Largest(ranked) - before);
    }

    public override void PutBack(int node, UInt128 key, long timeTicks, Quantity value, UsageChanges changes)
    {
        var period = calendar.PeriodOf(timeTicks);
        _events.Attach(KeyOf(period), node);
        Enter(node, period, changes);
    }

    public override void Drop(int node) => _events.Free(node);

    public override int Find(in TalliedEvent counted) => _events.Find(KeyOf(counted.Period), counted.At);

    public override Quantity ShareOf(in TalliedEvent counted) =>
        Find(counted) is >= 0 and var node && RankedIn(counted.Period).Max.Node == node ? counted.Value : Quantity.Zero;

    public override void Forget(long oldestChange, Action<int> forgetting) => _events.Forget(oldestChange, keepsLast: false, node =>
    {
        forgetting(node);
        var ranked = RankedIn(calendar.PeriodOf(_events.TimeOf(node)));
        ranked.Remove((_values[node], node));
        foreach (var (value, _) in ranked.Where(r => r.Node == NoNode).ToList())
        {
            if (value >= _values[node]) return;
            ranked.Remove((value, NoNode));
        }

        ranked.Add((_values[node], NoNode));
    });

    public override void Write(SnapshotWriter writer, bool canonical, Action<int> beside)
    {
        writer.Int(_events.Count);
        _events.ForEach(canonical, (key, node) =>
        {
            writer.Hash(key);
            writer.Place(_events.PlaceOf(node));
            writer.Quantity(_values[node]);
            beside(node);
        });

        var forgotten = _ranked.SelectMany(r => r.Value.Where(v => v.Node == NoNode).Select(v => (Start: r.Key, v.Value))).ToList();
        writer.Int(forgotten.Count);
        foreach (var (start, value) in forgotten)
        {
            writer.Long(start);
            writer.Quantity(value);
        }
    }

    public override void Read(ref SnapshotReader reader, NodeReader beside)
    {
        for (var count = reader.Int(); count > 0; count--)
        {
            var key = reader.Hash();
            var node = _events.Append(key, reader.Place());
            _values[node] = reader.Quantity();
            RankedFrom((long)key).Add((_values[node], node));
            beside(node, ref reader);
        }

        for (var count = reader.Int(); count > 0; count--) RankedFrom(reader.Long()).Add((reader.Quantity(), NoNode));
    }

    private static UInt128 KeyOf(BillingPeriod period) => (UInt128)period.Start.UtcTicks;

    private static Quantity Largest(SortedSet<(Quantity Value, int Node)> ranked) => ranked.Count > 0 ? ranked.Max.Value : Quantity.Zero;

    private SortedSet<(Quantity Value, int Node)> RankedIn(BillingPeriod period) => RankedFrom(period.Start.UtcTicks);

    private SortedSet<(Quantity Value, int Node)> RankedFrom(long startTicks)
    {
        if (!_ranked.TryGetValue(startTicks, out var ranked)) _ranked[startTicks] = ranked = new(Comparer<(Quantity Value, int Node)>.Create(Compare));
        return ranked;
    }

    private int Compare((Quantity Value, int Node) a, (Quantity Value, int Node) b)
    {
        var byValue = a.Value.CompareTo(b.Value);
        if (byValue != 0 || a.Node == b.Node) return byValue;
        return a.Node == NoNode ? 1 : b.Node == NoNode ? -1 : _events.Compare(b.Node, a.Node);
    }

    private void Enter(int node, BillingPeriod period, UsageChanges changes)
    {
        var ranked = RankedIn(period);
        var before = Largest(ranked);
        ranked.Add((_values[node], node));
        changes.Add(period, Largest(ranked) - before);
    }
}
