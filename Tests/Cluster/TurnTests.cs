namespace Billing.Tests.Cluster;

[Collection(nameof(GrainHost))]
public sealed class TurnTests(GrainHost host)
{
    [Fact]
    public async Task CallDuringAnotherCall_WaitsForItsEnd()
    {
        var probe = host.Grains.GetGrain<IProbeGrain>("turns");
        var first = probe.Hold("turns-a");
        await host.Signals.Raised("turns-a-in");
        var second = probe.Hold("turns-b");
        Assert.Equal(1, await probe.CountStarted());

        host.Signals.Raise("turns-b-go");
        host.Signals.Raise("turns-a-go");
        await Task.WhenAll(first, second);

        Assert.Equal(
            ["activate", "turns-a in", "turns-a out", "turns-b in", "turns-b out"],
            host.Signals.LogOf("turns"));
    }

    [Fact]
    public async Task CallsOfOneCaller_RunInTheirOrder()
    {
        var probe = host.Grains.GetGrain<IProbeGrain>("order");
        var steps = Enumerable.Range(0, 50).Select(i => $"step {i}").ToArray();

        await Task.WhenAll(steps.Select(probe.Step));

        Assert.Equal(["activate", .. steps], host.Signals.LogOf("order"));
    }

    [Fact]
    public async Task AlwaysInterleave_RunsBetweenTheAwaitsOfAnother()
    {
        var probe = host.Grains.GetGrain<IProbeGrain>("interleave");
        var held = probe.Hold("interleave");
        await host.Signals.Raised("interleave-in");

        Assert.Equal(1, await probe.CountStarted());

        host.Signals.Raise("interleave-go");
        await held;
    }

    [Fact]
    public async Task ReadOnly_RunsBesideReadOnlyButNotBesideOthers()
    {
        var probe = host.Grains.GetGrain<IProbeGrain>("readers");
        var readers = Task.WhenAll(probe.HoldReading("reader-1"), probe.HoldReading("reader-2"));
        await host.Signals.Raised("reader-1-in");
        await host.Signals.Raised("reader-2-in");
        var writer = probe.Hold("writer");
        Assert.Equal(2, await probe.CountStarted());

        host.Signals.Raise("writer-go");
        host.Signals.Raise("reader-1-go");
        host.Signals.Raise("reader-2-go");
        await Task.WhenAll(readers, writer);

        Assert.Equal(["writer in", "writer out"], host.Signals.LogOf("readers")[^2..]);
    }

    [Fact]
    public async Task Reentrant_RunsAllRequestsBesideEachOther()
    {
        var grain = host.Grains.GetGrain<IReentrantGrain>("reentrant");
        var held = grain.Hold("reentrant");
        await host.Signals.Raised("reentrant-in");

        await grain.Release("reentrant");
        await held;
    }

    [Fact]
    public async Task Await_ComesBackToTheSchedulerOfTheActivation() =>
        Assert.True(await host.Grains.GetGrain<IProbeGrain>("schedulers").KeepsItsScheduler());
}
