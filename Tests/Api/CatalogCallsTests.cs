using System.Text.Json;
using Billing.Silo.Security;
using Billing.Silo.Storage;
using Billing.Tests.Support;

namespace Billing.Tests.Api;

/// <summary>Catalogue versions over HTTP, from a draft to an account that is on it.</summary>
public sealed class CatalogCallsTests : IAsyncLifetime
{
    private readonly TemporaryFolder _folder = new();
    private TestPlatform _platform = null!;

    private ApiCaller Api => _platform.Api;

    public async Task InitializeAsync() => _platform = await TestPlatform.Open(_folder);

    public async Task DisposeAsync()
    {
        await _platform.DisposeAsync();
        _folder.Dispose();
    }

    [Fact]
    public async Task Draft_IsShownAsOne_AndNobodyGetsIt()
    {
        var answer = await Api.Post("/v1/catalogs", Catalog("test-2", "12.00"));

        Assert.True(answer.Status == 201, answer.Text);
        Assert.Equal("/v1/catalogs/test-2", answer.Location);
        Assert.Equal(("test-2", "draft", "USD"), Named(answer.Json));
        Assert.Equal(TestPlatform.Start, answer.Json.GetProperty("drafted_at").GetString());
        Assert.False(answer.Json.TryGetProperty("published_at", out _));
        Assert.Equal([("test-1", "published", "USD"), ("test-2", "draft", "USD")], await Listed());
        await Api.Open("shop", "desk-basic");
        Assert.Equal("test-1", (await Api.Get("/v1/accounts/shop")).Json.GetProperty("subscriptions")[0].GetProperty("catalog_version").GetString());
        (await Api.Post("/v1/accounts/shop/plans", """{"changes":[{"product":"voice","plan":"voice-payg"}],"catalog_version":"test-2","when":"now","reason":"Try."}""")).IsProblem(400, "catalog_version");
    }

    [Fact]
    public async Task CatalogueInAnotherCurrency_LeavesAccountsOfTheFirstOpenToNewOnes()
    {
        await Api.Open("dollars", "desk-basic");
        await Api.Post("/v1/catalogs", Catalog("yen-1", "12").Replace("\"USD\"", "\"JPY\"", StringComparison.Ordinal).Replace(".50\"", "\"", StringComparison.Ordinal));
        var published = await Api.Post("/v1/catalogs/yen-1/publish", "{}");
        Assert.True(published.Status == 200, published.Text);

        var opened = await Api.Post("/v1/accounts", """{"id":"more-dollars","name":"M","email":"m@example.com","plans":["desk-basic"],"currency":"USD","payment_method":"pm_card_visa"}""");
        var added = await Api.Post("/v1/accounts/dollars/plans", """{"changes":[{"product":"voice","plan":"voice-payg"}],"when":"now","reason":"Try."}""");

        Assert.True(opened.Status == 201, opened.Text);
        Assert.Equal("test-1", opened.Json.GetProperty("subscriptions")[0].GetProperty("catalog_version").GetString());
        Assert.True(added.Status == 200, added.Text);
        Assert.Equal("JPY", (await Api.Post("/v1/accounts", """{"id":"yen","name":"Y","email":"y@example.com","plans":["desk-basic"],"currency":"JPY","payment_method":"pm_card_visa"}""")).Json.GetProperty("currency").GetString());
    }

