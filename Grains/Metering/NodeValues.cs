namespace Billing.Metering;

/// <summary>Something that is kept for each node of <see cref="Timelines"/>: a column beside them. What was never set is the default.</summary>
internal sealed class NodeValues<T>
{
    private T[] _values = [];

    /// <summary>Makes room for the nodes below a number.</summary>
    public void Reserve(int nodes)
    {
        if (_values.Length < nodes) Array.Resize(ref _values, nodes);
    }

    public ref T this[int node]
    {
        get
        {
            if (node >= _values.Length) Array.Resize(ref _values, int.Max(4, int.Max(node + 1, _values.Length + (_values.Length / 2))));
            return ref _values[node];
        }
    }
}
