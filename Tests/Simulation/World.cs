namespace Billing.Tests.Simulation;

/// <summary>
/// One thread, one time and one seed: what is ready runs in an order that the seed decides, and when nothing is ready, time goes on to
/// the next alarm. Everything that runs in a world belongs to one of its processes.
/// </summary>
internal sealed class World
{
    private readonly int _thread = Environment.CurrentManagedThreadId;
    private readonly Random _random;
    private readonly List<(Process Process, object Work)> _ready = [];
    private readonly PriorityQueue<Alarm, (long Ticks, long Number)> _alarms = new();
    private readonly Lock _leakGate = new();
    private Exception? _failure;
    private long _alarmsSet;
    private int _processes;

    public World(int seed, DateTimeOffset start)
    {
        _random = new(seed);
        Now = start.UtcTicks;
    }

    /// <summary>The true time, UTC ticks; the clocks of processes may be ahead or behind.</summary>
    public long Now { get; private set; }

    /// <summary>What happened, as one number.</summary>
    public Trace Trace { get; } = new();

    /// <summary>How many pieces of work were run.</summary>
    public int Steps { get; private set; }

    /// <summary>
    /// Called before and after each effect that outlives its process, an append to the journal or a request to Stripe, with a text that says which.
    /// </summary>
    public Action<string>? OnEffect { get; set; }

    public bool HasWork => _ready.Count > 0;

    /// <summary>A number from <paramref name="first"/> to <paramref name="last"/>, both included.</summary>
    public long From(long first, long last) => _random.NextInt64(first, last + 1);

    public int Index(int count) => _random.Next(count);

    public bool Chance(int percent) => _random.Next(100) < percent;

    public T Of<T>(params ReadOnlySpan<T> items) => items[_random.Next(items.Length)];

    /// <summary>How long a message or a write takes: mostly less than a millisecond, now and then seconds.</summary>
    public long Latency() => _random.Next(100) switch
    {
        < 60 => From(0, TimeSpan.TicksPerMillisecond),
        < 95 => From(0, 20 * TimeSpan.TicksPerMillisecond),
        _ => From(0, 3 * TimeSpan.TicksPerSecond),
    };

    public Process Start(string name) => new(this, _processes++, name);

    /// <summary>The first failure ends the run.</summary>
    public void Fail(Exception failure)
    {
        lock (_leakGate) _failure ??= failure;
    }

    /// <summary>Throws what failed, if anything did.</summary>
    public void ThrowIfFailed()
    {
        lock (_leakGate)
            if (_failure is { } failure) throw new SimulationException(failure.Message, failure);
    }

    public void Post(Process process, object work)
    {
        if (Environment.CurrentManagedThreadId != _thread)
        {
            var leak = new InvalidOperationException($"Work was posted to {process.Name} from another thread:\n{Environment.StackTrace}");
            Fail(leak);
            throw leak;
        }

        if (!process.Alive) return;
        if (process.Frozen) process.Held.Add(work);
        else _ready.Add((process, work));
    }

    /// <summary>Runs an action in a process after a time; its death takes the alarm with it.</summary>
    public Alarm After(Process process, long ticks, Action action)
    {
        var alarm = new Alarm(process, action);
        _alarms.Enqueue(alarm, (Now + ticks, _alarmsSet++));
        return alarm;
    }

    /// <summary>Completes in the process after a time.</summary>
    public Task Delay(Process process, long ticks)
    {
        var over = new TaskCompletionSource();
        After(process, ticks, over.SetResult);
        return over.Task;
    }

    /// <summary>When the next alarm goes off; null without one.</summary>
    public long? NextAlarm
    {
        get
        {
            while (_alarms.TryPeek(out var alarm, out var at))
            {
                if (alarm.Counts) return at.Ticks;
                _alarms.Dequeue();
            }

            return null;
        }
    }

    /// <summary>Runs one piece of work that is ready, or sets the next alarm off. False: there is neither.</summary>
    public bool Step()
    {
        ThrowIfFailed();
        if (_ready.Count > 0)
        {
            var index = _random.Next(_ready.Count);
            var (process, work) = _ready[index];
            _ready[index] = _ready[^1];
            _ready.RemoveAt(_ready.Count - 1);
            Steps++;
            Trace.Add(Now, process.Number, _ready.Count, index);
            process.Execute(work);
            return true;
        }

        if (NextAlarm is not { } next) return false;
        Now = long.Max(Now, next);
        _alarms.Dequeue().GoOff();
        return true;
    }

    /// <summary>Moves the time, not beyond the next alarm.</summary>
    public void GoTo(long ticks) => Now = long.Max(Now, ticks);

    /// <summary>Takes the work of a process that is to wait out of the order, or brings it back.</summary>
    public void Sort(Process process)
    {
        if (process is { Alive: true, Frozen: false })
        {
            foreach (var held in process.Held) _ready.Add((process, held));
            process.Held.Clear();
            return;
        }

        if (process.Alive) process.Held.AddRange(_ready.Where(r => r.Process == process).Select(r => r.Work));
        else process.Held.Clear();
        _ready.RemoveAll(r => r.Process == process);
    }
}

/// <summary>An action that waits for its time.</summary>
internal sealed class Alarm(Process process, Action action)
{
    private bool _over;

    public bool Counts => !_over && process.Alive;

    public void Cancel() => _over = true;

    public void GoOff()
    {
        _over = true;
        process.Run(action);
    }
}

/// <summary>All that happened in a run: as a hash, the same for two runs of a seed, and counted.</summary>
internal sealed class Trace
{
    private readonly SortedDictionary<string, int> _counts = new(StringComparer.Ordinal);

    public IReadOnlyDictionary<string, int> Counts => _counts;

    public void Count(string what, int times = 1) => _counts[what] = _counts.GetValueOrDefault(what) + times;

    public ulong Hash { get; private set; } = 14_695_981_039_346_656_037;

    public void Add(params ReadOnlySpan<long> numbers)
    {
        foreach (var number in numbers) Hash = unchecked((Hash ^ (ulong)number) * 1_099_511_628_211);
    }
}

/// <summary>An invariant did not hold, or the run did not come to its end.</summary>
internal sealed class SimulationException(string message, Exception? inner = null) : Exception(message, inner);