    [Fact]
    public async Task AccountWithoutACurrency_PaysInThatOfTheFirstCatalogue()
    {
        await Api.Post("/v1/catalogs", Catalog("test-2", "12.00"));
        await Api.Post("/v1/catalogs/test-2/publish", "{}");
        await Api.Post("/v1/catalogs", Catalog("yen-1", "12").Replace("\"USD\"", "\"JPY\"", StringComparison.Ordinal).Replace(".50\"", "\"", StringComparison.Ordinal));
        Assert.Equal(200, (await Api.Post("/v1/catalogs/yen-1/publish", "{}")).Status);

        var opened = await Api.Post("/v1/accounts", ApiCaller.Account("plain", "desk-basic"));
        var refused = await Api.Post("/v1/accounts", """{"id":"crowns","name":"C","email":"c@example.com","plans":["desk-basic"],"currency":"SEK"}""");

        Assert.True(opened.Status == 201, opened.Text);
        Assert.Equal(("USD", "test-2"), (opened.Json.GetProperty("currency").GetString(), opened.Json.GetProperty("subscriptions")[0].GetProperty("catalog_version").GetString()));
        refused.IsProblem(400, "currency");
        Assert.Equal(
            "No catalogue is published in SEK; there are catalogues in USD, JPY. Give one of these, or leave the currency out for USD. Nothing was stored.",
            refused.Json.GetProperty("detail").GetString());
    }

    [Fact]
    public async Task FeatureNamedAsAMeter_IsRefusedAtDraftAndPublish()
    {
        var json = Catalog("test-2", "12.00").Replace("\"features\": {}", "\"features\": { \"voice.minutes\": true }", StringComparison.Ordinal);

        var drafted = await Api.Post("/v1/catalogs", json);
        Assert.True(await ((ICatalogStore)_platform.Store).SaveDraft(CatalogDraft.Of("test-2", DateTimeOffset.UnixEpoch, System.Text.Encoding.UTF8.GetBytes(json))));
        var published = await Api.Post("/v1/catalogs/test-2/publish", "{}");

        drafted.IsProblem(400, "$.products[0].plans[0].features['voice.minutes']");
        Assert.Equal(
            "$.products[0].plans[0].features['voice.minutes'] has the id of a meter: whether the meter may be used follows from the plan's allowance and the account's spend cap, past which the feature would lead. Give the feature another name, or leave it out. Nothing was stored.",
            drafted.Json.GetProperty("detail").GetString());
        published.IsProblem(400, "$.products[0].plans[0].features['voice.minutes']");
    }

    [Fact]
    public async Task DraftPublished_IsWhatNewAccountsGet_AndThoseThatWereStay()
    {
        await Api.Open("before", "desk-basic");
        await Api.Post("/v1/catalogs", Catalog("test-2", "12.00"));

        var answer = await Api.Post("/v1/catalogs/test-2/publish", "");
        await Api.Open("after", "desk-basic");

        Assert.True(answer.Status == 200, answer.Text);
        Assert.Equal(("test-2", "published", "USD"), Named(answer.Json));
        Assert.Equal(TestPlatform.Start, answer.Json.GetProperty("published_at").GetString());
        Assert.Equal([("test-1", "published", "USD"), ("test-2", "published", "USD")], await Listed());
        Assert.Equal((1_000L, 1_200L), (await FirstTotal("before"), await FirstTotal("after")));
    }

    [Fact]
    public async Task DraftHandedInAgain_ReplacesTheFirst()
    {
        await Api.Post("/v1/catalogs", Catalog("test-2", "12.00"));
        Assert.Equal(201, (await Api.Post("/v1/catalogs", Catalog("test-2", "13.00"))).Status);

        await Api.Post("/v1/catalogs/test-2/publish", "");
        await Api.Open("shop", "desk-basic");

        Assert.Equal(1_300, await FirstTotal("shop"));
    }

    [Fact]
    public async Task PublishedVersion_NeverChanges()
    {
        await Api.Post("/v1/catalogs", Catalog("test-2", "12.00"));
        await Api.Post("/v1/catalogs/test-2/publish", "");

        var again = await Api.Post("/v1/catalogs", Catalog("test-2", "13.00"));

        again.IsProblem(409, "version");
        Assert.Contains("test-2 is published since 2026-01-01T00:00:00Z", again.Json.GetProperty("detail").GetString(), StringComparison.Ordinal);
        (await Api.Post("/v1/catalogs", TestCatalog.Json)).IsProblem(409, "version");
        (await Api.Post("/v1/catalogs/test-2/publish", "")).IsProblem(409, "version");
        (await Api.Post("/v1/catalogs/test-3/publish", "")).IsProblem(404, "version");
        Assert.Equal(Catalog("test-2", "12.00"), await Shown("test-2"));
    }

