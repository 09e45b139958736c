using System.Collections.Immutable;
using System.Globalization;
using static Billing.Tests.Accounts.AccountRun;

namespace Billing.Tests.Model;

/// <summary>An event; <paramref name="Data"/> holds JSON by path.</summary>
internal sealed record ModelEvent(
    string Type, DateTimeOffset Time, string Source, string Id, ImmutableSortedDictionary<string, string> Data)
{
    /// <summary>The data as JSON; a path of two names is an object in an object.</summary>
    public string Json =>
        $"{{{string.Join(',', Data.Select(d => d.Key.Split('.') is [var outer, var inner] ? $"\"{outer}\":{{\"{inner}\":{d.Value}}}" : $"\"{d.Key}\":{d.Value}"))}}}";

    public Event Sent => new(Id, Time, Json, Type, Source);

    public override string ToString() => $"{Type} at {Ago(Time)} {Source}/{Id} {Json}";

    /// <summary>An instant as the distance from the anchor, in days, hours, seconds and ticks.</summary>
    public static string Ago(DateTimeOffset instant)
    {
        var distance = instant - Anchor;
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

    /// <summary>Keys of which some are equal though they are spelled in two ways, and some differ though they look alike.</summary>
    private static readonly string[] Keys = ["7", "\"7\"", "7.0", "\"\\u0037\"", "70e-1", "\"t\"", "-7", "\"\""];

    private static readonly string[] Values = ["1", "1", "2", "2.50", "0", "0.5", "1e1", "1E-2", "0.0000000000000000000000000001", "1000000.0000000001"];

    /// <summary>
    /// Events with different keys of source and id, of the types that the meters read, at the distances from each other that matter to them.
    /// Times go from two days before the anchor to <paramref name="lastDay"/> days after it.
    /// </summary>
    public static ModelEvent[] Any(Draw draw, int count, IReadOnlyCollection<ModelMeter> meters, int lastDay = 101)
    {
        string[] types = [.. meters.Select(m => m.Type), .. meters.Select(m => m.Cancel?.Type).OfType<string>()];
        TimeSpan[] lengths = [TimeSpan.Zero, .. meters.SelectMany(LengthsOf).Distinct()];
        var keys = Enumerable.Range(0, draw.From(1, 3)).Select(_ => draw.Of(Keys)).ToArray();
        var events = new ModelEvent[count];
        for (var i = 0; i < count; i++)
        {
            events[i] = new(
                draw.Chance(4) ? "x" : draw.Of(types),
                Time(draw, [.. events.Take(i).Select(e => e.Time)], lengths, lastDay),
                draw.Of("s", "s", "S", "s-"),
                draw.Of("a", "B", "\uFF5E", "\U00010000") + i.ToString(CultureInfo.InvariantCulture),
                Data(draw, keys));
        }

        return events;
    }

    /// <summary>When an event comes: at once, later up to the window's end and now and then a tick beyond, or as far ahead of its time as is allowed.</summary>
    public static DateTimeOffset Arrival(Draw draw, DateTimeOffset time)
    {
        var arrival = time + draw.Of(Delays) + (draw.Chance(2) ? TimeSpan.FromTicks(1) : TimeSpan.Zero);
        return arrival < Anchor ? Anchor : arrival;
    }

    private static IEnumerable<TimeSpan> LengthsOf(ModelMeter meter)
    {
        if (meter.Cancel is { } cancel) yield return cancel.Within;
        if (meter.Once is ModelOnce.Span span) yield return span.Length;
        if (meter.Once is not ModelOnce.Session session) yield break;
        yield return session.Gap;
        if (session.ChatGap is { } chat) yield return chat;
    }

    private static DateTimeOffset Time(Draw draw, DateTimeOffset[] earlier, TimeSpan[] lengths, int lastDay)
    {
        var aside = TimeSpan.FromTicks(draw.Chance(75) ? 0 : draw.Of(1, -1, TimeSpan.TicksPerSecond, -TimeSpan.TicksPerSecond, TimeSpan.TicksPerHour * 12));
        var time = earlier.Length > 0 && draw.Chance(65)
            ? draw.Of(earlier) + (draw.Of(lengths) * draw.Of(-1, 1, 1))
            : Anchor.AddDays(draw.Of(0, 15, 29, 30, 61) + draw.Of(-2, -1, 0, 0, 0, 1, 2, 4, 13, 20));
        var (first, last) = (Anchor.AddDays(-2), Anchor.AddDays(lastDay));
        return (time < first ? first : time > last ? last : time) + aside;
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
