using Orleans.Runtime;

namespace Orleans.Embedded;

/// <summary>A grain as its callers hold it. The emitted subclasses turn methods into calls.</summary>
internal abstract class GrainReference(GrainCatalog catalog, GrainId id) : IAddressable, IEquatable<GrainReference>
{
    // Spares the look-up while the activation lives. A stale one refuses the call and is replaced.
    private Activation? _last;

    public GrainCatalog Catalog => catalog;

    public GrainId Id => id;

    public bool Equals(GrainReference? other) => other is not null && Id == other.Id;

    public override bool Equals(object? obj) => Equals(obj as GrainReference);

    public override int GetHashCode() => Id.GetHashCode();

    public override string ToString() => Id.ToString();

    protected Task Send(VoidCall call)
    {
        Dispatch(call);
        return call.Task;
    }

    protected Task<T> Send<T>(ValueCall<T> call)
    {
        Dispatch(call);
        return call.Task;
    }

    private void Dispatch(GrainCall call) => _last = catalog.Send(call, id, _last);
}
