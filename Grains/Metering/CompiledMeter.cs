using System.Text;
using System.Text.Json;

namespace Billing.Metering;

/// <summary>Whether an event concerns a meter, and if so what it lacks.</summary>
internal enum MeterMatch
{
    /// <summary>A filter does not hold.</summary>
    No,

    /// <summary>The filters hold and every value the meter needs is there.</summary>
    Yes,

    /// <summary>The filters hold, but the value is missing or not a number of zero or more with at most 28 digits.</summary>
    BadValue,

    /// <summary>The filters hold, but the key is missing or neither a string nor a number, or too long.</summary>
    BadKey,
}

/// <summary>What a meter reads from one event.</summary>
internal ref struct MeterReading
{
    /// <summary>The value in the meter's unit; one for a count.</summary>
    public Quantity Value;

    /// <summary>The key of a meter that counts once, as <see cref="CompiledMeter"/> encodes it; empty for others.</summary>
    public ReadOnlySpan<byte> Key;

    /// <summary>The session gap that follows the event, in seconds; 0 for a meter without sessions.</summary>
    public int GapSeconds;
}

/// <summary>A meter as the path of an event needs it: its paths turned into slots of an <see cref="EventProgram"/>.</summary>
internal sealed class CompiledMeter
{
    /// <summary>The longest key, encoded.</summary>
    public const int MaxKeyBytes = 1025;

    /// <summary>How long a buffer must be for any key that may be read, before it is known to be short enough.</summary>
    public const int KeyBufferBytes = 1 + MaxEscapedBytes;

    // A character takes at most six bytes when it is escaped.
    private const int MaxEscapedBytes = 6 * (MaxKeyBytes - 1);

    private readonly (int Slot, JsonScalar[] Allowed)[] _where;
    private readonly int _value = -1;
    private readonly int _key = -1;
    private readonly int _by = -1;
    private readonly (byte[] Name, int Seconds)[] _gaps = [];
    private readonly int _gap;

    public CompiledMeter(Meter meter, Func<JsonPath, int> slotOf)
    {
        Definition = meter;
        _where = [.. meter.Where.Select(f => (slotOf(f.Path), f.Allowed.ToArray()))];
        if (meter.Value is { } value) _value = slotOf(value);
        if (meter.CountOnce is not { } once) return;
        _key = slotOf(once.Key);
        if (once.Window is not CountOnceWindow.Session session) return;
        _gap = (int)(session.Gap.Ticks / TimeSpan.TicksPerSecond);
        if (session.By is not { } by) return;
        _by = slotOf(by);
        _gaps = [.. session.Gaps.Select(g => (Encoding.UTF8.GetBytes(g.Key), (int)(g.Value.Ticks / TimeSpan.TicksPerSecond)))];
    }

    public Meter Definition { get; }

    /// <summary>Evaluates the filters and reads the values.</summary>
    /// <param name="data">The data the slots point into.</param>
    /// <param name="slots">The slots that the program of the event's type has filled.</param>
    /// <param name="keyBuffer">At least <see cref="KeyBufferBytes"/> long; the reading's key points into it.</param>
    /// <param name="reading">What the meter reads; meaningful only for <see cref="MeterMatch.Yes"/>.</param>
    public MeterMatch Match(ReadOnlySpan<byte> data, ReadOnlySpan<ValueSlot> slots, Span<byte> keyBuffer, out MeterReading reading)
    {
        reading = default;
        foreach (var (slot, allowed) in _where)
            if (!Holds(data, slots[slot], allowed)) return MeterMatch.No;

        reading.Value = Quantity.One;
        if (_value >= 0 && Definition.Aggregate != Aggregate.Unique)
        {
            var slot = slots[_value];
            if (slot.Kind != JsonTokenType.Number || !JsonNumber.TryReadQuantity(slot.Raw(data), out reading.Value)) return MeterMatch.BadValue;
        }

        var keySlot = Definition.Aggregate == Aggregate.Unique ? _value : _key;
        if (keySlot < 0) return MeterMatch.Yes;
        if (!TryEncodeKey(data, slots[keySlot], keyBuffer, out var keyBytes))
            return Definition.Aggregate == Aggregate.Unique ? MeterMatch.BadValue : MeterMatch.BadKey;
        reading.Key = keyBuffer[..keyBytes];
        reading.GapSeconds = _by >= 0 ? GapFor(data, slots[_by]) : _gap;
        return MeterMatch.Yes;
    }

    // A string is 's' and its text, a number 'n' and its canonical spelling: 7 and "7" are two keys, 7 and 7.0 one.
    private static bool TryEncodeKey(ReadOnlySpan<byte> data, ValueSlot slot, Span<byte> buffer, out int written)
    {
        written = 0;
        switch (slot.Kind)
        {
            case JsonTokenType.String when slot.Length <= MaxEscapedBytes:
                buffer[0] = (byte)'s';
                written = 1 + slot.CopyString(data, buffer[1..]);
                return written <= MaxKeyBytes;

            case JsonTokenType.Number:
                buffer[0] = (byte)'n';
                if (!JsonNumber.TryCanonical(slot.Raw(data), buffer[1..], out written)) return false;
                written++;
                return written <= MaxKeyBytes;

            default:
                return false;
        }
    }

    private static bool Holds(ReadOnlySpan<byte> data, ValueSlot slot, JsonScalar[] allowed)
    {
        foreach (var scalar in allowed)
        {
            if (scalar.Kind != slot.Kind) continue;
            if (scalar.Kind is not (JsonTokenType.String or JsonTokenType.Number) || TextEquals(data, slot, scalar.Text)) return true;
        }

        return false;
    }

    private static bool TextEquals(ReadOnlySpan<byte> data, ValueSlot slot, ReadOnlySpan<byte> text)
    {
        if (slot.Kind == JsonTokenType.String)
        {
            if (!slot.Escaped) return slot.Raw(data).SequenceEqual(text);
            var reader = new Utf8JsonReader(data.Slice(slot.Start, slot.Length + 2));
            reader.Read();
            return reader.ValueTextEquals(text);
        }

        Span<byte> canonical = stackalloc byte[JsonNumber.CanonicalBytesMax];
        return JsonNumber.TryCanonical(slot.Raw(data), canonical, out var written) && canonical[..written].SequenceEqual(text);
    }

    private int GapFor(ReadOnlySpan<byte> data, ValueSlot slot)
    {
        if (slot.Kind == JsonTokenType.String)
            foreach (var (name, seconds) in _gaps)
                if (TextEquals(data, slot, name)) return seconds;
        return _gap;
    }
}
