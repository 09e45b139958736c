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

    /// <summary>The filters hold, but the key of <c>count_once</c> is missing or neither a string nor a number, or too long.</summary>
    BadKey,

    /// <summary>The filters hold, but the key of <c>cancelled_by</c> is missing or neither a string nor a number, or too long.</summary>
    BadCancelKey,
}

/// <summary>What a meter reads from one event.</summary>
internal ref struct MeterReading
{
    /// <summary>Whether the event cancels others rather than being counted.</summary>
    public bool Cancels;

    /// <summary>The value in the meter's unit; one for a count.</summary>
    public Quantity Value;

    /// <summary>The key of a meter that counts once, as <see cref="EventKeyText"/> encodes it; empty for others.</summary>
    public ReadOnlySpan<byte> Key;

    /// <summary>The key that a canceller shares with what it cancels; empty for a meter without <c>cancelled_by</c>.</summary>
    public ReadOnlySpan<byte> CancelKey;

    /// <summary>The session gap that follows the event, in seconds; 0 for a meter without sessions.</summary>
    public int GapSeconds;
}

/// <summary>A meter as the path of an event needs it: its paths turned into slots of an <see cref="EventProgram"/>.</summary>
internal sealed class CompiledMeter
{
    private readonly SlotFilter _where;
    private readonly int _value = -1;
    private readonly int _key = -1;
    private readonly int _cancelKey = -1;
    private readonly int _by = -1;
    private readonly (byte[] Name, int Seconds)[] _gaps = [];
    private readonly int _gap;

    public CompiledMeter(Meter meter, Func<JsonPath, int> slotOf)
    {
        Definition = meter;
        _where = new(meter.Where, slotOf);
        if (meter.Value is { } value) _value = slotOf(value);
        if (meter.Aggregate == Aggregate.Unique) _key = _value;
        if (meter.CancelledBy is { } by) _cancelKey = slotOf(by.Key);
        if (meter.CountOnce is not { } once) return;
        _key = slotOf(once.Key);
        if (once.Window is not CountOnceWindow.Session session) return;
        _gap = (int)(session.Gap.Ticks / TimeSpan.TicksPerSecond);
        if (session.By is not { } path) return;
        _by = slotOf(path);
        _gaps = [.. session.Gaps.Select(g => (Encoding.UTF8.GetBytes(g.Key), (int)(g.Value.Ticks / TimeSpan.TicksPerSecond)))];
    }

    public Meter Definition { get; }

    /// <summary>Evaluates the filters and reads the values.</summary>
    /// <param name="data">The data the slots point into.</param>
    /// <param name="slots">The slots that the program of the event's type has filled.</param>
    /// <param name="keyBuffer">At least twice <see cref="EventKeyText.BufferBytes"/> long; the reading's keys point into it.</param>
    /// <param name="reading">What the meter reads; meaningful only for <see cref="MeterMatch.Yes"/>.</param>
    public MeterMatch Match(ReadOnlySpan<byte> data, ReadOnlySpan<ValueSlot> slots, Span<byte> keyBuffer, out MeterReading reading)
    {
        reading = default;
        if (!_where.Holds(data, slots)) return MeterMatch.No;

        reading.Value = Quantity.One;
        if (_value >= 0 && Definition.Aggregate != Aggregate.Unique)
        {
            var slot = slots[_value];
            if (slot.Kind != JsonTokenType.Number || !JsonNumber.TryReadQuantity(slot.Raw(data), out reading.Value)) return MeterMatch.BadValue;
        }

        var keyBytes = 0;
        if (_key >= 0)
        {
            if (!EventKeyText.TryEncode(data, slots[_key], keyBuffer, out keyBytes))
                return Definition.Aggregate == Aggregate.Unique ? MeterMatch.BadValue : MeterMatch.BadKey;
            reading.Key = keyBuffer[..keyBytes];
        }

        if (_cancelKey >= 0)
        {
            if (_cancelKey == _key)
            {
                reading.CancelKey = reading.Key;
            }
            else
            {
                var rest = keyBuffer[keyBytes..];
                if (!EventKeyText.TryEncode(data, slots[_cancelKey], rest, out var cancelKeyBytes)) return MeterMatch.BadCancelKey;
                reading.CancelKey = rest[..cancelKeyBytes];
            }
        }

        reading.GapSeconds = _by >= 0 ? GapFor(data, slots[_by]) : _gap;
        return MeterMatch.Yes;
    }

    private int GapFor(ReadOnlySpan<byte> data, ValueSlot slot)
    {
        if (slot.Kind == JsonTokenType.String)
            foreach (var (name, seconds) in _gaps)
                if (slot.TextEquals(data, name)) return seconds;
        return _gap;
    }
}
