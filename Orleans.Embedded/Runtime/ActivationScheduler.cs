namespace Orleans.Embedded;

/// <summary>A piece of work that starts on the scheduler of its activation.</summary>
internal interface ITurn
{
    /// <summary>Runs up to the first await. Never throws.</summary>
    void Run();
}

/// <summary>Runs the turns of one activation, never two at once. Continuations of plain awaits come back here.</summary>
internal sealed class ActivationScheduler(Activation owner, WorkQueue threads) : TaskScheduler, IThreadPoolWorkItem
{
    // So that a busy activation does not keep its thread for ever.
    private const int TurnsPerStint = 64;

    private readonly Queue<object> _turns = new();
    private bool _hasThread;

    public Activation Owner => owner;

    public override int MaximumConcurrencyLevel => 1;

    public void Enqueue(ITurn turn) => Add(turn);

    public void Execute()
    {
        // Turns run inside a task of this scheduler: that is what makes their awaits return to it.
        var stint = new Task(static self => ((ActivationScheduler)self!).RunTurns(), this, TaskCreationOptions.DenyChildAttach);
        stint.RunSynchronously(this);
    }

    protected override void QueueTask(Task task) => Add(task);

    protected override bool TryExecuteTaskInline(Task task, bool taskWasPreviouslyQueued) =>
        !taskWasPreviouslyQueued
        && (ReferenceEquals(task.AsyncState, this) || ReferenceEquals(Current, this))
        && TryExecuteTask(task);

    protected override IEnumerable<Task> GetScheduledTasks()
    {
        lock (_turns) return _turns.OfType<Task>().ToArray();
    }

    private void Add(object turn)
    {
        lock (_turns)
        {
            _turns.Enqueue(turn);
            if (_hasThread) return;

            _hasThread = true;
        }

        threads.Enqueue(this, yielding: false);
    }

    private void RunTurns()
    {
        var clean = ExecutionContext.Capture();
        for (var i = 0; i < TurnsPerStint; i++)
        {
            if (TakeTurn() is not { } turn) return;

            if (turn is Task task)
            {
                TryExecuteTask(task);
                continue;
            }

            ((ITurn)turn).Run();

            // What one request has set in its context is not for the next one.
            if (!ReferenceEquals(ExecutionContext.Capture(), clean)) ExecutionContext.Restore(clean!);
        }

        threads.Enqueue(this, yielding: true);
    }

    private object? TakeTurn()
    {
        lock (_turns)
        {
            // Giving the thread up and seeing the queue empty is one step: no turn is left behind, none runs beside another.
            _hasThread = _turns.TryDequeue(out var turn);
            return turn;
        }
    }
}
