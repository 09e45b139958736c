using Billing.Lifecycle;

namespace Billing.Metering;

/// <summary>
/// Once per span: an event outside every span of its key opens one of a fixed length, its end excluded. A late event that
/// opens a span can move all spans behind it; they are laid anew until one begins where it did before.
/// </summary>
internal sealed class SpanTally(Meter meter, CountOnceWindow.Span span, EventIdPool ids, AccountCalendar calendar) : OnceTally(meter, ids, calendar)
{
    private const int None = -1;

    // The events that open a span, in an order of their own, so that the one before or after any place is found at once.
    private readonly Timelines _openers = new(ids);
    private readonly NodeValues<int> _eventOf = new();
    private readonly NodeValues<int> _openerOf = new();

    public override void Forget(long oldestChange, Action<int> forgetting)
    {
        base.Forget(oldestChange, forgetting);
        _openers.Forget(Reach(oldestChange), keepsLast: false, static _ => { });
    }

    protected override void Entered(UInt128 key, int node, UsageChanges changes)
    {
        var before = _openers.LastNotAfter(key, Events.PlaceOf(node));
        if (before != None && Events.TimeOf(node) < EndOf(_openers.TimeOf(before))) return;
        Open(key, node, changes);
        Lay(key, node, changes);
    }

    protected override void Left(UInt128 key, int node, int next, UsageChanges changes)
    {
        if (!Counts(node)) return;
        Close(key, node, changes);
        if (next == None || Counts(next)) return;
        Open(key, next, changes);
        Lay(key, next, changes);
    }

    protected override long Reach(long oldestChange) => oldestChange - span.Length.Ticks;

    protected override void Restored(UInt128 key, int node) => Index(key, node);

    private long EndOf(long startTicks) => startTicks + span.Length.Ticks;

    /// <summary>Lays the spans behind one that has just been opened, until one begins where it did before.</summary>
    private void Lay(UInt128 key, int opener, UsageChanges changes)
    {
        while (true)
        {
            var end = EndOf(Events.TimeOf(opener));
            for (var inside = _openers.Next(_openerOf[opener]); inside != None && _openers.TimeOf(inside) < end;)
            {
                var following = _openers.Next(inside);
                Close(key, _eventOf[inside], changes);
                inside = following;
            }

            var next = Events.FirstAfter(key, new(end, [], []));
            if (next == None || Counts(next)) return;
            Open(key, next, changes);
            opener = next;
        }
    }

    private void Open(UInt128 key, int node, UsageChanges changes)
    {
        SetCounts(node, true, changes);
        Index(key, node);
    }

    private void Index(UInt128 key, int node)
    {
        var opener = _openers.Insert(key, Events.PlaceOf(node));
        _eventOf[opener] = node;
        _openerOf[node] = opener;
    }

    private void Close(UInt128 key, int node, UsageChanges changes)
    {
        SetCounts(node, false, changes);
        _openers.Detach(key, _openerOf[node]);
        _openers.Free(_openerOf[node]);
    }
}
