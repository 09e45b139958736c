using Microsoft.Extensions.DependencyInjection;
using Orleans;
using Orleans.Hosting;
using Orleans.Storage;
#if ORLEANS_CLUSTER
using Orleans.TestingHost;
#else
using Microsoft.Extensions.Hosting;
#endif

namespace Billing.Tests.Cluster;

/// <summary>One host with the grains of the conformance cases, on the runtime this build has.</summary>
public sealed class GrainHost : IAsyncLifetime
{
    public Signals Signals { get; } = new();

    public MemoryStorage Storage { get; } = new();

    private void Configure(ISiloBuilder silo)
    {
        silo.Services.AddSingleton(Signals);
        silo.Services.AddKeyedSingleton<IGrainStorage>("memory", Storage);
        silo.AddIncomingGrainCallFilter<ProbeFilter>();
    }

#if ORLEANS_CLUSTER
    private InProcessTestCluster? _cluster;

    public IGrainFactory Grains => _cluster!.Client;

    /// <summary>Real time passes by itself.</summary>
    public void Pass(TimeSpan time)
    {
    }

    public async Task InitializeAsync()
    {
        var builder = new InProcessTestClusterBuilder(1);
        builder.ConfigureSilo((_, silo) => Configure(silo));
        _cluster = builder.Build();
        await _cluster.DeployAsync();
    }

    public async Task DisposeAsync() => await _cluster!.DisposeAsync();
#else
    private readonly ManualTime _time = new();
    private IHost? _host;

    public IGrainFactory Grains => _host!.Services.GetRequiredService<IGrainFactory>();

    /// <summary>Moves the clock of the runtime.</summary>
    public void Pass(TimeSpan time) => _time.Advance(time);

    public async Task InitializeAsync()
    {
        var builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Services.AddSingleton<TimeProvider>(_time);
        builder.UseOrleans(Configure);
        _host = builder.Build();
        await _host.StartAsync();
    }

    public async Task DisposeAsync()
    {
        await _host!.StopAsync();
        _host.Dispose();
    }
#endif
}

/// <summary>All conformance cases share one host; they differ in the keys of their grains.</summary>
[CollectionDefinition(nameof(GrainHost))]
public sealed class GrainHostCollection : ICollectionFixture<GrainHost>;
