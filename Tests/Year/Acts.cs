using System.Globalization;
using System.Text.Json;
using Billing.Tests.Support;

namespace Billing.Tests.Year;

/// <summary>The acts of the year. Each is one call, or a few for a large batch of events.</summary>
internal static class Acts
{
    private const int EventsACall = 2_000;

    public static DateTimeOffset Utc(string at) => DateTimeOffset.Parse(at, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal);

    /// <summary>An act in each of some months of the year, told the month as <c>2026-02</c>.</summary>
    public static IEnumerable<Act> Months(int first, int last, Func<string, Act> act) => Enumerable.Range(first, last - first + 1).Select(m => act($"2026-{m:00}"));

    public static Act Opens(string at, params string[] plans) => Opens(at, "pm_card_visa", plans);

    public static Act OpensWithoutCard(string at, params string[] plans) => Opens(at, null, plans);

    /// <summary>Sends tickets, each an event of its own, that were written when they are sent, or before.</summary>
    public static Act Sends(string at, int tickets, string? written = null) => Events(at, "sent", tickets, written);

    /// <summary>Sends what was sent before once more.</summary>
    public static Act SendsAgain(string at, int tickets, string written) =>
        Events(at, "sent", tickets, written) with { Expected = $"{tickets} duplicate" };

    /// <summary>The bot talks about so many tickets.</summary>
    public static Act Talks(string at, int talks, string name) => Events(at, "talked", talks, null, name);

    /// <summary>Agents write into the first so many tickets that the bot talked about.</summary>
    public static Act TakesOver(string at, int talks, string name, string? written = null) => Events(at, "wrote", talks, written, name);

    /// <summary>Telephones for so many minutes, in one call.</summary>
    public static Act Calls(string at, int minutes) => Events(at, "called", 1, null, "", minutes);

    /// <summary>Sends one ticket and looks at its receipt.</summary>
    public static Act SendsOne(string at, string written, string expected) => new(Utc(at), expected, async (api, id) =>
    {
        var answer = await api.Events(ApiCaller.Single, ApiCaller.Event(id, $"one {at} {written}", Utc(written), "sent"));
        return Shown.Receipt(answer.Json.GetProperty("receipts")[0]);
    });

    /// <summary>An operator or the merchant asks for a change, and is answered what is due at once.</summary>
    public static Act Asks(string at, string path, object body, string expected = "200: 0.00") => Change(at, "POST", path, body, expected);

    public static Act TakesBack(string at, string path) => Change(at, "DELETE", path, null, "200: 0.00");

    /// <summary>Asks for a plan.</summary>
    public static Act Moves(string at, string product, string plan, string when, string expected = "200: 0.00", bool dryRun = false) =>
        Asks(at, "plans", new { changes = new[] { new { product, plan } }, when, reason = "The merchant asks for it.", dry_run = dryRun }, expected);

    /// <summary>Looks at the account.</summary>
    public static Act Looks(string at, string expected) =>
        new(Utc(at), expected, async (api, id) => Shown.Account((await api.Get($"/v1/accounts/{id}")).Json));

    /// <summary>Looks at the charge of an invoice.</summary>
    public static Act LooksAtCharge(string at, int invoice, string expected) => new(Utc(at), expected, async (api, id) =>
        Shown.Charge((await api.Get($"/v1/accounts/{id}/charges")).Json.GetProperty("items").EnumerateArray().Single(c => c.GetProperty("invoice").GetInt32() == invoice)));

    private static Act Opens(string at, string? card, string[] plans) => new(Utc(at), "201", async (api, id) =>
    {
        var answer = await api.Post("/v1/accounts", JsonSerializer.Serialize(new { id, name = id, email = $"{id}@example.test", plans, payment_method = card }));
        return answer.Status == 201 ? "201" : answer.Text;
    });

    private static Act Change(string at, string method, string path, object? body, string expected) => new(Utc(at), expected, async (api, id) =>
    {
        var answer = await api.Send(method, $"/v1/accounts/{id}/{path}", body is null ? null : JsonSerializer.Serialize(body));
        return answer.Status == 200 ? $"200: {Shown.Money(answer.Json.GetProperty("total"))}" : answer.Text;
    });

    private static Act Events(string at, string type, int count, string? time, string name = "", int minutes = 0) => new(Utc(at), $"{count} accepted", async (api, id) =>
    {
        var (moment, counts) = (Utc(time ?? at), new SortedDictionary<string, int>(StringComparer.Ordinal));
        foreach (var chunk in Enumerable.Range(0, count).Chunk(EventsACall))
        {
            var answer = await api.Send(
                "POST", "/v1/events?receipts=none",
                string.Join('\n', chunk.Select(i => ApiCaller.Event(id, $"{type} {time ?? at} {name} {i}", moment, type, $$"""{"ticket":"{{name}}-{{i}}","minutes":{{minutes}}}"""))),
                ApiCaller.Lines);
            Assert.True(answer.Status == 200, answer.Text);
            foreach (var outcome in new[] { "accepted", "duplicate", "conflict", "quarantined", "rejected" })
                counts[outcome] = counts.GetValueOrDefault(outcome) + answer.Count(outcome);
        }

        return string.Join(", ", counts.Where(c => c.Value > 0).Select(c => $"{c.Value} {c.Key}"));
    });
}
