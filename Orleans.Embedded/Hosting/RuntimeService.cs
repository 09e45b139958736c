using Microsoft.Extensions.Hosting;

namespace Orleans.Embedded;

/// <summary>Starts the runtime with the host: checks all grain types, looks for idle activations, and ends all of them with the host.</summary>
internal sealed class RuntimeService(GrainCatalog catalog, IServiceProvider services, IEnumerable<StartupTask> startupTasks)
    : IHostedService, IDisposable
{
    private ITimer? _collection;

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        var round = catalog.Options.CollectionQuantum;
        _collection = catalog.Clock.CreateTimer(_ => CollectIdle(), null, round, round);
        foreach (var task in startupTasks.OrderBy(task => task.Stage))
        {
            await task.Run(services, cancellationToken);
        }
    }

    public async Task StopAsync(CancellationToken cancellationToken)
    {
        _collection?.Dispose();
        await catalog.Stop(cancellationToken);
    }

    public void Dispose() => _collection?.Dispose();

    private void CollectIdle()
    {
        foreach (var activation in catalog.Activations) activation.CollectIfIdle();
    }
}

/// <summary>Work that is done once when the host starts, in order of its stage.</summary>
internal sealed record StartupTask(int Stage, Func<IServiceProvider, CancellationToken, Task> Run);
