using System.Collections.Concurrent;
using Microsoft.Extensions.Options;
using Orleans.Configuration;
using Orleans.Runtime;

namespace Orleans.Embedded;

/// <summary>The grain classes of the process, and which of them answers an interface.</summary>
internal sealed class GrainClasses
{
    private readonly Dictionary<GrainType, GrainClass> _byType = [];
    private readonly ConcurrentDictionary<Type, Func<GrainCatalog, GrainId, GrainReference>> _proxies = new();
    private readonly ConcurrentDictionary<(Type Interface, string? Prefix), GrainClass> _implementing = new();

    public GrainClasses(IOptions<GrainCollectionOptions> options)
        : this(GrainAssemblies.GrainTypes(), options.Value)
    {
    }

    public GrainClasses(IEnumerable<Type> grainTypes, GrainCollectionOptions options)
    {
        foreach (var grainClass in grainTypes.Select(type => new GrainClass(type, options)))
        {
            if (!_byType.TryAdd(grainClass.Type, grainClass))
            {
                throw new OrleansException(
                    $"{grainClass.InstanceType} and {_byType[grainClass.Type].InstanceType} are both the grain type {grainClass.Type}.");
            }

            foreach (var grainInterface in grainClass.Interfaces) Proxy(grainInterface);
        }
    }

    public GrainClass Of(GrainType type) =>
        _byType.GetValueOrDefault(type) ?? throw new ArgumentException($"No grain class is of type {type}.", nameof(type));

    public Func<GrainCatalog, GrainId, GrainReference> Proxy(Type grainInterface) =>
        _proxies.TryGetValue(grainInterface, out var proxy) ? proxy : _proxies.GetOrAdd(grainInterface, ProxyEmitter.Emit);

    public GrainClass Implementing(Type grainInterface, string? classPrefix) =>
        _implementing.TryGetValue((grainInterface, classPrefix), out var found)
            ? found
            : _implementing.GetOrAdd((grainInterface, classPrefix), FindImplementing);

    private GrainClass FindImplementing((Type Interface, string? Prefix) wanted)
    {
        var found = _byType.Values
            .Where(candidate => candidate.Interfaces.Contains(wanted.Interface))
            .Where(candidate => wanted.Prefix is null || candidate.InstanceType.FullName!.StartsWith(wanted.Prefix, StringComparison.Ordinal))
            .ToList();

        // Of several classes, the one that is named like the interface is meant.
        var namesake = found.Find(candidate => "I" + candidate.InstanceType.Name == wanted.Interface.Name);
        return found switch
        {
            [var only] => only,
            _ when namesake is not null => namesake,
            [] => throw new ArgumentException($"No grain class implements {wanted.Interface} (prefix: {wanted.Prefix ?? "none"}).", nameof(wanted)),
            _ => throw new ArgumentException(
                $"Several grain classes implement {wanted.Interface}: {string.Join(", ", found.Select(c => c.InstanceType))}.", nameof(wanted)),
        };
    }
}
