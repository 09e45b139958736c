using System.Buffers.Text;
using System.Text;

namespace Billing.Metering;

/// <summary>JSON numbers without floating point: their value, however they are spelled.</summary>
internal static class JsonNumber
{
    /// <summary>The most digits a metered value has, before and after the point together.</summary>
    public const int MaxDigits = 28;

    /// <summary>The longest canonical spelling.</summary>
    public const int CanonicalBytesMax = MaxSpellingBytes + 24;

    private const int MaxSpellingBytes = 1024;

    /// <summary>
    /// Reads a value of a meter: zero or more, at most 28 digits, whichever way it is spelled.
    /// </summary>
    /// <param name="json">A JSON number.</param>
    /// <param name="quantity">The value; meaningful only when true is returned.</param>
    public static bool TryReadQuantity(ReadOnlySpan<byte> json, out Quantity quantity)
    {
        quantity = default;
        if (!TryParts(json, out var negative, out var digits, out var exponent, stackalloc byte[MaxDigits + 1])) return false;
        if (digits.IsEmpty) return true;
        if (negative || digits.Length > MaxDigits) return false;

        // The value is 0.DIGITS × 10^(digits + exponent): places before the point, and after.
        var before = digits.Length + exponent;
        if (before > MaxDigits || exponent < -Quantity.MaxPlaces) return false;

        Int128 whole = 0, fraction = 0;
        for (var i = 0; i < before; i++) whole = (whole * 10) + (i < digits.Length ? digits[i] - '0' : 0);
        for (var i = 0; i < Quantity.MaxPlaces; i++)
        {
            var at = before + i;
            fraction = (fraction * 10) + (at >= 0 && at < digits.Length ? digits[(int)at] - '0' : 0);
        }

        quantity = Quantity.FromParts(whole, fraction);
        return true;
    }

    /// <summary>Writes a spelling that equal numbers share: <c>1.50</c> and <c>15e-1</c> both give <c>15e-1</c>.</summary>
    public static bool TryCanonical(ReadOnlySpan<byte> json, Span<byte> destination, out int written)
    {
        written = 0;
        if (json.Length > MaxSpellingBytes) return false;
        if (!TryParts(json, out var negative, out var digits, out var exponent, stackalloc byte[json.Length])) return false;
        if (digits.IsEmpty)
        {
            if (destination.IsEmpty) return false;
            destination[0] = (byte)'0';
            written = 1;
            return true;
        }

        if (destination.Length < digits.Length + 24) return false;
        if (negative) destination[written++] = (byte)'-';
        digits.CopyTo(destination[written..]);
        written += digits.Length;
        if (exponent == 0) return true;
        destination[written++] = (byte)'e';
        Utf8Formatter.TryFormat(exponent, destination[written..], out var exponentBytes);
        written += exponentBytes;
        return true;
    }

    /// <summary>A canonical spelling as text, for what is configured rather than received.</summary>
    public static string? Canonical(string json)
    {
        Span<byte> canonical = stackalloc byte[CanonicalBytesMax];
        return TryCanonical(Encoding.UTF8.GetBytes(json), canonical, out var written) ? Encoding.UTF8.GetString(canonical[..written]) : null;
    }

    // Significant digits without leading and trailing zeros, and the power of ten behind the last of them.
    // False only when there are more significant digits than the buffer holds or the exponent is beyond reading.
    private static bool TryParts(
        ReadOnlySpan<byte> json, out bool negative, out ReadOnlySpan<byte> digits, out long exponent, Span<byte> buffer)
    {
        negative = json[0] == '-';
        exponent = 0;
        digits = default;
        var count = 0;
        var pendingZeros = 0L;
        var places = 0L;
        var afterPoint = false;
        var i = negative ? 1 : 0;
        for (; i < json.Length; i++)
        {
            var c = json[i];
            if (c == '.')
            {
                afterPoint = true;
                continue;
            }

            if (c is (byte)'e' or (byte)'E') break;
            if (afterPoint) places++;
            if (c == '0')
            {
                if (count > 0) pendingZeros++;
                continue;
            }

            if (count + pendingZeros + 1 > buffer.Length) return false;
            for (; pendingZeros > 0; pendingZeros--) buffer[count++] = (byte)'0';
            buffer[count++] = c;
        }

        if (i < json.Length)
        {
            var text = json[(i + 1)..];
            if (text[0] == '+') text = text[1..];
            if (!Utf8Parser.TryParse(text, out int written, out var used) || used != text.Length) return count == 0;
            exponent = written;
        }

        exponent = exponent - places + pendingZeros;
        digits = buffer[..count];
        return true;
    }
}
