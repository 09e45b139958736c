using System.Text.Json;
using Billing.Tests.Support;

namespace Billing.Tests.Api;

/// <summary>
/// Accounts moved to another catalogue version over HTTP. Of <c>test-2</c> desk-basic costs 12.00 and desk-year 550.00; it counts minutes by another
/// meter, so that nobody whose minutes are counted can be on it.
/// </summary>
public sealed class CatalogMoveCallsTests : IAsyncLifetime
{
    private const string Move = "/v1/catalogs/test-2/move";
    private const string All = """{"from":"test-1","dry_run":false}""";
    private const string NoMeter = "The catalogue test-2 has no meter voice.minutes, by which the usage of voice is counted. Nothing was changed; publish a version that keeps the meter as it is.";

    private readonly TemporaryFolder _folder = new();
    private TestPlatform _platform = null!;

    private ApiCaller Api => _platform.Api;

    public async Task InitializeAsync()
    {
        _platform = await TestPlatform.Open(_folder);
        await Api.Open("basic", "desk-basic");
        await Api.Open("both", "desk-basic", "voice-payg");
        await Api.Open("pro", "desk-pro");
        await Api.Open("yearly", "desk-year");
        Assert.Equal(201, (await Api.Post("/v1/accounts", """{"id":"waits","name":"Shop","email":"shop@example.test","plans":["desk-basic"]}""")).Status);
        var other = TestCatalog.Json.Replace("test-1", "test-2", StringComparison.Ordinal).Replace("\"10.00\"", "\"12.00\"", StringComparison.Ordinal)
            .Replace("\"500.00\"", "\"550.00\"", StringComparison.Ordinal).Replace("voice.minutes", "voice.seconds", StringComparison.Ordinal);
        Assert.Equal(201, (await Api.Post("/v1/catalogs", other)).Status);
        Assert.Equal(200, (await Api.Post("/v1/catalogs/test-2/publish", "")).Status);
    }

    public async Task DisposeAsync()
    {
        await _platform.DisposeAsync();
        _folder.Dispose();
    }

    [Fact]
    public async Task ADryRun_ShowsWhatEachAccountGets_AndChangesNothing()
    {
        var before = await Everything();

        var json = await Moved("""{"from":"test-1","dry_run":true}""");

        Assert.Equal(("test-1", "test-2", true, "done"), (Text(json, "from"), Text(json, "version"), json.GetProperty("dry_run").GetBoolean(), Text(json, "status")));
        Assert.Equal((4, 3, 0, 1), Counts(json));
        Assert.Equal([("basic", "would_move"), ("both", "refused"), ("pro", "would_move"), ("yearly", "would_move")], Outcomes(json));
        Assert.Equal(
            """[{"currency":"USD","interval":"month","base_price":6000,"new_base_price":6200,"difference":200},{"currency":"USD","interval":"year","base_price":50000,"new_base_price":55000,"difference":5000}]""",
            json.GetProperty("totals").GetRawText());
        var basic = json.GetProperty("items")[0];
        Assert.Equal("""[{"product":"desk","plan":"desk-basic","interval":"month","base_price":1000,"new_interval":"month","new_base_price":1200}]""", basic.GetProperty("products").GetRawText());
        Assert.Equal("desk is on desk-basic of the catalogue test-2 from 2026-02-01T00:00:00Z on. Nothing is due at once. 12.00 USD of base price is on the invoice for the period from 2026-02-01T00:00:00Z.", Text(basic, "text"));
        Assert.Equal(("2026-02-01T00:00:00Z", true, 1), (Text(basic.GetProperty("change"), "effective_at"), basic.GetProperty("change").GetProperty("dry_run").GetBoolean(), basic.GetProperty("change").GetProperty("lines").GetArrayLength()));
        Assert.Equal(NoMeter, Text(json.GetProperty("items")[1], "text"));
        Assert.False(json.GetProperty("items")[1].TryGetProperty("change", out _));
        Assert.Equal(before, await Everything());
    }

    [Fact]
    public async Task Accounts_MoveAtTheEndOfTheirPeriod_ButForTheOneThatIsRefused()
    {
        var json = await Moved(All);

        Assert.Equal([("basic", "moved"), ("both", "refused"), ("pro", "moved"), ("yearly", "moved")], Outcomes(json));
        var scheduled = (await Api.Get("/v1/accounts/basic")).Json.GetProperty("subscriptions")[0].GetProperty("scheduled_change");
        Assert.Equal(("desk-basic", "test-2", "Moved from the catalogue test-1 to test-2."), (Text(scheduled, "plan"), Text(scheduled, "catalog_version"), Text(scheduled, "reason")));
        await Api.MoveClock("P1M");
        await Api.MoveClock("P4D");
        Assert.Equal(["test-2"], await Versions("basic"));
        Assert.Equal(["test-1", "test-1"], await Versions("both"));
        Assert.Equal(["test-2"], await Versions("yearly"));
        Assert.Equal((1_200L, 2_000L), (await SecondTotal("basic"), await SecondTotal("both") + 1_000));
    }

