using System.Buffers;
using System.Buffers.Binary;

namespace Billing.Usage;

/// <summary>One event inside a <see cref="UsageBatch"/>: its envelope, its key and content hashes, and its bytes as they came.</summary>
public ref struct UsageRecord
{
    /// <summary>Keyed 128-bit hash of (<c>source</c>, <c>id</c>).</summary>
    public UInt128 KeyHash;

    /// <summary>Keyed 32-bit hash of the content: <c>type</c>, <c>time</c> and <c>data</c>.</summary>
    public uint Fingerprint;

    /// <summary>The event's <c>time</c> in UTC, 100 ns since 0001-01-01.</summary>
    public long TimeTicks;

    /// <summary>The CloudEvents <c>type</c>, UTF-8.</summary>
    public ReadOnlySpan<byte> Type;

    /// <summary>The CloudEvents <c>source</c>, UTF-8.</summary>
    public ReadOnlySpan<byte> Source;

    /// <summary>The CloudEvents <c>id</c>, UTF-8.</summary>
    public ReadOnlySpan<byte> Id;

    /// <summary>Why the event cannot be read, UTF-8; empty for a readable event.</summary>
    public ReadOnlySpan<byte> Unreadable;

    /// <summary>The JSON of the event's <c>data</c>; empty when it has none.</summary>
    public ReadOnlySpan<byte> Data;

    /// <summary>The whole event as it came.</summary>
    public ReadOnlySpan<byte> Body;
}

/// <summary>Writes <see cref="UsageRecord"/>s one behind the other. Not thread-safe; may be reset and used again.</summary>
public sealed class UsageBatchWriter
{
    internal const int HeaderBytes = 4 + 16 + 4 + 8 + (4 * 2) + (3 * 4);

    private readonly ArrayBufferWriter<byte> _buffer = new(512);

    /// <summary>How many records were written since the last reset.</summary>
    public int Count { get; private set; }

    /// <summary>How many bytes were written since the last reset.</summary>
    public int Length => _buffer.WrittenCount;

    /// <summary>What was written since the last reset; valid until the next write.</summary>
    public ReadOnlySpan<byte> Written => _buffer.WrittenSpan;

    /// <summary>The records as a batch. It looks into the writer: leave the writer alone until the batch is answered.</summary>
    public UsageBatch ToBatch(bool keepBodies, bool wantReceipts) => new(_buffer.WrittenMemory, Count, keepBodies, wantReceipts);

    /// <summary>Forgets what was written and keeps the buffer.</summary>
    public void Reset()
    {
        _buffer.ResetWrittenCount();
        Count = 0;
    }

    /// <summary>Appends a record.</summary>
    /// <remarks><see cref="UsageRecord.Data"/> must be a slice of <see cref="UsageRecord.Body"/> or empty.</remarks>
    public void Add(in UsageRecord record)
    {
        var dataOffset = 0;
        if (!record.Data.IsEmpty && !record.Body.Overlaps(record.Data, out dataOffset))
            throw new ArgumentException("The data of a record is a slice of its body.", nameof(record));

        var length = HeaderBytes + record.Type.Length + record.Source.Length + record.Id.Length + record.Unreadable.Length + record.Body.Length;
        var span = _buffer.GetSpan(length)[..length];
        BinaryPrimitives.WriteInt32LittleEndian(span, length);
        BinaryPrimitives.WriteUInt128LittleEndian(span[4..], record.KeyHash);
        BinaryPrimitives.WriteUInt32LittleEndian(span[20..], record.Fingerprint);
        BinaryPrimitives.WriteInt64LittleEndian(span[24..], record.TimeTicks);
        BinaryPrimitives.WriteUInt16LittleEndian(span[32..], (ushort)record.Type.Length);
        BinaryPrimitives.WriteUInt16LittleEndian(span[34..], (ushort)record.Source.Length);
        BinaryPrimitives.WriteUInt16LittleEndian(span[36..], (ushort)record.Id.Length);
        BinaryPrimitives.WriteUInt16LittleEndian(span[38..], (ushort)record.Unreadable.Length);
        BinaryPrimitives.WriteInt32LittleEndian(span[40..], dataOffset);
        BinaryPrimitives.WriteInt32LittleEndian(span[44..], record.Data.Length);
        BinaryPrimitives.WriteInt32LittleEndian(span[48..], record.Body.Length);

        var rest = span[HeaderBytes..];
        Put(record.Type, ref rest);
        Put(record.Source, ref rest);
        Put(record.Id, ref rest);
        Put(record.Unreadable, ref rest);
        Put(record.Body, ref rest);
        _buffer.Advance(length);
        Count++;

        static void Put(scoped ReadOnlySpan<byte> bytes, scoped ref Span<byte> rest)
        {
            bytes.CopyTo(rest);
            rest = rest[bytes.Length..];
        }
    }
}

/// <summary>Reads the records of a <see cref="UsageBatch"/> in their order.</summary>
public ref struct UsageBatchReader(ReadOnlySpan<byte> records)
{
    private ReadOnlySpan<byte> _rest = records;

    /// <summary>Reads the next record, or answers false at the end.</summary>
    public bool TryRead(out UsageRecord record)
    {
        record = default;
        if (_rest.IsEmpty) return false;

        var span = _rest[..BinaryPrimitives.ReadInt32LittleEndian(_rest)];
        _rest = _rest[span.Length..];
        record.KeyHash = BinaryPrimitives.ReadUInt128LittleEndian(span[4..]);
        record.Fingerprint = BinaryPrimitives.ReadUInt32LittleEndian(span[20..]);
        record.TimeTicks = BinaryPrimitives.ReadInt64LittleEndian(span[24..]);

        var rest = span[UsageBatchWriter.HeaderBytes..];
        record.Type = Take(BinaryPrimitives.ReadUInt16LittleEndian(span[32..]), ref rest);
        record.Source = Take(BinaryPrimitives.ReadUInt16LittleEndian(span[34..]), ref rest);
        record.Id = Take(BinaryPrimitives.ReadUInt16LittleEndian(span[36..]), ref rest);
        record.Unreadable = Take(BinaryPrimitives.ReadUInt16LittleEndian(span[38..]), ref rest);
        record.Body = Take(BinaryPrimitives.ReadInt32LittleEndian(span[48..]), ref rest);
        record.Data = record.Body.Slice(
            BinaryPrimitives.ReadInt32LittleEndian(span[40..]), BinaryPrimitives.ReadInt32LittleEndian(span[44..]));
        return true;

        static ReadOnlySpan<byte> Take(int length, scoped ref ReadOnlySpan<byte> rest)
        {
            var taken = rest[..length];
            rest = rest[length..];
            return taken;
        }
    }
}
