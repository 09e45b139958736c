using System.Buffers.Binary;
using Billing.Metering;

namespace Billing.Accounts;

/// <summary>Writes what the meters read from one event. Reused from event to event.</summary>
/// <remarks>Layout per reading: meter number (2 bytes), flags (1), gap (4), value (32, or 0 when the flag says one unit), key length (2), key.</remarks>
internal sealed class ReadingsWriter
{
    internal const byte UnitValue = 1;
    private const int MaxReadingBytes = 2 + 1 + 4 + 32 + 2 + CompiledMeter.MaxKeyBytes;

    private byte[] _buffer = new byte[4 * MaxReadingBytes];
    private int _length;

    public ReadOnlySpan<byte> Written => _buffer.AsSpan(0, _length);

    public void Reset() => _length = 0;

    public void Add(int meter, in MeterReading reading)
    {
        if (_length + MaxReadingBytes > _buffer.Length) Array.Resize(ref _buffer, _buffer.Length * 2);
        var span = _buffer.AsSpan(_length);
        var unit = reading.Value == Quantity.One;
        BinaryPrimitives.WriteUInt16LittleEndian(span, (ushort)meter);
        span[2] = unit ? UnitValue : (byte)0;
        BinaryPrimitives.WriteInt32LittleEndian(span[3..], reading.GapSeconds);
        var at = 7;
        if (!unit)
        {
            BinaryPrimitives.WriteInt128LittleEndian(span[7..], reading.Value.Whole);
            BinaryPrimitives.WriteInt128LittleEndian(span[23..], reading.Value.Fraction);
            at = 39;
        }

        BinaryPrimitives.WriteUInt16LittleEndian(span[at..], (ushort)reading.Key.Length);
        reading.Key.CopyTo(span[(at + 2)..]);
        _length += at + 2 + reading.Key.Length;
    }
}

/// <summary>Reads what the meters read from one event.</summary>
internal ref struct ReadingsReader(ReadOnlySpan<byte> readings)
{
    private ReadOnlySpan<byte> _rest = readings;

    public bool TryRead(out int meter, out MeterReading reading)
    {
        meter = 0;
        reading = default;
        if (_rest.IsEmpty) return false;
        meter = BinaryPrimitives.ReadUInt16LittleEndian(_rest);
        reading.GapSeconds = BinaryPrimitives.ReadInt32LittleEndian(_rest[3..]);
        var at = 7;
        if (_rest[2] == ReadingsWriter.UnitValue)
        {
            reading.Value = Quantity.One;
        }
        else
        {
            reading.Value = Quantity.FromParts(
                BinaryPrimitives.ReadInt128LittleEndian(_rest[7..]), BinaryPrimitives.ReadInt128LittleEndian(_rest[23..]));
            at = 39;
        }

        reading.Key = _rest.Slice(at + 2, BinaryPrimitives.ReadUInt16LittleEndian(_rest[at..]));
        _rest = _rest[(at + 2 + reading.Key.Length)..];
        return true;
    }
}
