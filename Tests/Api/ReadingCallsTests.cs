using System.Buffers.Text;
using System.Text;
using System.Text.Json;
using Billing.Tests.Support;

namespace Billing.Tests.Api;

/// <summary>Usage, invoices and catalogues over HTTP, on an account that is three months old. The tests change nothing.</summary>
public sealed class ReadingCallsTests(ReadingCallsTests.Account account) : IClassFixture<ReadingCallsTests.Account>
{
    private const string Path = "/v1/accounts/shop";

    [Fact]
    public async Task Usage_ShowsEveryPeriodInOrder()
    {
        var usage = (await account.Api.Get($"{Path}/usage?meter=desk.tickets")).Json;

        Assert.Equal("desk.tickets", usage.GetProperty("meter").GetString());
        Assert.Equal(
            [("2026-01-01T00:00:00Z", "3"), ("2026-02-01T00:00:00Z", "1"), ("2026-03-01T00:00:00Z", "0"), ("2026-04-01T00:00:00Z", "0")],
            Periods(usage));
    }

    [Fact]
    public async Task UsageByPages_IsTheSameAsAtOnce()
    {
        var whole = Periods((await account.Api.Get($"{Path}/usage?meter=desk.tickets")).Json);
        for (var limit = 1; limit <= 5; limit++)
        {
            var pages = new List<(string?, string?)>();
            await foreach (var page in Pages($"{Path}/usage?meter=desk.tickets", limit)) pages.AddRange(Periods(page));
            Assert.Equal(whole, pages);
        }
    }

    [Theory]
    [InlineData("from=2026-02-01T00:00:00Z", 3)]
    [InlineData("to=2026-02-01T00:00:00Z", 1)]
    [InlineData("from=2026-01-31T23:59:59Z&to=2026-02-01T00:00:01Z", 2)]
    [InlineData("from=2026-02-10T00:00:00Z&to=2026-02-11T00:00:00Z", 1)]
    [InlineData("from=2030-01-01T00:00:00Z", 0)]
    [InlineData("granularity=period", 4)]
    public async Task UsageOfATime_ShowsThePeriodsThatTouchIt(string query, int periods) =>
        Assert.Equal(periods, Periods((await account.Api.Get($"{Path}/usage?meter=desk.tickets&{query}")).Json).Count());

    [Theory]
    [InlineData("usage", 400, "meter")]
    [InlineData("usage?meter=none", 404, "meter")]
    [InlineData("usage?meter=desk.tickets&from=then", 400, "from")]
    [InlineData("usage?meter=desk.tickets&to=2026-02-30T00:00:00Z", 400, "to")]
    [InlineData("usage?meter=desk.tickets&from=2026-02-01T00:00:00Z&to=2026-01-01T00:00:00Z", 400, "to")]
    [InlineData("usage?meter=desk.tickets&granularity=week", 400, "granularity")]
    [InlineData("usage?meter=desk.tickets&granularity=day", 501, "granularity")]
    [InlineData("usage?meter=desk.tickets&limit=0", 400, "limit")]
    [InlineData("usage?meter=desk.tickets&limit=1001", 400, "limit")]
    [InlineData("usage?meter=desk.tickets&cursor=bm8", 400, "cursor")]
    [InlineData("usage?meter=desk.tickets&cursor=LTE", 400, "cursor")]
    [InlineData("invoices?limit=nan", 400, "limit")]
    [InlineData("invoices?cursor=bm8", 400, "cursor")]
    [InlineData("invoices?cursor=%25%25", 400, "cursor")]
    [InlineData("invoices/0", 404, "number")]
    [InlineData("invoices/-1", 400, "number")]
    [InlineData("invoices/99", 404, "number")]
    [InlineData("invoices/one", 400, "number")]
    [InlineData("invoices/99999999999999", 400, "number")]
    [InlineData("invoices/2/lines/99/events", 404, "n")]
    [InlineData("invoices/2/lines/one/events", 400, "n")]
    [InlineData("invoices/99/lines/1/events", 404, "number")]
    [InlineData("invoices/-1/lines/1/events", 400, "number")]
    [InlineData("events/shop/never", 404, "event_id")]
    [InlineData("invoices/preview?at=2026-04-01T00:00:00Z", 400, "at")]
    [InlineData("invoices/preview?at=2029-01-01T00:00:00Z", 400, "at")]
    [InlineData("invoices/preview?at=soon", 400, "at")]
    public async Task BadQuery_IsNamed(string call, int status, string field) =>
        (await account.Api.Get($"{Path}/{call}")).IsProblem(status, field);

