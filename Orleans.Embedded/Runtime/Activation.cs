using Orleans.Runtime;

namespace Orleans.Embedded;

/// <summary>
/// One grain in memory: admits requests so that they do not overlap, and leads the instance from its first call to its end.
/// </summary>
internal sealed class Activation : IGrainContext
{
    private enum Phase
    {
        New,
        Activating,
        Active,
        Deactivating,
        Gone,
    }

    private readonly Lock _gate = new();
    private readonly ActivationScheduler _scheduler;
    private readonly List<GrainRequest> _running = [];
    private readonly List<GrainRequest> _waiting = [];
    private readonly TaskCompletionSource _deactivated = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly GrainClass _class;
    private Phase _phase;
    private GrainRequest? _blocking;
    private LiveGrain? _instance;
    private HashSet<GrainTimer>? _timers;
    private DeactivationReason _reason;
    private bool _wasActive;
    private bool _used;
    private long _idleSince;
    private DateTimeOffset _keepUntil;

    public Activation(GrainCatalog catalog, GrainClass grainClass, GrainId id)
    {
        Catalog = catalog;
        GrainId = id;
        _class = grainClass;
        _scheduler = new(this, catalog.Threads);
    }

    /// <summary>The activation whose turn is running on this thread, if any.</summary>
    public static Activation? Current => (TaskScheduler.Current as ActivationScheduler)?.Owner;

    public GrainCatalog Catalog { get; }

    public GrainId GrainId { get; }

    public object? GrainInstance => _instance?.Grain;

    public IServiceProvider ActivationServices => _instance?.Services ?? Catalog.Services;

    public Task Deactivated => _deactivated.Task;

    public static Activation Of(IGrainBase grain) => grain.GrainContext as Activation
        ?? throw new InvalidOperationException($"{grain.GetType()} was not created by the runtime, so it has no activation.");

    public bool Equals(IGrainContext? other) => ReferenceEquals(this, other);

    public override bool Equals(object? obj) => ReferenceEquals(this, obj);

    public override int GetHashCode() => GrainId.GetHashCode();

    /// <summary>Takes a request on, to run now or later. False: this activation is gone.</summary>
    public bool TryTake(GrainRequest request)
    {
        lock (_gate)
        {
            if (_phase == Phase.Gone) return false;

            request.Activation = this;
            if (_phase == Phase.Active && MayRun(request))
            {
                Admit(request);
                return true;
            }

            _waiting.Add(request);
            if (_phase == Phase.New)
            {
                _phase = Phase.Activating;
                _scheduler.Enqueue(new FirstTurn(this));
            }

            return true;
        }
    }

    /// <summary>Notes the end of a request, and lets in what waited for it.</summary>
    public void Completed(GrainRequest request)
    {
        lock (_gate)
        {
            _running.Remove(request);
            if (ReferenceEquals(_blocking, request)) _blocking = null;

            _used |= request.IsUse;
            if (_phase == Phase.Active) AdmitWaiting();
            else if (_phase == Phase.Deactivating && _running.Count == 0) _scheduler.Enqueue(new LastTurn(this));
        }
    }

    public void Deactivate(DeactivationReason deactivationReason, CancellationToken cancellationToken = default)
    {
        lock (_gate)
        {
            if (_phase is Phase.Deactivating or Phase.Gone) return;

            _reason = deactivationReason;
            _wasActive = _phase == Phase.Active;

            // While it activates, the first turn sees to the end.
            var endsNow = _phase is Phase.New || (_phase is Phase.Active && _running.Count == 0);
            _phase = Phase.Deactivating;
            if (endsNow) _scheduler.Enqueue(new LastTurn(this));
        }
    }

    public void DelayDeactivation(TimeSpan time)
    {
        lock (_gate)
        {
            _keepUntil = time == TimeSpan.MaxValue || time == Timeout.InfiniteTimeSpan ? DateTimeOffset.MaxValue
                : time <= TimeSpan.Zero ? DateTimeOffset.MinValue
                : Catalog.Clock.GetUtcNow() + time;
        }
    }

    /// <summary>Ends the activation if it was unused for its whole collection age. Called now and then.</summary>
    public void CollectIfIdle()
    {
        lock (_gate)
        {
            if (_phase != Phase.Active) return;

            // Use is noted as a flag, not as a time, to spare each request a look at the clock: so up to one round late.
            var now = Catalog.Clock.GetTimestamp();
            if (_used)
            {
                _used = false;
                _idleSince = now;
                return;
            }

            if (_running.Count > 0
                || _class.CollectionAge == Timeout.InfiniteTimeSpan
                || Catalog.Clock.GetElapsedTime(_idleSince, now) < _class.CollectionAge
                || _keepUntil > Catalog.Clock.GetUtcNow())
            {
                return;
            }
        }

        Deactivate(new(DeactivationReasonCode.ActivationIdle, $"Unused for {_class.CollectionAge}."));
    }

