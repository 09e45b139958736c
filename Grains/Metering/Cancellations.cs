namespace Billing.Metering;

/// <summary>
/// The events of a meter with <c>cancelled_by</c> and those that cancel them. An event at t stands unless one that cancels
/// it has a time in (t, t + within]; as long as that can still come it is pending. What is cancelled stays cancelled.
/// </summary>
internal sealed class Cancellations(TimeSpan within, Tally tally, EventIdPool ids)
{
    private readonly Timelines _events = new(ids);
    private readonly Timelines _cancellers = new(ids);
    private readonly NodeValues<EventState> _states = new();
    private readonly SortedDictionary<int, List<int>> _eventsByDay = [];
    private readonly Dictionary<int, (UInt128 Event, PeriodChange[] Rows)> _cancelled = [];

    /// <summary>How many events are held, without those that only cancel.</summary>
    public int Count => _events.Count;

    private long Within => within.Ticks;

    /// <summary>Takes an event in; it is tallied unless it is already cancelled.</summary>
    /// <returns>Its number, and whether it stands or is pending.</returns>
    public (int Node, bool Stands) Add(UInt128 key, in TalliedEvent counted, UsageChanges changes)
    {
        var node = _events.Insert(key, counted.At);
        var first = _cancellers.FirstAfter(key, new(counted.At.TimeTicks, [], []));
        var stands = first < 0 || _cancellers.TimeOf(first) > counted.At.TimeTicks + Within;
        _states[node] = new(counted.Key, counted.Value, stands ? tally.Add(counted, changes) : Tally.NoNode, stands);
        Register(node);
        return (node, stands);
    }

    /// <summary>Takes a canceller in and removes the events that it is the first to cancel from the tally.</summary>
    /// <param name="key">The key it shares with them.</param>
    /// <param name="name">Its hash as an event, to find it again by.</param>
    /// <param name="timeTicks">Its time.</param>
    /// <param name="changes">Takes what it changed.</param>
    /// <param name="removed">Told the time of each event it removed.</param>
    public void Cancel(UInt128 key, UInt128 name, long timeTicks, UsageChanges changes, Action<long> removed)
    {
        var at = new EventPlace(timeTicks, [], []);
        var previous = _cancellers.LastNotAfter(key, at);
        if (previous >= 0 && _cancellers.TimeOf(previous) == timeTicks) return;
        var canceller = _cancellers.Insert(key, at);

        // What lies before the canceller before, or in reach of the one behind, is cancelled: each event is looked at once.
        var from = timeTicks - Within;
        if (previous >= 0) from = long.Max(from, _cancellers.TimeOf(previous));
        var to = timeTicks;
        if (_cancellers.Next(canceller) is >= 0 and var following) to = long.Min(to, _cancellers.TimeOf(following) - Within);
        for (var node = _events.FirstAfter(key, new(from, [], [])); node >= 0 && _events.TimeOf(node) < to; node = _events.Next(node))
        {
            ref var state = ref _states[node];
            if (!state.Stands) continue;
            state.Stands = false;
            tally.Remove(state.TallyNode, state.TallyKey, _events.TimeOf(node), state.Value, changes);
            tally.Drop(state.TallyNode);
            removed(_events.TimeOf(node));
        }

        changes.Trim(keep: 0);
        if (!changes.Rows.IsEmpty) _cancelled[canceller] = (name, [.. changes.Rows]);
    }

    /// <summary>What a canceller changed when it was accepted; nothing for one that is not held.</summary>
    public void FirstCancelled(UInt128 key, UInt128 name, long timeTicks, UsageChanges changes)
    {
        changes.Clear();
        var node = _cancellers.Find(key, new(timeTicks, [], []));
        if (node < 0 || !_cancelled.TryGetValue(node, out var cancelled) || cancelled.Event != name) return;
        foreach (var row in cancelled.Rows) changes.Add(row.Period, row.Change);
    }

    /// <summary>The number of an event; -1 when it is not held.</summary>
    public int Find(UInt128 key, in EventPlace at) => _events.Find(key, at);

    /// <summary>Whether no canceller is known for an event.</summary>
    public bool Stands(int node) => _states[node].Stands;

    /// <summary>Whether an event can still be cancelled by an event of a time not yet over.</summary>
    public bool IsPending(long timeTicks, long atTicks) => atTicks <= timeTicks + Within;

    /// <summary>The first instant, UTC ticks, at which an event that is pending now is not any more; null when none is pending.</summary>
    public long? NextCertain(long atTicks)
    {
        long? first = null;
        foreach (var (day, nodes) in _eventsByDay)
        {
            if (((day + 1) * TimeSpan.TicksPerDay) + Within < atTicks) continue;
            foreach (var node in nodes)
                if (_states[node].Stands && _events.TimeOf(node) is var time && IsPending(time, atTicks) && !(first < time)) first = time;
            if (first is not null) break;
        }

        return first + Within + 1;
    }

