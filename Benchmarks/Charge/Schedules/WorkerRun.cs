namespace Billing.Benchmarks.Charge;

/// <summary>A billing worker behind a queue that hands a message over again until it is taken.</summary>
internal interface IWorker
{
    /// <summary>Takes in an event.</summary>
    void Use(UsageEvent used);

    /// <summary>Charges a merchant for the period that ended.</summary>
    void Close(string merchant);

    /// <summary>Takes up, at a start of the process, what was left.</summary>
    void Start();
}

/// <summary>Runs a worker through a schedule: one message at a time, each again until it is taken, a start after each crash and one when the faults are over.</summary>
internal sealed class WorkerRun
{
    private static readonly TimeSpan FirstPause = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LongestPause = TimeSpan.FromHours(1);

    private readonly WorkerWorld _world;
    private readonly IWorker _worker;
    private readonly PriorityQueue<Message, (DateTimeOffset At, int Number)> _queue = new();
    private int _queued;

    private WorkerRun(ChargeSchedule schedule, Func<WorkerWorld, IWorker> make, Action<string>? trace)
    {
        _world = new(schedule, trace);
        _worker = make(_world);
        foreach (var delivery in schedule.Deliveries) Enqueue(delivery.At, new($"{delivery.Event}", () => _worker.Use(delivery.Event), FirstPause));
        foreach (var merchant in schedule.Merchants) Enqueue(ChargeSchedule.ClosesAt, new($"the period of {merchant} ended", () => _worker.Close(merchant), FirstPause));
        Enqueue(ChargeSchedule.FaultsUntil, new("a new version is rolled out", Start, FirstPause));
    }

    public static ScheduleOutcome Of(ChargeSchedule schedule, Func<WorkerWorld, IWorker> make, Action<string>? trace)
    {
        var run = new WorkerRun(schedule, make, trace);
        while (run._queue.TryDequeue(out var message, out var place)) run.HandOver(message, place.At);
        run._world.GoTo(ChargeSchedule.End);
        return run._world.End();
    }

    private void Enqueue(DateTimeOffset at, Message message) => _queue.Enqueue(message, (at, _queued++));

    private void HandOver(Message message, DateTimeOffset at)
    {
        _world.GoTo(at);
        _world.Tell($"message: {message.What}");
        try
        {
            message.Handle();
            return;
        }
        catch (StripeFailedException failed)
        {
            _world.Tell($"not taken: {failed.Message}");
        }
        catch (WorkerDiedException)
        {
            Restart();
        }

        var pause = message.Pause < LongestPause ? message.Pause : LongestPause;
        Enqueue(_world.Now + pause, message with { Pause = 2 * pause });
    }

    private void Restart()
    {
        while (true)
        {
            _world.StayDown();
            try
            {
                Start();
                return;
            }
            catch (WorkerDiedException)
            {
                // It dies at its start, and is started again.
            }
        }
    }

    private void Start()
    {
        _world.Tell("the process starts");
        try
        {
            _worker.Start();
        }
        catch (StripeFailedException failed)
        {
            _world.Tell($"what was left is left for the next start: {failed.Message}");
        }
    }

    private sealed record Message(string What, Action Handle, TimeSpan Pause);
}
