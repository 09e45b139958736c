using Billing.Lifecycle;

namespace Billing.Metering;

/// <summary>The value of the latest event of a period, by time, source and id.</summary>
internal sealed class LatestTally(EventIdPool ids, AccountCalendar calendar) : Tally
{
    // Keyed by the start of the period. The last of each is kept for good: without it nobody could tell whether another is later.
    private readonly Timelines _events = new(ids);
    private readonly NodeValues<Quantity> _values = new();

    public override int Count => _events.Count;

    public override int Add(in TalliedEvent counted, UsageChanges changes)
    {
        var before = ValueIn(counted.Period);
        var node = _events.Insert(KeyOf(counted.Period), counted.At);
        _values[node] = counted.Value;
        changes.Add(counted.Period, ValueIn(counted.Period) - before);
        return node;
    }

    public override void Remove(int node, UInt128 key, long timeTicks, Quantity value, UsageChanges changes)
    {
        var period = calendar.PeriodOf(timeTicks);
        var before = ValueIn(period);
        _events.Detach(KeyOf(period), node);
        changes.Add(period, ValueIn(period) - before);
    }

    public override void PutBack(int node, UInt128 key, long timeTicks, Quantity value, UsageChanges changes)
    {
        var period = calendar.PeriodOf(timeTicks);
        var before = ValueIn(period);
        _events.Attach(KeyOf(period), node);
        changes.Add(period, ValueIn(period) - before);
    }

    public override void Drop(int node) => _events.Free(node);

    public override int Find(in TalliedEvent counted) => _events.Find(KeyOf(counted.Period), counted.At);

    public override Quantity ShareOf(in TalliedEvent counted) =>
        Find(counted) is >= 0 and var node && node == _events.LastOf(KeyOf(counted.Period)) ? counted.Value : Quantity.Zero;

    public override void Forget(long oldestChange, Action<int> forgetting) => _events.Forget(oldestChange, keepsLast: true, forgetting);

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
    }

    public override void Read(ref SnapshotReader reader, NodeReader beside)
    {
        for (var count = reader.Int(); count > 0; count--)
        {
            var node = _events.Append(reader.Hash(), reader.Place());
            _values[node] = reader.Quantity();
            beside(node, ref reader);
        }
    }

    private static UInt128 KeyOf(BillingPeriod period) => (UInt128)period.Start.UtcTicks;

    private Quantity ValueIn(BillingPeriod period) => _events.LastOf(KeyOf(period)) is >= 0 and var last ? _values[last] : Quantity.Zero;
}
