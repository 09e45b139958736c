using System.Buffers.Binary;
using System.Text.Json;
using Billing.Usage;

namespace Billing.Accounts;

/// <summary>What a frame of a journal entry holds. The numbers are stored: add at the end, reuse none.</summary>
internal enum FactKind : byte
{
    /// <summary>A <see cref="AccountFact"/> as JSON.</summary>
    Json = 1,

    /// <summary>An accepted event: <see cref="UsageRecordedFact"/>.</summary>
    UsageRecorded = 2,

    /// <summary>A refused event that is kept: <see cref="UsageRefusedFact"/>.</summary>
    UsageRefused = 3,
}

/// <summary>An accepted usage event as the journal keeps it: its name, its time and what the meters read.</summary>
internal ref struct UsageRecordedFact
{
    public UInt128 KeyHash;
    public uint Fingerprint;
    public long TimeTicks;
    public ReadOnlySpan<byte> Source;
    public ReadOnlySpan<byte> Id;
    public ReadOnlySpan<byte> Type;

    /// <summary>The readings, as <see cref="ReadingsWriter"/> has written them.</summary>
    public ReadOnlySpan<byte> Readings;
}

/// <summary>An event that was not counted, and why; it is kept with its body.</summary>
internal ref struct UsageRefusedFact
{
    public UsageOutcome Outcome;
    public UInt128 Letter;
    public UInt128 KeyHash;
    public uint Fingerprint;
    public long TimeTicks;
    public ReadOnlySpan<byte> Source;
    public ReadOnlySpan<byte> Id;
    public ReadOnlySpan<byte> Reason;
    public ReadOnlySpan<byte> Body;
}

/// <summary>Writes the facts of one journal entry. Reused: <see cref="Begin"/> starts the next entry.</summary>
/// <remarks>Layout, little endian: version (1 byte), receipt time (8 bytes, UTC ticks), then per fact its kind (1), length (4) and content.</remarks>
internal sealed class FactWriter
{
    public const byte Version = 1;
    public const int HeaderBytes = 9;

    private byte[] _buffer = new byte[1024];

    public int Length { get; private set; }

    /// <summary>The billing clock when the entry's command arrived.</summary>
    public DateTimeOffset ReceivedAt { get; private set; }

    public bool HasFacts => Length > HeaderBytes;

    /// <summary>The entry as it stands; valid until the next <see cref="Begin"/>.</summary>
    public ReadOnlyMemory<byte> Entry => _buffer.AsMemory(0, Length);

    public void Begin(DateTimeOffset receivedAt)
    {
        ReceivedAt = receivedAt;
        _buffer[0] = Version;
        BinaryPrimitives.WriteInt64LittleEndian(_buffer.AsSpan(1), receivedAt.UtcTicks);
        Length = HeaderBytes;
    }

    public void Write(AccountFact fact)
    {
        var json = JsonSerializer.SerializeToUtf8Bytes(fact, AccountJson.Default.AccountFact);
        json.CopyTo(Frame(FactKind.Json, json.Length));
    }

    public void Write(in UsageRecordedFact fact)
    {
        var span = Frame(
            FactKind.UsageRecorded, 34 + fact.Source.Length + fact.Id.Length + fact.Type.Length + fact.Readings.Length);
        BinaryPrimitives.WriteUInt128LittleEndian(span, fact.KeyHash);
        BinaryPrimitives.WriteUInt32LittleEndian(span[16..], fact.Fingerprint);
        BinaryPrimitives.WriteInt64LittleEndian(span[20..], fact.TimeTicks);
        span = span[28..];
        Put16(fact.Source, ref span);
        Put16(fact.Id, ref span);
        Put16(fact.Type, ref span);
        fact.Readings.CopyTo(span);
    }

    public void Write(in UsageRefusedFact fact)
    {
        var span = Frame(
            FactKind.UsageRefused, 51 + fact.Source.Length + fact.Id.Length + fact.Reason.Length + fact.Body.Length);
        span[0] = (byte)fact.Outcome;
        BinaryPrimitives.WriteUInt128LittleEndian(span[1..], fact.Letter);
        BinaryPrimitives.WriteUInt128LittleEndian(span[17..], fact.KeyHash);
        BinaryPrimitives.WriteUInt32LittleEndian(span[33..], fact.Fingerprint);
        BinaryPrimitives.WriteInt64LittleEndian(span[37..], fact.TimeTicks);
        span = span[45..];
        Put16(fact.Source, ref span);
        Put16(fact.Id, ref span);
        Put16(fact.Reason, ref span);
        fact.Body.CopyTo(span);
    }