    [Fact]
    public async Task PublishingSentAgainUnderItsKey_GetsTheSameAnswer()
    {
        await Api.Post("/v1/catalogs", Catalog("test-2", "12.00"), "draft-key");
        var first = await Api.Post("/v1/catalogs/test-2/publish", "", "publish-key");
        var again = await Api.Post("/v1/catalogs/test-2/publish", "", "publish-key");

        Assert.Equal((200, first.Text), (again.Status, again.Text));
        Assert.Equal(201, (await Api.Post("/v1/catalogs", Catalog("test-2", "12.00"), "draft-key")).Status);
        (await Api.Post("/v1/catalogs", Catalog("test-2", "12.00"), "publish-key")).IsProblem(409, "Idempotency-Key");
    }

    [Fact]
    public async Task DraftsAndPublishedVersions_AreThereAfterARestart()
    {
        await Api.Post("/v1/catalogs", Catalog("test-2", "12.00"));
        await Api.Post("/v1/catalogs/test-2/publish", "");
        await Api.Post("/v1/catalogs", Catalog("test-3", "13.00"));

        await _platform.DisposeAsync();
        _platform = await TestPlatform.Open(_folder);

        Assert.Equal([("test-1", "published", "USD"), ("test-2", "published", "USD"), ("test-3", "draft", "USD")], await Listed());
        await Api.Open("shop", "desk-basic");
        Assert.Equal(1_200, await FirstTotal("shop"));
    }

    [Theory]
    [InlineData("{", "$")]
    [InlineData("[]", "$")]
    [InlineData("", "$")]
    [InlineData("{}", "$")]
    public async Task WhatIsNoCatalogue_IsRefusedWithItsPlace(string body, string field) => (await Api.Post("/v1/catalogs", body)).IsProblem(400, field);

    [Theory]
    [InlineData("\"rank\": 2", "\"rank\": 1", "$.products[0].plans[1].rank")]
    [InlineData("\"included\": { \"desk.tickets\": 100 }", "\"included\": { \"desk.calls\": 100 }", "$.products[0].plans[1].included['desk.calls']")]
    [InlineData("\"0.02\"", "0.02", "$.products[1].plans[0].prices['voice.minutes'].unit_price")]
    [InlineData("\"test-1\"", "\"a/b\"", "$.version")]
    [InlineData("\"test-1\"", "\"..\"", "$.version")]
    [InlineData("\"USD\"", "\"XYZ\"", "$.currency")]
    [InlineData("\"test-1\"", "\"ü\"", "$.version")]
    public async Task InvalidCatalogue_IsRefusedWithThePathOfWhatIsWrong_AndNotKept(string part, string instead, string path)
    {
        var broken = TestCatalog.Json.Replace(part, instead, StringComparison.Ordinal);
        Assert.NotEqual(TestCatalog.Json, broken);

        var answer = await Api.Post("/v1/catalogs", broken);

        answer.IsProblem(400, path);
        Assert.Contains(path, answer.Json.GetProperty("detail").GetString(), StringComparison.Ordinal);
        Assert.Contains("Nothing was stored.", answer.Json.GetProperty("detail").GetString(), StringComparison.Ordinal);
        Assert.Equal([("test-1", "published", "USD")], await Listed());
    }

    [Fact]
    public async Task CatalogueOfAnotherMediaTypeOrTooLarge_IsRefused()
    {
        (await Api.Send("POST", "/v1/catalogs", TestCatalog.Json, "text/plain")).IsProblem(415, "Content-Type");
        (await Api.Post("/v1/catalogs", TestCatalog.Json + new string(' ', 1 << 20))).IsProblem(413);
    }

