using System.Buffers;
using System.Buffers.Binary;

namespace Billing.Deduplication;

/// <summary>Brings the ids of several segments into one ascending order, one range of hashes after the other.</summary>
internal sealed class IdMerge : IDisposable
{
    private readonly (int ExpiryDay, ReadOnlyMemory<byte> Ids)[] _segments;
    private readonly int[] _read;
    private IdEntry[] _entries = ArrayPool<IdEntry>.Shared.Rent(4_096);
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
        if (_count == _entries.Length)
        {
            var bigger = ArrayPool<IdEntry>.Shared.Rent(_count * 2);
            _entries.CopyTo(bigger, 0);
            ArrayPool<IdEntry>.Shared.Return(_entries);
            _entries = bigger;
        }

        _entries[_count++] = entry;
    }

    /// <summary>A table of what was added since the last one, and of the segments' ids up to a first half of a hash; each hash once, with its latest day.</summary>
    /// <exception cref="FormatException">The ids of a segment are not in ascending order.</exception>
    public IdTable TableUntil(ulong lastHigh, int depth)
    {
        TakeUntil(lastHigh);
        var entries = InOrder();
        var table = new IdTable(depth, entries.Length);
        foreach (ref readonly var entry in entries) table.Append(entry.High, entry.Low, entry.Fingerprint, entry.ExpiryDay);
        _count = 0;
        return table;
    }

    public void Dispose()
    {
        ArrayPool<IdEntry>.Shared.Return(_entries);
        _entries = [];
    }

    private void TakeUntil(ulong lastHigh)
    {
        for (var i = 0; i < _segments.Length; i++)
        {
            var ids = _segments[i].Ids.Span;
            var day = (ushort)_segments[i].ExpiryDay;
            ref var at = ref _read[i];
            while (at < ids.Length)
            {
                var bytes = ids.Slice(at, RememberedIds.SealedEntryBytes);
                var high = BinaryPrimitives.ReadUInt64BigEndian(bytes);
                if (high > lastHigh) break;
                if (at > 0 && ids.Slice(at - RememberedIds.SealedEntryBytes, 16).SequenceCompareTo(bytes[..16]) >= 0)
                    throw new FormatException($"The segment of remembered ids for the day {day} is not in ascending order. Nothing was loaded.");
                Add(new(high, BinaryPrimitives.ReadUInt64BigEndian(bytes[8..]), BinaryPrimitives.ReadUInt32BigEndian(bytes[16..]), day));
                at += RememberedIds.SealedEntryBytes;
            }
        }
    }

    private ReadOnlySpan<IdEntry> InOrder()
    {
        var entries = _entries.AsSpan(0, _count);
        entries.Sort(static (x, y) => x.High != y.High ? x.High.CompareTo(y.High) : x.Low != y.Low ? x.Low.CompareTo(y.Low) : y.ExpiryDay.CompareTo(x.ExpiryDay));
        var kept = 0;
        for (var i = 0; i < entries.Length; i++)
            if (kept == 0 || entries[kept - 1].High != entries[i].High || entries[kept - 1].Low != entries[i].Low) entries[kept++] = entries[i];
        return entries[..kept];
    }
}
