namespace Billing.Tests.Cluster;

[Collection(nameof(GrainHost))]
public sealed class TimerTests(GrainHost host)
{
    private static readonly TimeSpan Period = TimeSpan.FromMilliseconds(5);

    [Fact]
    public async Task Timer_FiresAgainAndAgain()
    {
        await host.Grains.GetGrain<IProbeGrain>("timer").StartTimer("timer", interleave: false);

        await Tick("timer-1");
        await Tick("timer-2");
        await Tick("timer-3");
    }

    [Fact]
    public async Task TimerDuringACall_WaitsForItsEnd()
    {
        var probe = host.Grains.GetGrain<IProbeGrain>("timer waits");
        await probe.StartTimer("timer-waits", interleave: false);
        var held = probe.Hold("held");
        await host.Signals.Raised("held-in");
        host.Pass(Period);
        await probe.CountStarted();

        host.Signals.Raise("held-go");
        await held;
        await Tick("timer-waits-1");

        var log = host.Signals.LogOf("timer waits").ToList();
        var start = log.IndexOf("held in");
        Assert.Equal("held out", log[start + 1]);
    }

    [Fact]
    public async Task InterleavingTimer_RunsBetweenTheAwaitsOfACall()
    {
        var probe = host.Grains.GetGrain<IProbeGrain>("timer interleaves");
        await probe.StartTimer("timer-interleaves", interleave: true);
        var held = probe.Hold("beside");
        await host.Signals.Raised("beside-in");

        await Tick("timer-interleaves-1");

        host.Signals.Raise("beside-go");
        await held;
    }

    [Fact]
    public async Task Timer_StopsWithItsActivation()
    {
        var probe = host.Grains.GetGrain<IProbeGrain>("timer stops");
        await probe.StartTimer("timer-stops", interleave: false);
        await Tick("timer-stops-1");
        host.Signals.Raise("stop-go");
        await probe.HoldAndDeactivate("stop");
        await host.Signals.Raised("timer stops-gone");

        host.Pass(Period * 3);
        await probe.Who();

        var log = host.Signals.LogOf("timer stops").ToList();
        var end = log.IndexOf("deactivate ApplicationRequested");
        Assert.DoesNotContain(log.Skip(end), step => step.StartsWith("timer-stops", StringComparison.Ordinal));
    }

    // The runtime sets the next tick when the callback has ended, which is just after the callback says so.
    private async Task Tick(string name)
    {
        var raised = host.Signals.Raised(name);
        while (!raised.IsCompleted)
        {
            host.Pass(Period);
            await Task.Yield();
        }

        await raised;
    }
}
