using System.Text.Json;
using Billing.Tests.Support;

namespace Billing.Tests.Api;

/// <summary>The feed over HTTP, of a platform on which two accounts lived for two months. Those that add facts have a platform of their own.</summary>
public sealed class FeedCallTests(FeedCallTests.Accounts accounts) : IClassFixture<FeedCallTests.Accounts>
{
    [Fact]
    public async Task Feed_TellsTheLifeOfAnAccountInOrder()
    {
        // A charge is carried out beside the events: an alert can come before it or behind.
        var items = (await Whole("&account=shop")).Where(i => i.GetProperty("type").GetString() != "usage_alert_reached").ToList();

        Assert.Equal(
            [
                "account_opened", "subscription_started", "invoice_finalized", "charge_requested", "customer_created", "payment_method_attached", "charge_settled",
                "invoice_drafted", "invoice_finalized", "charge_requested", "charge_settled", "cancellation_scheduled", "cancellation_undone",
            ],
            items.Select(i => i.GetProperty("type").GetString()));
        Assert.All(items, i => Assert.Equal("shop", i.GetProperty("account").GetString()));
        Assert.Equal(TestPlatform.Start, items[0].GetProperty("at").GetString());
        Assert.Equal("Shop", items[0].GetProperty("data").GetProperty("name").GetString());
        Assert.False(items[0].GetProperty("data").TryGetProperty("fact", out _));
        Assert.Equal("2026-02-04T00:00:00Z", items[8].GetProperty("at").GetString());
        Assert.Equal(1_000, items[8].GetProperty("data").GetProperty("invoice").GetProperty("total").GetInt64());
        Assert.Equal(("shop/2/1", 1_000L), (items[10].GetProperty("data").GetProperty("intent").GetString(), items[10].GetProperty("data").GetProperty("amount").GetInt64()));
    }

    [Fact]
    public async Task FeedByPages_IsTheSameAsAtOnce_AndEveryPageHasANext()
    {
        var whole = (await Whole("")).Select(i => i.GetRawText()).ToList();
        Assert.True(whole.Count >= 20, $"{whole.Count} facts");
        for (var limit = 1; limit <= 9; limit += 2)
        {
            var (items, after) = (new List<string>(), "");
            while (true)
            {
                var page = (await accounts.Api.Get($"/v1/feed?limit={limit}{after}")).Json;
                after = $"&after={page.GetProperty("next").GetString()}";
                Assert.Matches("^&after=[A-Za-z0-9_-]+$", after);
                if (page.GetProperty("items").GetArrayLength() == 0) break;
                items.AddRange(Items(page).Select(i => i.GetRawText()));
                Assert.True(items.Count <= whole.Count, "the pages go on for ever");
            }

            Assert.Equal(whole, items);
            var last = (await accounts.Api.Get($"/v1/feed?limit={limit}{after}")).Json;
            Assert.Empty(Items(last));
            Assert.Equal(after, $"&after={last.GetProperty("next").GetString()}");
        }
    }

    [Fact]
    public async Task PositionOfAnItem_IsACursor()
    {
        var whole = await Whole("");

        for (var i = 0; i < whole.Count; i += 3)
        {
            var rest = (await accounts.Api.Get($"/v1/feed?limit=1000&after={whole[i].GetProperty("position").GetString()}")).Json;
            Assert.Equal(whole.Skip(i + 1).Select(r => r.GetRawText()), Items(rest).Select(r => r.GetRawText()));
        }

        Assert.Equal(whole.Count, whole.Select(i => i.GetProperty("position").GetString()).Distinct().Count());
    }

    [Fact]
    public async Task Filters_LeaveOutTheOthers()
    {
        var whole = await Whole("");

        Assert.Equal(Texts(whole.Where(i => Of(i, "account") == "other")), Texts(await Whole("&account=other")));
        Assert.Equal(Texts(whole.Where(i => Of(i, "type") is "charge_settled" or "invoice_finalized")), Texts(await Whole("&type=invoice_finalized,charge_settled&limit=3")));
        Assert.Equal(2, (await Whole("&type=account_opened&account=other,shop,nobody")).Count);
        Assert.Empty(await Whole("&account=nobody"));
        Assert.Equal(whole.Count, (await Whole("&account=&type=")).Count);
    }

