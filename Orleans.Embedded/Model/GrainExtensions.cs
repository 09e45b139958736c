using Orleans.Embedded;
using Orleans.Runtime;

namespace Orleans;

/// <summary>Identity of a grain, from inside it or from a reference to it.</summary>
public static class GrainExtensions
{
    /// <summary>A reference to this grain that can be given away. Inside a grain, give this instead of <c>this</c>.</summary>
    public static TGrainInterface AsReference<TGrainInterface>(this IAddressable grain) =>
        (TGrainInterface)grain.AsReference(typeof(TGrainInterface));

    /// <summary>A reference to this grain that can be given away. Inside a grain, give this instead of <c>this</c>.</summary>
    public static object AsReference(this IAddressable grain, Type interfaceType) => grain switch
    {
        GrainReference reference => reference.Catalog.ReferenceTo(interfaceType, reference.Id),
        IGrainBase instance => Activation.Of(instance).Catalog.ReferenceTo(interfaceType, instance.GrainContext.GrainId),
        _ => throw new ArgumentException($"{grain.GetType()} is neither a grain nor a reference to one.", nameof(grain)),
    };

    /// <summary>The identity of this grain.</summary>
    public static GrainId GetGrainId(this IAddressable grain) => grain switch
    {
        GrainReference reference => reference.Id,
        IGrainBase instance => Activation.Of(instance).GrainId,
        _ => throw new ArgumentException($"{grain.GetType()} is neither a grain nor a reference to one.", nameof(grain)),
    };

    /// <summary>The string key of this grain.</summary>
    public static string GetPrimaryKeyString(this IAddressable grain) => grain.GetGrainId().Key.ToString();
}
