using Orleans;
using Orleans.Storage;

namespace Billing.Tests.Cluster;

[Collection(nameof(GrainHost))]
public sealed class PersistentStateTests(GrainHost host)
{
    [Fact]
    public async Task WrittenState_IsReadByTheNextActivation()
    {
        var counter = host.Grains.GetGrain<ICounterGrain>("kept");
        await counter.Add(2);
        await counter.Add(3);

        await counter.Deactivate();

        Assert.Equal(5, await counter.Read());
        Assert.True(await counter.Exists());
    }

    [Fact]
    public async Task NothingStored_IsANewState()
    {
        var counter = host.Grains.GetGrain<ICounterGrain>("new");

        Assert.Equal(0, await counter.Read());
        Assert.False(await counter.Exists());
    }

    [Fact]
    public async Task ClearedState_IsNewInTheNextActivation()
    {
        var counter = host.Grains.GetGrain<ICounterGrain>("cleared");
        await counter.Add(2);

        await counter.Clear();
        await counter.Deactivate();

        Assert.Equal(0, await counter.Read());
        Assert.False(await counter.Exists());
    }

    [Fact]
    public async Task Conflict_FailsTheCall_AndTheNextActivationReadsWhatIsStored()
    {
        var counter = host.Grains.GetGrain<ICounterGrain>("conflict");
        await counter.Add(1);
        host.Storage.ChangeBehindTheGrain("count", counter.GetGrainId(), new Count(100));

        await Assert.ThrowsAsync<InconsistentStateException>(() => counter.Add(1));

        Assert.Equal(101, await counter.Add(1));
    }
}
