using System.Collections.Immutable;
using System.Reflection;
using Orleans.Runtime;

namespace Orleans.Embedded;

/// <summary>
/// Arguments and results are handed over, not copied: so what can be changed later is refused at start.
/// </summary>
internal static class MessageRules
{
    private static readonly HashSet<Type> Immutable =
    [
        typeof(string), typeof(decimal), typeof(Guid), typeof(Int128), typeof(UInt128), typeof(Uri), typeof(Version),
        typeof(DateTime), typeof(DateTimeOffset), typeof(DateOnly), typeof(TimeOnly), typeof(TimeSpan),
        typeof(ReadOnlyMemory<byte>), typeof(CancellationToken),
    ];

    private static readonly HashSet<Type> ImmutableIfTheirPartsAre =
    [
        typeof(Nullable<>), typeof(ImmutableArray<>), typeof(ImmutableList<>), typeof(ImmutableHashSet<>),
        typeof(ImmutableDictionary<,>), typeof(ImmutableSortedDictionary<,>), typeof(KeyValuePair<,>),
        typeof(ValueTuple<>), typeof(ValueTuple<,>), typeof(ValueTuple<,,>), typeof(ValueTuple<,,,>),
    ];

    /// <summary>Refuses a method that cannot be called from afar.</summary>
    /// <exception cref="OrleansException">Names the interface, the method and the type.</exception>
    public static void Check(Type grainInterface, MethodInfo method)
    {
        if (method.IsGenericMethod) throw Refused(grainInterface, method, "it is generic");

        var result = method.ReturnType;
        if (result != typeof(Task) && result != typeof(ValueTask))
        {
            if (!IsTaskOfValue(result)) throw Refused(grainInterface, method, "it returns no task");

            var value = result.GetGenericArguments()[0];
            if (!IsImmutable(value) && !method.ReturnParameter.IsDefined(typeof(ImmutableAttribute)))
            {
                throw Refused(grainInterface, method, $"its result {value} is not immutable");
            }
        }

        foreach (var parameter in method.GetParameters())
        {
            if (!IsImmutable(parameter.ParameterType) && !parameter.IsDefined(typeof(ImmutableAttribute)))
            {
                throw Refused(grainInterface, method, $"its parameter {parameter.Name} of type {parameter.ParameterType} is not immutable");
            }
        }
    }

    public static bool IsTaskOfValue(Type type) =>
        type.IsGenericType && (type.GetGenericTypeDefinition() == typeof(Task<>) || type.GetGenericTypeDefinition() == typeof(ValueTask<>));

    private static bool IsImmutable(Type type)
    {
        if (type.IsByRef || type.IsPointer) return false;
        if (type.IsPrimitive || type.IsEnum || Immutable.Contains(type)) return true;
        if (type.IsInterface && typeof(IAddressable).IsAssignableFrom(type)) return true;
        if (!type.IsGenericType) return type.IsDefined(typeof(ImmutableAttribute), inherit: false);

        return (type.IsDefined(typeof(ImmutableAttribute), inherit: false) || ImmutableIfTheirPartsAre.Contains(type.GetGenericTypeDefinition()))
            && Array.TrueForAll(type.GetGenericArguments(), IsImmutable);
    }

    private static OrleansException Refused(Type grainInterface, MethodInfo method, string reason) => new(
        $"{grainInterface}.{method.Name} cannot be a grain method: {reason}. "
        + $"Mark message types that never change with [{nameof(ImmutableAttribute)[..^9]}].");
}
