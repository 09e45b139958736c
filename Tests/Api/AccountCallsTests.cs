using System.Text.Json;
using System.Text.Json.Nodes;
using Billing.Tests.Support;

namespace Billing.Tests.Api;

/// <summary>Making accounts, and finding them.</summary>
public sealed class AccountCallsTests(PlatformFixture platform) : IClassFixture<PlatformFixture>
{
    [Fact]
    public async Task NewAccount_IsCreatedWithItsLocationAndShape()
    {
        var answer = await platform.Api.Post("/v1/accounts", ApiCaller.Account("new", "desk-basic", "voice-payg"));

        Assert.Equal(201, answer.Status);
        Assert.Equal("/v1/accounts/new", answer.Location);
        Assert.Equal("application/json", answer.ContentType?.MediaType);
        var account = answer.Json;
        Assert.Equal("new", account.GetProperty("id").GetString());
        Assert.Equal("active", account.GetProperty("status").GetString());
        Assert.Equal("USD", account.GetProperty("currency").GetString());
        Assert.Equal(0, account.GetProperty("balance").GetInt64());
        Assert.Empty(account.GetProperty("holds").EnumerateArray());
        Assert.Equal(["desk-basic", "voice-payg"], account.GetProperty("subscriptions").EnumerateArray().Select(s => s.GetProperty("plan").GetString()));
        Assert.Equal(["desk.tickets", "voice.minutes"], account.GetProperty("usage").EnumerateArray().Select(u => u.GetProperty("meter").GetString()));
        Assert.Empty(account.GetProperty("charges").EnumerateArray());
        Assert.Equal(answer.Text, (await platform.Api.Get("/v1/accounts/new")).Text);
    }

    [Fact]
    public async Task FirstBaseFee_IsInvoicedAndFinalisedAtOnce()
    {
        await platform.Api.Open("first", "desk-basic");

        var invoice = (await platform.Api.Get("/v1/accounts/first/invoices/1")).Json;

        // 10.00 a month, paid in advance.
        Assert.Equal(1_000, invoice.GetProperty("total").GetInt64());
        Assert.Equal("finalized", invoice.GetProperty("status").GetString());
        Assert.Equal("base", Assert.Single(invoice.GetProperty("lines").EnumerateArray()).GetProperty("kind").GetString());
    }

    [Fact]
    public async Task AccountWithoutAPaymentMethod_IsPendingWithoutASubscription()
    {
        var answer = await platform.Api.Post("/v1/accounts", """{"id":"pending","name":"Shop","email":"a@b","plans":["desk-basic"]}""");

        Assert.Equal(201, answer.Status);
        Assert.Equal("pending", answer.Json.GetProperty("status").GetString());
        Assert.Empty(answer.Json.GetProperty("subscriptions").EnumerateArray());
        Assert.Empty((await platform.Api.Get("/v1/accounts/pending/invoices")).Json.GetProperty("items").EnumerateArray());
    }

    [Fact]
    public async Task AccountThatExists_IsAConflictAndStaysAsItWas()
    {
        await platform.Api.Open("twice", "desk-basic");
        var before = (await platform.Api.Get("/v1/accounts/twice")).Text;

        (await platform.Api.Post("/v1/accounts", ApiCaller.Account("twice", "desk-pro"))).IsProblem(409, "id");

        Assert.Equal(before, (await platform.Api.Get("/v1/accounts/twice")).Text);
    }

