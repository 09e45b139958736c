using Billing.Tests.Model;

namespace Billing.Tests.Simulation;

/// <summary>What fails in a run, most of it while something is sent or due.</summary>
internal static class FaultPlan
{
    // Each can be attached. Some are declined, softly or for good, some wait for the customer or the bank.
    private static readonly string[] Methods =
    [
        "pm_card_visa", "pm_card_mastercard", "pm_card_amex", "pm_usBankAccount", "pm_card_chargeCustomerFail", "pm_card_radarBlock", "pm_card_authenticationRequired",
        "pm_usBankAccount_insufficientFunds",
    ];

    // What Stripe does not take.
    private static readonly string[] Untaken = ["pm_card_chargeDeclinedExpiredCard", "pm_card_chargeDeclined", "pm_nobody"];

    public static void Begin(World world, Process outside, Network network, SimulatedPlatform platform, Senders senders, Traffic traffic)
    {
        network.LostPercent = world.Of(0, 0, 5, 20);
        network.DoubledPercent = world.Of(0, 0, 5, 20);
        for (var faults = world.From(0, 12); faults > 0; faults--)
        {
            var at = traffic.Bodies[world.Index(traffic.Bodies.Length)].At + (world.Chance(70) ? world.Latency() + world.Latency() : world.From(0, TimeSpan.TicksPerDay));
            world.After(outside, at - world.Now, () => Happen(world, outside, platform, traffic));
        }

        for (var looks = world.From(0, 6); looks > 0; looks--)
            senders.Look(traffic.Bodies[world.Index(traffic.Bodies.Length)].At + world.Latency(), traffic.Accounts[world.Index(traffic.Accounts.Length)].Id);
    }

    /// <summary>Lets Stripe fail, in some runs seldom, in some often.</summary>
    public static void BeginStripe(World world, SimulatedStripe stripe)
    {
        stripe.LostPercent = world.Of(0, 0, 3, 10);
        stripe.DeclinedPercent = world.Of(0, 0, 20, 50);
        var kinds = SimulatedStripe.Faults.Where(_ => world.Chance(50)).ToArray();
        stripe.Trouble(kinds, kinds.Length == 0 ? 0 : world.Of(0, 0.05, 0.3), world.From(0, int.MaxValue));
    }

    /// <summary>Has operators give other payment methods, good and bad, by chance and most times after a decline; when all is over, good ones.</summary>
    public static void BeginMethods(World world, StripeWebhooks webhooks, SimulatedPlatform platform, Senders senders, Traffic traffic)
    {
        foreach (var account in traffic.Accounts)
            for (var times = world.Of(0, 0, 0, 1, 4); times > 0; times--)
                senders.Give(world.From(account.OpenAt, traffic.LastAt), account.Id, world.Chance(80) ? world.Of(Methods) : world.Of(Untaken));

        webhooks.Failed = account =>
        {
            if (platform.IsHealed) senders.Give(world.Now + world.From(0, TimeSpan.TicksPerHour), account, "pm_card_visa");
            else if (world.Chance(80)) senders.Give(world.Now + (world.Chance(50) ? world.From(0, TimeSpan.TicksPerHour) : world.From(0, 6 * TimeSpan.TicksPerDay)), account, world.Chance(75) ? "pm_card_visa" : world.Of(Methods));
        };
    }

    /// <summary>Reads the usage of accounts, where a single silo answers, by meters that only add up.</summary>
    public static void BeginReads(World world, SimulatedPlatform platform, Senders senders, Traffic traffic)
    {
        if (platform.Count > 1) return;
        foreach (var meter in traffic.Meters.Where(m => m is { Product: ModelCatalog.Desk, Cancel: null, Once: null, Aggregate: not ModelAggregate.Latest }))
            foreach (var account in traffic.Accounts)
                for (var reads = world.From(0, 8); reads > 0; reads--)
                    senders.Read(traffic.Bodies[world.Index(traffic.Bodies.Length)].At + world.Latency(), account.Id, meter);
    }

    private static void Happen(World world, Process outside, SimulatedPlatform platform, Traffic traffic)
    {
        if (platform.IsHealed) return;
        var place = world.Index(platform.Count);
        var disk = platform.Host.Disk;
        switch (world.Index(12))
        {
            case 0 or 1 or 2:
                platform.CrashSilo(place, Down(world));
                break;
            case 3:
                platform.CrashStore(Down(world));
                break;
            case 4:
                platform.CrashStore(Down(world));
                for (var i = 0; i < platform.Count; i++) platform.CrashSilo(i, Down(world));
                break;
            case 5:
                disk.NextSyncFails = true;
                break;
            case 6:
                disk.NextWriteFails = true;
                break;
            case 7:
                disk.IsFull = true;
                world.After(outside, world.From(0, 20 * TimeSpan.TicksPerSecond), () => disk.IsFull = false);
                break;
            case 8 or 9:
                platform.Freeze(place, true);
                world.After(outside, world.From(0, 90 * TimeSpan.TicksPerSecond), () => platform.Freeze(place, false));
                break;
            case 10:
                platform.Skew(place, world.Of(
                    TimeSpan.FromMinutes(5), TimeSpan.FromMinutes(-5), TimeSpan.FromMinutes(-10), TimeSpan.FromHours(1), TimeSpan.FromHours(-1), TimeSpan.FromDays(2), TimeSpan.Zero));
                break;
            default:
                if (platform[place] is not { } silo) break;
                silo.Deactivate(traffic.Accounts[world.Index(traffic.Accounts.Length)].Id);
                silo.Process.Begin(() => KeepUp(silo));
                break;
        }
    }

    private static async Task KeepUp(SimulatedSilo silo)
    {
        try
        {
            await silo.KeepUp();
        }
        catch (IOException)
        {
            // The store did not answer; it is done another day.
        }
    }

    private static long Down(World world) => world.Index(10) switch
    {
        < 7 => world.From(0, 5 * TimeSpan.TicksPerSecond),
        < 9 => world.From(0, 12 * TimeSpan.TicksPerHour),
        _ => world.From(0, 40 * TimeSpan.TicksPerDay),
    };
}
