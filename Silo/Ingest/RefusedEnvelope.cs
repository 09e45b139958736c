using System.Text.Unicode;

namespace Billing.Silo.Ingest;

/// <summary>Finds out whom a refused event is from and about, so that the refusal can be kept with the account.</summary>
internal static class RefusedEnvelope
{
    /// <summary>Bytes of scratch that <see cref="Read"/> needs.</summary>
    public const int ScratchBytes = (2 * AttributeRules.TextBytesMax) + AttributeRules.SubjectBytesMax + LongestSpelling;

    private const int LongestSpelling = AttributeRules.TextBytesMax * AttributeRules.EscapedBytesMax;
    private const int LongestNameSpelling = 7 * AttributeRules.EscapedBytesMax;

    /// <summary>Fills source, id and subject as far as they can be read in what may be no JSON at all.</summary>
    /// <remarks>An attribute that stands twice is left empty: it names nothing for sure.</remarks>
    public static void Read(ReadOnlySpan<byte> json, byte[] scratch, ref CloudEvent e)
    {
        if (json.StartsWith("\ufeff"u8))
            json = json[3..];

        var at = JsonScanner.SkipSpace(json, 0);
        if (at == json.Length || json[at] != '{')
            return;

        var seen = Attributes.None;
        var free = scratch.AsSpan();
        at++;
        while (TryMember(json, ref at, out var name, out var value))
        {
            var attribute = Of(name);
            if (attribute is not (Attributes.Source or Attributes.Id or Attributes.Subject))
                continue;

            ReadOnlySpan<byte> text = default;
            if ((seen & attribute) == Attributes.None)
                TryText(attribute, value, ref free, out text);

            seen |= attribute;
            switch (attribute)
            {
                case Attributes.Source:
                    e.Source = text;
                    break;
                case Attributes.Id:
                    e.Id = text;
                    break;
                default:
                    e.Subject = text;
                    break;
            }
        }
    }

    private static Attributes Of(ReadOnlySpan<byte> name)
    {
        if (!name.Contains((byte)'\\'))
            return AttributeRules.Of(name);

        Span<byte> text = stackalloc byte[LongestNameSpelling];
        return name.Length <= text.Length && JsonText.TryUnescape(name, text, out var written)
            ? AttributeRules.Of(text[..written])
            : Attributes.None;
    }

    private static bool TryMember(ReadOnlySpan<byte> json, ref int at, out ReadOnlySpan<byte> name, out ReadOnlySpan<byte> value)
    {
        name = default;
        value = default;
        at = JsonScanner.SkipSpace(json, at);
        if (at < json.Length && json[at] == ',')
            at = JsonScanner.SkipSpace(json, at + 1);

        if (at == json.Length || json[at] != '"')
            return false;

        var end = JsonScanner.SkipString(json, at);
        if (end < 0)
            return false;

        name = json[(at + 1)..(end - 1)];
        at = JsonScanner.SkipSpace(json, end);
        if (at == json.Length || json[at] != ':')
            return false;

        at = JsonScanner.SkipSpace(json, at + 1);
        if (at == json.Length)
            return false;

        end = JsonScanner.SkipValue(json, at);
        if (end < 0)
            return false;

        value = json[at..end];
        at = end;
        return true;
    }

    private static void TryText(
        Attributes attribute, scoped ReadOnlySpan<byte> value, scoped ref Span<byte> free, out ReadOnlySpan<byte> text)
    {
        text = default;
        if (value.IsEmpty || value[0] != '"')
            return;

        value = value[1..^1];
        var bytesMax = AttributeRules.BytesMax(attribute);
        if (value.Length > bytesMax * AttributeRules.EscapedBytesMax || !Utf8.IsValid(value)
            || !JsonText.TryUnescape(value, free, out var written)
            || written > bytesMax || AttributeRules.HasForbiddenControl(attribute, free[..written]))
        {
            return;
        }

        text = free[..written];
        free = free[written..];
    }
}
