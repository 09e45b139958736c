using Orleans.Runtime;

namespace Orleans.Embedded;

/// <summary>A timer whose ticks wait their turn like requests. The next tick is set when the callback has ended.</summary>
internal sealed class GrainTimer : GrainRequest, IGrainTimer
{
    private readonly Activation _activation;
    private readonly Func<CancellationToken, Task> _callback;
    private readonly GrainTimerCreationOptions _options;
    private readonly CancellationTokenSource _stopped = new();
    private readonly ITimer _timer;
    private readonly Lock _gate = new();
    private TimeSpan _next;
    private TimeSpan _period;
    private bool _ticking;

    public GrainTimer(Activation activation, Func<CancellationToken, Task> callback, GrainTimerCreationOptions options)
    {
        _activation = activation;
        _callback = callback;
        _options = options;

        // A tick belongs to no request, so it must not see the context of the one that started the timer.
        using (ExecutionContext.IsFlowSuppressed() ? default : ExecutionContext.SuppressFlow())
        {
            _timer = activation.Catalog.Clock.CreateTimer(
                static timer => ((GrainTimer)timer!).Tick(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        }
    }

    public override bool Interleaves => _options.Interleave;

    public override bool IsReadOnly => false;

    public override bool IsUse => _options.KeepAlive;

    public override bool IsAbandoned => _stopped.IsCancellationRequested;

    public void Change(TimeSpan dueTime, TimeSpan period)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(dueTime, Timeout.InfiniteTimeSpan);
        ArgumentOutOfRangeException.ThrowIfLessThan(period, Timeout.InfiniteTimeSpan);
        lock (_gate)
        {
            _next = dueTime;
            _period = period;
            if (!_ticking) Arm();
        }
    }

    public void Dispose()
    {
        _stopped.Cancel();
        _timer.Dispose();
        _activation.Forget(this);
    }

    public override string ToString() => $"Timer of {_activation}";

    protected override Task Start()
    {
        lock (_gate) _next = _period;
        return _callback(_stopped.Token);
    }

    protected override void Answer(Task outcome)
    {
        if (outcome.IsFaulted) _activation.Catalog.Log.TimerFailed(outcome.Exception, _activation.GrainId);
        lock (_gate)
        {
            _ticking = false;
            Arm();
        }
    }

    private void Tick()
    {
        lock (_gate)
        {
            if (_ticking) return;
            _ticking = true;
        }

        _activation.TryTake(this);
    }

    private void Arm()
    {
        if (!_stopped.IsCancellationRequested) _timer.Change(_next, Timeout.InfiniteTimeSpan);
    }
}