    /// <summary>Adds the calls that somebody still waits for.</summary>
    public void AddUnansweredTo(List<GrainCall> calls)
    {
        lock (_gate)
        {
            foreach (var request in _running) AddIfUnanswered(request);
            foreach (var request in _waiting) AddIfUnanswered(request);
        }

        void AddIfUnanswered(GrainRequest request)
        {
            if (request is GrainCall { IsAnswered: false } call) calls.Add(call);
        }
    }

    public IGrainTimer StartTimer(Func<CancellationToken, Task> callback, GrainTimerCreationOptions options)
    {
        var timer = new GrainTimer(this, callback, options);
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_phase == Phase.Gone, this);
            (_timers ??= []).Add(timer);
        }

        timer.Change(options.DueTime, options.Period);
        return timer;
    }

    public void Forget(GrainTimer timer)
    {
        lock (_gate) _timers?.Remove(timer);
    }

    public override string ToString() => GrainId.ToString();

    private bool IsInterleaving(GrainRequest request) => request.Interleaves || _class.IsReentrant;

    // As in Orleans, of several readers only the first holds others back: once it has ended, a writer may run beside the rest.
    private bool MayRun(GrainRequest request) =>
        IsInterleaving(request) || _blocking is null || (_blocking.IsReadOnly && request.IsReadOnly);

    private void Admit(GrainRequest request)
    {
        _running.Add(request);
        if (!IsInterleaving(request)) _blocking ??= request;

        _scheduler.Enqueue(request);
    }

    private void AdmitWaiting()
    {
        for (var i = 0; i < _waiting.Count;)
        {
            var request = _waiting[i];
            if (MayRun(request))
            {
                _waiting.RemoveAt(i);
                Admit(request);
            }
            else
            {
                i++;
            }
        }
    }

    private async Task Activate()
    {
        try
        {
            using var timeout = new CancellationTokenSource(Catalog.Options.ActivationTimeout, Catalog.Clock);
            ImportContextOfFirstCall();
            _instance = LiveGrain.Create(_class, this);
            await _instance.Start(timeout.Token);
        }
        catch (Exception exception)
        {
            await FailToActivate(exception);
            return;
        }

        lock (_gate)
        {
            if (_phase == Phase.Activating)
            {
                _phase = Phase.Active;
                _idleSince = Catalog.Clock.GetTimestamp();
                AdmitWaiting();
                return;
            }
        }

        await End();
    }

    private void ImportContextOfFirstCall()
    {
        lock (_gate)
        {
            if (_waiting is [GrainCall first, ..]) RequestContext.Import(first.Context);
        }
    }

    private async Task FailToActivate(Exception exception)
    {
        Catalog.Log.ActivationFailed(exception, GrainId);
        StopTimers();
        if (_instance is not null) await _instance.Dispose(Catalog.Log);

        foreach (var request in Leave())
        {
            (request as GrainCall)?.Fail(exception);
        }
    }

    private async Task End()
    {
        StopTimers();
        if (_instance is not null)
        {
            if (_wasActive) await _instance.Stop(_reason, this);
            await _instance.Dispose(Catalog.Log);
        }

        foreach (var request in Leave())
        {
            if (request is not GrainCall { IsAbandoned: false } call) continue;

            if (call.MayForward()) Catalog.Deliver(call);
            else call.Fail(new OrleansMessageRejectionException($"{call} of {GrainId} did not run: each activation ended before its turn."));
        }
    }

    /// <summary>Makes room for the next activation of the grain. Gives the requests that are left.</summary>
    private List<GrainRequest> Leave()
    {
        List<GrainRequest> left;
        Catalog.Remove(this);
        lock (_gate)
        {
            _phase = Phase.Gone;
            _instance = null;
            left = [.. _waiting];
            _waiting.Clear();
        }

        _deactivated.SetResult();
        return left;
    }

    private void StopTimers()
    {
        GrainTimer[] timers;
        lock (_gate)
        {
            timers = _timers is null ? [] : [.. _timers];
            _timers = null;
        }

        foreach (var timer in timers) timer.Dispose();
    }

    private sealed class FirstTurn(Activation activation) : ITurn
    {
        public void Run() => _ = activation.Activate();
    }

    private sealed class LastTurn(Activation activation) : ITurn
    {
        public void Run() => _ = activation.End();
    }
}
