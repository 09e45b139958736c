using System.Buffers.Binary;
using Billing.Metering;

namespace Billing.Accounts;

/// <summary>Writes what the meters read from one event. Reused from event to event.</summary>
/// <remarks>
/// Layout per reading: meter number (2 bytes), flags (1), gap (4), value (32, or 0 when the flag says one unit), key length (2), key, and
/// when a flag says so the length (2) and bytes of the key of <c>cancelled_by</c>, which else is the same as the key.
/// </remarks>
internal sealed class ReadingsWriter
{
    internal const byte UnitValue = 1;
    internal const byte Cancels = 2;
    internal const byte OwnCancelKey = 4;

    /// <summary>In place of a meter's number: meters matched the event, but the account did not subscribe to their products at its time.</summary>
    public const int NoSubscription = ushort.MaxValue;

    private const int MaxReadingBytes = 2 + 1 + 4 + 32 + (2 * (2 + EventKeyText.MaxBytes));

    private byte[] _buffer = new byte[4 * MaxReadingBytes];
    private int _length;

    public ReadOnlySpan<byte> Written => _buffer.AsSpan(0, _length);

    public void Reset() => _length = 0;

    public void AddNoSubscription() => Add(NoSubscription, new() { Value = Quantity.One });

    public void Add(int meter, in MeterReading reading)
    {
        if (_length + MaxReadingBytes > _buffer.Length) Array.Resize(ref _buffer, _buffer.Length * 2);
        var span = _buffer.AsSpan(_length);
        var unit = reading.Value == Quantity.One;
        var ownCancelKey = !reading.CancelKey.IsEmpty && !reading.CancelKey.SequenceEqual(reading.Key);
        BinaryPrimitives.WriteUInt16LittleEndian(span, (ushort)meter);
        span[2] = (byte)((unit ? UnitValue : 0) | (reading.Cancels ? Cancels : 0) | (ownCancelKey ? OwnCancelKey : 0));
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
        at += 2 + reading.Key.Length;
        if (ownCancelKey)
        {
            BinaryPrimitives.WriteUInt16LittleEndian(span[at..], (ushort)reading.CancelKey.Length);
            reading.CancelKey.CopyTo(span[(at + 2)..]);
            at += 2 + reading.CancelKey.Length;
        }

        _length += at;
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
        var flags = _rest[2];
        reading.Cancels = (flags & ReadingsWriter.Cancels) != 0;
        if ((flags & ReadingsWriter.UnitValue) != 0)
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
        reading.CancelKey = reading.Key;
        at += 2 + reading.Key.Length;
        if ((flags & ReadingsWriter.OwnCancelKey) != 0)
        {
            reading.CancelKey = _rest.Slice(at + 2, BinaryPrimitives.ReadUInt16LittleEndian(_rest[at..]));
            at += 2 + reading.CancelKey.Length;
        }

        _rest = _rest[at..];
        return true;
    }
}
