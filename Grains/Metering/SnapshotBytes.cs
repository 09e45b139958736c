using System.Buffers;
using System.Buffers.Binary;

namespace Billing.Metering;

/// <summary>Writes the binary part of a snapshot, little endian.</summary>
internal sealed class SnapshotWriter(IBufferWriter<byte> output)
{
    public void Byte(byte value)
    {
        output.GetSpan(1)[0] = value;
        output.Advance(1);
    }

    public void Int(int value)
    {
        BinaryPrimitives.WriteInt32LittleEndian(output.GetSpan(4), value);
        output.Advance(4);
    }

    public void Long(long value)
    {
        BinaryPrimitives.WriteInt64LittleEndian(output.GetSpan(8), value);
        output.Advance(8);
    }

    public void Hash(UInt128 value)
    {
        BinaryPrimitives.WriteUInt128LittleEndian(output.GetSpan(16), value);
        output.Advance(16);
    }

    public void Quantity(Quantity value)
    {
        var span = output.GetSpan(32);
        BinaryPrimitives.WriteInt128LittleEndian(span, value.Whole);
        BinaryPrimitives.WriteInt128LittleEndian(span[16..], value.Fraction);
        output.Advance(32);
    }

    public void Period(BillingPeriod period)
    {
        Long(period.Start.UtcTicks);
        Long(period.End.UtcTicks);
    }

    public void Place(in EventPlace at)
    {
        Long(at.TimeTicks);
        Bytes(at.Source);
        Bytes(at.Id);
    }

    private void Bytes(ReadOnlySpan<byte> bytes)
    {
        var span = output.GetSpan(2 + bytes.Length);
        BinaryPrimitives.WriteUInt16LittleEndian(span, (ushort)bytes.Length);
        bytes.CopyTo(span[2..]);
        output.Advance(2 + bytes.Length);
    }
}

/// <summary>Reads what <see cref="SnapshotWriter"/> wrote.</summary>
internal ref struct SnapshotReader(ReadOnlySpan<byte> bytes)
{
    private ReadOnlySpan<byte> _rest = bytes;

    /// <summary>What was not read yet.</summary>
    public readonly ReadOnlySpan<byte> Rest => _rest;

    public byte Byte() => Take(1)[0];

    public int Int() => BinaryPrimitives.ReadInt32LittleEndian(Take(4));

    public long Long() => BinaryPrimitives.ReadInt64LittleEndian(Take(8));

    public UInt128 Hash() => BinaryPrimitives.ReadUInt128LittleEndian(Take(16));

    public Quantity Quantity()
    {
        var taken = Take(32);
        return Billing.Quantity.FromParts(BinaryPrimitives.ReadInt128LittleEndian(taken), BinaryPrimitives.ReadInt128LittleEndian(taken[16..]));
    }

    public BillingPeriod Period() => new(new(Long(), TimeSpan.Zero), new(Long(), TimeSpan.Zero));

    public EventPlace Place() => new(Long(), Bytes(), Bytes());

    private ReadOnlySpan<byte> Bytes() => Take(BinaryPrimitives.ReadUInt16LittleEndian(Take(2)));

    private ReadOnlySpan<byte> Take(int length)
    {
        var taken = _rest[..length];
        _rest = _rest[length..];
        return taken;
    }
}