    [Theory]
    [InlineData("usage?meter=desk.tickets")]
    [InlineData("invoices?")]
    [InlineData("invoices/2/lines/2/events?")]
    public async Task CursorFarBehindTheEnd_IsAnEmptyLastPage(string call)
    {
        var cursor = Base64Url.EncodeToString(Encoding.UTF8.GetBytes($"{int.MaxValue}"));

        var page = await account.Api.Get($"{Path}/{call}&cursor={cursor}&limit=1000");

        Assert.Equal(200, page.Status);
        Assert.Empty(page.Json.GetProperty("items").EnumerateArray());
        Assert.False(page.Json.TryGetProperty("next", out _));
    }

    [Fact]
    public async Task Invoices_AreNumberedWithoutGapsThenDrafts()
    {
        var invoices = (await account.Api.Get($"{Path}/invoices")).Json.GetProperty("items").EnumerateArray().ToList();

        // January's base fee; February's with January's third ticket, 0.50 over the two included; March's; April's, still open.
        Assert.Equal([(1, 1_000L), (2, 1_050L), (3, 1_000L), (null, 1_000L)], invoices.Select(i => (Number(i), i.GetProperty("total").GetInt64())));
        Assert.Equal(["paid", "paid", "paid", "draft"], invoices.Select(i => i.GetProperty("status").GetString()));
        foreach (var invoice in invoices)
            Assert.Equal(invoice.GetProperty("total").GetInt64(), invoice.GetProperty("lines").EnumerateArray().Sum(l => l.GetProperty("amount").GetInt64()));
    }

    [Fact]
    public async Task InvoiceAlone_IsTheSameAsInTheList()
    {
        var listed = (await account.Api.Get($"{Path}/invoices")).Json.GetProperty("items")[1].GetRawText();

        Assert.Equal(listed, (await account.Api.Get($"{Path}/invoices/2")).Text);
    }

    [Fact]
    public async Task InvoicesByPages_AreTheSameAsAtOnce()
    {
        var whole = (await account.Api.Get($"{Path}/invoices")).Json.GetProperty("items").EnumerateArray().Select(i => i.GetRawText()).ToList();
        for (var limit = 1; limit <= 5; limit++)
        {
            var pages = new List<string>();
            await foreach (var page in Pages($"{Path}/invoices?", limit)) pages.AddRange(page.GetProperty("items").EnumerateArray().Select(i => i.GetRawText()));
            Assert.Equal(whole, pages);
        }
    }

    [Fact]
    public async Task TheEventsOfALine_ComeByPages_AndLeadToTheirReceipts()
    {
        var ids = new List<string?>();
        await foreach (var page in Pages($"{Path}/invoices/2/lines/2/events?", 2)) ids.AddRange(page.GetProperty("items").EnumerateArray().Select(i => i.GetProperty("id").GetString()));
        Assert.Equal(["jan0", "jan1", "jan2", "a/b %2F ü"], ids);
        Assert.Empty((await account.Api.Get($"{Path}/invoices/2/lines/1/events")).Json.GetProperty("items").EnumerateArray());

        var seen = (await account.Api.Get($"{Path}/events/shop/jan0")).Json;
        Assert.Equal("accepted", seen.GetProperty("outcome").GetString());
        Assert.Equal("counted", seen.GetProperty("counted")[0].GetProperty("standing").GetString());
        Assert.Equal("1", seen.GetProperty("meters")[0].GetProperty("quantity").GetString());
        Assert.Equal((2, 2), (seen.GetProperty("lines")[0].GetProperty("invoice").GetInt32(), seen.GetProperty("lines")[0].GetProperty("line").GetInt32()));
        Assert.Contains("\"id\":\"jan0\"", seen.GetProperty("body").GetString(), StringComparison.Ordinal);

        // A name with a slash, a percent sign and a letter that is not ASCII is found by its percent-encoded form.
        var odd = (await account.Api.Get($"{Path}/events/shop/{Uri.EscapeDataString("a/b %2F ü")}")).Json;
        Assert.Equal(("quarantined", "a/b %2F ü"), (odd.GetProperty("outcome").GetString(), odd.GetProperty("id").GetString()));
    }

    [Fact]
    public async Task Preview_IsTheNextPeriodInvoice()
    {
        var preview = (await account.Api.Get($"{Path}/invoices/preview")).Json;

        Assert.Equal("draft", preview.GetProperty("status").GetString());
        Assert.Equal("2026-04-01T00:00:00Z", preview.GetProperty("period").GetProperty("start").GetString());
    }

