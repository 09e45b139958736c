using System.Collections.Immutable;
using System.Globalization;
using Billing.Tests.Accounts;

namespace Billing.Tests.Model;

/// <summary>An event; <paramref name="Data"/> holds JSON by path.</summary>
internal sealed record ModelEvent(
    string Type, DateTimeOffset Time, string Source, string Id, ImmutableSortedDictionary<string, string> Data)
{
    /// <summary>The data as JSON; a path of two names is an object in an object.</summary>
    public string Json =>
        $"{{{string.Join(',', Data.Select(d => d.Key.Split('.') is [var outer, var inner] ? $"\"{outer}\":{{\"{inner}\":{d.Value}}}" : $"\"{d.Key}\":{d.Value}"))}}}";

    public AccountRun.Event Sent => new(Id, Time, Json, Type, Source);

    public override string ToString() => $"{Type} at {Ago(Time)} {Source}/{Id} {Json}";

    /// <summary>An instant as the distance from the anchor, in days, hours, seconds and ticks.</summary>
    public static string Ago(DateTimeOffset instant)
    {
        var distance = instant - AccountRun.Anchor;
        var days = (int)Math.Round(distance.TotalDays);
        var rest = distance - TimeSpan.FromDays(days);
        var text = days.ToString("+0d;-0d;0d", CultureInfo.InvariantCulture);
        if (rest.Ticks % TimeSpan.TicksPerSecond != 0) return text + rest.Ticks.ToString("+0 ticks;-0 ticks", CultureInfo.InvariantCulture);
        return rest == TimeSpan.Zero ? text : text + rest.TotalSeconds.ToString("+0s;-0s", CultureInfo.InvariantCulture);
    }

    public static ModelEvent At(DateTimeOffset time, string id, params (string Path, string Json)[] data) =>
        new("a", time, "s", id, data.ToImmutableSortedDictionary(d => d.Path, d => d.Json, StringComparer.Ordinal));
}

/// <summary>Makes events whose times sit on the ends of gaps, spans, cancelling windows and periods.</summary>
internal static class ModelEvents
{
    private static readonly TimeSpan[] Delays =
        [.. new[] { 0, 0, 0, 0, 0, 1, 2, 3, 3, 10, 20, 34, 35 }.Select(days => TimeSpan.FromDays(days)), TimeSpan.FromHours(1), TimeSpan.FromMinutes(-5), TimeSpan.FromSeconds(1)];

    /// <summary>The types of a case: those that meters count and those that cancel them, and a type that nobody knows.</summary>
    private static readonly string[] Types = ["a", "a", "a", "b", "b", "c", "c", "x"];

    /// <summary>Keys of which some are equal though they are spelled in two ways, and some differ though they look alike.</summary>
    private static readonly string[] Keys = ["7", "\"7\"", "7.0", "\"\\u0037\"", "70e-1", "\"t\"", "-7", "\"\""];

    private static readonly string[] Values = ["1", "1", "2", "2.50", "0", "0.5", "1e1", "1E-2", "0.0000000000000000000000000001", "1000000.0000000001"];

    /// <summary>Events with different keys of source and id. Times go from two days before the anchor to 101 days after it.</summary>
    /// <param name="draw">The choices.</param>
    /// <param name="count">How many.</param>
    /// <param name="types">What may be drawn; null for all.</param>
    /// <param name="lastDay">The last day after the anchor.</param>
    public static ModelEvent[] Any(Draw draw, int count, string[]? types = null, int lastDay = 101)
    {
        var keys = Enumerable.Range(0, draw.From(1, 3)).Select(_ => draw.Of(Keys)).ToArray();
        int[] centres = draw.Chance(50) ? [draw.Of(0, 15, 29, 30, 61)] : [0, 15, 30, 61];
        return
        [
            .. Enumerable.Range(0, count).Select(index => new ModelEvent(
                draw.Of(types ?? Types),
                Time(draw, centres, lastDay),
                draw.Of("s", "s", "S", "s-"),
                draw.Of("a", "B", "b", "-", "\uFF5E", "\U00010000") + index.ToString(CultureInfo.InvariantCulture),
                Data(draw, keys))),
        ];
    }

    /// <summary>When an event comes: at once, later up to the window's end and now and then a tick beyond, or as far ahead of its time as is allowed.</summary>
    public static DateTimeOffset Arrival(Draw draw, DateTimeOffset time)
    {
        var arrival = time + draw.Of(Delays) + (draw.Chance(2) ? TimeSpan.FromTicks(1) : TimeSpan.Zero);
        return arrival < AccountRun.Anchor ? AccountRun.Anchor : arrival;
    }

    private static DateTimeOffset Time(Draw draw, int[] centres, int lastDay)
    {
        var day = draw.Of(centres) + draw.Of(-2, -1, 0, 0, 0, 1, 1, 2, 3, 3, 4, 9, 10, 10, 11, 13, 20, 40);
        var aside = draw.Chance(65) ? 0 : draw.Of(1, -1, TimeSpan.TicksPerSecond, -TimeSpan.TicksPerSecond, TimeSpan.TicksPerHour * 12);
        return AccountRun.Anchor.AddDays(int.Min(day, lastDay)).AddTicks(aside);
    }

    private static ImmutableSortedDictionary<string, string> Data(Draw draw, string[] keys)
    {
        var data = ImmutableSortedDictionary.CreateBuilder<string, string>(StringComparer.Ordinal);
        Put("k", 98, draw.Chance(98) ? draw.Of(keys) : draw.Of("null", "true", "{}"));
        Put("o.j", 97, draw.Chance(98) ? draw.Of(keys) : draw.Of("null", "[]"));
        Put("v", 98, draw.Chance(98) ? draw.Of(Values) : draw.Of("-1", "\"1\"", "null"));
        Put("u", 98, draw.Chance(98) ? draw.Of("1", "1.0", "\"1\"", "\"b\"", "2") : "false");
        Put("ch", 70, draw.Of("\"chat\"", "\"fax\"", "null"));
        Put("out", 90, draw.Of("true", "true", "true", "false", "\"true\""));
        Put("n", 90, draw.Of("1", "1.0", "\"x\"", "\"\\u0078\"", "\"1\"", "2", "null"));
        Put("by", 80, draw.Of("\"agent\"", "\"agent\"", "\"bot\""));
        return data.ToImmutable();

        void Put(string path, int percent, string json)
        {
            if (draw.Chance(percent)) data[path] = json;
        }
    }
}
