using System.Globalization;
using System.Xml;

namespace Billing.Tests.Model;

/// <summary>How the events of a period become a quantity.</summary>
internal enum ModelAggregate
{
    Count,
    Sum,
    Max,
    Latest,
    Unique,
}

/// <summary>Holds for data that has one of the allowed JSON values at a path.</summary>
internal sealed record ModelFilter(string Path, params string[] Allowed)
{
    public override string ToString() => $$"""{ "$.{{Path}}": [{{string.Join(", ", Allowed)}}] }""";
}

/// <summary>The window in which a key counts once.</summary>
internal abstract record ModelOnce
{
    public const string Key = "k";

    public sealed record Period : ModelOnce
    {
        public override string ToString() => "\"period\"";
    }

    public sealed record Span(TimeSpan Length) : ModelOnce
    {
        public override string ToString() => $"\"{XmlConvert.ToString(Length)}\"";
    }

    /// <param name="Gap">Holds where <paramref name="ChatGap"/> does not.</param>
    /// <param name="ChatGap">The gap of events whose channel is <c>chat</c>; null for one gap.</param>
    public sealed record Session(TimeSpan Gap, TimeSpan? ChatGap) : ModelOnce
    {
        public const string Channel = "ch";

        public override string ToString() => ChatGap is { } chat
            ? $$"""{ "session": { "gap": "{{XmlConvert.ToString(Gap)}}", "by": { "path": "$.{{Channel}}", "gaps": { "chat": "{{XmlConvert.ToString(chat)}}" } } } }"""
            : $$"""{ "session": { "gap": "{{XmlConvert.ToString(Gap)}}" } }""";
    }
}

/// <summary>Events that take others back.</summary>
internal sealed record ModelCancel(string Type, ModelFilter? Where, string Key, TimeSpan Within)
{
    public override string ToString() =>
        $$"""{ "event": "{{Type}}", {{(Where is null ? "" : $"\"where\": {Where}, ")}}"key": "$.{{Key}}", "within": "{{XmlConvert.ToString(Within)}}" }""";
}

/// <summary>A meter as the rules name its parts; its text is its JSON.</summary>
internal sealed record ModelMeter(
    string Id, string Product, string Type, ModelFilter? Where, ModelAggregate Aggregate, ModelOnce? Once, ModelCancel? Cancel)
{
    /// <summary>The path of the value; null for a count.</summary>
    public string? Value => Aggregate switch
    {
        ModelAggregate.Count => null,
        ModelAggregate.Unique => "u",
        _ => "v",
    };

    public override string ToString() => string.Concat(
        $$"""{ "id": "{{Id}}", "product": "{{Product}}", "event": "{{Type}}", """,
        Where is null ? "" : $"\"where\": {Where}, ",
        Value is null ? "" : $"\"value\": \"$.{Value}\", ",
        Once is null ? "" : $$"""  "count_once": { "key": "$.{{ModelOnce.Key}}", "window": {{Once}} }, """.TrimStart(),
        Cancel is null ? "" : $"\"cancelled_by\": {Cancel}, ",
        $"\"aggregate\": \"{Aggregate.ToString().ToLowerInvariant()}\" }}");
}

/// <summary>A catalogue with the product <c>desk</c>, and <c>other</c>, which nobody subscribes to.</summary>
internal static class ModelCatalog
{
    public const string Desk = "desk";
    public const string Other = "other";
    public const string Plan = "desk-1";

    private static readonly TimeSpan[] Lengths = [Days(1), Days(3), Days(10)];
    private static readonly TimeSpan[] Withins = [Days(2), Days(3), Days(40)];

    /// <param name="meters">What is counted.</param>
    /// <param name="ladder">The plans of the desk; null for one, at 1.00 a unit.</param>
    public static string Json(IReadOnlyCollection<ModelMeter> meters, ModelLadder? ladder = null)
    {
        ladder ??= ModelLadder.OneRung(meters.Where(m => m.Product == Desk));
        return $$"""
            {
              "version": "v1", "currency": "{{ladder.Currency}}",
              "meters": [ {{string.Join(",\n    ", meters)}} ],
              "products": [
                { "id": "desk", "transitions": {{ladder.Transitions}}, "plans": [ {{string.Join(",\n    ", ladder.Plans)}} ] },
                { "id": "other", "plans": [ { "id": "other-1", "rank": 1, "base_price": "0" } ] }
              ]
            }
            """;
    }

    /// <summary>One to three meters of any kind, and now and then one of a product without a subscription.</summary>
    public static ModelMeter[] Any(Draw draw) =>
    [
        .. Enumerable.Range(0, draw.From(1, 3)).Select(i => AnyMeter(draw, $"m{i.ToString(CultureInfo.InvariantCulture)}", Desk)),
        .. draw.Chance(20) ? [AnyMeter(draw, "o", Other)] : Array.Empty<ModelMeter>(),
    ];

    /// <summary>Every meter that counts the events of the type <c>a</c> without a filter: all aggregates, windows and ways to cancel.</summary>
    public static ModelMeter Plain(Draw draw, Func<Draw, ModelOnce?> once, Func<Draw, ModelCancel?> cancel, params ModelAggregate[] aggregates) =>
        new("m", Desk, "a", null, draw.Of(aggregates), once(draw), cancel(draw));

    public static ModelOnce? AnyOnce(Draw draw) => draw.From(0, 3) switch
    {
        0 => null,
        1 => new ModelOnce.Period(),
        2 => AnySpan(draw),
        _ => AnySession(draw),
    };

    public static ModelOnce AnySpan(Draw draw) => new ModelOnce.Span(draw.Of(Lengths));

    public static ModelOnce AnySession(Draw draw) =>
        new ModelOnce.Session(draw.Of(Lengths), draw.Chance(60) ? draw.Of(TimeSpan.Zero, Days(1), Days(3)) : null);

    public static ModelCancel AnyCancel(Draw draw) => new(
        draw.Of("a", "b", "c", "c"),
        draw.Chance(50) ? null : new("by", "\"agent\""),
        draw.Of(ModelOnce.Key, "o.j"),
        draw.Of(Withins));

    private static ModelMeter AnyMeter(Draw draw, string id, string product)
    {
        var aggregate = draw.Of(Enum.GetValues<ModelAggregate>());
        return new(
            id,
            product,
            draw.Of("a", "a", "b"),
            draw.Chance(60) ? null : draw.Of<ModelFilter>(new("out", "true"), new("n", "1", "\"x\"")),
            aggregate,
            aggregate is ModelAggregate.Count or ModelAggregate.Sum ? AnyOnce(draw) : null,
            draw.Chance(50) ? AnyCancel(draw) : null);
    }

    private static TimeSpan Days(int days) => TimeSpan.FromDays(days);
}
