using System.Globalization;
using Billing.Silo.Sandbox;

namespace Billing.Benchmarks.Charge;

/// <summary>The process died; whoever asked learns nothing.</summary>
internal sealed class WorkerDiedException : Exception;

/// <summary>
/// Where a worker runs: a time that is not real, a Stripe, and stores in which each write is durable at once and none is ever lost. The process may die
/// before and after each effect.
/// </summary>
internal sealed class WorkerWorld
{
    private readonly ChargeSchedule _schedule;
    private readonly Action<string>? _trace;
    private readonly Random _random;
    private readonly StripeSandbox _sandbox;
    private bool _fails;

    public WorkerWorld(ChargeSchedule schedule, Action<string>? trace)
    {
        (_schedule, _trace, _random, Now) = (schedule, trace, new(~schedule.Seed), ChargeSchedule.Start);
        _sandbox = new(new MemorySandboxStore(), (ulong)schedule.Seed);
        Stripe = new(this, _sandbox);
        foreach (var merchant in schedule.Merchants) Stripe.Enrol(merchant);
    }

    public DateTimeOffset Now { get; private set; }

    public LibraryStripe Stripe { get; }

    public int Crashes { get; private set; }

    /// <summary>Does something that outlives the process.</summary>
    /// <exception cref="WorkerDiedException">The process died before it or after it.</exception>
    public T Effect<T>(string what, Func<T> effect)
    {
        MayDie($"before {what}");
        Tell(what);
        var result = effect();
        MayDie($"after {what}");
        return result;
    }

    /// <summary>A new random idempotency key.</summary>
    public string NewKey() => _random.NextInt64().ToString("x16", CultureInfo.InvariantCulture);

    public void Sleep(TimeSpan time) => GoTo(Now + time);

    /// <summary>The process is down for a while.</summary>
    public void StayDown()
    {
        var down = ChargeSchedule.Downtime(_random);
        Tell($"down for {down}");
        Sleep(down);
    }

    /// <summary>Lets time go on, not back; faults begin and end.</summary>
    public void GoTo(DateTimeOffset instant)
    {
        if (instant > Now) Now = instant;
        var fails = Now >= ChargeSchedule.FaultsFrom && Now < ChargeSchedule.FaultsUntil;
        if (fails == _fails) return;
        _fails = fails;
        if (fails) _sandbox.SetFaults(_schedule.Faults, _schedule.FaultProbability, _schedule.Seed);
        else _sandbox.SetFaults([], 0, 0);
    }

    public void Tell(string what) => _trace?.Invoke(string.Create(CultureInfo.InvariantCulture, $"{Now:MM-dd HH:mm:ss.fff}  {what}"));

    public ScheduleOutcome End() => ScheduleOutcome.Of(_schedule, _sandbox, Crashes);

    private void MayDie(string when)
    {
        if (!_fails || _random.Next(1_000) >= _schedule.CrashPerThousand) return;
        Crashes++;
        Tell($"the process dies {when}");
        throw new WorkerDiedException();
    }
}

/// <summary>A store of keys that are set once, as <c>SET key value NX</c> sets them.</summary>
internal sealed class Claims(WorkerWorld world)
{
    private readonly HashSet<string> _keys = new(StringComparer.Ordinal);

    /// <summary>Sets a key; false when it was set before.</summary>
    public bool SetIfAbsent(string key) => world.Effect($"claim {key}", () => _keys.Add(key));
}

/// <summary>A table of a database, with a unique key.</summary>
internal sealed class Table<TRow>(WorkerWorld world, string name)
    where TRow : class
{
    private readonly Dictionary<string, TRow> _rows = new(StringComparer.Ordinal);

    public IEnumerable<TRow> Rows => _rows.Values;

    /// <summary>The row of a key; null when there is none.</summary>
    public TRow? Find(string key) => _rows.GetValueOrDefault(key);

    /// <summary>Inserts a row, or replaces the one that has the key.</summary>
    public void Put(string key, TRow row) => world.Effect($"write {name} {row}", () => _rows[key] = row);
}

/// <summary>What a worker keeps of an invoice.</summary>
internal sealed record WorkerInvoice(string Merchant, long Cents, bool IsPaid);
