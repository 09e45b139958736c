namespace Billing.Tests.Cluster;

[Collection(nameof(GrainHost))]
public sealed class TimerTests(GrainHost host)
{
    private static readonly TimeSpan Period = TimeSpan.FromMilliseconds(5);

    [Fact]
    public async Task Timer_FiresAgainAndAgain()
    {
        var probe = host.Grains.GetGrain<IProbeGrain>("timer");
        await probe.StartTimer("timer", interleave: false);

        await Tick(probe, "timer-1");
        await Tick(probe, "timer-2");
        await Tick(probe, "timer-3");
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
        await host.Signals.Raised("timer-waits-1");

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

        await Pass("timer-interleaves-1");

        host.Signals.Raise("beside-go");
        await held;
    }

    [Fact]
    public async Task Timer_StopsWithItsActivation()
    {
        var probe = host.Grains.GetGrain<IProbeGrain>("timer stops");
        await probe.StartTimer("timer-stops", interleave: false);
        await Tick(probe, "timer-stops-1");
        host.Signals.Raise("stop-go");
        await probe.HoldAndDeactivate("stop");
        await host.Signals.Raised("timer stops-gone");

        host.Pass(Period * 3);
        await probe.Who();

        var log = host.Signals.LogOf("timer stops").ToList();
        var end = log.IndexOf("deactivate ApplicationRequested");
        Assert.DoesNotContain(log.Skip(end), step => step.StartsWith("timer-stops", StringComparison.Ordinal));
    }

    // Goes on only when the clock was moved after the tick before had ended: a call has its turn after that.
    private async Task Tick(IProbeGrain probe, string name)
    {
        await probe.Who();
        await Pass(name);
    }

    private Task Pass(string tick)
    {
        host.Pass(Period);
        return host.Signals.Raised(tick);
    }
}
