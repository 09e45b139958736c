namespace Billing.Benchmarks.Window;

/// <summary>A meter that is measured, and what a right count of it is.</summary>
/// <param name="Name">Its name on the command line and in the results.</param>
/// <param name="Title">What it is, in a few words.</param>
/// <param name="Meter">How the catalogue defines it, without its id, product and event type.</param>
/// <param name="Truth">The right usage of a set of events.</param>
internal sealed record WindowCase(string Name, string Title, string Meter, Func<WindowEvent[], UsageTruth> Truth)
{
    public const string EventType = "usage.reported";
    public const string CancellerType = "usage.cancelled";
    public const string MeterId = "window.usage";
    public const string PlanId = "window-1";
    public const string CatalogVersion = "window";

    private static readonly (TimeSpan Email, TimeSpan Chat) Gaps = (TimeSpan.FromDays(10), TimeSpan.FromDays(3));
    private static readonly (TimeSpan Email, TimeSpan Chat) HotGaps = (TimeSpan.FromSeconds(2), TimeSpan.FromSeconds(1));

    /// <summary>Whether all events have the same key; else six on average share one, and some keys are open at a time.</summary>
    public bool OneKey { get; init; }

    /// <summary>Whether some events cancel others.</summary>
    public bool HasCancellers { get; init; }

    /// <summary>A catalogue with this meter and one plan.</summary>
    public string Catalog => $$"""
        {
          "version": "{{CatalogVersion}}", "currency": "USD",
          "meters": [ { "id": "{{MeterId}}", "product": "window", "event": "{{EventType}}", {{Meter}} } ],
          "products": [ { "id": "window", "plans": [ { "id": "{{PlanId}}", "rank": 1, "base_price": "0.00",
            "prices": { "{{MeterId}}": { "model": "per_unit", "unit_price": "0.01" } } } ] } ]
        }
        """;

    /// <summary>All that can be measured, in the order in which it runs.</summary>
    public static readonly IReadOnlyList<WindowCase> All =
    [
        new("count", "every event", """ "aggregate": "count" """, UsageTruth.Count),
        new("sum", "values of every event", """ "aggregate": "sum", "value": "$.value" """, UsageTruth.Sum),
        new("session", "sessions of many keys", Session("P10D", "P3D"), events => UsageTruth.Sessions(events, Gaps.Email, Gaps.Chat)),
        new("session-hot-key", "sessions, all events of one key", Session("PT2S", "PT1S"), events => UsageTruth.Sessions(events, HotGaps.Email, HotGaps.Chat))
        {
            OneKey = true,
        },
        new("unique", "different keys", """ "aggregate": "unique", "value": "$.key" """, UsageTruth.KeysPerPeriod),
        new("once-per-period", "each key once a period", Once("\"period\""), UsageTruth.KeysPerPeriod),
        new("span", "each key once in 10 days", Once("\"P10D\""), events => UsageTruth.Spans(events, TimeSpan.FromDays(10))),
        new("span-hot-key", "once in an hour, all events of one key", Once("\"PT1H\""), events => UsageTruth.Spans(events, TimeSpan.FromHours(1)))
        {
            OneKey = true,
        },
        new(
            "cancelled-by",
            "events that no later one cancels in 72 hours",
            $$""" "aggregate": "count", "cancelled_by": { "event": "{{CancellerType}}", "key": "$.key", "within": "PT72H" } """,
            events => UsageTruth.Standing(events, TimeSpan.FromHours(72)))
        {
            HasCancellers = true,
        },
        new("latest", "the latest value", """ "aggregate": "latest", "value": "$.value" """, UsageTruth.Latest),
    ];

    public static WindowCase Named(string name) =>
        All.SingleOrDefault(what => string.Equals(what.Name, name, StringComparison.Ordinal))
        ?? throw new ArgumentException($"There is no case '{name}'. Known: {string.Join(", ", All.Select(what => what.Name))}. Nothing was run.", nameof(name));

    private static string Once(string window) => $$""" "aggregate": "count", "count_once": { "key": "$.key", "window": {{window}} } """;

    private static string Session(string gap, string chatGap) =>
        Once($$"""{ "session": { "gap": "{{gap}}", "by": { "path": "$.channel", "gaps": { "chat": "{{chatGap}}" } } } }""");
}
