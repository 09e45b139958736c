using System.Runtime.InteropServices;

namespace Billing.Metering;

/// <summary>The events of each key in order of time, source and id. An event is a node: a number that stays its own until it is freed.</summary>
/// <remarks>
/// An event finds its place from the newest of its key backwards, which is where nearly all come; beyond some steps, by
/// halving among <em>posts</em>, every 32nd node or so, which are set on the way. So no key costs more because it has many events.
/// </remarks>
internal sealed class Timelines(EventIdPool ids)
{
    private const int StepsBetweenPosts = 32;

    private readonly Dictionary<UInt128, Chain> _chains = [];
    private readonly Dictionary<UInt128, List<Post>> _posts = [];
    private readonly SortedDictionary<int, List<UInt128>> _keysByFirstDay = [];
    private Node[] _nodes = [];
    private int _used;
    private int _free = -1;

    /// <summary>How many events are held.</summary>
    public int Count { get; private set; }

    /// <summary>Makes room for so many events more.</summary>
    public void Reserve(int events)
    {
        if (_nodes.Length - _used < events) Array.Resize(ref _nodes, _used + events);
    }

    /// <summary>Places an event among the others of its key.</summary>
    public int Insert(UInt128 key, in EventPlace at)
    {
        if (!_chains.TryGetValue(key, out var chain) || !IsAfter(chain.Tail, at)) return Append(key, at);
        var node = New(at);
        Link(key, node, LastNotAfter(key, at));
        if (_nodes[node].Previous < 0) RegisterFirst(key, at.TimeTicks);
        return node;
    }

    /// <summary>Places an event behind all others of its key, which are not after it.</summary>
    public int Append(UInt128 key, in EventPlace at)
    {
        var node = New(at);
        ref var chain = ref CollectionsMarshal.GetValueRefOrAddDefault(_chains, key, out var known);
        _nodes[node].Next = -1;
        if (known)
        {
            _nodes[node].Previous = chain.Tail;
            _nodes[chain.Tail].Next = node;
        }
        else
        {
            _nodes[node].Previous = -1;
            chain.Head = node;
            RegisterFirst(key, at.TimeTicks);
        }

        chain.Tail = node;
        return node;
    }

    /// <summary>Takes an event out of the order of its key and keeps it, until <see cref="Attach"/> or <see cref="Free"/>.</summary>
    public void Detach(UInt128 key, int node)
    {
        if (_posts.TryGetValue(key, out var posts))
        {
            var post = LastPostNotAfter(posts, PlaceOf(node));
            if (post >= 0 && posts[post].Node == node) posts.RemoveAt(post);
        }

        var (previous, next) = (_nodes[node].Previous, _nodes[node].Next);
        if (previous >= 0) _nodes[previous].Next = next;
        if (next >= 0) _nodes[next].Previous = previous;
        if (previous >= 0 && next >= 0) return;

        var chain = _chains[key];
        if (previous < 0) chain.Head = next;
        if (next < 0) chain.Tail = previous;
        if (chain.Head < 0) _chains.Remove(key);
        else _chains[key] = chain;
    }

    /// <summary>Puts a detached event back into its place.</summary>
    public void Attach(UInt128 key, int node) => Link(key, node, LastNotAfter(key, PlaceOf(node)));

    /// <summary>Forgets a detached event.</summary>
    public void Free(int node)
    {
        ids.Remove(_nodes[node].Id);
        _nodes[node].Next = _free;
        _free = node;
        Count--;
    }

    /// <summary>The event of exactly this name and time; -1 when it is not held.</summary>
    public int Find(UInt128 key, in EventPlace at)
    {
        var node = LastNotAfter(key, at);
        return node >= 0 && _nodes[node].TimeTicks == at.TimeTicks && ids.Compare(_nodes[node].Id, at.Source, at.Id) == 0 ? node : -1;
    }

    /// <summary>The last event that is at this place or before it; -1 for none.</summary>
    public int LastNotAfter(UInt128 key, in EventPlace at)
    {
        if (!_chains.TryGetValue(key, out var chain)) return -1;
        var node = chain.Tail;
        for (var steps = 0; node >= 0 && IsAfter(node, at); steps++)
        {
            if (steps == StepsBetweenPosts) return LastNotAfterByPosts(key, chain, at);
            node = _nodes[node].Previous;
        }

        return node;
    }

    /// <summary>The first event of a key that is after this place; -1 for none.</summary>
    public int FirstAfter(UInt128 key, in EventPlace at)
    {
        var before = LastNotAfter(key, at);
        return before >= 0 ? _nodes[before].Next : _chains.TryGetValue(key, out var chain) ? chain.Head : -1;
    }

    /// <summary>The newest event of a key; -1 for none.</summary>
    public int LastOf(UInt128 key) => _chains.TryGetValue(key, out var chain) ? chain.Tail : -1;

    public int Next(int node) => _nodes[node].Next;

    public int Previous(int node) => _nodes[node].Previous;

    public long TimeOf(int node) => _nodes[node].TimeTicks;

    public EventPlace PlaceOf(int node)
    {
        ids.Get(_nodes[node].Id, out var source, out var id);
        return new(_nodes[node].TimeTicks, source, id);
    }

    /// <summary>Orders two events by time, source and id.</summary>
    public int Compare(int node, int other)
    {
        var byTime = _nodes[node].TimeTicks.CompareTo(_nodes[other].TimeTicks);
        if (byTime != 0) return byTime;
        ids.Get(_nodes[other].Id, out var source, out var id);
        return ids.Compare(_nodes[node].Id, source, id);
    }

