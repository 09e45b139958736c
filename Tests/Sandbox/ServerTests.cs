using System.Collections.Concurrent;
using System.Net;
using System.Text.Json.Nodes;
using Billing.Silo.Hosting;
using Billing.Silo.Sandbox;
using Billing.Tests.Support;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace Billing.Tests.Sandbox;

/// <summary>The sandbox as a platform serves it: over HTTP, by the platform's clock, and through the platform's own calls.</summary>
public sealed class ServerTests : IAsyncLifetime
{
    private readonly TemporaryFolder _folder = new();
    private readonly HttpClient _http = new();
    private TestPlatform _platform = null!;

    private SandboxServer Server => _platform.Services.GetRequiredService<SandboxServer>();

    public async Task InitializeAsync() => _platform = await TestPlatform.Open(_folder);

    public async Task DisposeAsync()
    {
        await _platform.DisposeAsync();
        _http.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public async Task Call_IsAnsweredAsStripeAnswers()
    {
        using var made = await Send(HttpMethod.Post, "/v1/customers", "name=Acme&metadata[a]=b", "k");
        using var again = await Send(HttpMethod.Post, "/v1/customers", "name=Acme&metadata[a]=b", "k");
        using var list = await Send(HttpMethod.Get, "/v1/customers?limit=1&expand[]=data.invoice_settings");
        using var none = await Send(HttpMethod.Get, "/v1/customers/cus_none");

        Assert.Equal("application/json", made.Content.Headers.ContentType!.MediaType);
        Assert.StartsWith("req_", made.Headers.GetValues("Request-Id").Single(), StringComparison.Ordinal);
        Assert.Equal("2025-09-30.clover", made.Headers.GetValues("Stripe-Version").Single());
        Assert.Equal("true", again.Headers.GetValues("Idempotent-Replayed").Single());
        Assert.Equal(await made.Content.ReadAsStringAsync(), await again.Content.ReadAsStringAsync());
        Assert.Equal("Acme", (string)(await Json(list))["data"]![0]!["name"]!);
        Assert.Equal(HttpStatusCode.NotFound, none.StatusCode);
        Assert.Equal(DateTimeOffset.Parse(TestPlatform.Start).ToUnixTimeSeconds(), (long)(await Json(made))["created"]!);
    }

    [Fact]
    public async Task LostResponse_BreaksTheConnectionAfterTheWorkIsDone()
    {
        await SetFaults("""{"kinds":["response_lost"],"probability":1,"seed":1}""");
        await Assert.ThrowsAsync<HttpRequestException>(() => Send(HttpMethod.Post, "/v1/customers", "name=A", "k"));
        await SetFaults("""{"kinds":[]}""");

        using var again = await Send(HttpMethod.Post, "/v1/customers", "name=A", "k");

        Assert.Equal("true", again.Headers.GetValues("Idempotent-Replayed").Single());
        var held = (await _platform.Api.Get("/v1/sandbox/stripe")).Json;
        Assert.Equal(1, held.GetProperty("customers").GetArrayLength());
        Assert.Equal(["k", "k"], held.GetProperty("requests").EnumerateArray().Select(r => r.GetProperty("idempotency_key").GetString()));
        Assert.Equal([false, true], held.GetProperty("requests").EnumerateArray().Select(r => r.GetProperty("replayed").GetBoolean()));
    }

    [Fact]
    public async Task MovingTheClock_DoesWhatIsRolledForward()
    {
        await SetFaults("""{"kinds":["error_500_rolled_forward"],"probability":1,"seed":1}""");
        using var failed = await Send(HttpMethod.Post, "/v1/customers", "name=A", "k");
        await SetFaults("""{"kinds":[]}""");
        Assert.Equal(HttpStatusCode.InternalServerError, failed.StatusCode);

        await _platform.Api.MoveClock("PT9M59S");
        Assert.Equal(0, (await _platform.Api.Get("/v1/sandbox/stripe")).Json.GetProperty("customers").GetArrayLength());
        await _platform.Api.MoveClock("P1D");

        var customer = (await _platform.Api.Get("/v1/sandbox/stripe")).Json.GetProperty("customers").EnumerateArray().Single();
        Assert.Equal(DateTimeOffset.Parse(TestPlatform.Start).AddMinutes(10).ToUnixTimeSeconds(), customer.GetProperty("created").GetInt64());
    }

    [Fact]
    public async Task Webhooks_AreSentSignedAndComeAgainAsTheClockMoves()
    {
        var received = new ConcurrentQueue<(long At, string Body, string Signature)>();
        var takes = false;
        await using var listener = await Listen(async context =>
        {
            using var reader = new StreamReader(context.Request.Body);
            received.Enqueue((0, await reader.ReadToEndAsync(), context.Request.Headers["Stripe-Signature"].ToString()));
            context.Response.StatusCode = takes ? 200 : 500;
        });
        using var made = await Send(HttpMethod.Post, "/v1/webhook_endpoints", $"url={Uri.EscapeDataString(listener.Urls.First() + "/hook")}&enabled_events[]=customer.created");
        var secret = (string)(await Json(made))["secret"]!;
        using var customer = await Send(HttpMethod.Post, "/v1/customers", "name=A");

        // By itself, without the clock: the first attempt.
        await Eventually.True(() => !received.IsEmpty, "the webhook is sent");
        takes = true;
        await _platform.Api.MoveClock("P1D");

        Assert.Equal(2, received.Count);
        var start = DateTimeOffset.Parse(TestPlatform.Start);
        Assert.Equal([start, start.AddMinutes(5)], received.Select(r => DateTimeOffset.FromUnixTimeSeconds(long.Parse(r.Signature[2..r.Signature.IndexOf(',')]))));
        Assert.All(received, r => Assert.Equal(Webhooks.Signature(secret, r.Body, DateTimeOffset.FromUnixTimeSeconds(long.Parse(r.Signature[2..r.Signature.IndexOf(',')]))), r.Signature));
        Assert.Single(received.Select(r => (string)JsonNode.Parse(r.Body)!["id"]!).Distinct());
    }

    [Fact]
    public async Task OwnEndpoint_IsThePlatforms()
    {
        using var endpoints = await Send(HttpMethod.Get, "/v1/webhook_endpoints");

        Assert.Equal(new Uri(_platform.Address, "/v1/stripe/webhook").ToString(), (string)(await Json(endpoints))["data"]![0]!["url"]!);
        Assert.StartsWith("whsec_", Server.WebhookSecret, StringComparison.Ordinal);
    }

    [Fact]
    public async Task EndpointThatIsDown_HoldsNothingUp()
    {
        using var made = await Send(HttpMethod.Post, "/v1/webhook_endpoints", "url=http%3A%2F%2F127.0.0.1%3A9%2F&enabled_events[]=*");
        for (var i = 0; i < 20; i++) (await Send(HttpMethod.Post, "/v1/customers", $"name={i}")).Dispose();

        await _platform.Api.MoveClock("P4D");

        Assert.Null(Server.NextDueAt);
    }

    [Theory]
    [InlineData("{}", "kinds")]
    [InlineData("""{"kinds":["earthquake"],"probability":1}""", "kinds[0]")]
    [InlineData("""{"kinds":["slow","x"],"probability":1}""", "kinds[1]")]
    [InlineData("""{"kinds":["slow"]}""", "probability")]
    [InlineData("""{"kinds":["slow"],"probability":1.5}""", "probability")]
    [InlineData("""{"kinds":["slow"],"probability":-1}""", "probability")]
    [InlineData("""{"kinds":["slow"],"probability":"often"}""", "probability")]
    [InlineData("""{"kinds":"slow","probability":1}""", "kinds")]
    public async Task WrongFaults_AreNamedAndNoneIsSet(string body, string field)
    {
        (await _platform.Api.Post("/v1/sandbox/faults", body)).IsProblem(400, field);

        using var made = await Send(HttpMethod.Post, "/v1/customers");
        Assert.Equal(HttpStatusCode.OK, made.StatusCode);
    }

    [Fact]
    public async Task WhatWasAnswered_OutlivesThePlatform()
    {
        using var made = await Send(HttpMethod.Post, "/v1/customers", "name=A", "k");
        var body = await made.Content.ReadAsStringAsync();
        var secret = Server.WebhookSecret;
        await _platform.DisposeAsync();
        _platform = await TestPlatform.Open(_folder);

        using var again = await Send(HttpMethod.Post, "/v1/customers", "name=A", "k");

        Assert.Equal(body, await again.Content.ReadAsStringAsync());
        Assert.Equal(secret, Server.WebhookSecret);
    }

    [Fact]
    public async Task AddressThatIsTaken_StopsTheStartWithASentence()
    {
        using var other = new TemporaryFolder();

        var refused = await Assert.ThrowsAsync<InvalidOperationException>(() => Platform.Start(
        [
            $"--BILLING_DATA={other.File("data")}", "--BILLING_URL=http://127.0.0.1:0", $"--BILLING_SANDBOX_URL={Server.Address.GetLeftPart(UriPartial.Authority)}",
            $"--BILLING_ADMIN_KEY={TestPlatform.Key}", "--Logging:LogLevel:Default=None",
        ]));

        Assert.Contains("BILLING_SANDBOX_URL", refused.Message, StringComparison.Ordinal);
        Assert.Contains("another process listens", refused.Message, StringComparison.Ordinal);

        // Nothing is left behind that would keep a second try from its files.
        await using var store = SqliteSandboxStore.Open(other.File("data"));
    }

    [Fact]
    public async Task WithStripesOwnAddress_ThereIsNoSandbox()
    {
        using var folder = new TemporaryFolder();
        await using var platform = await Platform.Start(
        [
            $"--BILLING_DATA={folder.File("data")}", "--BILLING_URL=http://127.0.0.1:0", "--STRIPE_API_BASE=http://127.0.0.1:9",
            $"--BILLING_ADMIN_KEY={TestPlatform.Key}", "--Logging:LogLevel:Default=None",
        ]);
        using var api = new ApiCaller(new(platform.Addresses.Single()), TestPlatform.Key);

        Assert.Null(platform.Services.GetService<SandboxServer>());
        (await api.Get("/v1/sandbox/stripe")).IsProblem(404);
        (await api.Post("/v1/sandbox/faults", """{"kinds":[]}""")).IsProblem(404);
    }

    private async Task SetFaults(string body)
    {
        var set = await _platform.Api.Post("/v1/sandbox/faults", body);
        Assert.True(set.Status == 200, set.Text);
    }

    private async Task<HttpResponseMessage> Send(HttpMethod method, string path, string? form = null, string? key = null)
    {
        using var request = new HttpRequestMessage(method, new Uri(Server.Address, path));
        request.Headers.TryAddWithoutValidation("Authorization", "Bearer sk_test_1");
        request.Headers.TryAddWithoutValidation("Stripe-Version", "2025-09-30.clover");
        if (key is not null) request.Headers.TryAddWithoutValidation("Idempotency-Key", key);
        if (method == HttpMethod.Post) request.Content = new StringContent(form ?? "", new System.Net.Http.Headers.MediaTypeHeaderValue("application/x-www-form-urlencoded"));
        return await _http.SendAsync(request);
    }

    private static async Task<JsonObject> Json(HttpResponseMessage response) => (JsonObject)JsonNode.Parse(await response.Content.ReadAsStringAsync())!;

    private static async Task<WebApplication> Listen(RequestDelegate answer)
    {
        var builder = WebApplication.CreateEmptyBuilder(new());
        builder.WebHost.UseKestrelCore().UseUrls("http://127.0.0.1:0");
        var app = builder.Build();
        app.Run(answer);
        await app.StartAsync();
        return app;
    }
}