    private static void Put16(ReadOnlySpan<byte> bytes, scoped ref Span<byte> span)
    {
        BinaryPrimitives.WriteUInt16LittleEndian(span, (ushort)bytes.Length);
        bytes.CopyTo(span[2..]);
        span = span[(2 + bytes.Length)..];
    }

    private Span<byte> Frame(FactKind kind, int length)
    {
        var needed = Length + 5 + length;
        if (needed > _buffer.Length) Array.Resize(ref _buffer, int.Max(needed, _buffer.Length * 2));
        _buffer[Length] = (byte)kind;
        BinaryPrimitives.WriteInt32LittleEndian(_buffer.AsSpan(Length + 1), length);
        var content = _buffer.AsSpan(Length + 5, length);
        Length = needed;
        return content;
    }
}

/// <summary>Reads the facts of a journal entry in their order.</summary>
internal ref struct FactReader
{
    private ReadOnlySpan<byte> _rest;

    public FactReader(ReadOnlySpan<byte> entry)
    {
        if (entry.Length < FactWriter.HeaderBytes || entry[0] != FactWriter.Version)
            throw new InvalidDataException($"A journal entry begins with version {FactWriter.Version}; this one does not. A newer release may have written it.");
        ReceivedAt = new(BinaryPrimitives.ReadInt64LittleEndian(entry[1..]), TimeSpan.Zero);
        _rest = entry[FactWriter.HeaderBytes..];
    }

    /// <summary>Reads on in an entry behind the facts that were read already.</summary>
    /// <param name="entry">The entry.</param>
    /// <param name="position">The length it had then.</param>
    public static FactReader Behind(ReadOnlySpan<byte> entry, int position) => new(entry) { _rest = entry[position..] };

    /// <summary>The billing clock when the entry's command arrived.</summary>
    public DateTimeOffset ReceivedAt { get; }

    public bool TryRead(out FactKind kind, out ReadOnlySpan<byte> content)
    {
        kind = default;
        content = default;
        if (_rest.IsEmpty) return false;
        kind = (FactKind)_rest[0];
        content = _rest.Slice(5, BinaryPrimitives.ReadInt32LittleEndian(_rest[1..]));
        _rest = _rest[(5 + content.Length)..];
        return true;
    }

    public static AccountFact ReadJson(ReadOnlySpan<byte> content) =>
        JsonSerializer.Deserialize(content, AccountJson.Default.AccountFact)
        ?? throw new InvalidDataException("A journal entry holds a fact that is null.");

    public static UsageRecordedFact ReadUsageRecorded(ReadOnlySpan<byte> content)
    {
        var rest = content[28..];
        return new()
        {
            KeyHash = BinaryPrimitives.ReadUInt128LittleEndian(content),
            Fingerprint = BinaryPrimitives.ReadUInt32LittleEndian(content[16..]),
            TimeTicks = BinaryPrimitives.ReadInt64LittleEndian(content[20..]),
            Source = Take16(ref rest),
            Id = Take16(ref rest),
            Type = Take16(ref rest),
            Readings = rest,
        };
    }

    public static UsageRefusedFact ReadUsageRefused(ReadOnlySpan<byte> content)
    {
        var rest = content[45..];
        return new()
        {
            Outcome = (UsageOutcome)content[0],
            Letter = BinaryPrimitives.ReadUInt128LittleEndian(content[1..]),
            KeyHash = BinaryPrimitives.ReadUInt128LittleEndian(content[17..]),
            Fingerprint = BinaryPrimitives.ReadUInt32LittleEndian(content[33..]),
            TimeTicks = BinaryPrimitives.ReadInt64LittleEndian(content[37..]),
            Source = Take16(ref rest),
            Id = Take16(ref rest),
            Reason = Take16(ref rest),
            Body = rest,
        };
    }

    private static ReadOnlySpan<byte> Take16(scoped ref ReadOnlySpan<byte> rest)
    {
        var taken = rest.Slice(2, BinaryPrimitives.ReadUInt16LittleEndian(rest));
        rest = rest[(2 + taken.Length)..];
        return taken;
    }
}
