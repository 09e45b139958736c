using Orleans;

namespace Billing.Tests.Cluster;

[Collection(nameof(GrainHost))]
public sealed class CallTests(GrainHost host)
{
    [Fact]
    public async Task ArgumentAndResult_Arrive()
    {
        var note = new Note("hello", long.MaxValue);

        Assert.Equal(note, await host.Grains.GetGrain<IProbeGrain>("echo").Echo(note));
        Assert.Null(await host.Grains.GetGrain<IProbeGrain>("echo").Echo(null));
    }

    [Fact]
    public async Task SameKey_IsTheSameActivation()
    {
        var first = await host.Grains.GetGrain<IProbeGrain>("same").Who();
        var second = await host.Grains.GetGrain<IProbeGrain>("same").Who();

        Assert.Equal(first, second);
        Assert.Equal("same", first.Key);
        Assert.Equal("probe/same", first.Id);
    }

    [Fact]
    public async Task OtherKey_IsAnotherActivation()
    {
        var one = await host.Grains.GetGrain<IProbeGrain>("one").Who();
        var other = await host.Grains.GetGrain<IProbeGrain>("other").Who();

        Assert.NotEqual(one.Activation, other.Activation);
    }

    [Theory]
    [InlineData("with spaces and / slashes")]
    [InlineData("ünïcode ✓")]
    public async Task AnyText_IsAKey(string key) =>
        Assert.Equal(key, (await host.Grains.GetGrain<IProbeGrain>(key).Who()).Key);

    [Fact]
    public async Task GrainCallsGrain()
    {
        var note = new Note("passed on", 7);

        Assert.Equal(note, await host.Grains.GetGrain<IProbeGrain>("caller").EchoBy("callee", note));
    }

    [Fact]
    public async Task ReferenceGivenAway_LeadsToTheGrain()
    {
        var probe = host.Grains.GetGrain<IProbeGrain>("self");

        var self = await probe.Self();

        Assert.Equal(await probe.Who(), await self.Who());
        Assert.Equal(probe.GetGrainId(), self.GetGrainId());
        Assert.Equal("self", self.GetPrimaryKeyString());
    }

    [Fact]
    public async Task ExceptionAtOnce_ReachesTheCaller()
    {
        var call = host.Grains.GetGrain<IProbeGrain>("throws").Throw("at once");

        Assert.Equal("at once", (await Assert.ThrowsAsync<InvalidOperationException>(() => call)).Message);
    }

    [Fact]
    public async Task ExceptionAfterAnAwait_ReachesTheCaller_AndTheGrainGoesOn()
    {
        var probe = host.Grains.GetGrain<IProbeGrain>("throws later");
        var before = await probe.Who();

        await Assert.ThrowsAsync<InvalidOperationException>(async () => await probe.ThrowLater("later"));

        Assert.Equal(before, await probe.Who());
    }

    [Fact]
    public async Task OneWay_DoesNotWaitAndHearsNoFailure()
    {
        var probe = host.Grains.GetGrain<IProbeGrain>("one-way");

        await probe.Forget("forgotten");

        await host.Signals.Raised("forgotten");
    }

    [Fact]
    public async Task CancelledCall_EndsForTheCallerAndTellsTheGrain()
    {
        using var source = new CancellationTokenSource();
        var probe = host.Grains.GetGrain<IProbeGrain>("cancel");
        var call = probe.WaitForCancellation("cancel", source.Token);
        await host.Signals.Raised("cancel-in");

        await source.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => call);
        await host.Signals.Raised("cancel-cancelled");
    }

    [Fact]
    public async Task TokenThatIsNeverCancelled_ChangesNothing()
    {
        var probe = host.Grains.GetGrain<IProbeGrain>("no cancel");
        var call = probe.WaitForCancellation("no-cancel", CancellationToken.None);
        await host.Signals.Raised("no-cancel-in");

        host.Signals.Raise("no-cancel-cancelled");

        await call;
    }
}
