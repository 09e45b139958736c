using System.Runtime.CompilerServices;

namespace Billing.Deduplication;

/// <summary>What became of a put into an <see cref="IdTable"/>.</summary>
internal enum PutOutcome
{
    /// <summary>A slot was free; the table holds one id more.</summary>
    Added = 1,

    /// <summary>The place of the same id, or of one that has expired, was taken.</summary>
    Replaced = 2,

    /// <summary>Nothing was written: the table must be rebuilt first.</summary>
    Full = 3,
}

/// <summary>
/// The remembered ids of one range of hashes, in ascending order with gaps. An id stands at its home slot, which is
/// proportional to its hash, or to the right of it with no gap between.
/// </summary>
/// <remarks>Columns, not entries: an id takes 22 bytes and no object. An expiry day of 0 marks an empty slot.</remarks>
internal sealed class IdTable
{
    internal const int TableBytes = 72 + (4 * ArrayHeaderBytes);

    // A sync block index, a type and a length.
    private const int ArrayHeaderBytes = 24;
    private const int SpareSlotsMin = 4;

    private readonly int _homes;
    private readonly int _room;
    private ulong[] _highs;
    private ulong[] _lows;
    private uint[] _fingerprints;
    private ushort[] _expiryDays;
    private int _end;

    /// <summary>A table for the hashes that share their first bits, with room for an eighth more ids than it is made for.</summary>
    /// <param name="depth">How many first bits all hashes of this table share.</param>
    /// <param name="ids">How many ids it is made for; they follow through <see cref="Append"/>.</param>
    internal IdTable(int depth, int ids)
    {
        Depth = depth;

        // Eleven of twelve slots taken is where probing starts to cost more than the memory it saves.
        _room = ids + (ids / 8) + SpareSlotsMin;
        _homes = _room + (_room / 11);

        // Ids pushed past the last home go here: the order allows no wrapping around.
        var slots = _homes + SpareSlotsMin + (_homes < 448 ? _homes / 16 : 28);
        _highs = new ulong[slots];
        _lows = GC.AllocateUninitializedArray<ulong>(slots);
        _fingerprints = GC.AllocateUninitializedArray<uint>(slots);
        _expiryDays = new ushort[slots];
    }

    private IdTable()
    {
        _highs = [];
        _lows = [];
        _fingerprints = [];
        _expiryDays = [];
    }

    /// <summary>A table that is full with nothing in it.</summary>
    internal static IdTable Empty { get; } = new();

    /// <summary>How many first bits all hashes of this table share.</summary>
    internal int Depth { get; }

    /// <summary>The ids held, with those that have expired and were not yet replaced.</summary>
    internal int Count { get; private set; }

    internal int Slots => _expiryDays.Length;

    internal long MemoryBytes => TableBytes + ((long)RememberedIds.EntryBytes * Slots);

    internal bool TryFind(ulong high, ulong low, out uint fingerprint, out int expiryDay)
    {
        var slot = Find(high, low);
        fingerprint = slot < 0 ? 0 : _fingerprints[slot];
        expiryDay = slot < 0 ? 0 : _expiryDays[slot];
        return slot >= 0;
    }

    /// <summary>Writes an id, over one that expires on <paramref name="droppableDay"/> or before where one is at hand.</summary>
    internal PutOutcome Put(in IdEntry entry, int droppableDay)
    {
        var slot = Find(entry.High, entry.Low);
        if (slot >= 0)
        {
            Write(slot, entry);
            return PutOutcome.Replaced;
        }

        slot = ~slot;
        var run = _expiryDays.AsSpan(slot).IndexOfAnyInRange((ushort)0, (ushort)droppableDay);
        if (run < 0)
            return PutOutcome.Full;

        var added = _expiryDays[slot + run] == 0;
        if (added && Count >= _room)
            return PutOutcome.Full;

        if (run > 0)
        {
            ShiftRight(_highs, slot, run);
            ShiftRight(_lows, slot, run);
            ShiftRight(_fingerprints, slot, run);
            ShiftRight(_expiryDays, slot, run);
        }

        Write(slot, entry);
        if (!added)
            return PutOutcome.Replaced;

        Count++;
        return PutOutcome.Added;
    }

    /// <summary>Adds an id whose hash is above all others in the table. For filling a new one.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal void Append(ulong high, ulong low, uint fingerprint, ushort expiryDay)
    {
        var home = Home(high);
        var slot = home > _end ? home : _end;
        _end = slot + 1;

        // Leaves room behind the last id, so that the puts that follow find it.
        if (_end > Slots - SpareSlotsMin)
            Lengthen(_end + (4 * SpareSlotsMin) + (Slots / 16));

        _highs[slot] = high;
        _lows[slot] = low;
        _fingerprints[slot] = fingerprint;
        _expiryDays[slot] = expiryDay;
        Count++;
    }