    [Theory]
    [InlineData("id", null, "id")]
    [InlineData("id", "\"\"", "id")]
    [InlineData("id", "\"a b\"", "id")]
    [InlineData("id", "\"a/b\"", "id")]
    [InlineData("id", "\"a\\n\"", "id")]
    [InlineData("id", "\"ü\"", "id")]
    [InlineData("id", "5", "id")]
    [InlineData("name", null, "name")]
    [InlineData("name", "\"\"", "name")]
    [InlineData("name", "{}", "name")]
    [InlineData("name", "\"\\ud800\"", "name")]
    [InlineData("name", "\"a\\u0000b\"", "name")]
    [InlineData("name", "\"Acme\",\"name\":\"Other\"", "name")]
    [InlineData("email", null, "email")]
    [InlineData("email", "\"\"", "email")]
    [InlineData("email", "\"nobody\"", "email")]
    [InlineData("email", "[]", "email")]
    [InlineData("plans", null, "plans")]
    [InlineData("plans", "null", "plans")]
    [InlineData("plans", "\"desk-basic\"", "plans")]
    [InlineData("plans", "[\"desk-gold\"]", "plans[0]")]
    [InlineData("plans", "[\"desk-basic\",\"desk-pro\"]", "plans[1]")]
    [InlineData("plans", "[\"desk-basic\",\"desk-basic\"]", "plans[1]")]
    [InlineData("plans", "[null]", "plans[0]")]
    [InlineData("plans", "[5]", "plans[0]")]
    [InlineData("currency", "\"EUR\"", "currency")]
    [InlineData("currency", "\"usd\"", "currency")]
    [InlineData("currency", "7", "currency")]
    [InlineData("country", "\"Germany\"", "country")]
    [InlineData("payment_method", "\"\"", "payment_method")]
    [InlineData("automatic_plan_changes", "\"yes\"", "automatic_plan_changes")]
    public async Task BadField_IsNamedAndNothingIsStored(string member, string? value, string field)
    {
        var body = JsonNode.Parse(ApiCaller.Account("bad", "desk-basic"))!.AsObject();
        body.Remove(member);
        var json = body.ToJsonString();
        if (value is not null) json = $"{json[..^1]},\"{member}\":{value}}}";

        (await platform.Api.Post("/v1/accounts", json)).IsProblem(400, field);

        (await platform.Api.Get("/v1/accounts/bad")).IsProblem(404, "id");
    }

    [Theory]
    [InlineData("id", 129)]
    [InlineData("name", 201)]
    [InlineData("email", 321)]
    [InlineData("payment_method", 300)]
    public async Task FieldThatIsTooLong_IsNamed(string member, int length)
    {
        var body = JsonNode.Parse(ApiCaller.Account("long", "desk-basic"))!.AsObject();
        body[member] = new string('a', length - 2) + "@b";

        (await platform.Api.Post("/v1/accounts", body.ToJsonString())).IsProblem(400, member);
    }

    [Fact]
    public async Task PlanWithATrial_BeginsWithoutPaymentMethodAndInvoice()
    {
        var now = await platform.Api.Now();

        var answer = await platform.Api.Post("/v1/accounts", """{"id":"trial","name":"Shop","email":"a@b","plans":["desk-trial"]}""");

        Assert.Equal(201, answer.Status);
        Assert.Equal("trialing", answer.Json.GetProperty("status").GetString());
        var period = Assert.Single(answer.Json.GetProperty("subscriptions").EnumerateArray()).GetProperty("period");
        Assert.Equal((now, now.AddDays(7)), (period.GetProperty("start").GetDateTimeOffset(), period.GetProperty("end").GetDateTimeOffset()));
        Assert.Empty((await platform.Api.Get("/v1/accounts/trial/invoices")).Json.GetProperty("items").EnumerateArray());
    }

    [Fact]
    public async Task YearlyPlan_IsPaidForAYear()
    {
        await platform.Api.Open("annual", "desk-year");

        var line = Assert.Single((await platform.Api.Get("/v1/accounts/annual/invoices/1")).Json.GetProperty("lines").EnumerateArray());

        Assert.Equal(50_000, line.GetProperty("amount").GetInt64());
        var period = line.GetProperty("period");
        Assert.Equal(period.GetProperty("start").GetDateTimeOffset().AddYears(1), period.GetProperty("end").GetDateTimeOffset());
    }

    [Theory]
    [InlineData("")]
    [InlineData("null")]
    [InlineData("[]")]
    [InlineData("\"text\"")]
    [InlineData("5")]
    [InlineData("{")]
    [InlineData("{\"id\":\"x\",}")]
    [InlineData("{\"id\":\"x\"}{}")]
    [InlineData("\u0000")]
    public async Task BodyThatIsNoObject_IsRefused(string body) =>
        (await platform.Api.Post("/v1/accounts", body)).IsProblem(400);