    [Theory]
    [InlineData("limit=0", 400, "limit")]
    [InlineData("limit=1001", 400, "limit")]
    [InlineData("after=bm8", 400, "after")]
    [InlineData("after=%25%25", 400, "after")]
    [InlineData("after=MS4yLjA", 400, "after")] // 1.2.0
    [InlineData("after=OTk5OTk5LjEuMS5zaG9w", 409, "after")] // 999999.1.1.shop
    [InlineData("after=MS4xLjEub3RoZXI", 409, "after")] // 1.1.1.other
    [InlineData("type=account_opened,usage_recorded", 400, "type")]
    [InlineData("type=stripe_call_sent", 400, "type")]
    [InlineData("wait=31", 400, "wait")]
    [InlineData("wait=-1", 400, "wait")]
    [InlineData("wait=1.5", 400, "wait")]
    public async Task BadQuery_IsNamed(string query, int status, string field) => (await accounts.Api.Get($"/v1/feed?{query}")).IsProblem(status, field);

    [Fact]
    public async Task CursorOfTheBeginning_IsThatOfAStoreWithoutFacts()
    {
        using var folder = new TemporaryFolder();
        await using var platform = await TestPlatform.Open(folder);

        var empty = (await platform.Api.Get("/v1/feed")).Json;
        await platform.Api.Open("shop", "desk-basic");

        Assert.Empty(Items(empty));
        Assert.Equal("account_opened", Of(Items((await platform.Api.Get($"/v1/feed?after={empty.GetProperty("next").GetString()}")).Json)[0], "type"));
    }

    [Fact]
    public async Task FollowerThatWaits_GetsWhatHappensMeanwhile()
    {
        using var folder = new TemporaryFolder();
        await using var platform = await TestPlatform.Open(folder);
        await platform.Api.Open("shop", "desk-basic");
        var next = (await platform.Api.Get("/v1/feed?limit=1000")).Json.GetProperty("next").GetString();

        var waiting = platform.Api.Get($"/v1/feed?after={next}&wait=30&type=cancellation_scheduled");
        await platform.Api.Post("/v1/accounts/shop/cancel", """{"reason":"The shop closes."}""");

        Assert.Equal("The shop closes.", Items((await waiting).Json).Single().GetProperty("data").GetProperty("reason").GetString());
    }

    [Fact]
    public async Task PlatformThatStops_AnswersThoseWhoWait()
    {
        using var folder = new TemporaryFolder();
        var platform = await TestPlatform.Open(folder);
        using var follower = new ApiCaller(platform.Address, TestPlatform.Key);
        var waiting = follower.Get("/v1/feed?wait=30");
        await platform.Api.Get("/v1/feed");

        await platform.DisposeAsync();

        Assert.Equal(200, (await waiting).Status);
    }

    private static List<JsonElement> Items(JsonElement page) => [.. page.GetProperty("items").EnumerateArray()];

    private static string? Of(JsonElement item, string member) => item.GetProperty(member).GetString();

    private static IEnumerable<string> Texts(IEnumerable<JsonElement> items) => items.Select(i => i.GetRawText());

    private async Task<List<JsonElement>> Whole(string filter)
    {
        var (items, after) = (new List<JsonElement>(), "");
        while (true)
        {
            var answer = await accounts.Api.Get($"/v1/feed?{after}{filter}");
            Assert.True(answer.Status == 200, answer.Text);
            if (Items(answer.Json).Count == 0) return items;
            items.AddRange(Items(answer.Json));
            after = $"after={answer.Json.GetProperty("next").GetString()}";
        }
    }

    /// <summary>Two accounts in January and February, with usage.</summary>
    public sealed class Accounts : IAsyncLifetime
    {
        private readonly PlatformFixture _platform = new();

        internal ApiCaller Api => _platform.Api;

        public async Task InitializeAsync()
        {
            await _platform.InitializeAsync();
            await Api.Open("shop", "desk-basic");
            await Api.Open("other", "voice-payg");
            var now = DateTimeOffset.Parse(TestPlatform.Start, System.Globalization.CultureInfo.InvariantCulture);
            await Api.Events(ApiCaller.Lines, ApiCaller.Event("shop", "one", now), ApiCaller.Event("shop", "too early", now.AddDays(20)));
            await Api.MoveClock("P1M");
            await Api.MoveClock("P3D");
            await Api.Post("/v1/accounts/shop/cancel", """{"reason":"The shop closes."}""");
            await Api.Send("DELETE", "/v1/accounts/shop/cancel");
        }

        public Task DisposeAsync() => _platform.DisposeAsync();
    }
}