    [Theory]
    [InlineData("2026-04-03T23:59:59Z", "2026-04-01T00:00:00Z")] // April's draft, still open
    [InlineData("2026-04-04T00:00:00Z", "2026-05-01T00:00:00Z")]
    [InlineData("2027-01-10T00:00:00Z", "2027-02-01T00:00:00Z")]
    public async Task APreviewAhead_IsTheInvoiceThatIsNextThen_AndChangesNothing(string at, string start)
    {
        var before = (await account.Api.Get($"{Path}/invoices")).Text;

        var preview = (await account.Api.Get($"{Path}/invoices/preview?at={at}")).Json;

        Assert.Equal((start, 1_000L), (preview.GetProperty("period").GetProperty("start").GetString(), preview.GetProperty("total").GetInt64()));
        Assert.Equal(before, (await account.Api.Get($"{Path}/invoices")).Text);
    }

    [Fact]
    public async Task Catalogues_ListThePublishedVersions()
    {
        var catalog = Assert.Single((await account.Api.Get("/v1/catalogs")).Json.GetProperty("items").EnumerateArray());

        Assert.Equal("test-1", catalog.GetProperty("version").GetString());
        Assert.Equal(TestPlatform.Start, catalog.GetProperty("published_at").GetString());
        Assert.Contains("desk-basic", catalog.GetProperty("plans").EnumerateArray().Select(p => p.GetString()));
        (await account.Api.Get("/v1/catalogs?limit=0")).IsProblem(400, "limit");
        (await account.Api.Get("/v1/catalogs?limit=+1")).IsProblem(400, "limit");
        Assert.False((await account.Api.Get("/v1/catalogs?limit=1")).Json.TryGetProperty("next", out _));
    }

    [Theory]
    [InlineData("")]
    [InlineData("/invoices")]
    [InlineData("/invoices/2")]
    [InlineData("/invoices/preview")]
    [InlineData("/invoices/2/lines/2/events")]
    [InlineData("/events/shop/jan1")]
    [InlineData("/usage?meter=desk.tickets")]
    public async Task EveryTime_IsUtcWithAZ(string call)
    {
        var times = Texts((await account.Api.Get(Path + call)).Json).Where(t => DateTimeOffset.TryParse(t, out _) && t.Contains(':', StringComparison.Ordinal)).ToList();

        Assert.NotEmpty(times);
        Assert.All(times, time => Assert.EndsWith("Z", time, StringComparison.Ordinal));
    }

    private static IEnumerable<string> Texts(JsonElement json) => json.ValueKind switch
    {
        JsonValueKind.Object => json.EnumerateObject().SelectMany(m => Texts(m.Value)),
        JsonValueKind.Array => json.EnumerateArray().SelectMany(Texts),
        JsonValueKind.String => [json.GetString()!],
        _ => [],
    };

    private static IEnumerable<(string?, string?)> Periods(JsonElement usage) => usage.GetProperty("items").EnumerateArray()
        .Select(i => (i.GetProperty("period").GetProperty("start").GetString(), i.GetProperty("quantity").GetString()));

    private static int? Number(JsonElement invoice) =>
        invoice.GetProperty("number") is { ValueKind: JsonValueKind.Number } number ? number.GetInt32() : null;

    private async IAsyncEnumerable<JsonElement> Pages(string call, int limit)
    {
        var cursor = "";
        while (true)
        {
            var page = (await account.Api.Get($"{call}&limit={limit}{cursor}")).Json;
            Assert.InRange(page.GetProperty("items").GetArrayLength(), 1, limit);
            yield return page;
            if (!page.TryGetProperty("next", out var next)) yield break;
            Assert.Matches("^[A-Za-z0-9_-]+$", next.GetString());
            cursor = $"&cursor={next.GetString()}";
        }
    }

    /// <summary>An account from January to the second of April, with three tickets in January and one in February.</summary>
    public sealed class Account : IAsyncLifetime
    {
        private readonly PlatformFixture _platform = new();

        internal ApiCaller Api => _platform.Api;

        public async Task InitializeAsync()
        {
            await _platform.InitializeAsync();
            await Api.Open("shop", "desk-basic");
            var now = DateTimeOffset.Parse(TestPlatform.Start);
            await Api.Events(ApiCaller.Lines, Enumerable.Range(0, 3).Select(i => ApiCaller.Event("shop", $"jan{i}", now)));
            await Api.Events(ApiCaller.Lines, ApiCaller.Event("shop", "a/b %2F ü", now.AddDays(20)));
            now = await Api.MoveClock("P1M");
            await Api.Events(ApiCaller.Lines, ApiCaller.Event("shop", "feb", now));
            await Api.MoveClock("P1M");
            await Api.MoveClock("P1MT24H");
        }

        public Task DisposeAsync() => _platform.DisposeAsync();
    }
}