    /// <summary>Forgets the events before a horizon.</summary>
    /// <param name="horizonTicks">The oldest time that is kept.</param>
    /// <param name="keepsLast">Whether the newest of each key's events before the horizon is kept.</param>
    /// <param name="forgetting">Told each node just before it is freed.</param>
    public void Forget(long horizonTicks, bool keepsLast, Action<int> forgetting)
    {
        var horizonDay = DayOf(horizonTicks);
        while (_keysByFirstDay.Count > 0)
        {
            var (day, keys) = _keysByFirstDay.First();
            if (day > horizonDay) return;
            _keysByFirstDay.Remove(day);
            var again = new HashSet<UInt128>();
            foreach (var key in keys)
                if (again.Add(key)) ForgetFirst(key, horizonTicks, keepsLast, forgetting);
            if (day == horizonDay) return;
        }
    }

    /// <summary>Every event, each key's events in their order.</summary>
    /// <param name="ordered">Whether the keys come in ascending order, for bytes that depend on nothing but the events.</param>
    /// <param name="visit">Takes the events.</param>
    public void ForEach(bool ordered, Action<UInt128, int> visit)
    {
        foreach (var (key, chain) in ordered ? _chains.OrderBy(c => c.Key) : _chains.AsEnumerable())
            for (var node = chain.Head; node >= 0; node = _nodes[node].Next) visit(key, node);
    }

    private static int DayOf(long ticks) => (int)(ticks / TimeSpan.TicksPerDay);

    private bool IsAfter(int node, in EventPlace at)
    {
        var held = _nodes[node].TimeTicks;
        return held > at.TimeTicks || (held == at.TimeTicks && ids.Compare(_nodes[node].Id, at.Source, at.Id) > 0);
    }

    private void Link(UInt128 key, int node, int previous)
    {
        var known = _chains.TryGetValue(key, out var chain);
        if (!known) chain = new() { Head = -1, Tail = -1 };
        var next = previous >= 0 ? _nodes[previous].Next : chain.Head;
        _nodes[node].Previous = previous;
        _nodes[node].Next = next;
        if (previous >= 0) _nodes[previous].Next = node;
        else chain.Head = node;
        if (next >= 0) _nodes[next].Previous = node;
        else chain.Tail = node;
        if (previous < 0 || next < 0) _chains[key] = chain;
    }

    private int LastNotAfterByPosts(UInt128 key, in Chain chain, in EventPlace at)
    {
        if (!_posts.TryGetValue(key, out var posts)) _posts[key] = posts = [];
        var post = LastPostNotAfter(posts, at);
        var node = post >= 0 ? posts[post].Node : chain.Head;
        if (post < 0 && IsAfter(node, at)) return -1;

        // The way from the last post is walked once: new posts shorten it for those that come after.
        List<Post>? passed = null;
        for (var steps = 1; _nodes[node].Next is >= 0 and var next && !IsAfter(next, at); steps++)
        {
            node = next;
            if (steps % StepsBetweenPosts == 0) (passed ??= []).Add(new(_nodes[node].TimeTicks, node));
        }

        if (passed is not null) posts.InsertRange(post + 1, passed);
        return node;
    }

    private int LastPostNotAfter(List<Post> posts, in EventPlace at)
    {
        var (low, high) = (0, posts.Count);
        while (low < high)
        {
            var middle = (low + high) / 2;
            var after = posts[middle].TimeTicks > at.TimeTicks || (posts[middle].TimeTicks == at.TimeTicks && IsAfter(posts[middle].Node, at));
            if (after) high = middle;
            else low = middle + 1;
        }

        return low - 1;
    }

    private void RegisterFirst(UInt128 key, long ticks)
    {
        if (!_keysByFirstDay.TryGetValue(DayOf(ticks), out var keys)) _keysByFirstDay[DayOf(ticks)] = keys = [];
        keys.Add(key);
    }

    private void ForgetFirst(UInt128 key, long horizonTicks, bool keepsLast, Action<int> forgetting)
    {
        if (!_chains.TryGetValue(key, out var chain)) return;
        if (_posts.TryGetValue(key, out var posts))
        {
            var gone = 0;
            while (gone < posts.Count && posts[gone].TimeTicks < horizonTicks) gone++;
            posts.RemoveRange(0, gone);
            if (posts.Count == 0) _posts.Remove(key);
        }

        while (chain.Head >= 0 && _nodes[chain.Head].TimeTicks < horizonTicks)
        {
            if (keepsLast && (chain.Head == chain.Tail || _nodes[_nodes[chain.Head].Next].TimeTicks >= horizonTicks)) break;

            var forgotten = chain.Head;
            chain.Head = _nodes[forgotten].Next;
            forgetting(forgotten);
            Free(forgotten);
        }

        if (chain.Head < 0)
        {
            _chains.Remove(key);
            return;
        }

        _nodes[chain.Head].Previous = -1;
        _chains[key] = chain;
        RegisterFirst(key, _nodes[chain.Head].TimeTicks >= horizonTicks ? _nodes[chain.Head].TimeTicks : horizonTicks + TimeSpan.TicksPerDay);
    }

    private int New(in EventPlace at)
    {
        Count++;
        var node = Take();
        _nodes[node] = new() { TimeTicks = at.TimeTicks, Id = ids.Add(at.Source, at.Id) };
        return node;
    }

    private int Take()
    {
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
        public int Id;
        public int Previous;
        public int Next;
    }

    private readonly record struct Post(long TimeTicks, int Node);
}
