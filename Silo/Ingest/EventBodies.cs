using System.Globalization;

namespace Billing.Silo.Ingest;

/// <summary>Splits the body of a request into events. Each event is a range of the body: nothing is copied.</summary>
internal static class EventBodies
{
    /// <summary>Takes the next line of a body of JSON lines that is not blank.</summary>
    /// <param name="rest">The body behind the lines taken so far.</param>
    /// <param name="line">The line without its LF or CRLF. The last one needs none.</param>
    /// <returns>Whether there was one.</returns>
    public static bool TryNextLine(ref ReadOnlySpan<byte> rest, out ReadOnlySpan<byte> line)
    {
        while (!rest.IsEmpty)
        {
            var end = rest.IndexOf((byte)'\n');
            line = end < 0 ? rest : rest[..end];
            rest = end < 0 ? default : rest[(end + 1)..];
            if (line.EndsWith("\r"u8))
                line = line[..^1];

            if (line.ContainsAnyExcept((byte)' ', (byte)'\t'))
                return true;
        }

        line = default;
        return false;
    }
}

/// <summary>Takes the events out of a JSON array, one by one, and says where the array is broken.</summary>
/// <param name="body">The array.</param>
/// <remarks>
/// Elements before a break are events as any others. Only brackets are counted, so an event that is broken or nested
/// too deep inside is still one element, and spoils none beside it.
/// </remarks>
internal ref struct BatchSplitter(ReadOnlySpan<byte> body)
{
    private readonly ReadOnlySpan<byte> _body = body;
    private int _at;
    private bool _opened;
    private bool _ended;

    /// <summary>What is wrong with the array itself, or null. Final when <see cref="TryNext"/> has answered false.</summary>
    public string? Problem { get; private set; }

    /// <summary>The byte the <see cref="Problem"/> is at, from 0; -1 if there is none.</summary>
    public int ProblemAt { get; private set; } = -1;

    /// <summary>Takes the next element.</summary>
    /// <returns>Whether there was one before the end or the break.</returns>
    public bool TryNext(out ReadOnlySpan<byte> element)
    {
        element = default;
        if (_ended)
            return false;

        _at = JsonScanner.SkipSpace(_body, _at);
        if (!_opened)
        {
            if (Current != '[')
                return Break(_at, "a batch must begin with '['");

            _opened = true;
            _at = JsonScanner.SkipSpace(_body, _at + 1);
            if (Current == ']')
                return End();
        }
        else if (Current == ']')
        {
            return End();
        }
        else if (Current != ',')
        {
            return Break(_at, "',' or ']' is missing after an event");
        }
        else
        {
            _at = JsonScanner.SkipSpace(_body, _at + 1);
        }

        var start = _at;
        var end = start < _body.Length ? JsonScanner.SkipValue(_body, start) : start;
        if (end < 0)
            return Break(start, "the event that begins here does not end");

        if (end == start)
            return Break(start, "an event is missing");

        _at = end;
        element = _body[start..end];
        return true;
    }

    private readonly byte Current => _at < _body.Length ? _body[_at] : (byte)0;

    private bool End()
    {
        _ended = true;
        _at = JsonScanner.SkipSpace(_body, _at + 1);
        return _at < _body.Length && Break(_at, "something follows the ']' of the batch");
    }

    private bool Break(int at, string what)
    {
        _ended = true;
        ProblemAt = at;
        Problem = string.Create(CultureInfo.InvariantCulture,
            $"The batch is not a JSON array: at byte {at}, {what}. Events before it were read; mend it and send the rest again.");
        return false;
    }
}