    /// <summary>Takes what is pending at an instant out of the tally, and puts it back.</summary>
    /// <param name="atTicks">The billing clock, UTC ticks.</param>
    /// <param name="changes">Takes what changed when it was taken out.</param>
    /// <param name="pending">Told the time of each pending event.</param>
    /// <param name="meanwhile">Runs while it is out.</param>
    public void WithoutPending(long atTicks, UsageChanges changes, Action<long> pending, Action meanwhile)
    {
        var removed = new List<int>();
        foreach (var (day, nodes) in _eventsByDay.Reverse())
        {
            if (((day + 1) * TimeSpan.TicksPerDay) + Within < atTicks) break;
            foreach (var node in nodes)
                if (_states[node].Stands && IsPending(_events.TimeOf(node), atTicks)) removed.Add(node);
        }

        // The newest first: nothing behind it has to be judged again. So too when they come back, the oldest first.
        removed.Sort((a, b) => _events.TimeOf(b).CompareTo(_events.TimeOf(a)));
        foreach (var node in removed)
        {
            pending(_events.TimeOf(node));
            tally.Remove(_states[node].TallyNode, _states[node].TallyKey, _events.TimeOf(node), _states[node].Value, changes);
        }

        meanwhile();

        var putBack = new UsageChanges();
        removed.Reverse();
        foreach (var node in removed)
            tally.PutBack(_states[node].TallyNode, _states[node].TallyKey, _events.TimeOf(node), _states[node].Value, putBack);
    }

    /// <summary>Forgets what no event can change any more.</summary>
    /// <param name="windowStart">The oldest time that an event may still have, UTC ticks.</param>
    /// <param name="forgetting">Told each event's number just before it is forgotten.</param>
    public void Forget(long windowStart, Action<int> forgetting)
    {
        var oldest = windowStart - Within;
        while (_eventsByDay.Count > 0 && _eventsByDay.First() is var (day, nodes) && day <= DayOf(oldest))
        {
            nodes.RemoveAll(node => _events.TimeOf(node) < oldest);
            if (nodes.Count > 0) break;
            _eventsByDay.Remove(day);
        }

        tally.Forget(oldest, static _ => { });
        _events.Forget(oldest, keepsLast: false, forgetting);
        _cancellers.Forget(windowStart, keepsLast: false, node => _cancelled.Remove(node));
    }

    public void Write(SnapshotWriter writer, bool canonical, Action<int> beside)
    {
        tally.Write(writer, canonical, static _ => { });
        writer.Int(_events.Count);
        _events.ForEach(canonical, (key, node) =>
        {
            writer.Hash(key);
            writer.Place(_events.PlaceOf(node));
            writer.Hash(_states[node].TallyKey);
            writer.Quantity(_states[node].Value);
            writer.Byte(_states[node].Stands ? (byte)1 : (byte)0);
            beside(node);
        });
        writer.Int(_cancellers.Count);
        _cancellers.ForEach(canonical, (key, node) =>
        {
            writer.Hash(key);
            writer.Long(_cancellers.TimeOf(node));
            var (name, rows) = _cancelled.GetValueOrDefault(node, (UInt128.Zero, []));
            writer.Hash(name);
            FirstChanges.WriteRows(writer, rows);
        });
    }

    public void Read(ref SnapshotReader reader, Func<long, BillingPeriod> periodOf, Tally.NodeReader beside)
    {
        tally.Read(ref reader, static (int _, ref SnapshotReader _) => { });
        for (var count = reader.Int(); count > 0; count--)
        {
            var key = reader.Hash();
            var node = _events.Append(key, reader.Place());
            var at = _events.PlaceOf(node);
            var tallyKey = reader.Hash();
            var value = reader.Quantity();
            var stands = reader.Byte() == 1;
            _states[node] = new(tallyKey, value, stands ? tally.Find(new(at, periodOf(at.TimeTicks), tallyKey, value, 0)) : Tally.NoNode, stands);
            Register(node);
            beside(node, ref reader);
        }

        for (var count = reader.Int(); count > 0; count--)
        {
            var node = _cancellers.Append(reader.Hash(), new(reader.Long(), [], []));
            var name = reader.Hash();
            var rows = FirstChanges.ReadRows(ref reader);
            if (rows.Length > 0) _cancelled[node] = (name, rows);
        }
    }

    private static int DayOf(long ticks) => (int)(ticks / TimeSpan.TicksPerDay);

    private void Register(int node)
    {
        var day = DayOf(_events.TimeOf(node));
        if (!_eventsByDay.TryGetValue(day, out var nodes)) _eventsByDay[day] = nodes = [];
        nodes.Add(node);
    }

    private struct EventState(UInt128 tallyKey, Quantity value, int tallyNode, bool stands)
    {
        public readonly UInt128 TallyKey = tallyKey;
        public readonly Quantity Value = value;
        public readonly int TallyNode = tallyNode;
        public bool Stands = stands;
    }
}
