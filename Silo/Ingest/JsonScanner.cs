using System.Buffers;

namespace Billing.Silo.Ingest;

/// <summary>
/// Finds where JSON values end, without reading them. Needs no stack, so a value may be nested to any depth; whether it
/// is right inside is for the reader of the value to say.
/// </summary>
internal static class JsonScanner
{
    private static readonly SearchValues<byte> EndsOfScalar = SearchValues.Create(",]}: \t\r\n"u8);

    /// <summary>The index of the first byte at or after an index that is no white space; the length if there is none.</summary>
    public static int SkipSpace(ReadOnlySpan<byte> json, int at)
    {
        var skipped = json[at..].IndexOfAnyExcept(" \t\r\n"u8);
        return skipped < 0 ? json.Length : at + skipped;
    }

    /// <summary>The index behind the string whose quote is at an index; -1 if it does not end.</summary>
    public static int SkipString(ReadOnlySpan<byte> json, int at)
    {
        // Byte by byte: most strings are shorter than a vectorised search takes to begin.
        for (at++; at < json.Length; at++)
        {
            if (json[at] == '"')
                return at + 1;

            if (json[at] == '\\')
                at++;
        }

        return -1;
    }

    /// <summary>The index behind the value that begins at an index; -1 if it does not end.</summary>
    public static int SkipValue(ReadOnlySpan<byte> json, int at)
    {
        if (json[at] == '"')
            return SkipString(json, at);

        if (json[at] is not ((byte)'{' or (byte)'['))
        {
            var length = json[at..].IndexOfAny(EndsOfScalar);
            return length < 0 ? json.Length : at + length;
        }

        var depth = 0;
        while (at < json.Length)
        {
            switch (json[at])
            {
                case (byte)'"':
                    at = SkipString(json, at);
                    if (at < 0)
                        return -1;

                    continue;
                case (byte)'{' or (byte)'[':
                    depth++;
                    break;
                case (byte)'}' or (byte)']':
                    depth--;
                    if (depth == 0)
                        return at + 1;

                    break;
            }

            at++;
        }

        return -1;
    }
}
