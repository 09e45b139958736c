using System.Reflection;
using Microsoft.Extensions.DependencyInjection;
using Orleans.Concurrency;
using Orleans.Configuration;
using Orleans.Core;
using Orleans.Runtime;
using Orleans.Storage;

namespace Orleans.Embedded;

/// <summary>What is fixed about a grain class, and how to make an instance.</summary>
internal sealed class GrainClass
{
    private readonly Facet[] _records;
    private readonly ObjectFactory _create;

    public GrainClass(Type instanceType, GrainCollectionOptions options)
    {
        InstanceType = instanceType;
        Type = GrainType.Create(NameOf(instanceType));
        IsReentrant = instanceType.IsDefined(typeof(ReentrantAttribute));
        CollectionAge = options.ClassSpecificCollectionAge.TryGetValue(instanceType.FullName!, out var age)
            ? age
            : instanceType.GetCustomAttribute<CollectionAgeLimitAttribute>()?.AgeLimit ?? options.CollectionAge;
        Interfaces = instanceType.GetInterfaces()
            .Where(type => typeof(IGrain).IsAssignableFrom(type) && type != typeof(IGrain) && type != typeof(IGrainWithStringKey))
            .ToArray();
        _records = RecordsOf(instanceType);
        _create = ActivatorUtilities.CreateFactory(instanceType, _records.Select(record => record.ParameterType).ToArray());
    }

    public Type InstanceType { get; }

    public GrainType Type { get; }

    public IReadOnlyList<Type> Interfaces { get; }

    public bool IsReentrant { get; }

    public TimeSpan CollectionAge { get; }

    public IStorage[] CreateRecords(IServiceProvider services, Activation activation) =>
        Array.ConvertAll(_records, record => record.Create(services, activation));

    public object CreateGrain(IServiceProvider services, IStorage[] records) => _create(services, records);

    private static string NameOf(Type type)
    {
        var name = type.Name.ToLowerInvariant();
        const string Ending = "grain";
        return name.Length > Ending.Length && name.EndsWith(Ending, StringComparison.Ordinal) ? name[..^Ending.Length] : name;
    }

    private static Facet[] RecordsOf(Type instanceType) => instanceType.GetConstructors()
        .Select(constructor => constructor.GetParameters()
            .Select(parameter => (parameter.ParameterType, Attribute: parameter.GetCustomAttribute<PersistentStateAttribute>()))
            .Where(parameter => parameter.Attribute is not null)
            .Select(parameter => new Facet(parameter.ParameterType, parameter.Attribute!))
            .ToArray())
        .MaxBy(records => records.Length) ?? [];

    private sealed record Facet(Type ParameterType, PersistentStateAttribute Attribute)
    {
        private readonly Type _recordType = typeof(PersistentState<>).MakeGenericType(ParameterType.GetGenericArguments());

        public IStorage Create(IServiceProvider services, Activation activation)
        {
            var store = string.IsNullOrWhiteSpace(Attribute.StorageName)
                ? services.GetService<IGrainStorage>()
                : services.GetKeyedService<IGrainStorage>(Attribute.StorageName);
            if (store is null)
            {
                throw new OrleansException(
                    $"No {nameof(IGrainStorage)} is registered as {Attribute.StorageName ?? "the default"}, which {activation.GrainId} asks for.");
            }

            return (IStorage)Activator.CreateInstance(_recordType, Attribute.StateName, activation.GrainId, store)!;
        }
    }
}
