namespace Billing.Tests.Cluster;

[Collection(nameof(GrainHost))]
public sealed class FilterTests(GrainHost host)
{
    [Fact]
    public async Task Filter_SeesTheCallAndMayChangeTheAnswer()
    {
        Assert.Equal("from the grain, changed", await host.Grains.GetGrain<IProbeGrain>("filter caller").FilteredBy("changes"));

        Assert.Contains("IProbeGrain.Filtered from probe/filter caller", host.Signals.LogOf("changes"));
        Assert.Contains("ProbeGrain True", host.Signals.LogOf("changes"));
    }

    [Fact]
    public async Task CallerOutsideOfGrains_IsAClient()
    {
        await host.Grains.GetGrain<IProbeGrain>("answers an outsider").Filtered("x");

        Assert.StartsWith("IProbeGrain.Filtered from sys.client/", host.Signals.LogOf("answers an outsider")[1], StringComparison.Ordinal);
    }

    [Fact]
    public async Task Filter_MayAnswerInPlaceOfTheGrain() =>
        Assert.Equal("from the filter", await host.Grains.GetGrain<IProbeGrain>("answers").Filtered("x"));

    [Fact]
    public async Task ExceptionOfAFilter_ReachesTheCaller() =>
        await Assert.ThrowsAsync<UnauthorizedAccessException>(() => host.Grains.GetGrain<IProbeGrain>("refuses").Filtered("x"));

    [Fact]
    public async Task FilterThatNeitherGoesOnNorAnswers_IsAnError() =>
        await Assert.ThrowsAsync<InvalidOperationException>(() => host.Grains.GetGrain<IProbeGrain>("forgets").Filtered("x"));
}
