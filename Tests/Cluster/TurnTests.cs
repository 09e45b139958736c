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

    // Orleans promises no order of calls that do not wait for each other: those that meet no activation yet may overtake.
    [Fact]
    public async Task CallsOfOneCaller_AllRunOnce_AndOnlyThoseThatWereAwaitedInOrder()
    {
        var probe = host.Grains.GetGrain<IProbeGrain>("order");
        var steps = Enumerable.Range(0, 50).Select(i => $"step {i}").ToArray();

        await Task.WhenAll(steps[..40].Select(probe.Step));
        foreach (var step in steps[40..]) await probe.Step(step);

        var log = host.Signals.LogOf("order");
        Assert.Equal("activate", log[0]);
        Assert.Equal(steps[..40].Order(StringComparer.Ordinal), log[1..41].Order(StringComparer.Ordinal));
        Assert.Equal(steps[40..], log[41..]);
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

    // Only the reader that was let in first holds a writer back: when it has ended, Orleans lets one run beside the other readers.
    [Fact]
    public async Task ReadOnly_RunsBesideReadOnly_AndHoldsOthersBackWhileTheFirstRuns()
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

        var log = host.Signals.LogOf("readers").ToList();
        var first = log[1].Split(' ')[0];
        Assert.Equal(["reader-1 in", "reader-2 in"], log[1..3].Order(StringComparer.Ordinal));
        Assert.True(log.IndexOf("writer in") > log.IndexOf(first + " out"), string.Join(", ", log));
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
