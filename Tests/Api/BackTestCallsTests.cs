using System.Text.Json;
using Billing.Tests.Support;

namespace Billing.Tests.Api;

/// <summary>Histories run again over HTTP: four accounts from January to the fifth of February, one of which used 90 tickets.</summary>
public sealed class BackTestCallsTests(BackTestCallsTests.Accounts accounts) : IClassFixture<BackTestCallsTests.Accounts>
{
    private const string Upgrade = """{"desk":{"upgrade":{}}}""";

    // Really: 10.00, 88 × 0.50 = 44.00, 10.00. With upgrades 10.00, then 40.00 up to desk-pro at once, and 50.00 for February.
    [Fact]
    public async Task NamedAccounts_AreAnsweredAtOnce_InTheirOrder()
    {
        var answer = await accounts.Api.Post("/v1/catalogs/test-1/backtest", $$"""{"accounts":["busy","calm"],"transitions":{{Upgrade}}}""");

        Assert.True(answer.Status == 200, answer.Text);
        var json = answer.Json;
        Assert.Equal(("backtest", "test-1", "done", 2, 1, 0), Summary(json));
        Assert.False(json.TryGetProperty("id", out _));
        Assert.Equal([("busy", 6_400L, 10_000L, 3_600L), ("calm", 2_000, 2_000, 0)], Items(json));
        Assert.Equal(("USD", 8_400L, 12_000L, 3_600L), Total(json));
        var move = Assert.Single(json.GetProperty("items")[0].GetProperty("moves").EnumerateArray());
        Assert.Equal(
            ("desk", "desk-basic", "desk-pro", "upgrade", "2026-01-01T00:00:00Z"),
            (Text(move, "product"), Text(move, "from"), Text(move, "to"), Text(move, "rule"), Text(move, "effective_at")));
        Assert.Contains("desk moves from desk-basic to desk-pro", Text(move, "text"), StringComparison.Ordinal);
        Assert.Empty(json.GetProperty("items")[0].GetProperty("real_moves").EnumerateArray());
    }

    [Fact]
    public async Task ItsOwnRules_ChangeNothing()
    {
        var json = (await accounts.Api.Post("/v1/catalogs/test-1/backtest", """{"accounts":["busy","calm"]}""")).Json;

        Assert.Equal(("backtest", "test-1", "done", 2, 0, 0), Summary(json));
        Assert.Equal([("busy", 6_400L, 6_400L, 0L), ("calm", 2_000, 2_000, 0)], Items(json));
    }

    // The draft asks 12.00 for desk-basic and has its rules.
    [Fact]
    public async Task ADraft_CanBeTriedBeforeItIsPublished()
    {
        var simulated = (await accounts.Api.Post("/v1/catalogs/test-2/simulate", """{"accounts":["calm"]}""")).Json;
        var tested = (await accounts.Api.Post("/v1/catalogs/test-2/backtest", """{"accounts":["calm"]}""")).Json;

        Assert.Equal(("simulate", "test-2", "done", 1, 0, 0), Summary(simulated));
        Assert.Equal([("calm", 2_000L, 2_400L, 400L)], Items(simulated));
        Assert.Equal([("calm", 2_000L, 2_000L, 0L)], Items(tested));
    }

    [Fact]
    public async Task AWindow_CountsItsPeriodsAlone() => Assert.Equal(
        [("busy", 5_400L, 5_400L, 0L)],
        Items((await accounts.Api.Post("/v1/catalogs/test-1/backtest", """{"accounts":["busy"],"to":"2026-02-01T00:00:00Z"}""")).Json));

    [Fact]
    public async Task AnAccountThatCannotBeRun_HasItsProblem_AndStopsNobody()
    {
        var json = (await accounts.Api.Post("/v1/catalogs/test-2/simulate", """{"accounts":["nobody","talker","calm"]}""")).Json;

        Assert.Equal(("simulate", "test-2", "done", 3, 0, 2), Summary(json));
        Assert.Equal("There is no account nobody.", Text(json.GetProperty("items")[0], "problem"));
        Assert.Equal("The account was on the plan voice-payg of voice, which the catalogue test-2 does not have.", Text(json.GetProperty("items")[1], "problem"));
        Assert.False(json.GetProperty("items")[2].TryGetProperty("problem", out _));
        Assert.Equal(("USD", 2_000L, 2_400L, 400L), Total(json));
    }

