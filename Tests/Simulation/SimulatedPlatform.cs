using System.Globalization;
using Billing.Deduplication;

namespace Billing.Tests.Simulation;

/// <summary>
/// Silos and their store. Either one silo with the store inside it, as on one machine, or two silos beside a store that both use: then
/// two activations of an account happen all the time.
/// </summary>
internal sealed class SimulatedPlatform
{
    private readonly World _world;
    private readonly Process _operators;
    private readonly SimulatedCatalogs _catalogs;
    private readonly SimulatedStripe _stripe;
    private readonly PlantedFault _fault;
    private readonly Place[] _places;

    public SimulatedPlatform(World world, Process operators, SimulatedCatalogs catalogs, SipKey hashKey, SimulatedStripe stripe, bool local, PlantedFault fault)
    {
        (_world, _operators, _catalogs, _stripe, _fault) = (world, operators, catalogs, stripe, fault);
        Host = new(world, new(world), hashKey, fault) { IsLocal = local };
        Host.Broke = () => world.After(operators, 0, () => CrashStore(world.Latency()));
        _places = [.. Enumerable.Range(0, local ? 1 : 2).Select(_ => new Place())];
        if (!local) OpenStore();
        foreach (var place in _places) Start(place);
    }

    public StoreHost Host { get; }

    public int Count => _places.Length;

    public bool IsHealed { get; private set; }

    /// <summary>The silo of a place; null while it is down.</summary>
    public SimulatedSilo? this[int place] => _places[place].Silo;

    public void CrashSilo(int place, long downTicks)
    {
        if (Host.IsLocal) CrashStore(downTicks);
        else Crash(_places[place], downTicks);
    }

    /// <summary>The store dies and its disk loses what was not synced; a silo around it dies too.</summary>
    public void CrashStore(long downTicks)
    {
        if (Host.Process is null) return;
        Host.Crash();
        if (Host.IsLocal)
        {
            Crash(_places[0], downTicks);
            return;
        }

        _world.After(_operators, downTicks, OpenStore);
    }

    public void Freeze(int place, bool frozen)
    {
        if (frozen) _world.Trace.Count("silo frozen");
        _places[place].Process?.Freeze(frozen);
    }

    public void Skew(int place, TimeSpan skew)
    {
        if (skew != TimeSpan.Zero) _world.Trace.Count(skew < TimeSpan.Zero ? "clock set back" : "clock set ahead");
        _places[place].Skew = skew;
        if (_places[place].Process is { } process) process.Skew = skew;
    }

    /// <summary>Ends all that is wrong; from now on nothing fails.</summary>
    public void Heal()
    {
        IsHealed = true;
        _stripe.LostPercent = _stripe.DeclinedPercent = 0;
        _stripe.Trouble([], 0, 0);
        Host.Disk.IsFull = Host.Disk.NextSyncFails = Host.Disk.NextWriteFails = false;
        if (!Host.IsLocal) OpenStore();
        for (var place = 0; place < Count; place++)
        {
            Skew(place, TimeSpan.Zero);
            Freeze(place, false);
            Start(_places[place]);
        }
    }

    public void Stop()
    {
        foreach (var place in _places) place.Process?.Kill();
        Host.Crash();
    }

    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture,
        $"It is {new DateTimeOffset(_world.Now, TimeSpan.Zero):O}; the store {(Host.Store is { } store ? $"has the due times {store.DueTimes}" : "is down")}; the silos: {string.Join(", ", _places.Select(p => p.Silo is { } silo ? $"clock {silo.Clock.Now:O}, waking {silo.IsWaking}, frozen {silo.Process.Frozen}" : "down"))}.");

    private void OpenStore()
    {
        if (Host.Process is null && !TryOpen(_world.Start("store"))) _world.After(_operators, TimeSpan.TicksPerSecond, OpenStore);
    }

    // The disk can fail while the store reads what a crash has left; then it is started again.
    private bool TryOpen(Process process)
    {
        try
        {
            Host.Open(process);
            return true;
        }
        catch (IOException)
        {
            process.Kill();
            Host.Crash();
            return false;
        }
    }

    private void Crash(Place place, long downTicks)
    {
        _world.Trace.Count("silo crashed");
        place.Process?.Kill();
        (place.Process, place.Silo) = (null, null);
        _world.After(_operators, downTicks, () => Start(place));
    }

    private void Start(Place place)
    {
        if (place.Process is not null) return;
        var process = _world.Start("silo");
        place.Process = process;
        process.Skew = place.Skew;
        if (Host.IsLocal && !TryOpen(process))
        {
            Crash(place, TimeSpan.TicksPerSecond);
            return;
        }

        process.Begin(async () =>
        {
            for (var pause = TimeSpan.TicksPerSecond; ; pause = long.Min(2 * pause, TimeSpan.TicksPerHour))
            {
                try
                {
                    place.Silo = await SimulatedSilo.Start(_world, process, new(_world, process, Host, _fault), _catalogs, _stripe);
                    return;
                }
                catch (IOException)
                {
                    await _world.Delay(process, pause);
                }
            }
        });
    }

    private sealed class Place
    {
        public Process? Process { get; set; }

        public SimulatedSilo? Silo { get; set; }

        public TimeSpan Skew { get; set; }
    }
}
