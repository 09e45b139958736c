namespace Billing.Tests.Simulation;

/// <summary>
/// Lets a world go on while each of its silos looks once a second for what is due, as the scheduler of a silo does. Looks at which nothing is
/// due are left out.
/// </summary>
internal sealed class SimulatedScheduler(World world, SimulatedPlatform platform)
{
    private const int StepsMax = 400_000;

    /// <summary>Lets everything happen up to a time.</summary>
    public void RunUntil(long ticks)
    {
        while (true)
        {
            if (world.Steps > StepsMax) throw new SimulationException($"The run does not come to rest: {StepsMax} steps. {platform}");
            if (world.HasWork)
            {
                world.Step();
                continue;
            }

            world.ThrowIfFailed();
            var alarm = world.NextAlarm ?? long.MaxValue;
            var (look, silo) = NextLook();
            if (long.Min(alarm, look) > ticks) break;
            if (look >= alarm)
            {
                world.Step();
                continue;
            }

            world.GoTo(look);
            Look(silo!);
        }

        world.GoTo(ticks);
    }

    private (long At, SimulatedSilo? Silo) NextLook()
    {
        (long At, SimulatedSilo? Silo) next = (long.MaxValue, null);
        if (platform.Host.Store?.EarliestDue is not { } due) return next;
        for (var place = 0; place < platform.Count; place++)
        {
            if (platform[place] is not { IsWaking: false, Process: { Alive: true, Frozen: false } process } silo) continue;
            var at = silo.Clock.Now.UtcTicks >= due ? world.Now : due - process.Skew.Ticks;
            at = long.Max(long.Max(at, silo.NextLook), world.Now);
            at += TimeSpan.TicksPerSecond - 1 - ((at - 1 + (place * TimeSpan.TicksPerSecond / 3)) % TimeSpan.TicksPerSecond);
            if (at < next.At) next = (at, silo);
        }

        return next;
    }

    private void Look(SimulatedSilo silo)
    {
        silo.IsWaking = true;
        silo.Process.Begin(async () =>
        {
            try
            {
                await silo.DueWork.Run(default);
            }
            catch (IOException)
            {
                // The store did not answer; the next look is a second later.
            }

            silo.IsWaking = false;
            silo.NextLook = world.Now + TimeSpan.TicksPerSecond;
        });
    }
}