    [Theory]
    [InlineData("text/plain")]
    [InlineData("application/xml")]
    [InlineData("application/json; charset=utf-16")]
    [InlineData("nonsense")]
    public async Task AnotherMediaType_IsRefused(string contentType) =>
        (await platform.Api.Send("POST", "/v1/accounts", ApiCaller.Account("typed"), contentType)).IsProblem(415, "Content-Type");

    [Theory]
    [InlineData("application/json")]
    [InlineData("application/json; charset=utf-8")]
    [InlineData("Application/JSON; charset=\"UTF-8\"")]
    [InlineData(null)]
    public async Task JsonMediaTypes_AreRead(string? contentType) =>
        (await platform.Api.Send("POST", "/v1/accounts", "{}", contentType)).IsProblem(400, "id");

    [Fact]
    public async Task BodyOver32MiB_IsTooLarge() =>
        (await platform.Api.Send("POST", "/v1/accounts", new byte[(32 << 20) + 1], "application/json")).IsProblem(413);

    [Fact]
    public async Task AccountThatIsNotThere_IsNotFoundEverywhere()
    {
        foreach (var path in new[] { "", "/usage?meter=desk.tickets", "/invoices", "/invoices/1", "/invoices/preview" })
            (await platform.Api.Get($"/v1/accounts/nobody{path}")).IsProblem(404, "id");
    }

    [Fact]
    public async Task List_IsPagedByIdAndFiltered()
    {
        foreach (var id in new[] { "list-c", "list-a", "list-b" }) await platform.Api.Open(id, "desk-basic");
        await platform.Api.Open("list-d", "voice-payg");

        var first = (await platform.Api.Get("/v1/accounts?query=LIST-&limit=3")).Json;
        var second = (await platform.Api.Get($"/v1/accounts?query=list-&limit=3&cursor={first.GetProperty("next").GetString()}")).Json;

        Assert.Equal(["list-a", "list-b", "list-c"], Ids(first));
        Assert.Equal(["list-d"], Ids(second));
        Assert.False(second.TryGetProperty("next", out _));
        Assert.Equal(["list-d"], Ids((await platform.Api.Get("/v1/accounts?query=list-&plan=voice-payg&status=active")).Json));
        Assert.Empty(Ids((await platform.Api.Get("/v1/accounts?query=list-&status=cancelled")).Json));
    }

    [Fact]
    public async Task PageThatIsExactlyFull_HasNoNext()
    {
        foreach (var id in new[] { "full-a", "full-b" }) await platform.Api.Open(id);

        Assert.False((await platform.Api.Get("/v1/accounts?query=full-&limit=2")).Json.TryGetProperty("next", out _));
    }

    [Fact]
    public async Task AccountWhoseEventsCameBeforeIt_IsListed()
    {
        await platform.Api.Events(ApiCaller.Single, ApiCaller.Event("early", "e1", DateTimeOffset.Parse(TestPlatform.Start)));

        await platform.Api.Post("/v1/accounts", """{"id":"early","name":"Shop","email":"a@b","plans":[]}""");

        Assert.Equal(["early"], Ids((await platform.Api.Get("/v1/accounts?query=early")).Json));
    }

    [Theory]
    [InlineData("limit=0", 400, "limit")]
    [InlineData("limit=1001", 400, "limit")]
    [InlineData("limit=-1", 400, "limit")]
    [InlineData("limit=x", 400, "limit")]
    [InlineData("limit=99999999999999999999", 400, "limit")]
    [InlineData("cursor=!!!", 400, "cursor")]
    [InlineData("cursor=a", 400, "cursor")]
    [InlineData("status=happy", 400, "status")]
    [InlineData("risk=high", 501, "risk")]
    public async Task BadListQuery_IsNamed(string query, int status, string field) =>
        (await platform.Api.Get($"/v1/accounts?{query}")).IsProblem(status, field);

    private static IEnumerable<string?> Ids(JsonElement page) => page.GetProperty("items").EnumerateArray().Select(i => i.GetProperty("id").GetString());
}
