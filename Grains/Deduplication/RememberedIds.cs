using System.Buffers;
using System.Buffers.Binary;

namespace Billing.Deduplication;

/// <summary>
/// The event ids one account remembers: 128-bit hash of the key to a 32-bit fingerprint of the content, until a day.
/// </summary>
/// <remarks>
/// <para>Days are whole UTC days since 1970-01-01. Not safe for use by two threads at once.</para>
/// <para>
/// The first bits of a hash choose one of many small tables. A full table drops what has expired, or is made anew
/// on its own and splits in two when it is large: no operation costs more because many ids are remembered. Hashes must be
/// spread evenly, as those of <see cref="EventKey"/> are.
/// </para>
/// </remarks>
public sealed class RememberedIds
{
    /// <summary>Bytes of one id in a snapshot.</summary>
    public const int EntryBytes = 22;

    /// <summary>Bytes of one id in a segment, whose ids share their expiry day.</summary>
    public const int SealedEntryBytes = 20;

    private const int SplitAbove = 3_200;
    private const int LoadedIdsPerTableMax = 2_800;
    private const int IdsPerCellMin = 1_024;
    private const int ObjectBytes = 48;
    private const int ArrayHeaderBytes = 24;

    private IdTable[] _tables = [IdTable.Empty];
    private int _depth;
    private int _latestDay;
    private long _tableBytes;

    /// <summary>The ids held. Those that have expired count until their place is needed.</summary>
    public int Count { get; private set; }

    /// <summary>Bytes of memory taken, tables, free slots and object headers included.</summary>
    public long MemoryBytes => ObjectBytes + ArrayHeaderBytes + (sizeof(ulong) * (long)_tables.Length) + _tableBytes;

    /// <summary>Looks an id up.</summary>
    /// <param name="hash">The hash of its key.</param>
    /// <param name="today">
    /// The current day. It also says what has expired for good: an id is given up one day after its expiry day at the
    /// earliest, so a clock that steps back by less than a day changes no answer.
    /// </param>
    /// <param name="fingerprint">The content it was remembered with, or 0.</param>
    /// <returns>Whether the id is remembered. It is not from its expiry day on.</returns>
    public bool TryFind(UInt128 hash, int today, out uint fingerprint) => TryFind(hash, today, out fingerprint, out _);

    /// <summary>Looks an id up, and tells the first day on which it is no longer remembered.</summary>
    public bool TryFind(UInt128 hash, int today, out uint fingerprint, out int expiryDay)
    {
        if (today > _latestDay)
            _latestDay = today;

        var (high, low) = Halves(hash);
        var found = _tables[Cell(high)].TryFind(high, low, out fingerprint, out var day);
        expiryDay = day;
        if (found && expiryDay > today)
            return true;

        fingerprint = 0;
        return false;
    }

    /// <summary>Remembers an id, in place of what was remembered under the same hash.</summary>
    /// <param name="hash">The hash of its key.</param>
    /// <param name="fingerprint">The fingerprint of its content.</param>
    /// <param name="expiryDay">The first day on which it is no longer remembered: 1 to 65,535, which is in 2149.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="expiryDay"/> does not fit. Nothing was remembered.</exception>
    public void Remember(UInt128 hash, uint fingerprint, int expiryDay)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(expiryDay, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(expiryDay, ushort.MaxValue);

        var (high, low) = Halves(hash);
        var entry = new IdEntry(high, low, fingerprint, (ushort)expiryDay);
        while (true)
        {
            switch (_tables[Cell(high)].Put(entry, DroppableDay))
            {
                case PutOutcome.Added:
                    Count++;
                    return;
                case PutOutcome.Replaced:
                    return;
                default:
                    MakeRoom(Cell(high));
                    break;
            }
        }
    }

    /// <summary>Writes the ids that expire after a day, in ascending order of their hashes, 22 bytes each.</summary>
    /// <param name="writer">Where to.</param>
    /// <param name="today">The day. An id that expires on it, or before, is left out.</param>
    /// <remarks>
    /// Big-endian: hash, fingerprint, expiry day. The same ids give the same bytes, in whatever order they came, so
    /// the bytes serve as snapshot and for a hash of the state.
    /// </remarks>
    public void CopyTo(IBufferWriter<byte> writer, int today)
    {
        ArgumentNullException.ThrowIfNull(writer);

        IdTable? previous = null;
        foreach (var table in _tables)
        {
            // A table that is shallower than the directory stands in several cells, side by side.
            if (ReferenceEquals(table, previous))
                continue;

            previous = table;
            var bytes = writer.GetSpan((table.Count * EntryBytes) + 1);
            var written = 0;
            var slot = 0;
            while (table.TryNext(ref slot, out var entry))
            {
                if (entry.ExpiryDay <= today)
                    continue;

                WriteEntry(bytes.Slice(written, EntryBytes), entry);
                written += EntryBytes;
            }

            writer.Advance(written);
        }
    }

