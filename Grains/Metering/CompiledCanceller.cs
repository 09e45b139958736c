namespace Billing.Metering;

/// <summary>The events that cancel those of a meter, as the path of an event needs them.</summary>
internal sealed class CompiledCanceller
{
    private readonly SlotFilter _where;
    private readonly int _key;

    public CompiledCanceller(Meter meter, Func<JsonPath, int> slotOf)
    {
        Definition = meter;
        _where = new(meter.CancelledBy!.Where, slotOf);
        _key = slotOf(meter.CancelledBy.Key);
    }

    /// <summary>The meter whose events are cancelled.</summary>
    public Meter Definition { get; }

    /// <inheritdoc cref="CompiledMeter.Match"/>
    public MeterMatch Match(ReadOnlySpan<byte> data, ReadOnlySpan<ValueSlot> slots, Span<byte> keyBuffer, out MeterReading reading)
    {
        reading = default;
        if (!_where.Holds(data, slots)) return MeterMatch.No;
        if (!EventKeyText.TryEncode(data, slots[_key], keyBuffer, out var keyBytes)) return MeterMatch.BadCancelKey;
        reading.Cancels = true;
        reading.Value = Quantity.One;
        reading.CancelKey = keyBuffer[..keyBytes];
        return MeterMatch.Yes;
    }
}