    [Theory]
    [InlineData("{}")]
    [InlineData("")]
    [InlineData("""{"accounts":"all"}""")]
    public async Task AllAccounts_AreAJob_ReadByPages(string body)
    {
        var begun = await accounts.Api.Post("/v1/catalogs/test-2/simulate", body);
        Assert.True(begun.Status == 202, begun.Text);
        var id = Text(begun.Json, "id");
        Assert.Equal($"/v1/catalogs/backtests/{id}", begun.Location);
        Assert.Empty(begun.Json.GetProperty("items").EnumerateArray());
        await Eventually.True(async () => Text((await accounts.Api.Get(begun.Location!)).Json, "status") == "done", "the job is done");

        var whole = (await accounts.Api.Get(begun.Location!)).Json;
        var pages = new List<(string?, long, long, long)>();
        for (string? next = ""; next is not null;)
        {
            var page = (await accounts.Api.Get($"{begun.Location}?limit=1{next}")).Json;
            Assert.Equal(Total(whole), Total(page));
            pages.AddRange(Items(page));
            next = page.TryGetProperty("next", out var cursor) ? $"&cursor={cursor.GetString()}" : null;
        }

        Assert.Equal(("simulate", "test-2", "done", 4, 0, 1), Summary(whole));
        Assert.Equal([("busy", 6_400L, 6_800L, 400L), ("calm", 2_000, 2_400, 400), ("talker", 0, 0, 0), ("waits", 0, 0, 0)], Items(whole));
        Assert.Equal(Items(whole), pages);
        Assert.Equal(("USD", 8_400L, 9_200L, 800L), Total(whole));
        Assert.EndsWith("Z", Text(whole, "finished_at"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("test-9/backtest", "{}", 404, "version")]
    [InlineData("test-1/backtest", """{"account":["calm"]}""", 400, "account")]
    [InlineData("test-1/simulate", """{"accounts":["calm"],"transition":{}}""", 400, "transition")]
    [InlineData("test-1/backtest", """{"accounts":[]}""", 400, "accounts")]
    [InlineData("test-1/backtest", """{"accounts":"some"}""", 400, "accounts")]
    [InlineData("test-1/backtest", """{"accounts":7}""", 400, "accounts")]
    [InlineData("test-1/backtest", """{"accounts":["a",1]}""", 400, "accounts[1]")]
    [InlineData("test-1/backtest", """{"accounts":["a","a"]}""", 400, "accounts[1]")]
    [InlineData("test-1/backtest", """{"accounts":["a/b"]}""", 400, "accounts[0]")]
    [InlineData("test-1/backtest", """{"accounts":["\ud800"]}""", 400, "accounts[0]")]
    [InlineData("test-1/backtest", """{"accounts":["a"],"transitions":[]}""", 400, "transitions")]
    [InlineData("test-1/backtest", """{"accounts":["a"],"transitions":{"none":{}}}""", 400, "transitions.none")]
    [InlineData("test-1/backtest", """{"accounts":["a"],"transitions":{"desk":{"downgrade":{"headroom":"0"}}}}""", 400, "transitions.desk.downgrade.headroom")]
    [InlineData("test-1/backtest", """{"accounts":["a"],"transitions":{"desk":{"\ud800":{}}}}""", 400, "transitions")]
    [InlineData("test-1/backtest", """{"accounts":["a"],"transitions":{"\ud800":{}}}""", 400, "transitions")]
    [InlineData("test-1/simulate", """{"accounts":["a"],"from":"soon"}""", 400, "from")]
    [InlineData("test-1/simulate", """{"accounts":["a"],"from":"2026-02-01T00:00:00Z","to":"2026-02-01T00:00:00Z"}""", 400, "to")]
    public async Task WhatIsWrong_IsNamed(string call, string body, int status, string field) =>
        (await accounts.Api.Post($"/v1/catalogs/{call}", body)).IsProblem(status, field);

    [Fact]
    public async Task AJobBegunAgainUnderItsKeyAfterARestart_HasTheSameId()
    {
        using var folder = new TemporaryFolder();
        string? id;
        await using (var before = await TestPlatform.Open(folder))
        {
            id = Text((await before.Api.Post("/v1/catalogs/test-1/backtest", "{}", "all-1")).Json, "id");
            Assert.Equal(id, Text((await before.Api.Post("/v1/catalogs/test-1/backtest", "{}", "all-1")).Json, "id"));
        }

        await using var after = await TestPlatform.Open(folder);
        (await after.Api.Get($"/v1/catalogs/backtests/{id}")).IsProblem(404, "id");

        var again = await after.Api.Post("/v1/catalogs/test-1/backtest", "{}", "all-1");

        Assert.Equal((202, id), (again.Status, Text(again.Json, "id")));
        Assert.Equal(200, (await after.Api.Get($"/v1/catalogs/backtests/{id}")).Status);
        (await after.Api.Post("/v1/catalogs/test-1/simulate", "{}", "all-1")).IsProblem(409, "Idempotency-Key");
    }

    [Fact]
    public async Task MoreThanAHundredNames_AreAJobForAll()
    {
        var names = string.Join(',', Enumerable.Range(0, 101).Select(i => $"\"a{i}\""));

        (await accounts.Api.Post("/v1/catalogs/test-1/backtest", $$"""{"accounts":[{{names}}]}""")).IsProblem(400, "accounts");
        (await accounts.Api.Get("/v1/catalogs/backtests/none")).IsProblem(404, "id");
    }

    [Fact]
    public async Task NothingIsChanged()
    {
        var before = ((await accounts.Api.Get("/v1/accounts/busy")).Text, (await accounts.Api.Get("/v1/accounts/busy/invoices")).Text);

        await accounts.Api.Post("/v1/catalogs/test-1/backtest", $$"""{"accounts":["busy"],"transitions":{{Upgrade}}}""");

        Assert.Equal(before, ((await accounts.Api.Get("/v1/accounts/busy")).Text, (await accounts.Api.Get("/v1/accounts/busy/invoices")).Text));
    }

    private static string? Text(JsonElement json, string name) => json.GetProperty(name).GetString();

    private static (string?, string?, string?, int, int, int) Summary(JsonElement json) => (
        Text(json, "kind"), Text(json, "version"), Text(json, "status"),
        json.GetProperty("accounts").GetInt32(), json.GetProperty("moved").GetInt32(), json.GetProperty("failed").GetInt32());

    private static IEnumerable<(string?, long, long, long)> Items(JsonElement json) =>
        json.GetProperty("items").EnumerateArray().Select(i => (Text(i, "account"), Minor(i, "paid"), Minor(i, "would_pay"), Minor(i, "difference")));

    private static (string?, long, long, long) Total(JsonElement json)
    {
        var total = Assert.Single(json.GetProperty("totals").EnumerateArray());
        return (Text(total, "currency"), Minor(total, "paid"), Minor(total, "would_pay"), Minor(total, "difference"));
    }

    private static long Minor(JsonElement json, string name) => json.GetProperty(name).GetInt64();

    /// <summary>The catalogue test-1 is published; test-2 is a draft with a dearer desk-basic and another voice plan.</summary>
    public sealed class Accounts : IAsyncLifetime
    {
        private readonly PlatformFixture _platform = new();

        internal ApiCaller Api => _platform.Api;

        public async Task InitializeAsync()
        {
            await _platform.InitializeAsync();
            await Api.Open("busy", "desk-basic");
            await Api.Open("calm", "desk-basic");
            await Api.Open("talker", "voice-payg");
            await Api.Post("/v1/accounts", """{"id":"waits","name":"Shop","email":"shop@example.test","plans":["desk-basic"]}""");
            await Api.Events(ApiCaller.Lines, Enumerable.Range(0, 90).Select(i => ApiCaller.Event("busy", $"jan{i}", DateTimeOffset.Parse(TestPlatform.Start))));
            await Api.MoveClock("P1M");
            await Api.MoveClock("P4D");
            var draft = TestCatalog.Json.Replace("test-1", "test-2", StringComparison.Ordinal).Replace("\"10.00\"", "\"12.00\"", StringComparison.Ordinal).Replace("voice-payg", "voice-flat", StringComparison.Ordinal);
            Assert.Equal(201, (await Api.Post("/v1/catalogs", draft)).Status);
        }

        public Task DisposeAsync() => _platform.DisposeAsync();
    }
}
