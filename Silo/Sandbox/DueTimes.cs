namespace Billing.Silo.Sandbox;

/// <summary>When the webhooks and the work that wait are due. Made of the rows, and kept up as they are put.</summary>
internal sealed class DueTimes
{
    private readonly SandboxState _state;
    private readonly PriorityQueue<(string Kind, string Id), (long Due, long Order)> _deliveries = new();
    private readonly PriorityQueue<(string Kind, string Id), (long Due, long Order)> _jobs = new();
    private readonly List<(string Kind, string Id)> _new = [];
    private long _order;

    public DueTimes(SandboxState state)
    {
        _state = state;
        foreach (var kind in new[] { Kinds.Delivery, Kinds.Job })
            foreach (var id in state.OldestFirst(kind)) Add(kind, id, state.Find(kind, id)!.Number("due"));
        state.Added += (kind, id) =>
        {
            if (kind is Kinds.Delivery or Kinds.Job) _new.Add((kind, id));
        };
    }

    /// <summary>The next time; null when nothing waits.</summary>
    public DateTimeOffset? Next
    {
        get
        {
            var next = long.Min(Peek(_deliveries), Peek(_jobs));
            return next == long.MaxValue ? null : new(next, TimeSpan.Zero);
        }
    }

    /// <summary>Takes up what was put and not taken back.</summary>
    public void Follow()
    {
        foreach (var (kind, id) in _new.Distinct())
            if (_state.Find(kind, id) is { } waiting) Add(kind, id, waiting.Number("due"));
        _new.Clear();
    }

    public void Add(string kind, string id, long due) => (kind == Kinds.Job ? _jobs : _deliveries).Enqueue((kind, id), (due, _order++));

    /// <summary>Takes the first work due by then; null when there is none.</summary>
    public string? TakeJob(DateTimeOffset now) => Peek(_jobs) <= now.UtcTicks ? _jobs.Dequeue().Id : null;

    /// <summary>Takes the webhooks due by then.</summary>
    public IReadOnlyList<string> TakeDeliveries(DateTimeOffset now)
    {
        var taken = new List<string>();
        while (Peek(_deliveries) <= now.UtcTicks) taken.Add(_deliveries.Dequeue().Id);
        return taken;
    }

    private long Peek(PriorityQueue<(string Kind, string Id), (long Due, long Order)> queue)
    {
        while (queue.TryPeek(out var first, out var due))
        {
            if (_state.Has(first.Kind, first.Id)) return due.Due;
            queue.Dequeue();
        }

        return long.MaxValue;
    }
}
