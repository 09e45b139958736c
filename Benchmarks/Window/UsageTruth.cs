using System.Globalization;
using Billing.Usage;

namespace Billing.Benchmarks.Window;

/// <summary>The right usage of a set of events in the two periods that the window touches, worked out from the whole set.</summary>
/// <param name="First">What counts in the first period.</param>
/// <param name="Second">What counts in the second.</param>
/// <param name="Pending">What of the second may still be cancelled: it lies less than a period before the clock.</param>
internal sealed record UsageTruth(decimal First, decimal Second, decimal Pending = 0)
{
    // The first period begins on 11 October, the second on 11 November.
    private static readonly long SecondPeriod = (long)TimeSpan.FromDays(31).TotalMilliseconds;
    private static readonly long Clock = (long)(WindowEvents.Clock - WindowEvents.Anchor).TotalMilliseconds;

    public static UsageTruth Count(WindowEvent[] events) => Of(events, _ => 1);

    public static UsageTruth Sum(WindowEvent[] events) => Of(events, made => made.Tenths / 10m);

    public static UsageTruth KeysPerPeriod(WindowEvent[] events) => Of(events.DistinctBy(made => (made.Key, IsFirst(made))), _ => 1);

    public static UsageTruth Latest(WindowEvent[] events)
    {
        Array.Sort(events, (x, y) => (x.Milliseconds, x.Id).CompareTo((y.Milliseconds, y.Id)));
        return new(Array.FindLast(events, IsFirst).Tenths / 10m, Array.FindLast(events, made => !IsFirst(made)).Tenths / 10m);
    }

    public static UsageTruth Sessions(WindowEvent[] events, TimeSpan emailGap, TimeSpan chatGap)
    {
        return Of(ByKey(events).SelectMany(Openers), _ => 1);

        IEnumerable<WindowEvent> Openers(ArraySegment<WindowEvent> key)
        {
            for (var i = 0; i < key.Count; i++)
                if (i == 0 || key[i].Milliseconds - key[i - 1].Milliseconds > (long)(key[i - 1].Chat ? chatGap : emailGap).TotalMilliseconds) yield return key[i];
        }
    }

    public static UsageTruth Spans(WindowEvent[] events, TimeSpan length)
    {
        return Of(ByKey(events).SelectMany(Openers), _ => 1);

        IEnumerable<WindowEvent> Openers(ArraySegment<WindowEvent> key)
        {
            var end = long.MinValue;
            foreach (var made in key)
            {
                if (made.Milliseconds < end) continue;
                end = made.Milliseconds + (long)length.TotalMilliseconds;
                yield return made;
            }
        }
    }

    public static UsageTruth Standing(WindowEvent[] events, TimeSpan within)
    {
        var reach = (long)within.TotalMilliseconds;
        var standing = ByKey(events).SelectMany(OfKey).ToLookup(made => made.Milliseconds + reach >= Clock);
        var counted = Of(standing[false], _ => 1);
        var pending = Of(standing[true], _ => 1);
        return counted with { Pending = pending.First + pending.Second };

        IEnumerable<WindowEvent> OfKey(ArraySegment<WindowEvent> key)
        {
            // Backwards, so that the next canceller is known. One of the same instant cancels nothing: it is next only for what is earlier.
            var (next, last) = (long.MaxValue, long.MaxValue);
            for (var i = key.Count - 1; i >= 0; i--)
            {
                var made = key[i];
                if (last > made.Milliseconds) next = last;
                if (made.Cancels) last = made.Milliseconds;
                else if (next - reach > made.Milliseconds) yield return made;
            }
        }
    }

    /// <summary>What is wrong with the usage shown; null when nothing is.</summary>
    public string? Compare(UsageView shown)
    {
        var told = shown.Items.Select(item => $"{item.Quantity} and {item.Pending} pending").ToList();
        string[] right = [$"{Text(First)} and 0 pending", $"{Text(Second)} and {Text(Pending)} pending"];
        return told.SequenceEqual(right) ? null : $"usage is {string.Join("; ", told)}; right is {string.Join("; ", right)}";
    }

    private static bool IsFirst(WindowEvent made) => made.Milliseconds < SecondPeriod;

    private static string Text(decimal value) => value.ToString("0.#", CultureInfo.InvariantCulture);

    private static UsageTruth Of(IEnumerable<WindowEvent> counted, Func<WindowEvent, decimal> value)
    {
        var (first, second) = (0m, 0m);
        foreach (var made in counted)
        {
            if (IsFirst(made)) first += value(made);
            else second += value(made);
        }

        return new(first, second);
    }

    /// <summary>The events of each key, in order of time and id.</summary>
    private static IEnumerable<ArraySegment<WindowEvent>> ByKey(WindowEvent[] events)
    {
        Array.Sort(events, (x, y) => (x.Key, x.Milliseconds, x.Id).CompareTo((y.Key, y.Milliseconds, y.Id)));
        for (int start = 0, end; start < events.Length; start = end)
        {
            end = start + 1;
            while (end < events.Length && events[end].Key == events[start].Key) end++;
            yield return new(events, start, end - start);
        }
    }
}
