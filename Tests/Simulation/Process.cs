using Orleans.Embedded;

namespace Billing.Tests.Simulation;

/// <summary>
/// What dies together: a scheduler of tasks, a queue for activations, a clock and timers. When it is killed none of its tasks ever runs
/// again; while it is frozen they wait.
/// </summary>
internal sealed class Process : TaskScheduler
{
    private readonly World _world;

    public Process(World world, int number, string name)
    {
        _world = world;
        Number = number;
        Name = name;
        Threads = new Queue(this);
        Time = new Clock(this);
    }

    public int Number { get; }

    public string Name { get; }

    public bool Alive { get; private set; } = true;

    public bool Frozen { get; private set; }

    /// <summary>How far its clock is ahead of the true time; negative when it is behind.</summary>
    public TimeSpan Skew { get; set; }

    /// <summary>What waits until it is no longer frozen.</summary>
    public List<object> Held { get; } = [];

    public WorkQueue Threads { get; }

    public TimeProvider Time { get; }

    public override int MaximumConcurrencyLevel => 1;

    /// <summary>Begins something in this process; a failure of it ends the run.</summary>
    public void Begin(Func<Task> work) => Run(() => _ = Guarded(work));

    /// <summary>Runs an action in this process soon.</summary>
    public void Run(Action action)
    {
        using (ExecutionContext.IsFlowSuppressed() ? default : ExecutionContext.SuppressFlow()) new Task(() => Guarded(action)).Start(this);
    }

    public void Execute(object work)
    {
        if (work is Task task) TryExecuteTask(task);
        else ((IThreadPoolWorkItem)work).Execute();
    }

    public void Kill()
    {
        Alive = false;
        _world.Sort(this);
    }

    public void Freeze(bool frozen)
    {
        Frozen = frozen;
        _world.Sort(this);
    }

    protected override void QueueTask(Task task) => _world.Post(this, task);

    // Never: each continuation waits its turn, so that others can come between.
    protected override bool TryExecuteTaskInline(Task task, bool taskWasPreviouslyQueued) => false;

    protected override IEnumerable<Task> GetScheduledTasks() => [];

    private void Guarded(Action action)
    {
        try
        {
            action();
        }
        catch (Exception failed)
        {
            _world.Fail(failed);
        }
    }

    private async Task Guarded(Func<Task> work)
    {
        try
        {
            await work();
        }
        catch (Exception failed)
        {
            _world.Fail(failed);
        }
    }

    private sealed class Queue(Process process) : WorkQueue
    {
        public override void Enqueue(IThreadPoolWorkItem work, bool yielding) => process._world.Post(process, work);
    }

    private sealed class Clock(Process process) : TimeProvider
    {
        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override DateTimeOffset GetUtcNow() => new(process._world.Now + process.Skew.Ticks, TimeSpan.Zero);

        public override long GetTimestamp() => process._world.Now;

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            var timer = new Timer(process, callback, state);
            timer.Change(dueTime, period);
            return timer;
        }
    }

    private sealed class Timer(Process process, TimerCallback callback, object? state) : ITimer
    {
        private Alarm? _alarm;

        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            _alarm?.Cancel();
            _alarm = dueTime < TimeSpan.Zero ? null : process._world.After(process, dueTime.Ticks, () => Tick(period));
            return true;
        }

        public void Dispose() => _alarm?.Cancel();

        public ValueTask DisposeAsync()
        {
            Dispose();
            return ValueTask.CompletedTask;
        }

        private void Tick(TimeSpan period)
        {
            if (period > TimeSpan.Zero) Change(period, period);
            callback(state);
        }
    }
}
