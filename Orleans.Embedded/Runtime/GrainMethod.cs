using System.Reflection;
using Orleans.Concurrency;

namespace Orleans.Embedded;

/// <summary>What is fixed about a method of a grain interface.</summary>
internal sealed class GrainMethod
{
    public GrainMethod(Type interfaceType, MethodInfo method)
    {
        InterfaceType = interfaceType;
        Info = method;
        Interleaves = method.IsDefined(typeof(AlwaysInterleaveAttribute));
        IsReadOnly = method.IsDefined(typeof(ReadOnlyAttribute));
        IsOneWay = method.IsDefined(typeof(OneWayAttribute));
        Timeout = method.GetCustomAttribute<ResponseTimeoutAttribute>()?.Timeout ?? TimeSpan.FromSeconds(30);
        IsCancellable = method.GetParameters().Any(parameter => parameter.ParameterType == typeof(CancellationToken));
    }

    public Type InterfaceType { get; }

    public MethodInfo Info { get; }

    public bool Interleaves { get; }

    public bool IsReadOnly { get; }

    public bool IsOneWay { get; }

    public bool IsCancellable { get; }

    public TimeSpan Timeout { get; }

    public override string ToString() => $"{InterfaceType}.{Info.Name}";
}
