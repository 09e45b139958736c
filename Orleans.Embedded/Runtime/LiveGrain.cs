using Microsoft.Extensions.DependencyInjection;
using Orleans.Core;

namespace Orleans.Embedded;

/// <summary>The grain object of an activation, with the scope of services and the records that live as long as it.</summary>
internal sealed class LiveGrain
{
    private readonly AsyncServiceScope _scope;
    private readonly IStorage[] _records;

    private LiveGrain(AsyncServiceScope scope, IStorage[] records, object grain)
    {
        _scope = scope;
        _records = records;
        Grain = grain;
    }

    public object Grain { get; }

    public IServiceProvider Services => _scope.ServiceProvider;

    public static LiveGrain Create(GrainClass grainClass, Activation activation)
    {
        var scope = activation.Catalog.Services.CreateAsyncScope();
        var records = grainClass.CreateRecords(scope.ServiceProvider, activation);
        return new(scope, records, grainClass.CreateGrain(scope.ServiceProvider, records));
    }

    public async Task Start(CancellationToken timeout)
    {
        foreach (var record in _records)
        {
            await record.ReadStateAsync(timeout).WaitAsync(timeout);
        }

        if (Grain is IGrainBase grain) await grain.OnActivateAsync(timeout).WaitAsync(timeout);
    }

    public async Task Stop(DeactivationReason reason, Activation activation)
    {
        using var timeout = new CancellationTokenSource(activation.Catalog.Options.DeactivationTimeout, activation.Catalog.Clock);
        try
        {
            if (Grain is IGrainBase grain) await grain.OnDeactivateAsync(reason, timeout.Token).WaitAsync(timeout.Token);
        }
        catch (Exception exception)
        {
            activation.Catalog.Log.DeactivationFailed(exception, activation.GrainId);
        }
    }

    public async Task Dispose(RuntimeLog log)
    {
        try
        {
            if (Grain is IAsyncDisposable asyncDisposable) await asyncDisposable.DisposeAsync();
            else (Grain as IDisposable)?.Dispose();
            await _scope.DisposeAsync();
        }
        catch (Exception exception)
        {
            log.DisposeFailed(exception, Grain.GetType());
        }
    }
}
