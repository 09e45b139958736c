namespace Orleans.Embedded;

/// <summary>
/// Ends calls that wait longer than their response timeout. A round once a second, only while calls are under way,
/// and up to one round late: so a call pays a look at one field for it.
/// </summary>
internal sealed class ResponseDeadlines : IDisposable
{
    private static readonly TimeSpan Round = TimeSpan.FromSeconds(1);

    private readonly GrainCatalog _catalog;
    private readonly ITimer _timer;
    private bool _armed;

    public ResponseDeadlines(GrainCatalog catalog)
    {
        _catalog = catalog;
        _timer = catalog.Clock.CreateTimer(
            static self => ((ResponseDeadlines)self!).LookAround(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    public void Watch()
    {
        if (Volatile.Read(ref _armed) || Interlocked.Exchange(ref _armed, true)) return;

        _timer.Change(Round, Timeout.InfiniteTimeSpan);
    }

    public void Dispose() => _timer.Dispose();

    private void LookAround()
    {
        // Disarmed before the look: a call that is sent meanwhile arms again.
        Volatile.Write(ref _armed, false);
        var unanswered = new List<GrainCall>();
        foreach (var activation in _catalog.Activations) activation.AddUnansweredTo(unanswered);

        // Activations are kept in no order; what times out does so in one that can be repeated.
        var now = _catalog.Clock.GetTimestamp();
        var overdue = new List<GrainCall>();
        foreach (var call in unanswered)
        {
            if (call.SeenWaiting == 0)
            {
                call.SeenWaiting = now;
            }
            else if (_catalog.Clock.GetElapsedTime(call.SeenWaiting, now) >= call.Method.Timeout)
            {
                overdue.Add(call);
            }
        }

        foreach (var call in overdue.OrderBy(call => call.Target))
            call.Fail(new TimeoutException($"{call} of {call.Target} gave no answer in {call.Method.Timeout}. It may still run to its end."));

        if (unanswered.Count > 0) Watch();
    }
}
