using System.Buffers;
using System.Buffers.Binary;
using System.Runtime.CompilerServices;

namespace Billing.Deduplication;

/// <summary>Brings the ids of several segments into one ascending order, one range of hashes after the other.</summary>
/// <remarks>Often the first work of a process, so its loops are compiled once and well instead of twice.</remarks>
internal sealed class IdMerge : IDisposable
{
    private const int BucketBits = 12;

    private readonly (int ExpiryDay, ReadOnlyMemory<byte> Ids)[] _segments;
    private readonly int[] _read;
    private readonly int[] _buckets = new int[(1 << BucketBits) + 1];
    private IdEntry[] _entries = ArrayPool<IdEntry>.Shared.Rent(4_096);
    private IdEntry[] _sorted = ArrayPool<IdEntry>.Shared.Rent(4_096);
    private int _count;

    /// <exception cref="FormatException">A segment is no multiple of an id long, or has no day.</exception>
    public IdMerge(IReadOnlyList<(int ExpiryDay, ReadOnlyMemory<byte> Ids)> segments)
    {
        _segments = [.. segments];
        _read = new int[_segments.Length];
        foreach (var (day, ids) in _segments)
        {
            if (ids.Length % RememberedIds.SealedEntryBytes != 0 || day is < 1 or > ushort.MaxValue)
                throw new FormatException($"A segment of remembered ids for the day {day} is {ids.Length} bytes long, which is no multiple of {RememberedIds.SealedEntryBytes}, or has no day. Nothing was loaded.");
            Count += ids.Length / RememberedIds.SealedEntryBytes;
        }
    }

    /// <summary>The ids of all segments; one that stands in two counts twice.</summary>
    public int Count { get; }

    public void Add(in IdEntry entry)
    {
        if (_count == _entries.Length) Grow(_count * 2);
        _entries[_count++] = entry;
    }

    /// <summary>A table of what was added since the last one, and of the segments' ids up to a first half of a hash; each hash once, with its latest day.</summary>
    /// <param name="lastHigh">The first half.</param>
    /// <param name="depth">How many first bits all these hashes share.</param>
    /// <exception cref="FormatException">The ids of a segment are not in ascending order.</exception>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public IdTable TableUntil(ulong lastHigh, int depth)
    {
        TakeUntil(lastHigh);
        Sort(depth);
        var sorted = _sorted.AsSpan(0, _count);
        var distinct = 0;
        for (var i = 0; i < sorted.Length; i++)
            if (distinct == 0 || sorted[distinct - 1].High != sorted[i].High || sorted[distinct - 1].Low != sorted[i].Low) sorted[distinct++] = sorted[i];

        var table = new IdTable(depth, distinct);
        for (var i = 0; i < distinct; i++) table.Append(sorted[i].High, sorted[i].Low, sorted[i].Fingerprint, sorted[i].ExpiryDay);
        _count = 0;
        return table;
    }

    public void Dispose()
    {
        ArrayPool<IdEntry>.Shared.Return(_entries);
        ArrayPool<IdEntry>.Shared.Return(_sorted);
        (_entries, _sorted) = ([], []);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void TakeUntil(ulong lastHigh)
    {
        for (var i = 0; i < _segments.Length; i++)
        {
            var ids = _segments[i].Ids.Span;
            var day = (ushort)_segments[i].ExpiryDay;
            var at = _read[i];
            var (lastReadHigh, lastReadLow) = at == 0 ? (0UL, 0UL) : HashAt(ids, at - RememberedIds.SealedEntryBytes);
            for (; at < ids.Length; at += RememberedIds.SealedEntryBytes)
            {
                var (high, low) = HashAt(ids, at);
                if (high > lastHigh) break;
                if (at > 0 && (high < lastReadHigh || (high == lastReadHigh && low <= lastReadLow)))
                    throw new FormatException($"The segment of remembered ids for the day {day} is not in ascending order. Nothing was loaded.");
                Add(new(high, low, BinaryPrimitives.ReadUInt32BigEndian(ids[(at + 16)..]), day));
                (lastReadHigh, lastReadLow) = (high, low);
            }

            _read[i] = at;
        }
    }

    private static (ulong High, ulong Low) HashAt(ReadOnlySpan<byte> ids, int at) =>
        (BinaryPrimitives.ReadUInt64BigEndian(ids[at..]), BinaryPrimitives.ReadUInt64BigEndian(ids[(at + 8)..]));

    // Hashes are spread evenly: buckets by their next bits leave few to be put into order by hand.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Sort(int depth)
    {
        var buckets = _buckets.AsSpan();
        buckets.Clear();
        var entries = _entries.AsSpan(0, _count);
        foreach (ref readonly var entry in entries) buckets[BucketOf(entry, depth) + 1]++;
        for (var i = 1; i < buckets.Length; i++) buckets[i] += buckets[i - 1];
        var sorted = _sorted.AsSpan(0, _count);
        foreach (ref readonly var entry in entries) sorted[buckets[BucketOf(entry, depth)]++] = entry;
        for (var i = 1; i < sorted.Length; i++)
        {
            var entry = sorted[i];
            var to = i;
            for (; to > 0 && IsBefore(entry, sorted[to - 1]); to--) sorted[to] = sorted[to - 1];
            sorted[to] = entry;
        }
    }

    private static int BucketOf(in IdEntry entry, int depth) => (int)((entry.High << depth) >> (64 - BucketBits));

    private static bool IsBefore(in IdEntry entry, in IdEntry other) =>
        entry.High != other.High ? entry.High < other.High : entry.Low != other.Low ? entry.Low < other.Low : entry.ExpiryDay > other.ExpiryDay;

    private void Grow(int capacity)
    {
        var bigger = ArrayPool<IdEntry>.Shared.Rent(capacity);
        _entries.AsSpan(0, _count).CopyTo(bigger);
        ArrayPool<IdEntry>.Shared.Return(_entries);
        _entries = bigger;
        ArrayPool<IdEntry>.Shared.Return(_sorted);
        _sorted = ArrayPool<IdEntry>.Shared.Rent(bigger.Length);
    }
}
