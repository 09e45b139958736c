using System.Text.Json;

namespace Billing.Metering;

/// <summary>Filters on an event's data; all must hold.</summary>
internal sealed class SlotFilter(IEnumerable<Filter> where, Func<JsonPath, int> slotOf)
{
    private readonly (int Slot, JsonScalar[] Allowed)[] _where = [.. where.Select(f => (slotOf(f.Path), f.Allowed.ToArray()))];

    public bool Holds(ReadOnlySpan<byte> data, ReadOnlySpan<ValueSlot> slots)
    {
        foreach (var (slot, allowed) in _where)
            if (!IsOneOf(data, slots[slot], allowed)) return false;
        return true;
    }

    private static bool IsOneOf(ReadOnlySpan<byte> data, ValueSlot slot, JsonScalar[] allowed)
    {
        foreach (var scalar in allowed)
        {
            if (scalar.Kind != slot.Kind) continue;
            if (scalar.Kind is not (JsonTokenType.String or JsonTokenType.Number) || slot.TextEquals(data, scalar.Text)) return true;
        }

        return false;
    }
}