    /// <summary>Copies the ids that expire within some days into one segment a day, in one pass.</summary>
    /// <param name="afterDay">Days after this one.</param>
    /// <param name="throughDay">Up to and with this one.</param>
    /// <returns>The days that have ids, in ascending order, each with its ids in ascending order of their hashes, 20 bytes each: hash and fingerprint, big-endian.</returns>
    public IReadOnlyList<(int ExpiryDay, byte[] Ids)> Segments(int afterDay, int throughDay)
    {
        if (throughDay <= afterDay) return [];
        var counts = new Dictionary<int, int>();
        Walk((in IdEntry entry) => counts[entry.ExpiryDay] = counts.GetValueOrDefault(entry.ExpiryDay) + 1);
        var segments = counts.ToDictionary(c => c.Key, c => (Ids: new byte[c.Value * SealedEntryBytes], Written: 0));
        Walk((in IdEntry entry) =>
        {
            ref var segment = ref System.Runtime.InteropServices.CollectionsMarshal.GetValueRefOrNullRef(segments, entry.ExpiryDay);
            var bytes = segment.Ids.AsSpan(segment.Written, SealedEntryBytes);
            WriteHash(bytes, entry);
            segment.Written += SealedEntryBytes;
        });
        return [.. segments.OrderBy(s => s.Key).Select(s => (s.Key, s.Value.Ids))];

        void Walk(EntryVisitor visit)
        {
            IdTable? previous = null;
            foreach (var table in _tables)
            {
                if (ReferenceEquals(table, previous)) continue;
                previous = table;
                for (var slot = 0; table.TryNext(ref slot, out var entry);)
                    if (entry.ExpiryDay > afterDay && entry.ExpiryDay <= throughDay) visit(entry);
            }
        }
    }

    /// <summary>Reads what <see cref="CopyTo"/> wrote.</summary>
    /// <param name="entries">The bytes.</param>
    /// <returns>The same ids.</returns>
    /// <exception cref="FormatException">
    /// The bytes were not written by <see cref="CopyTo"/>, or were changed since. A retry does not help.
    /// </exception>
    public static RememberedIds Load(ReadOnlySpan<byte> entries) => Load(entries, []);

    /// <summary>Reads what <see cref="CopyTo"/> wrote, and segments beside it.</summary>
    /// <param name="entries">The bytes.</param>
    /// <param name="segments">What <see cref="Segments"/> made: a day and its ids. Days may overlap those of the entries; of one id the latest day holds.</param>
    /// <returns>All of their ids.</returns>
    /// <exception cref="FormatException">The bytes are not what was written. A retry does not help.</exception>
    public static RememberedIds Load(ReadOnlySpan<byte> entries, IReadOnlyList<(int ExpiryDay, ReadOnlyMemory<byte> Ids)> segments)
    {
        if (entries.Length % EntryBytes != 0)
        {
            throw new FormatException(
                $"A snapshot of remembered ids is {entries.Length} bytes long, which is no multiple of {EntryBytes}. Nothing was loaded.");
        }

        using var merge = segments.Count > 0 ? new IdMerge(segments) : null;
        var ids = new RememberedIds();
        var count = (entries.Length / EntryBytes) + (merge?.Count ?? 0);
        if (count == 0)
            return ids;

        while (count >> ids._depth > LoadedIdsPerTableMax)
            ids._depth++;

        ids._tables = new IdTable[1 << ids._depth];
        UInt128? previous = null;
        for (var cell = 0; cell < ids._tables.Length; cell++)
        {
            var last = cell == ids._tables.Length - 1 ? ulong.MaxValue : (((ulong)cell + 1) << (64 - ids._depth)) - 1;
            var length = LengthUntil(entries, last);
            var table = merge is null ? new IdTable(ids._depth, length / EntryBytes) : null;
            for (var at = 0; at < length; at += EntryBytes)
            {
                var entry = ReadEntry(entries.Slice(at, EntryBytes));
                var hash = new UInt128(entry.High, entry.Low);
                if (previous >= hash || entry.ExpiryDay == 0)
                    throw Damaged();

                if (table is not null) table.Append(entry.High, entry.Low, entry.Fingerprint, entry.ExpiryDay);
                else merge!.Add(entry);
                previous = hash;
            }

            entries = entries[length..];
            table ??= merge!.TableUntil(last, ids._depth);
            ids._tables[cell] = table;
            ids.Count += table.Count;
            ids._tableBytes += table.MemoryBytes;
        }

        return entries.IsEmpty ? ids : throw Damaged();
    }

