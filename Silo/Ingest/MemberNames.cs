namespace Billing.Silo.Ingest;

/// <summary>The names of the members of the JSON objects under way, as hashes, an inner object's above those of the outer.</summary>
internal sealed class MemberNames
{
    private const int ComparedOneByOneMax = 12;
    private const int KeptNamesMax = 1_024;

    private UInt128[] _hashes = new UInt128[64];
    private int[] _starts = new int[64];

    /// <summary>How many names are held.</summary>
    public int Count { get; private set; }

    /// <summary>Adds a name to the innermost object.</summary>
    /// <param name="hash">The hash of the name without escapes.</param>
    /// <param name="start">Where in the event it stands.</param>
    public void Push(UInt128 hash, int start)
    {
        if (Count == _hashes.Length)
        {
            Array.Resize(ref _hashes, Count * 2);
            Array.Resize(ref _starts, Count * 2);
        }

        _hashes[Count] = hash;
        _starts[Count] = start;
        Count++;
    }

    /// <summary>Takes away the innermost object's names.</summary>
    /// <param name="from">The <see cref="Count"/> when the object began.</param>
    /// <returns>Where a name stands that the object has twice; -1 if it has none.</returns>
    public int Pop(int from)
    {
        var hashes = _hashes.AsSpan(from, Count - from);
        var starts = _starts.AsSpan(from, Count - from);
        Count = from;
        if (hashes.Length <= ComparedOneByOneMax)
        {
            for (var i = 1; i < hashes.Length; i++)
            {
                if (hashes[..i].Contains(hashes[i]))
                    return starts[i];
            }

            return -1;
        }

        hashes.Sort(starts);
        for (var i = 1; i < hashes.Length; i++)
        {
            if (hashes[i] == hashes[i - 1])
                return starts[i] > starts[i - 1] ? starts[i] : starts[i - 1];
        }

        return -1;
    }

    /// <summary>Forgets all names, and gives back memory that only an unusual event needs.</summary>
    public void Clear()
    {
        Count = 0;
        if (_hashes.Length <= KeptNamesMax)
            return;

        _hashes = new UInt128[64];
        _starts = new int[64];
    }
}
