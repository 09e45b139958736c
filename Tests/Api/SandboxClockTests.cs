using Billing.Tests.Support;

namespace Billing.Tests.Api;

/// <summary>Moving the billing clock by hand. Each test has a platform of its own: the clock is everybody's.</summary>
public sealed class SandboxClockTests : IAsyncLifetime
{
    private readonly PlatformFixture _platform = new();

    private ApiCaller Api => _platform.Api;

    public Task InitializeAsync() => _platform.InitializeAsync();

    public Task DisposeAsync() => _platform.DisposeAsync();

    [Theory]
    [InlineData("""{"advance":"P1D"}""", "2026-01-02T00:00:00Z")]
    [InlineData("""{"advance":"PT1H30M"}""", "2026-01-01T01:30:00Z")]
    [InlineData("""{"advance":"P1W"}""", "2026-01-08T00:00:00Z")]
    [InlineData("""{"advance":"P1Y"}""", "2027-01-01T00:00:00Z")]
    [InlineData("""{"advance":"PT0S"}""", "2026-01-01T00:00:00Z")]
    [InlineData("""{"now":"2026-01-01T00:00:00Z"}""", "2026-01-01T00:00:00Z")]
    [InlineData("""{"now":"2026-01-31T12:00:00.5+02:00"}""", "2026-01-31T10:00:00.5Z")]
    [InlineData("""{"now":"2026-01-05T00:00:00Z","advance":null}""", "2026-01-05T00:00:00Z")]
    public async Task Clock_StandsWhereItWasTold(string body, string now)
    {
        var answer = await Api.Post("/v1/sandbox/clock", body);

        Assert.Equal(200, answer.Status);
        Assert.Equal($$"""{"now":"{{now}}"}""", answer.Text);
    }

    [Fact]
    public async Task Month_ClampsAtItsEnd()
    {
        await Api.Post("/v1/sandbox/clock", """{"now":"2026-01-31T10:00:00Z"}""");

        Assert.Equal(new DateTimeOffset(2026, 2, 28, 10, 0, 0, TimeSpan.Zero), await Api.MoveClock("P1M"));
    }

    [Fact]
    public async Task Backwards_IsAConflictAndTheClockStays()
    {
        await Api.MoveClock("P1D");

        (await Api.Post("/v1/sandbox/clock", """{"now":"2026-01-01T23:59:59Z"}""")).IsProblem(409, "now");

        Assert.Equal(new DateTimeOffset(2026, 1, 2, 0, 0, 0, TimeSpan.Zero), await Api.Now());
    }

    [Theory]
    [InlineData("{}", "advance")]
    [InlineData("""{"advance":null,"now":null}""", "advance")]
    [InlineData("""{"advance":"P1D","now":"2026-02-01T00:00:00Z"}""", "now")]
    [InlineData("""{"advance":"1 day"}""", "advance")]
    [InlineData("""{"advance":"P"}""", "advance")]
    [InlineData("""{"advance":"P1DT"}""", "advance")]
    [InlineData("""{"advance":"-P1D"}""", "advance")]
    [InlineData("""{"advance":"P1D\n"}""", "advance")]
    [InlineData("""{"advance":"P0.5D"}""", "advance")]
    [InlineData("""{"advance":"P999999Y"}""", "advance")]
    [InlineData("""{"advance":"P8000Y"}""", "advance")]
    [InlineData("""{"advance":"PT99999999999S"}""", "advance")]
    [InlineData("""{"advance":5}""", "advance")]
    [InlineData("""{"now":"tomorrow"}""", "now")]
    [InlineData("""{"now":"9999-12-31T23:59:59Z"}""", "now")]
    [InlineData("""{"now":"2149-01-01T00:00:00Z"}""", "now")]
    [InlineData("""{"advance":"P124Y"}""", "advance")]
    [InlineData("""{"now":5}""", "now")]
    [InlineData("""{"advance":"P1D","by":"P2D"}""", "by")]
    public async Task WrongMove_IsNamedAndTheClockStays(string body, string field)
    {
        (await Api.Post("/v1/sandbox/clock", body)).IsProblem(400, field);

        Assert.Equal(DateTimeOffset.Parse(TestPlatform.Start), await Api.Now());
    }

    [Fact]
    public async Task SeveralPeriodsInOneMove_AreEachInvoicedOnceAtTheirOwnTime()
    {
        await Api.Open("shop", "desk-basic");

        await Api.MoveClock("P6M");

        var invoices = (await Api.Get("/v1/accounts/shop/invoices")).Json.GetProperty("items").EnumerateArray().ToList();
        Assert.Equal(
            Enumerable.Range(1, 7).Select(m => $"2026-0{m}-01T00:00:00Z"),
            invoices.Select(i => i.GetProperty("period").GetProperty("start").GetString()));
        Assert.Equal(
            Enumerable.Range(2, 5).Select(m => ($"2026-0{m}-01T00:00:00Z", $"2026-0{m}-04T00:00:00Z")),
            invoices.Skip(1).SkipLast(1).Select(i => (i.GetProperty("drafted_at").GetString()!, i.GetProperty("finalized_at").GetString()!)));
    }

    [Fact]
    public async Task OneLongMove_GivesTheSameInvoicesAsManyShortOnes()
    {
        await Api.Open("shop", "desk-basic");
        using var folder = new TemporaryFolder();
        await using var other = await TestPlatform.Open(folder);
        await other.Api.Open("shop", "desk-basic");

        await Api.MoveClock("P90D");
        for (var day = 0; day < 90; day++) await other.Api.MoveClock("P1D");

        Assert.Equal((await other.Api.Get("/v1/accounts/shop/invoices")).Text, (await Api.Get("/v1/accounts/shop/invoices")).Text);
    }

    [Fact]
    public async Task MovesAtOnce_NeverBringTheClockBack()
    {
        await Api.Open("shop", "desk-basic");

        var answers = await Task.WhenAll(Enumerable.Range(1, 20).Select(i => Api.Post("/v1/sandbox/clock", $$"""{"now":"2026-03-{{i:00}}T00:00:00Z"}""")));

        Assert.All(answers, a => Assert.True(a.Status is 200 or 409, a.Text));
        Assert.Equal(new DateTimeOffset(2026, 3, 20, 0, 0, 0, TimeSpan.Zero), await Api.Now());
    }
}
