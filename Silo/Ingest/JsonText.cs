using System.Text;

namespace Billing.Silo.Ingest;

/// <summary>Takes the escapes out of JSON strings.</summary>
internal static class JsonText
{
    /// <summary>Writes the text that the inside of a JSON string stands for.</summary>
    /// <param name="escaped">What stands between the quotes: valid UTF-8.</param>
    /// <param name="text">Where to; as long as <paramref name="escaped"/> is enough.</param>
    /// <param name="written">The bytes of the text.</param>
    /// <returns>Whether each escape is one that JSON knows, and none is one half of a surrogate pair.</returns>
    public static bool TryUnescape(ReadOnlySpan<byte> escaped, Span<byte> text, out int written)
    {
        written = 0;
        while (true)
        {
            var plain = escaped.IndexOf((byte)'\\');
            var until = plain < 0 ? escaped.Length : plain;
            escaped[..until].CopyTo(text[written..]);
            written += until;
            if (plain < 0)
                return true;

            escaped = escaped[(plain + 1)..];
            if (escaped.IsEmpty)
                return false;

            if (escaped[0] == 'u')
            {
                if (!TryRune(ref escaped, out var rune))
                    return false;

                written += rune.EncodeToUtf8(text[written..]);
                continue;
            }

            var character = Unescape(escaped[0]);
            if (character == 0)
                return false;

            text[written++] = character;
            escaped = escaped[1..];
        }
    }

    private static byte Unescape(byte letter) => letter switch
    {
        (byte)'"' or (byte)'\\' or (byte)'/' => letter,
        (byte)'b' => (byte)'\b',
        (byte)'f' => (byte)'\f',
        (byte)'n' => (byte)'\n',
        (byte)'r' => (byte)'\r',
        (byte)'t' => (byte)'\t',
        _ => 0,
    };

    /// <summary>Reads the <c>u</c> and digits of one escape, or of the two that make a pair.</summary>
    private static bool TryRune(ref ReadOnlySpan<byte> escaped, out Rune rune)
    {
        rune = default;
        if (!TryUnit(escaped, out var first))
            return false;

        escaped = escaped[5..];
        if (!char.IsSurrogate(first))
            return Rune.TryCreate(first, out rune);

        if (escaped.IsEmpty || escaped[0] != '\\' || !TryUnit(escaped[1..], out var second) || !Rune.TryCreate(first, second, out rune))
            return false;

        escaped = escaped[6..];
        return true;
    }

    private static bool TryUnit(ReadOnlySpan<byte> escaped, out char unit)
    {
        unit = default;
        if (escaped.Length < 5 || escaped[0] != 'u')
            return false;

        var value = 0;
        foreach (var digit in escaped[1..5])
        {
            if (!char.IsAsciiHexDigit((char)digit))
                return false;

            value = (value * 16) + (digit <= '9' ? digit - '0' : (digit | 0x20) - 'a' + 10);
        }

        unit = (char)value;
        return true;
    }
}
