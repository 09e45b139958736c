using Billing.Deduplication;
using Billing.Tests.Accounts;
using Billing.Tests.Model;

namespace Billing.Tests.Simulation;

/// <summary>One run: a seed decides what is sent, what fails and when, and in which order everything happens.</summary>
internal sealed class SimulationRun
{
    private static readonly long Day = TimeSpan.TicksPerDay;

    private readonly World _world;
    private readonly Process _outside;
    private readonly Traffic _traffic;
    private readonly Network _network;
    private readonly SimulatedStripe _stripe;
    private readonly SimulatedPlatform _platform;
    private readonly SimulatedScheduler _scheduler;
    private readonly Senders _senders;
    private readonly PlantedFault _fault;

    private SimulationRun(int seed, PlantedFault fault)
    {
        _fault = fault;
        _world = new(seed, AccountRun.Anchor);
        var draw = new Draw(seed);
        var hashKey = new SipKey((ulong)seed, 2);
        _outside = _world.Start("outside");
        _network = new(_world, _outside);
        _traffic = new(draw, _world, hashKey);
        _stripe = new(_world, _outside, seed, fault);
        _platform = new(_world, _outside, _traffic.Catalogs, hashKey, _stripe, local: draw.Chance(50), fault);
        _scheduler = new(_world, _platform);
        _senders = new(_world, _outside, _network, () => _platform[_world.Index(_platform.Count)], fault);
    }

    /// <summary>Runs a seed to its end and checks the invariants.</summary>
    /// <returns>All that happened: as one number, and counted.</returns>
    /// <exception cref="SimulationException">An invariant does not hold; the message says which, and how to run the seed again.</exception>
    public static Trace Of(int seed, PlantedFault fault = PlantedFault.None)
    {
        Trace? trace = null;
        Exception? failed = null;

        // A thread of its own: what runs on the pool is scheduled in another way.
        var thread = new Thread(() =>
        {
            try
            {
                var run = new SimulationRun(seed, fault);
                run.Go();
                trace = run._world.Trace;
            }
            catch (Exception any)
            {
                failed = any;
            }
        });
        thread.Start();
        thread.Join();
        return failed is null ? trace! : throw new SimulationException($"Seed {seed}: {failed.Message}\nRun it again with BILLING_SIM_SEED={seed} ./test Simulation\n{failed}", failed);
    }

    private void Go()
    {
        _senders.Begin(_traffic);
        FaultPlan.Begin(_world, _outside, _network, _platform, _senders, _traffic);
        var webhooks = new StripeWebhooks(_world, _outside, _network, _stripe, () => _platform[_world.Index(_platform.Count)]);
        webhooks.Begin();
        FaultPlan.BeginStripe(_world, _stripe);
        FaultPlan.BeginMethods(_world, webhooks, _platform, _senders, _traffic);
        FaultPlan.BeginReads(_world, _platform, _senders, _traffic);
        var last = _traffic.LastAt + Day;
        _scheduler.RunUntil(last);
        _network.LostPercent = _network.DoubledPercent = 0;
        _platform.Heal();
        UntilAnswered();

        // Some get a good payment method while it is still open what came of an attempt with the one before.
        foreach (var account in _traffic.Accounts)
            if (_world.Chance(50)) _senders.Give(_world.Now, account.Id, "pm_card_visa");
        UntilAnswered();

        // What was asked of Stripe and of banks is decided by now, and no payment method given before is still under way: these are the last.
        _scheduler.RunUntil(_world.Now + (10 * Day));
        Invariants.CheckUnsettled(_platform, _stripe, _fault);
        foreach (var account in _traffic.Accounts) _senders.Give(_world.Now, account.Id, "pm_card_visa");
        UntilAnswered();
        _scheduler.RunUntil(long.Max(_world.Now, AccountRun.Anchor.UtcTicks + (110 * Day)) + (150 * Day));
        for (var waits = 0; waits < 10 && _platform.Host.Store!.EarliestDue <= _world.Now; waits++) _scheduler.RunUntil(_world.Now + TimeSpan.TicksPerMinute);
        Invariants.Check(_world, _platform, _traffic, _stripe, _fault);
        _world.ThrowIfFailed();
    }

    private void UntilAnswered()
    {
        for (var limit = 0; _senders.Unanswered.Count > 0; limit++)
        {
            if (limit > 60) throw new SimulationException($"I8: {_senders.Unanswered.Count} requests are not answered 60 days after the last fault: {_senders}. {_platform}");
            _scheduler.RunUntil(_world.Now + Day);
        }
    }
}