    [Fact]
    public async Task TheSameKeyAgain_IsTheSameJob_AndMovesNobodyTwice()
    {
        var first = await Moved(All, "move-1");
        var again = await Moved(All, "move-1");
        await Restart();
        Assert.Equal(404, (await Api.Get($"/v1/catalogs/moves/{Text(first, "id")}")).Status);

        var after = await Moved(All, "move-1");

        Assert.Equal((Text(first, "id"), Text(first, "id")), (Text(again, "id"), Text(after, "id")));
        Assert.Equal(Outcomes(first), Outcomes(again));
        Assert.Equal((4, 0, 3, 1), Counts(after));
        Assert.Equal("Nothing to change: desk moves to the catalogue test-2 at 2026-02-01T00:00:00Z already.", Text(after.GetProperty("items")[0], "text"));
        Assert.Equal(3, await Scheduled());
        (await Api.Post(Move, """{"from":"test-1","dry_run":true}""", "move-1")).IsProblem(409, "Idempotency-Key");
    }

    [Fact]
    public async Task AnotherMove_FindsNothingToChange_AlsoWhenAllAreThere()
    {
        await Moved(All);
        Assert.Equal((4, 0, 3, 1), Counts(await Moved(All)));
        await Api.MoveClock("P1M");

        var there = await Moved(All);

        Assert.Equal((4, 0, 3, 1), Counts(there));
        Assert.Equal("Nothing to change: desk is on the catalogue test-2 already.", Text(there.GetProperty("items")[0], "text"));
        Assert.Equal(3, await Scheduled());
    }

    [Theory]
    [InlineData("""{"from":"test-1","dry_run":false,"plan":"desk-pro"}""", "pro moved")]
    [InlineData("""{"from":"test-1","dry_run":false,"plans":["desk-basic","desk-year"],"when":"period_end"}""", "basic moved, both moved, yearly moved")]
    [InlineData("""{"from":"test-1","dry_run":false,"accounts":["yearly","nobody","waits","basic"]}""", "yearly moved, nobody refused, waits unchanged, basic moved")]
    [InlineData("""{"from":"test-1","dry_run":true,"accounts":"all","plan":"voice-payg"}""", "both refused")]
    public async Task PlansAndAccountsThatAreNamed_MoveAlone(string body, string outcomes) =>
        Assert.Equal(outcomes, string.Join(", ", Outcomes(await Moved(body)).Select(o => $"{o.Account} {o.Outcome}")));

    [Fact]
    public async Task AChangeThatIsScheduled_IsKeptOnTheOtherVersion()
    {
        Assert.Equal(200, (await Api.Post("/v1/accounts/pro/plans", """{"changes":[{"product":"desk","plan":"desk-basic"}],"when":"period_end","reason":"They asked for it."}""")).Status);

        var product = (await Moved("""{"from":"test-1","dry_run":false,"accounts":["pro"],"reason":"Prices of May."}""")).GetProperty("items")[0].GetProperty("products")[0];
        await Api.MoveClock("P1M");

        Assert.Equal(("desk-basic", 1_000, 1_200), (Text(product, "plan"), product.GetProperty("base_price").GetInt64(), product.GetProperty("new_base_price").GetInt64()));
        var subscription = (await Api.Get("/v1/accounts/pro")).Json.GetProperty("subscriptions")[0];
        Assert.Equal(("desk-basic", "test-2"), (Text(subscription, "plan"), Text(subscription, "catalog_version")));
    }

    [Fact]
    public async Task AChangeToAThirdVersion_IsNotLost()
    {
        await Api.Post("/v1/catalogs", TestCatalog.Json.Replace("test-1", "test-3", StringComparison.Ordinal));
        await Api.Post("/v1/catalogs/test-3/publish", "");
        Assert.Equal(200, (await Api.Post("/v1/accounts/pro/plans", """{"changes":[{"product":"desk","plan":"desk-basic"}],"catalog_version":"test-3","when":"period_end","reason":"They asked for it."}""")).Status);

        var item = (await Moved("""{"from":"test-1","dry_run":false,"accounts":["pro"]}""")).GetProperty("items")[0];

        Assert.Equal(
            ("refused", "A change of desk to desk-basic of the catalogue test-3 is scheduled, and would be lost. Nothing was changed; undo it first."),
            (Text(item, "outcome"), Text(item, "text")));
    }

    [Fact]
    public async Task Items_AreReadByPages()
    {
        var begun = await Begun(All, null);

        var pages = new List<string?>();
        for (string? next = ""; next is not null;)
        {
            var page = (await Api.Get($"{begun}?limit=3{next}")).Json;
            Assert.Equal((4, 3, 0, 1), Counts(page));
            pages.AddRange(Outcomes(page).Select(o => o.Account));
            next = page.TryGetProperty("next", out var cursor) ? $"&cursor={cursor.GetString()}" : null;
        }

        Assert.Equal(["basic", "both", "pro", "yearly"], pages);
    }

