using Orleans.Runtime;

namespace Billing.Tests.Cluster;

[Collection(nameof(GrainHost))]
public sealed class ContextTests(GrainHost host)
{
    [Fact]
    public async Task ValueOfTheCaller_IsSeenByTheGrain()
    {
        RequestContext.Set("user", "ann");

        Assert.Equal("ann", await host.Grains.GetGrain<IProbeGrain>("context").ReadContext("user"));
    }

    [Fact]
    public async Task ValueOfTheCaller_TravelsFromGrainToGrain()
    {
        RequestContext.Set("user", "ben");
        var other = host.Grains.GetGrain<IProbeGrain>("context callee");

        Assert.Equal("ben", await host.Grains.GetGrain<IProbeGrain>("context caller").ReadContextOf(other, "user"));
    }

    [Fact]
    public async Task ValueSetByTheGrain_StaysInItsRequest()
    {
        RequestContext.Set("user", "cid");
        var probe = host.Grains.GetGrain<IProbeGrain>("context isolated");

        Assert.Equal("dan", await probe.SetContext("user", "dan"));

        Assert.Equal("cid", RequestContext.Get("user"));
        RequestContext.Clear();
        Assert.Null(await probe.ReadContext("user"));
    }

    [Fact]
    public void RemovedValue_IsGone_AndOthersStay()
    {
        RequestContext.Set("a", "1");
        RequestContext.Set("b", "2");

        Assert.True(RequestContext.Remove("a"));
        Assert.False(RequestContext.Remove("a"));

        Assert.Null(RequestContext.Get("a"));
        Assert.Equal(["b"], RequestContext.Keys);
        Assert.Equal([new("b", "2")], RequestContext.Entries);
    }

    [Fact]
    public async Task ValueSetInAChildFlow_DoesNotReachItsParent()
    {
        RequestContext.Set("a", "parent");

        await Task.Run(() => RequestContext.Set("a", "child"));

        Assert.Equal("parent", RequestContext.Get("a"));
    }
}
