using Billing.Tests.Cluster;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Orleans;
using Orleans.Hosting;
using Orleans.Storage;

namespace Billing.Tests.Embedded;

/// <summary>A host of its own for one test, with a clock that the test moves.</summary>
internal sealed class EmbeddedHost : IAsyncDisposable
{
    private readonly IHost _host;

    private EmbeddedHost(IHost host, ManualTime time, Signals signals)
    {
        _host = host;
        Time = time;
        Signals = signals;
    }

    public ManualTime Time { get; }

    public Signals Signals { get; }

    public IClusterClient Grains => _host.Services.GetRequiredService<IClusterClient>();

    public static async Task<EmbeddedHost> Start(Action<ISiloBuilder>? configure = null)
    {
        var time = new ManualTime();
        var signals = new Signals();
        var builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Services.AddSingleton<TimeProvider>(time);
        builder.Services.AddSingleton(signals);
        builder.Services.AddKeyedSingleton<IGrainStorage>("memory", new MemoryStorage());
        builder.UseOrleans(configure ?? (_ => { }));
        var host = builder.Build();
        await host.StartAsync();
        return new(host, time, signals);
    }

    public Task Stop() => _host.StopAsync();

    public async ValueTask DisposeAsync()
    {
        await Stop();
        _host.Dispose();
    }
}
