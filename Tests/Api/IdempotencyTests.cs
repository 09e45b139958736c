using Billing.Tests.Support;

namespace Billing.Tests.Api;

/// <summary>Requests that are sent again under an <c>Idempotency-Key</c>.</summary>
public sealed class IdempotencyTests(PlatformFixture platform) : IClassFixture<PlatformFixture>
{
    [Fact]
    public async Task SameKeySameBody_GetsTheSameAnswerByteForByte()
    {
        var body = ApiCaller.Account("same", "desk-basic");
        var first = await platform.Api.Post("/v1/accounts", body, "same-key");
        await platform.Api.Events(ApiCaller.Single, ApiCaller.Event("same", "e1", await platform.Api.Now()));

        var again = await platform.Api.Post("/v1/accounts", body, "same-key");

        Assert.Equal(201, first.Status);
        Assert.Equal(
            (first.Status, first.Text, first.ContentType, first.Location),
            (again.Status, again.Text, again.ContentType, again.Location));
    }

    [Fact]
    public async Task SameKeyOtherBody_IsAConflict()
    {
        await platform.Api.Post("/v1/accounts", ApiCaller.Account("one"), "other-body");

        (await platform.Api.Post("/v1/accounts", ApiCaller.Account("two"), "other-body")).IsProblem(409, "Idempotency-Key");

        (await platform.Api.Get("/v1/accounts/two")).IsProblem(404, "id");
    }

    [Fact]
    public async Task SameKeyOtherCall_IsAConflict()
    {
        await platform.Api.Post("/v1/accounts", "{}", "other-call");

        (await platform.Api.Post("/v1/sandbox/clock", "{}", "other-call")).IsProblem(409, "Idempotency-Key");
    }

    [Fact]
    public async Task SameKeyOfAnotherCaller_IsAnotherKey()
    {
        await platform.Api.Post("/v1/accounts", ApiCaller.Account("mine"), "shared-key");

        var theirs = await platform.Api.Send(
            "POST", "/v1/accounts", ApiCaller.Account("theirs"), authorization: $"Bearer {TestPlatform.KeyFor("operate")}", idempotencyKey: "shared-key");

        Assert.Equal(201, theirs.Status);
    }

    [Fact]
    public async Task Refusal_IsRepeatedToo()
    {
        await platform.Api.Open("refused", "desk-basic");
        var body = ApiCaller.Account("refused", "desk-basic");

        var first = await platform.Api.Post("/v1/accounts", body, "refusal");
        var again = await platform.Api.Post("/v1/accounts", body, "refusal");

        first.IsProblem(409, "id");
        Assert.Equal(first.Text, again.Text);
    }

    [Fact]
    public async Task ClockMovedTwiceUnderOneKey_MovesOnce()
    {
        var first = await platform.Api.Post("/v1/sandbox/clock", """{"advance":"PT1M"}""", "clock");
        var again = await platform.Api.Post("/v1/sandbox/clock", """{"advance":"PT1M"}""", "clock");

        Assert.Equal(first.Text, again.Text);
        Assert.Equal(first.Json.GetProperty("now").GetDateTimeOffset(), await platform.Api.Now());
    }

    [Fact]
    public async Task ClockMovedAtOnceUnderOneKey_MovesOnce()
    {
        for (var round = 0; round < 10; round++)
        {
            var before = await platform.Api.Now();

            var answers = await Task.WhenAll(Enumerable.Range(0, 16).Select(
                _ => platform.Api.Post("/v1/sandbox/clock", """{"advance":"PT1M"}""", $"clock at once {round}")));

            Assert.Single(answers.Select(a => a.Text).Distinct());
            Assert.Equal(before.AddMinutes(1), await platform.Api.Now());
        }
    }

    [Fact]
    public async Task AnswerOutlivesARestart()
    {
        using var folder = new TemporaryFolder();
        string first;
        await using (var before = await TestPlatform.Open(folder))
            first = (await before.Api.Post("/v1/sandbox/clock", """{"advance":"P1D"}""", "kept")).Text;

        await using var after = await TestPlatform.Open(folder);

        Assert.Equal(first, (await after.Api.Post("/v1/sandbox/clock", """{"advance":"P1D"}""", "kept")).Text);
        Assert.Equal(new DateTimeOffset(2026, 1, 2, 0, 0, 0, TimeSpan.Zero), await after.Api.Now());
    }

    [Fact]
    public async Task KeyOfMoreThan255Characters_IsRefused() =>
        (await platform.Api.Post("/v1/accounts", ApiCaller.Account("key"), new string('k', 256))).IsProblem(400, "Idempotency-Key");

    [Theory]
    [InlineData("POST", "/v1/nothing", 404)]
    [InlineData("POST", "/v1/catalogs/1/price", 404)]
    [InlineData("POST", "/v1/accounts/shop/usage", 405)]
    [InlineData("POST", "/v1/replays", 501)]
    public async Task CallThatIsNotThere_IsAProblemEachTime(string method, string path, int status)
    {
        (await platform.Api.Send(method, path, "{}", idempotencyKey: path)).IsProblem(status);
        (await platform.Api.Send(method, path, "{}", idempotencyKey: path)).IsProblem(status);
    }

    [Fact]
    public async Task Events_HaveKeysOfTheirOwn()
    {
        await platform.Api.Open("events", "desk-basic");
        var e = ApiCaller.Event("events", "e1", await platform.Api.Now());

        var first = await platform.Api.Send("POST", "/v1/events", e, ApiCaller.Single, idempotencyKey: "ignored");
        var again = await platform.Api.Send("POST", "/v1/events", e, ApiCaller.Single, idempotencyKey: "ignored");

        Assert.Equal(["accepted", "duplicate"], [.. first.Outcomes, .. again.Outcomes]);
    }
}
