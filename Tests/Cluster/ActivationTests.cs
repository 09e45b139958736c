using Orleans.Runtime;

namespace Billing.Tests.Cluster;

[Collection(nameof(GrainHost))]
public sealed class ActivationTests(GrainHost host)
{
    [Fact]
    public async Task Reference_ActivatesNothing_FirstCallDoes()
    {
        var probe = host.Grains.GetGrain<IProbeGrain>("first");
        Assert.Empty(host.Signals.LogOf("first"));

        await probe.Who();
        await probe.Who();

        Assert.Equal(["activate"], host.Signals.LogOf("first"));
    }

    [Fact]
    public async Task FailedActivation_FailsTheCall_AndTheNextOneTriesAgain()
    {
        var probe = host.Grains.GetGrain<IProbeGrain>("fails-once");

        var failure = await Assert.ThrowsAsync<InvalidOperationException>(() => probe.Who());
        Assert.Equal("Not this time.", failure.Message);

        Assert.Equal("fails-once", (await probe.Who()).Key);
        Assert.DoesNotContain(host.Signals.LogOf("fails-once"), step => step.StartsWith("deactivate", StringComparison.Ordinal));
    }

    [Fact]
    public async Task DeactivateOnIdle_LetsTheRequestEnd_AndSendsTheQueueToANewActivation()
    {
        var probe = host.Grains.GetGrain<IProbeGrain>("leaves");
        var before = await probe.Who();
        var last = probe.HoldAndDeactivate("leaves");
        await host.Signals.Raised("leaves-in");
        var queued = new[] { probe.Who(), probe.Who() };

        host.Signals.Raise("leaves-go");
        await last;
        var after = await Task.WhenAll(queued);

        Assert.NotEqual(before.Activation, after[0].Activation);
        Assert.Equal(after[0], after[1]);
        await host.Signals.Raised("leaves-gone");
        Assert.Equal(
            ["activate", "leaves in", "leaves out", "deactivate ApplicationRequested", "activate"],
            host.Signals.LogOf("leaves").Where(step => step != "dispose"));
    }

    // How many activations a call meets, and so whether it is given back, depends on when it gets to them.
    [Fact]
    public async Task CallThatMeetsEndingActivations_RunsOnceOrIsGivenBack()
    {
        var probe = host.Grains.GetGrain<IProbeGrain>("all leave");
        var first = probe.Hold("all-leave-0");
        await host.Signals.Raised("all-leave-0-in");
        var calls = Enumerable.Range(1, 6).Select(i => probe.HoldAndDeactivate($"all-leave-{i}")).ToArray();

        for (var i = 0; i <= calls.Length; i++) host.Signals.Raise($"all-leave-{i}-go");

        await first;
        for (var i = 1; i <= calls.Length; i++)
        {
            var failure = await Record.ExceptionAsync(() => calls[i - 1]);
            if (failure is not null) Assert.IsType<OrleansMessageRejectionException>(failure);
            Assert.Equal(failure is null ? 1 : 0, host.Signals.LogOf("all leave").Count(step => step == $"all-leave-{i} in"));
        }

        Assert.Equal("all leave", (await probe.Who()).Key);
    }

    [Fact]
    public async Task DeactivatedGrain_IsDisposedOf()
    {
        var probe = host.Grains.GetGrain<IProbeGrain>("disposed");
        host.Signals.Raise("disposed-go");

        await probe.HoldAndDeactivate("disposed");

        await host.Signals.Raised("disposed-gone");
    }
}