    private delegate void EntryVisitor(in IdEntry entry);

    private int DroppableDay => _latestDay < 1 ? 0 : _latestDay > ushort.MaxValue ? ushort.MaxValue : _latestDay - 1;

    private static (ulong High, ulong Low) Halves(UInt128 hash) => unchecked(((ulong)(hash >> 64), (ulong)hash));

    private static FormatException Damaged() =>
        new("A snapshot of remembered ids is damaged: its ids are not in ascending order, or one has no expiry day. Nothing was loaded.");

    private static void WriteEntry(Span<byte> bytes, in IdEntry entry)
    {
        WriteHash(bytes, entry);
        BinaryPrimitives.WriteUInt16BigEndian(bytes[20..], entry.ExpiryDay);
    }

    private static void WriteHash(Span<byte> bytes, in IdEntry entry)
    {
        BinaryPrimitives.WriteUInt64BigEndian(bytes, entry.High);
        BinaryPrimitives.WriteUInt64BigEndian(bytes[8..], entry.Low);
        BinaryPrimitives.WriteUInt32BigEndian(bytes[16..], entry.Fingerprint);
    }

    private static IdEntry ReadEntry(ReadOnlySpan<byte> bytes) => new(
        BinaryPrimitives.ReadUInt64BigEndian(bytes),
        BinaryPrimitives.ReadUInt64BigEndian(bytes[8..]),
        BinaryPrimitives.ReadUInt32BigEndian(bytes[16..]),
        BinaryPrimitives.ReadUInt16BigEndian(bytes[20..]));

    private int Cell(ulong high) => (int)(high >> 1 >> (63 - _depth));

    /// <summary>How many of the first bytes are of hashes up to one whose first half is given.</summary>
    private static int LengthUntil(ReadOnlySpan<byte> entries, ulong lastHigh)
    {
        var length = 0;
        while (length < entries.Length && BinaryPrimitives.ReadUInt64BigEndian(entries[length..]) <= lastHigh)
            length += EntryBytes;

        return length;
    }

    /// <summary>Drops what has expired from one table; if that is too little, makes it anew, as one table or as two.</summary>
    private void MakeRoom(int cell)
    {
        var old = _tables[cell];
        var live = old.CountLive(.., DroppableDay);
        Count += live - old.Count;
        if (old.TryTidy(live, DroppableDay))
            return;

        // The second bound keeps the directory small if hashes should clump: then one table simply grows.
        var split = live > SplitAbove && (old.Depth < _depth || Count >> (_depth + 1) >= IdsPerCellMin);
        var middle = split ? old.UpperHalf() : old.Slots;
        var first = old.Rebuilt(split ? old.Depth + 1 : old.Depth, ..middle, DroppableDay);
        var second = split ? old.Rebuilt(old.Depth + 1, middle.., DroppableDay) : first;

        if (split && old.Depth == _depth)
        {
            DoubleDirectory();
            cell *= 2;
        }

        // The old table's cells lie side by side; their first one has only zeros behind the bits it shares.
        var cells = 1 << (_depth - old.Depth);
        cell &= ~(cells - 1);
        _tables.AsSpan(cell, cells / 2).Fill(first);
        _tables.AsSpan(cell + (cells / 2), cells - (cells / 2)).Fill(second);

        _tableBytes += first.MemoryBytes + (split ? second.MemoryBytes : 0) - (ReferenceEquals(old, IdTable.Empty) ? 0 : old.MemoryBytes);
    }

    private void DoubleDirectory()
    {
        var doubled = new IdTable[_tables.Length * 2];
        for (var i = 0; i < doubled.Length; i++)
            doubled[i] = _tables[i / 2];

        _tables = doubled;
        _depth++;
    }
}