    /// <summary>How many ids in a range of slots expire after a day.</summary>
    internal int CountLive(Range slots, int droppableDay)
    {
        var live = 0;
        foreach (var day in _expiryDays.AsSpan(slots))
        {
            if (day > droppableDay)
                live++;
        }

        return live;
    }

    /// <summary>The first slot that holds a hash with a one behind the bits that all of the table share.</summary>
    internal int UpperHalf()
    {
        for (var slot = 0; slot < _highs.Length; slot++)
        {
            if (((_highs[slot] >> (63 - Depth)) & 1) != 0)
                return slot;
        }

        return _highs.Length;
    }

    /// <summary>Drops in place the ids that expire on a day or before.</summary>
    /// <param name="live">How many expire after it.</param>
    /// <param name="droppableDay">The day.</param>
    /// <returns>
    /// Whether the table can take ids again. If not, it is of no use but to be rebuilt: so few ids would go, or so many,
    /// that a table of another size is due, or those left do not fit before its end.
    /// </returns>
    internal bool TryTidy(int live, int droppableDay)
    {
        if (live + (live / 16) + SpareSlotsMin > _room || live < _room / 2)
            return false;

        var read = PackToTheEnd(droppableDay);

        // Each goes to the left or stays, as long as the last one finds a slot: so none is overwritten unread.
        Count = 0;
        _end = 0;
        for (; read < Slots; read++)
        {
            if (int.Max(Home(_highs[read]), _end) > read)
                return false;

            var entry = new IdEntry(_highs[read], _lows[read], _fingerprints[read], _expiryDays[read]);
            _highs[read] = 0;
            _expiryDays[read] = 0;
            _end = int.Max(Home(entry.High), _end);
            Write(_end++, entry);
            Count++;
        }

        return Slots - _end >= SpareSlotsMin;
    }

    /// <summary>Makes a table of the ids in a range of slots that expire after a day.</summary>
    internal IdTable Rebuilt(int depth, Range slots, int droppableDay)
    {
        var table = new IdTable(depth, CountLive(slots, droppableDay));
        var (start, length) = slots.GetOffsetAndLength(Slots);
        for (var slot = start; slot < start + length; slot++)
        {
            if (_expiryDays[slot] > droppableDay)
                table.Append(_highs[slot], _lows[slot], _fingerprints[slot], _expiryDays[slot]);
        }

        return table;
    }

    /// <summary>Reads the first id at or after a slot, and moves the slot behind it.</summary>
    internal bool TryNext(ref int slot, out IdEntry entry)
    {
        for (; slot < _expiryDays.Length; slot++)
        {
            if (_expiryDays[slot] == 0)
                continue;

            entry = new IdEntry(_highs[slot], _lows[slot], _fingerprints[slot], _expiryDays[slot]);
            slot++;
            return true;
        }

        entry = default;
        return false;
    }

    /// <summary>Moves the ids that expire after a day to the last slots, in their order, and empties the others.</summary>
    /// <returns>The first slot of those moved.</returns>
    private int PackToTheEnd(int droppableDay)
    {
        var write = Slots;
        for (var read = Slots - 1; read >= 0; read--)
        {
            if (_expiryDays[read] > droppableDay)
                Write(--write, new IdEntry(_highs[read], _lows[read], _fingerprints[read], _expiryDays[read]));
        }

        _highs.AsSpan(0, write).Clear();
        _expiryDays.AsSpan(0, write).Clear();
        return write;
    }

    private static void ShiftRight<T>(T[] column, int slot, int count) =>
        column.AsSpan(slot, count).CopyTo(column.AsSpan(slot + 1, count));

    /// <summary>The slot of an id; if it is not there, the complement of the slot where it belongs.</summary>
    private int Find(ulong high, ulong low)
    {
        var highs = _highs;
        for (var slot = Home(high); slot < highs.Length; slot++)
        {
            var other = highs[slot];
            if (other > high)
                return ~slot;

            // An empty slot reads 0. So does the first half of one hash in 2^64.
            if (other == 0 && _expiryDays[slot] == 0)
                return ~slot;

            if (other == high && _lows[slot] >= low)
                return _lows[slot] == low ? slot : ~slot;
        }

        return ~highs.Length;
    }

    private int Home(ulong high) => (int)(((high << Depth) >> 32) * (uint)_homes >> 32);

    private void Write(int slot, in IdEntry entry)
    {
        _highs[slot] = entry.High;
        _lows[slot] = entry.Low;
        _fingerprints[slot] = entry.Fingerprint;
        _expiryDays[slot] = entry.ExpiryDay;
    }

    private void Lengthen(int slots)
    {
        Array.Resize(ref _highs, slots);
        Array.Resize(ref _lows, slots);
        Array.Resize(ref _fingerprints, slots);
        Array.Resize(ref _expiryDays, slots);
    }
}

/// <summary>One remembered id: the two halves of its hash, its content and the day it expires.</summary>
internal readonly record struct IdEntry(ulong High, ulong Low, uint Fingerprint, ushort ExpiryDay);