    [Theory]
    [InlineData("test-2", """{"dry_run":true}""", 400, "from")]
    [InlineData("test-2", """{"from":"test-1"}""", 400, "dry_run")]
    [InlineData("test-2", """{"from":"test-2","dry_run":true}""", 400, "from")]
    [InlineData("test-2", """{"from":"test-9","dry_run":true}""", 400, "from")]
    [InlineData("test-9", """{"from":"test-1","dry_run":true}""", 404, "version")]
    [InlineData("test-4", """{"from":"test-1","dry_run":true}""", 409, "version")]
    [InlineData("test-2", """{"from":"test-4","dry_run":true}""", 400, "from")]
    [InlineData("test-2", """{"from":"test-1","dry_run":true,"when":"now"}""", 400, "when")]
    [InlineData("test-2", """{"from":"test-1","dry_run":true,"when":"soon"}""", 400, "when")]
    [InlineData("test-2", """{"from":"test-1","dry_run":true,"reason":""}""", 400, "reason")]
    [InlineData("test-2", """{"from":"test-1","dry_run":true,"plan":"desk-gold"}""", 400, "plan")]
    [InlineData("test-2", """{"from":"test-1","dry_run":true,"plan":"desk-pro","plans":["desk-pro"]}""", 400, "plans")]
    [InlineData("test-2", """{"from":"test-1","dry_run":true,"plans":[]}""", 400, "plans")]
    [InlineData("test-2", """{"from":"test-1","dry_run":true,"plans":["desk-pro",null]}""", 400, "plans[1]")]
    [InlineData("test-2", """{"from":"test-1","dry_run":true,"accounts":[]}""", 400, "accounts")]
    [InlineData("test-2", """{"from":"test-1","dry_run":true,"accounts":["basic","basic"]}""", 400, "accounts[1]")]
    public async Task WhatIsWrong_IsNamed_AndNothingIsBegun(string version, string body, int status, string field)
    {
        await Api.Post("/v1/catalogs", TestCatalog.Json.Replace("test-1", "test-4", StringComparison.Ordinal));

        (await Api.Post($"/v1/catalogs/{version}/move", body)).IsProblem(status, field);
    }

    [Fact]
    public async Task AJobThatIsNotKnown_IsSaid() => (await Api.Get("/v1/catalogs/moves/none")).IsProblem(404, "id");

    private async Task<JsonElement> Moved(string body, string? key = null) => (await Api.Get(await Begun(body, key))).Json;

    // Begins the move and waits for its end.
    private async Task<string> Begun(string body, string? key)
    {
        var begun = await Api.Post(Move, body, key);
        Assert.True(begun.Status == 202, begun.Text);
        Assert.Equal($"/v1/catalogs/moves/{Text(begun.Json, "id")}", begun.Location);
        await Eventually.True(async () => Text((await Api.Get(begun.Location!)).Json, "status") == "done", "the move is done");
        return begun.Location!;
    }

    private async Task Restart()
    {
        await _platform.DisposeAsync();
        _platform = await TestPlatform.Open(_folder);
    }

    private async Task<string> Everything() => string.Join(
        '\n',
        (await Api.Get("/v1/feed?limit=1000")).Text, (await Api.Get("/v1/accounts/basic")).Text, (await Api.Get("/v1/accounts/both")).Text, (await Api.Get("/v1/accounts/pro")).Text, (await Api.Get("/v1/accounts/yearly")).Text);

    private async Task<int> Scheduled() => (await Api.Get("/v1/feed?limit=1000&type=plan_change_scheduled")).Json.GetProperty("items").GetArrayLength();

    private async Task<IEnumerable<string?>> Versions(string account) =>
        (await Api.Get($"/v1/accounts/{account}")).Json.GetProperty("subscriptions").EnumerateArray().Select(s => Text(s, "catalog_version")).ToList();

    private async Task<long> SecondTotal(string account) => (await Api.Get($"/v1/accounts/{account}/invoices/2")).Json.GetProperty("total").GetInt64();

    private static string? Text(JsonElement json, string name) => json.GetProperty(name).GetString();

    private static (int Accounts, int Moved, int Unchanged, int Refused) Counts(JsonElement json) => (
        json.GetProperty("accounts").GetInt32(), json.GetProperty("moved").GetInt32(), json.GetProperty("unchanged").GetInt32(), json.GetProperty("refused").GetInt32());

    private static IEnumerable<(string? Account, string? Outcome)> Outcomes(JsonElement json) =>
        json.GetProperty("items").EnumerateArray().Select(i => (Text(i, "account"), Text(i, "outcome"))).ToList();
}
