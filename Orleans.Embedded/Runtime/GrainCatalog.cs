using System.Collections.Concurrent;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Orleans.Configuration;
using Orleans.Runtime;

namespace Orleans.Embedded;

/// <summary>All activations of the process, at most one per grain, and the way of a call to them.</summary>
internal sealed class GrainCatalog
{
    private readonly ConcurrentDictionary<GrainId, Activation> _activations = new();
    private readonly GrainClasses _classes;
    private readonly ResponseDeadlines _deadlines;
    private volatile bool _stopping;

    public GrainCatalog(
        IServiceProvider services,
        GrainClasses classes,
        WorkQueue threads,
        TimeProvider clock,
        IOptions<GrainCollectionOptions> options,
        RuntimeLog log)
    {
        Services = services;
        Threads = threads;
        Clock = clock;
        Options = options.Value;
        Log = log;
        Filters = services.GetServices<IIncomingGrainCallFilter>().ToArray();
        _classes = classes;
        _deadlines = new(this);
    }

    public IServiceProvider Services { get; }

    public WorkQueue Threads { get; }

    public TimeProvider Clock { get; }

    public GrainCollectionOptions Options { get; }

    public RuntimeLog Log { get; }

    public IIncomingGrainCallFilter[] Filters { get; }

    public ICollection<Activation> Activations => _activations.Values;

    /// <summary>A reference by this interface to this grain.</summary>
    public GrainReference ReferenceTo(Type interfaceType, GrainId id) => _classes.Proxy(interfaceType)(this, id);

    /// <summary>A reference by this interface to the grain with this key.</summary>
    public GrainReference ReferenceTo(Type interfaceType, string key, string? classPrefix)
    {
        ArgumentNullException.ThrowIfNull(key);
        return _classes.Proxy(interfaceType)(this, new(_classes.Implementing(interfaceType, classPrefix).Type, IdSpan.Create(key)));
    }

    /// <summary>Sends a call off. Gives the activation that took it, or null if none could.</summary>
    public Activation? Send(GrainCall call, GrainId target, Activation? last)
    {
        _deadlines.Watch();
        call.Prepare(target);
        return last is not null && last.TryTake(call) ? last : Deliver(call);
    }

    /// <summary>Brings a call to the activation of its grain, making one if there is none.</summary>
    public Activation? Deliver(GrainCall call)
    {
        while (true)
        {
            if (!_activations.TryGetValue(call.Target, out var activation))
            {
                if (_stopping)
                {
                    call.Fail(new SiloUnavailableException($"The host is stopping: {call} of {call.Target} did not run."));
                    return null;
                }

                activation = _activations.GetOrAdd(
                    call.Target, static (id, catalog) => new(catalog, catalog._classes.Of(id.Type), id), this);
            }

            if (activation.TryTake(call)) return activation;
        }
    }

    public void Remove(Activation activation) => _activations.TryRemove(new(activation.GrainId, activation));

    /// <summary>Ends all activations; those that wait for each other get their time.</summary>
    public async Task Stop(CancellationToken cancellation)
    {
        _stopping = true;
        while (!_activations.IsEmpty)
        {
            var left = _activations.Values;
            foreach (var activation in left)
            {
                activation.Deactivate(new(DeactivationReasonCode.ShuttingDown, "The host is stopping."));
            }

            try
            {
                await Task.WhenAll(left.Select(activation => activation.Deactivated)).WaitAsync(cancellation);
            }
            catch (OperationCanceledException)
            {
                Log.StopIncomplete(_activations.Count);
                return;
            }
        }
    }
}
