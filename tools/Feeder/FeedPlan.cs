namespace Billing.Feeder;

/// <summary>Lines that are fed at one standing of the clock.</summary>
/// <param name="Index">The group's place in the plan, from 0.</param>
/// <param name="Clock">Where the clock is moved before the lines are sent; null: it stays where the platform has it.</param>
/// <param name="Lines">The lines, in file order.</param>
internal sealed record FeedGroup(int Index, DateTimeOffset? Clock, IReadOnlyList<EventLine> Lines);

/// <summary>How the lines of a group are sent.</summary>
/// <param name="ShuffleSeed">Shuffles the lines of each group; the same seed gives the same order. Null: file order.</param>
/// <param name="Twice">Sends every line twice.</param>
internal readonly record struct FeedOrder(int? ShuffleSeed = null, bool Twice = false);

/// <summary>Which lines are fed at which standing of the clock. Pure: the same lines and step give the same plan.</summary>
internal static class FeedPlan
{
    /// <summary>
    /// Groups consecutive lines by the step in which they were received. A step holds its start and not its end; the clock of a
    /// group is the end. A line without a readable <c>receivedat</c>, or with an earlier one, belongs to the group it stands in,
    /// because the clock never moves back.
    /// </summary>
    /// <param name="lines">The lines in file order.</param>
    /// <param name="step">The length of a step; steps are counted from 1970-01-01T00:00:00Z.</param>
    public static IReadOnlyList<FeedGroup> Group(IEnumerable<EventLine> lines, TimeSpan step)
    {
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(step, TimeSpan.Zero);
        var groups = new List<FeedGroup>();
        var current = new List<EventLine>();
        DateTimeOffset? clock = null;
        foreach (var line in lines)
        {
            if (line.ReceivedAt is { } received && EndOfStep(received, step) is var end && (clock is null || end > clock))
            {
                Close();
                clock = end;
            }

            current.Add(line);
        }

        Close();
        return groups;

        void Close()
        {
            if (current.Count == 0)
                return;

            groups.Add(new(groups.Count, clock, current));
            current = [];
        }
    }

    /// <summary>The end of the step that contains the instant.</summary>
    public static DateTimeOffset EndOfStep(DateTimeOffset instant, TimeSpan step)
    {
        var sinceEpoch = instant.UtcTicks - DateTimeOffset.UnixEpoch.Ticks;
        var inStep = ((sinceEpoch % step.Ticks) + step.Ticks) % step.Ticks;
        return new(instant.UtcTicks - inStep + step.Ticks, TimeSpan.Zero);
    }

    /// <summary>The lines of a group in sending order. Each group has its own shuffle, whatever was sent before.</summary>
    public static IReadOnlyList<EventLine> Arrange(FeedGroup group, FeedOrder order)
    {
        var lines = order.Twice ? group.Lines.SelectMany(line => new[] { line, line }).ToArray() : group.Lines.ToArray();
        if (order.ShuffleSeed is { } seed)
            new Random(unchecked((seed * 397) ^ group.Index)).Shuffle(lines);

        return lines;
    }

    /// <summary>Cuts lines into bodies of newline-delimited JSON.</summary>
    /// <param name="lines">The lines in sending order.</param>
    /// <param name="linesMax">The most lines of a body.</param>
    /// <param name="bytesMax">The size in bytes that a body exceeds only when it is a single line.</param>
    public static IEnumerable<FeedBody> Bodies(IReadOnlyList<EventLine> lines, int linesMax, int bytesMax)
    {
        for (var start = 0; start < lines.Count;)
        {
            var end = start;
            long bytes = 0;
            while (end < lines.Count && end - start < linesMax && (end == start || bytes + lines[end].Bytes.Length + 1 <= bytesMax))
                bytes += lines[end++].Bytes.Length + 1;

            var body = new byte[bytes];
            var at = 0;
            foreach (var line in lines.Skip(start).Take(end - start))
            {
                line.Bytes.CopyTo(body.AsMemory(at));
                at += line.Bytes.Length;
                body[at++] = (byte)'\n';
            }

            yield return new(lines.Skip(start).Take(end - start).ToList(), body);
            start = end;
        }
    }
}

/// <summary>One request body and the lines in it.</summary>
internal sealed record FeedBody(IReadOnlyList<EventLine> Lines, byte[] Bytes);
