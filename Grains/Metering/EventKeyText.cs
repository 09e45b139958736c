using System.Text.Json;

namespace Billing.Metering;

/// <summary>The value that a key has in an event, as bytes: a string is 's' and its text, a number 'n' and its canonical spelling.</summary>
/// <remarks>So 7 and "7" are two keys, 7 and 7.0 are one.</remarks>
internal static class EventKeyText
{
    /// <summary>The longest key, encoded.</summary>
    public const int MaxBytes = 1025;

    /// <summary>How long a buffer must be for any key that may be read, before it is known to be short enough.</summary>
    public const int BufferBytes = 1 + MaxEscapedBytes;

    // A character takes at most six bytes when it is escaped.
    private const int MaxEscapedBytes = 6 * (MaxBytes - 1);

    public static bool TryEncode(ReadOnlySpan<byte> data, ValueSlot slot, Span<byte> buffer, out int written)
    {
        written = 0;
        switch (slot.Kind)
        {
            case JsonTokenType.String when slot.Length <= MaxEscapedBytes:
                buffer[0] = (byte)'s';
                written = 1 + slot.CopyString(data, buffer[1..]);
                return written <= MaxBytes;

            case JsonTokenType.Number:
                buffer[0] = (byte)'n';
                if (!JsonNumber.TryCanonical(slot.Raw(data), buffer[1..], out written)) return false;
                written++;
                return written <= MaxBytes;

            default:
                return false;
        }
    }
}
