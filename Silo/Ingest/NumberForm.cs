using System.Buffers.Binary;

namespace Billing.Silo.Ingest;

/// <summary>Brings JSON numbers into the one form that all spellings of a value share.</summary>
internal static class NumberForm
{
    /// <summary>The most digits a number may have before its exponent.</summary>
    public const int DigitsMax = 1_000;

    /// <summary>The largest exponent a number may be written with, above zero or below.</summary>
    public const int ExponentMax = 1_000_000;

    /// <summary>The most bytes of a form: sign, exponent and digits.</summary>
    public const int FormBytesMax = 1 + sizeof(int) + DigitsMax;

    /// <summary>Writes the form of a number: exact, so 2^53 + 1 is not 2^53.</summary>
    /// <param name="text">A number that is spelled as JSON asks.</param>
    /// <param name="form">Where to; <see cref="FormBytesMax"/> bytes.</param>
    /// <param name="written">The bytes written. None: the number is zero, with whatever sign.</param>
    /// <returns>Whether the number is within the bounds.</returns>
    public static bool TryNormalize(ReadOnlySpan<byte> text, Span<byte> form, out int written)
    {
        written = 0;
        var negative = text[0] == '-';
        var at = negative ? 1 : 0;
        var digits = 0;
        var fractionDigits = 0;
        var inFraction = false;
        var end = 1 + sizeof(int);
        for (; at < text.Length && (text[at] | 0x20) != 'e'; at++)
        {
            if (text[at] == '.')
            {
                inFraction = true;
                continue;
            }

            if (++digits > DigitsMax)
                return false;

            if (inFraction)
                fractionDigits++;

            // A zero in front of everything says nothing.
            if (text[at] != '0' || end > 1 + sizeof(int))
                form[end++] = text[at];
        }

        if (!TryExponent(at < text.Length ? text[(at + 1)..] : default, out var exponent))
            return false;

        exponent -= fractionDigits;
        while (end > 1 + sizeof(int) && form[end - 1] == '0')
        {
            end--;
            exponent++;
        }

        if (end == 1 + sizeof(int))
            return true;

        form[0] = negative ? (byte)1 : (byte)0;
        BinaryPrimitives.WriteInt32LittleEndian(form[1..], exponent);
        written = end;
        return true;
    }

    private static bool TryExponent(ReadOnlySpan<byte> text, out int exponent)
    {
        exponent = 0;
        var negative = false;
        foreach (var character in text)
        {
            if (character is (byte)'+' or (byte)'-')
            {
                negative = character == '-';
                continue;
            }

            exponent = (exponent * 10) + (character - '0');
            if (exponent > ExponentMax)
                return false;
        }

        if (negative)
            exponent = -exponent;

        return true;
    }
}