    [Fact]
    public async Task OneVersion_IsShownWithAllThatIsInIt()
    {
        Assert.Equal(TestCatalog.Json, await Shown("test-1"));
        await Api.Post("/v1/catalogs", Catalog("test-2", "12.00"));
        Assert.Equal(Catalog("test-2", "12.00"), await Shown("test-2"));
        (await Api.Get("/v1/catalogs/test-3")).IsProblem(404, "version");
    }

    [Fact]
    public async Task DamagedDraft_IsNeitherShownNorPublished_AndCanBeHandedInAgain()
    {
        var damaged = CatalogDraft.Of("test-2", DateTimeOffset.UnixEpoch, System.Text.Encoding.UTF8.GetBytes(Catalog("test-2", "12.00")));
        Assert.True(await ((ICatalogStore)_platform.Store).SaveDraft(damaged with { Json = System.Text.Encoding.UTF8.GetBytes(Catalog("test-2", "92.00")) }));

        (await Api.Get("/v1/catalogs/test-2")).IsProblem(503);
        (await Api.Post("/v1/catalogs/test-2/publish", "")).IsProblem(503);
        Assert.Equal([("test-1", "published", "USD")], await Listed());

        Assert.Equal(201, (await Api.Post("/v1/catalogs", Catalog("test-2", "12.00"))).Status);
        Assert.Equal(200, (await Api.Post("/v1/catalogs/test-2/publish", "")).Status);
    }

    [Fact]
    public async Task Versions_AreListedByPages()
    {
        await Api.Post("/v1/catalogs", Catalog("test-3", "13.00"));
        await Api.Post("/v1/catalogs", Catalog("test-2", "12.00"));
        var seen = new List<string?>();
        for (string? next = ""; next is not null;)
        {
            var page = (await Api.Get($"/v1/catalogs?limit=1{next}")).Json;
            seen.Add(Assert.Single(page.GetProperty("items").EnumerateArray()).GetProperty("version").GetString());
            next = page.TryGetProperty("next", out var cursor) ? $"&cursor={cursor.GetString()}" : null;
        }

        Assert.Equal(["test-1", "test-2", "test-3"], seen);
    }

    [Fact]
    public async Task OnlyAnAdmin_DraftsAndPublishes()
    {
        foreach (var scope in new[] { Scopes.Read, Scopes.Operate, Scopes.Ingest })
            (await Api.Send("POST", "/v1/catalogs", Catalog("test-2", "12.00"), authorization: $"Bearer {TestPlatform.KeyFor(scope)}")).IsProblem(403, "Authorization");
        Assert.Equal([("test-1", "published", "USD")], await Listed());
    }

    private static string Catalog(string version, string basic) =>
        TestCatalog.Json.Replace("test-1", version, StringComparison.Ordinal).Replace("\"10.00\"", $"\"{basic}\"", StringComparison.Ordinal);

    private static (string?, string?, string?) Named(JsonElement item) =>
        (item.GetProperty("version").GetString(), item.GetProperty("status").GetString(), item.GetProperty("currency").GetString());

    private async Task<IEnumerable<(string?, string?, string?)>> Listed() => (await Api.Get("/v1/catalogs")).Json.GetProperty("items").EnumerateArray().Select(Named);

    private async Task<long> FirstTotal(string account) => (await Api.Get($"/v1/accounts/{account}/invoices/1")).Json.GetProperty("total").GetInt64();

    // What is in it, in the spelling it was handed in with if it is the same.
    private async Task<string> Shown(string version)
    {
        var answer = await Api.Get($"/v1/catalogs/{version}");
        Assert.Equal(version, answer.Json.GetProperty("version").GetString());
        var handedIn = Catalog(version, version == "test-1" ? "10.00" : "12.00");
        return JsonElement.DeepEquals(answer.Json.GetProperty("catalog"), JsonDocument.Parse(handedIn).RootElement) ? handedIn : answer.Text;
    }
}
