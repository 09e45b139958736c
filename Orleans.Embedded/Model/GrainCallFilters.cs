using System.Reflection;
using Orleans.Runtime;

namespace Orleans;

/// <summary>Stands around every call to a grain of this host.</summary>
public interface IIncomingGrainCallFilter
{
    /// <summary>Sees a call. It goes on with <see cref="IGrainCallContext.Invoke"/>, or answers by setting the result.</summary>
    Task Invoke(IIncomingGrainCallContext context);
}

/// <summary>A filter that is only a method.</summary>
public delegate Task IncomingGrainCallFilterDelegate(IIncomingGrainCallContext context);

/// <summary>A call on its way.</summary>
public interface IGrainCallContext
{
    /// <summary>The grain object that is called.</summary>
    object Grain { get; }

    /// <summary>The grain that calls; for a caller outside of grains its client, of kind <c>sys.client</c>.</summary>
    GrainId? SourceId { get; }

    /// <summary>The grain that is called.</summary>
    GrainId TargetId { get; }

    /// <summary>The full name of the interface.</summary>
    string InterfaceName { get; }

    /// <summary>The name of the method.</summary>
    string MethodName { get; }

    /// <summary>The method as the interface declares it.</summary>
    MethodInfo InterfaceMethod { get; }

    /// <summary>The answer: to be read after <see cref="Invoke"/>, or set to give another one.</summary>
    object? Result { get; set; }

    /// <summary>Goes on to the next filter, and at last to the grain. An exception of the grain comes out here.</summary>
    Task Invoke();
}

/// <summary>A call that arrives.</summary>
public interface IIncomingGrainCallContext : IGrainCallContext
{
    /// <summary>The activation that is called.</summary>
    IGrainContext TargetContext { get; }

    /// <summary>The method as the grain class implements it.</summary>
    MethodInfo ImplementationMethod { get; }
}
