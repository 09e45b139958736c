namespace Billing.Metering;

/// <summary>What an insertion did to the sessions of its key.</summary>
/// <param name="Node">The inserted event.</param>
/// <param name="Starts">Whether it is the first of its session.</param>
/// <param name="NextDelta">+1 when the next event became the first of a session, -1 when it ceased to be, else 0.</param>
/// <param name="NextTimeTicks">The time of the next event; meaningful only when <paramref name="NextDelta"/> is not 0.</param>
internal readonly record struct SessionInsertion(int Node, bool Starts, int NextDelta, long NextTimeTicks);

/// <summary>
/// The events of each key in order of time, source and id. Two neighbours belong to one session when their distance is at
/// most the gap of the earlier one.
/// </summary>
internal sealed class SessionTimelines(EventIdPool ids)
{
    private readonly Dictionary<UInt128, Chain> _chains = [];
    private readonly SortedDictionary<int, List<UInt128>> _keysByFirstDay = [];
    private readonly Dictionary<int, (int Delta, BillingPeriod Period)> _firstOther = [];
    private Node[] _nodes = [];
    private int _used;
    private int _free = -1;

    /// <summary>How many events are held.</summary>
    public int Count { get; private set; }

    /// <summary>Places an event among the others of its key.</summary>
    public SessionInsertion Insert(UInt128 key, in EventPlace at, int gapSeconds)
    {
        var known = _chains.TryGetValue(key, out var chain);
        var previous = known ? chain.Tail : -1;
        while (previous >= 0 && IsAfter(previous, at)) previous = _nodes[previous].Previous;
        var next = previous >= 0 ? _nodes[previous].Next : known ? chain.Head : -1;

        var starts = previous < 0 || at.TimeTicks - _nodes[previous].TimeTicks > _nodes[previous].GapTicks;
        var inserted = Take();
        _nodes[inserted] = new()
        {
            TimeTicks = at.TimeTicks,
            GapSeconds = gapSeconds,
            Id = ids.Add(at.Source, at.Id),
            Previous = previous,
            Next = next,
            Starts = starts,
        };

        var nextDelta = 0;
        if (next >= 0)
        {
            var nextStarts = _nodes[next].TimeTicks - at.TimeTicks > _nodes[inserted].GapTicks;
            nextDelta = (nextStarts ? 1 : 0) - (_nodes[next].Starts ? 1 : 0);
            _nodes[next].Starts = nextStarts;
            _nodes[next].Previous = inserted;
        }

        if (previous >= 0) _nodes[previous].Next = inserted;
        if (previous < 0)
        {
            chain.Head = inserted;
            RegisterFirst(key, at.TimeTicks);
        }

        if (next < 0) chain.Tail = inserted;
        _chains[key] = chain;
        return new(inserted, starts, nextDelta, next >= 0 ? _nodes[next].TimeTicks : 0);
    }

    /// <summary>Keeps what an insertion changed, for the receipt of a duplicate.</summary>
    public void RememberFirstChange(int node, int own, int other = 0, BillingPeriod otherPeriod = default)
    {
        _nodes[node].FirstOwn = (sbyte)own;
        if (other != 0) _firstOther[node] = (other, otherPeriod);
    }

    /// <summary>What the insertion of this event changed; nothing when the event is not held any more.</summary>
    public (int Own, int Other, BillingPeriod OtherPeriod) FirstChange(UInt128 key, in EventPlace at)
    {
        if (!_chains.TryGetValue(key, out var chain)) return default;
        for (var node = chain.Tail; node >= 0; node = _nodes[node].Previous)
        {
            if (_nodes[node].TimeTicks != at.TimeTicks || ids.Compare(_nodes[node].Id, at.Source, at.Id) != 0) continue;
            var (delta, period) = _firstOther.GetValueOrDefault(node);
            return (_nodes[node].FirstOwn, delta, period);
        }

        return default;
    }

