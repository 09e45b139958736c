using System.Globalization;
using System.Text;
using Billing.Accounts;
using Billing.Deduplication;
using Billing.Plans;
using Billing.Silo.Ingest;
using Billing.Tests.Simulation;
using Billing.Usage;

namespace Billing.Benchmarks.Charge;

/// <summary>
/// Runs the platform through a schedule: its own ingest, grains, journal codec, due work and Stripe client in the world of the simulation, on a disk
/// that keeps what was synced. In half of the schedules one silo with its store inside it, in half two silos beside a store.
/// </summary>
internal sealed class PlatformRun
{
    private const string Catalog =
        """
        {
          "version": "v1", "currency": "USD",
          "meters": [ { "id": "desk.units", "product": "desk", "event": "units.used", "aggregate": "sum", "value": "$.units" } ],
          "products": [ { "id": "desk", "plans": [ { "id": "desk-1", "rank": 1, "base_price": "0.00", "prices": { "desk.units": { "model": "per_unit", "unit_price": "0.37" } } } ] } ]
        }
        """;

    private const long FirstPause = TimeSpan.TicksPerSecond;
    private const long LongestPause = TimeSpan.TicksPerHour;

    private readonly ChargeSchedule _schedule;
    private readonly Action<string>? _trace;
    private readonly Random _random;
    private readonly World _world;
    private readonly Process _outside;
    private readonly Network _network;
    private readonly SimulatedStripe _stripe;
    private readonly SimulatedPlatform _platform;
    private readonly SimulatedScheduler _scheduler;
    private int _crashes;
    private int _unanswered;

    private PlatformRun(ChargeSchedule schedule, Action<string>? trace)
    {
        (_schedule, _trace, _random) = (schedule, trace, new(~schedule.Seed));
        _world = new(schedule.Seed, ChargeSchedule.Start) { OnEffect = Tell };
        _outside = _world.Start("outside");
        _network = new(_world, _outside);
        _stripe = new(_world, _outside, schedule.Seed, PlantedFault.None);
        var (catalog, problem) = CatalogReader.Read(Encoding.UTF8.GetBytes(Catalog));
        if (problem is not null) throw new InvalidOperationException($"The catalogue of the benchmark is refused: {problem}");
        _platform = new(_world, _outside, new(new(catalog!)), new SipKey((ulong)schedule.Seed, 2), _stripe, local: _world.Chance(50), PlantedFault.None);
        _scheduler = new(_world, _platform);
    }

    /// <summary>Runs a schedule to its end.</summary>
    /// <exception cref="SimulationException">It did not come to its end.</exception>
    public static ScheduleOutcome Of(ChargeSchedule schedule, Action<string>? trace)
    {
        ScheduleOutcome? outcome = null;
        Exception? failed = null;

        // A thread of its own: what runs on the pool is scheduled in another way.
        var thread = new Thread(() =>
        {
            try
            {
                outcome = new PlatformRun(schedule, trace).Go();
            }
            catch (Exception any)
            {
                failed = any;
            }
        });
        thread.Start();
        thread.Join();
        return failed is null ? outcome! : throw new SimulationException($"The schedule of seed {schedule.Seed} did not come to its end: {failed.Message}", failed);
    }

    private ScheduleOutcome Go()
    {
        foreach (var merchant in _schedule.Merchants) Send(ChargeSchedule.Start, $"open {merchant}", silo => Open(silo, merchant));
        foreach (var delivery in _schedule.Deliveries) Send(delivery.At, $"{delivery.Event}", silo => Deliver(silo, delivery.Event));
        RunUntil(ChargeSchedule.FaultsFrom);

        _stripe.Sandbox.SetFaults(_schedule.Faults, _schedule.FaultProbability, _schedule.Seed);
        _world.OnEffect = what =>
        {
            Tell(what);
            if (_random.Next(1_000) < _schedule.CrashPerThousand) _world.After(_outside, _world.Chance(50) ? 0 : _world.Latency(), Crash);
        };
        RunUntil(ChargeSchedule.FaultsUntil);

        _world.OnEffect = Tell;
        Tell("nothing fails any more");
        _platform.Heal();
        RunUntil(ChargeSchedule.End);
        _world.ThrowIfFailed();
        return _unanswered == 0 ? ScheduleOutcome.Of(_schedule, _stripe.Sandbox, _crashes) : throw new SimulationException($"{_unanswered} requests were never answered. {_platform}");
    }

    private void RunUntil(DateTimeOffset instant) => _scheduler.RunUntil(instant.UtcTicks);

    // A silo around its store takes it along; of two silos beside a store one dies, or the store.
    private void Crash()
    {
        if (_platform.IsHealed) return;
        var place = _world.Index(_platform.Count + 1);
        var down = ChargeSchedule.Downtime(_random);
        _crashes++;
        if (place == _platform.Count || _platform.Count == 1)
        {
            Tell($"the store dies, down for {down}");
            _platform.CrashStore(down.Ticks);
        }
        else
        {
            Tell($"silo {place} dies, down for {down}");
            _platform.CrashSilo(place, down.Ticks);
        }
    }

    private void Send(DateTimeOffset at, string what, Func<SimulatedSilo, Task<object?>> serve)
    {
        _unanswered++;
        _world.After(_outside, at.UtcTicks - _world.Now, () => _outside.Begin(async () =>
        {
            for (var pause = FirstPause; ; pause = long.Min(2 * pause, LongestPause))
            {
                Tell($"message: {what}");
                if (await _network.Call(_platform[_world.Index(_platform.Count)], serve) is not null) break;
                await _world.Delay(_outside, pause);
            }

            _unanswered--;
        }));
    }

    private static async Task<object?> Open(SimulatedSilo silo, string merchant)
    {
        var answer = await silo.Grains.GetGrain<IMerchantAccountGrain>(merchant).Open(
            new(merchant, "billing@shop.example", null, "DE", ["desk-1"], "v1", "pm_card_visa", true, $"open {merchant}"));
        if (answer.Refusal is { Kind: not RefusalKind.Retry } refusal) throw new InvalidOperationException($"{merchant} was not opened: {refusal.Detail}");
        return answer.Refusal is null ? answer : null;
    }

    private static async Task<object?> Deliver(SimulatedSilo silo, UsageEvent used)
    {
        var json = string.Create(
            CultureInfo.InvariantCulture,
            $$$"""{"specversion":"1.0","id":"{{{used.Id}}}","source":"bench","type":"units.used","subject":"{{{used.Merchant}}}","time":"{{{used.Time:yyyy-MM-dd'T'HH:mm:ss'Z'}}}","data":{"units":{{{used.Units}}}}}""");
        var answer = await silo.Ingest.Ingest(EventFormat.Single, Encoding.UTF8.GetBytes(json), false, true);
        if (answer.Refusal is not null) return null;
        var outcome = answer.Receipts[0].Receipt.Outcome;
        if (outcome is not (UsageOutcome.Accepted or UsageOutcome.Duplicate)) throw new InvalidOperationException($"{used} was answered with {outcome}.");
        return answer;
    }

    private void Tell(string what) => _trace?.Invoke(string.Create(CultureInfo.InvariantCulture, $"{new DateTimeOffset(_world.Now, TimeSpan.Zero):MM-dd HH:mm:ss.fff}  {what}"));
}
