using System.Buffers.Binary;

namespace Billing.Metering;

/// <summary>
/// Holds the (source, id) of events that a meter must keep in order, in chunks of bytes: no object per event. Chunks are
/// given back when the last event in them is gone, which is soon enough, since events leave in about the order they came.
/// Their places are used again, so only what is held at one time is bounded: 65,536 chunks, 2 GiB.
/// </summary>
internal sealed class EventIdPool
{
    private const int ChunkBits = 15;
    private const int ChunkBytes = 1 << ChunkBits;

    private readonly List<Chunk?> _chunks = [];
    private readonly Stack<int> _empty = [];
    private int _current = -1;

    /// <summary>Keeps an id and answers the reference to find it by.</summary>
    public int Add(ReadOnlySpan<byte> source, ReadOnlySpan<byte> id)
    {
        var length = 4 + source.Length + id.Length;
        var chunk = _current >= 0 ? _chunks[_current]! : null;
        if (chunk is null || chunk.Used + length > ChunkBytes) chunk = Begin();
        var offset = chunk.Used;
        chunk.Grow(length);
        var span = chunk.Bytes.AsSpan(offset);
        BinaryPrimitives.WriteUInt16LittleEndian(span, (ushort)source.Length);
        BinaryPrimitives.WriteUInt16LittleEndian(span[2..], (ushort)id.Length);
        source.CopyTo(span[4..]);
        id.CopyTo(span[(4 + source.Length)..]);
        chunk.Live++;
        return (_current << ChunkBits) | offset;
    }

    /// <summary>Gives an id back.</summary>
    public void Remove(int reference)
    {
        var index = reference >> ChunkBits;
        var chunk = _chunks[index]!;
        if (--chunk.Live > 0) return;
        if (index == _current)
        {
            chunk.Clear();
            return;
        }

        _chunks[index] = null;
        _empty.Push(index);
    }

    /// <summary>Reads an id.</summary>
    public void Get(int reference, out ReadOnlySpan<byte> source, out ReadOnlySpan<byte> id)
    {
        var span = _chunks[reference >> ChunkBits]!.Bytes.AsSpan(reference & (ChunkBytes - 1));
        var sourceLength = BinaryPrimitives.ReadUInt16LittleEndian(span);
        source = span.Slice(4, sourceLength);
        id = span.Slice(4 + sourceLength, BinaryPrimitives.ReadUInt16LittleEndian(span[2..]));
    }

    /// <summary>Orders a kept id against another: by source, then id, each by its UTF-8 bytes.</summary>
    public int Compare(int reference, ReadOnlySpan<byte> otherSource, ReadOnlySpan<byte> otherId)
    {
        Get(reference, out var source, out var id);
        var bySource = source.SequenceCompareTo(otherSource);
        return bySource != 0 ? bySource : id.SequenceCompareTo(otherId);
    }

    private Chunk Begin()
    {
        var chunk = new Chunk();
        if (_empty.TryPop(out _current))
        {
            _chunks[_current] = chunk;
        }
        else
        {
            _current = _chunks.Count;
            _chunks.Add(chunk);
        }

        return chunk;
    }

    private sealed class Chunk
    {
        public byte[] Bytes { get; private set; } = new byte[128];

        public int Used { get; private set; }

        public int Live { get; set; }

        public void Clear() => Used = 0;

        public void Grow(int length)
        {
            Used += length;
            if (Used <= Bytes.Length) return;
            var bigger = new byte[int.Min(ChunkBytes, int.Max(Bytes.Length * 2, Used))];
            Bytes.AsSpan().CopyTo(bigger);
            Bytes = bigger;
        }
    }
}