    /// <summary>Forgets events before the horizon. What follows them keeps its place as first or not first of its session.</summary>
    public void Forget(long horizonTicks)
    {
        var horizonDay = DayOf(horizonTicks);
        while (_keysByFirstDay.Count > 0)
        {
            var (day, keys) = _keysByFirstDay.First();
            if (day > horizonDay) return;
            _keysByFirstDay.Remove(day);
            var again = new HashSet<UInt128>();
            foreach (var key in keys)
                if (again.Add(key)) ForgetFirst(key, horizonTicks);
            if (day == horizonDay) return;
        }
    }

    /// <summary>Every event, each key's events in their order.</summary>
    /// <param name="ordered">Whether the keys come in ascending order, for bytes that depend on nothing but the events.</param>
    /// <param name="visit">Takes the events.</param>
    public void ForEach(bool ordered, Visitor visit)
    {
        foreach (var (key, chain) in ordered ? _chains.OrderBy(c => c.Key) : _chains.AsEnumerable())
        {
            for (var node = chain.Head; node >= 0; node = _nodes[node].Next)
            {
                ref readonly var held = ref _nodes[node];
                ids.Get(held.Id, out var source, out var id);
                var (other, otherPeriod) = _firstOther.GetValueOrDefault(node);
                visit(key, new(held.TimeTicks, source, id), held.GapSeconds, held.Starts, held.FirstOwn, other, otherPeriod);
            }
        }
    }

    /// <summary>Puts an event back as <see cref="ForEach"/> showed it; the events of a key in their order.</summary>
    public void Restore(
        UInt128 key, in EventPlace at, int gapSeconds, bool starts, int firstOwn, int firstOther, BillingPeriod otherPeriod)
    {
        var node = Insert(key, at, gapSeconds).Node;
        _nodes[node].Starts = starts;
        RememberFirstChange(node, firstOwn, firstOther, otherPeriod);
    }

    public delegate void Visitor(
        UInt128 key, EventPlace at, int gapSeconds, bool starts, int firstOwn, int firstOther, BillingPeriod otherPeriod);

    private static int DayOf(long ticks) => (int)(ticks / TimeSpan.TicksPerDay);

    private bool IsAfter(int node, in EventPlace at)
    {
        var held = _nodes[node].TimeTicks;
        return held > at.TimeTicks || (held == at.TimeTicks && ids.Compare(_nodes[node].Id, at.Source, at.Id) > 0);
    }

    private void RegisterFirst(UInt128 key, long ticks)
    {
        if (!_keysByFirstDay.TryGetValue(DayOf(ticks), out var keys)) _keysByFirstDay[DayOf(ticks)] = keys = [];
        keys.Add(key);
    }

    private void ForgetFirst(UInt128 key, long horizonTicks)
    {
        if (!_chains.TryGetValue(key, out var chain)) return;
        while (chain.Head >= 0 && _nodes[chain.Head].TimeTicks < horizonTicks)
        {
            var forgotten = chain.Head;
            chain.Head = _nodes[forgotten].Next;
            ids.Remove(_nodes[forgotten].Id);
            _firstOther.Remove(forgotten);
            _nodes[forgotten].Next = _free;
            _free = forgotten;
            Count--;
        }

        if (chain.Head < 0)
        {
            _chains.Remove(key);
            return;
        }

        _nodes[chain.Head].Previous = -1;
        _chains[key] = chain;
        RegisterFirst(key, _nodes[chain.Head].TimeTicks);
    }

    private int Take()
    {
        Count++;
        if (_free >= 0)
        {
            var reused = _free;
            _free = _nodes[reused].Next;
            return reused;
        }

        if (_used == _nodes.Length) Array.Resize(ref _nodes, int.Max(4, _nodes.Length + (_nodes.Length / 2)));
        return _used++;
    }

    private struct Chain
    {
        public int Head;
        public int Tail;
    }

    private struct Node
    {
        public long TimeTicks;
        public int GapSeconds;
        public int Id;
        public int Previous;
        public int Next;
        public bool Starts;
        public sbyte FirstOwn;

        public readonly long GapTicks => GapSeconds * TimeSpan.TicksPerSecond;
    }
}
