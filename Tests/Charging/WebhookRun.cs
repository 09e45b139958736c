using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using Billing.Silo.Charging;
using Billing.Silo.Sandbox;
using Billing.Silo.Storage;
using Billing.Silo.Stripe;
using Billing.Tests.Support;
using Microsoft.Extensions.DependencyInjection;

namespace Billing.Tests.Charging;

/// <summary>A platform, the sandbox Stripe that it charges through, and a count of the webhooks that came.</summary>
internal sealed class WebhookRun : IAsyncDisposable
{
    public const string Secret = "whsec_of_these_tests";

    private readonly HttpClient _http = new();
    private readonly MeterListener _listener = new();
    private readonly ConcurrentDictionary<string, long> _counts = new(StringComparer.Ordinal);

    private WebhookRun(TestPlatform platform)
    {
        Platform = platform;
        var meters = platform.Services.GetRequiredService<IMeterFactory>();
        _listener.InstrumentPublished = (instrument, listener) =>
        {
            if (instrument.Name == WebhookCounts.Webhooks && instrument.Meter.Scope == meters) listener.EnableMeasurementEvents(instrument);
        };
        _listener.SetMeasurementEventCallback<long>((_, value, tags, _) =>
        {
            foreach (var (name, outcome) in tags)
                if (name == WebhookCounts.Outcome) _counts.AddOrUpdate((string)outcome!, value, (_, before) => before + value);
        });
        _listener.Start();
    }

    public TestPlatform Platform { get; }

    public ApiCaller Api => Platform.Api;

    public IStripeEvents Events => Platform.Store;

    public static DateTimeOffset Start => DateTimeOffset.Parse(TestPlatform.Start);

    /// <summary>Starts a platform whose webhooks are signed with <see cref="Secret"/>, or with one of those given.</summary>
    public static async Task<WebhookRun> Open(TemporaryFolder folder, bool isOwnSandbox = true, params string[] secrets) => new(await TestPlatform.Open(folder, host => host.Services.AddSingleton(new StripeOptions
    {
        SecretKey = "sk_test_sandbox",
        BaseAddress = new("http://127.0.0.1:5081"),
        IsOwnSandbox = isOwnSandbox,
        WebhookSecrets = secrets is [] ? [Secret] : secrets,
    })));

    public long Count(string outcome) => _counts.GetValueOrDefault(outcome);

    /// <summary>An event, with the members of its object.</summary>
    public static string Event(string id, string type = "invoice.paid", string about = "\"object\":\"invoice\",\"id\":\"in_1\"", long created = 1_767_225_600) =>
        $$"""{"id":"{{id}}","object":"event","type":"{{type}}","created":{{created}},"data":{"object":{ {{about}} } } }""";

    public static string Signed(string body, DateTimeOffset at, string secret = Secret) => Webhooks.Signature(secret, body, at);

    /// <summary>Sends a webhook as Stripe does.</summary>
    /// <param name="body">The body.</param>
    /// <param name="signature">The header; null for none.</param>
    public async Task<ApiAnswer> Webhook(string body, string? signature)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(Platform.Address, "/v1/stripe/webhook")) { Content = new ByteArrayContent(Encoding.UTF8.GetBytes(body)) };
        request.Content.Headers.ContentType = new("application/json");
        if (signature is not null) request.Headers.TryAddWithoutValidation(WebhookSignature.Header, signature);
        using var response = await _http.SendAsync(request);
        return new((int)response.StatusCode, response.Content.Headers.ContentType, null, await response.Content.ReadAsByteArrayAsync());
    }

    /// <summary>Does something at Stripe, behind the platform's back.</summary>
    public async Task<JsonElement> AtStripe(string path, string form)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(Platform.Services.GetRequiredService<SandboxServer>().Address, path));
        request.Headers.TryAddWithoutValidation("Authorization", "Bearer sk_test_1");
        request.Content = new StringContent(form, new MediaTypeHeaderValue("application/x-www-form-urlencoded"));
        using var response = await _http.SendAsync(request);
        var text = await response.Content.ReadAsStringAsync();
        Assert.True(response.IsSuccessStatusCode, text);
        return JsonDocument.Parse(text).RootElement;
    }

    /// <summary>Reads at Stripe, behind the platform's back.</summary>
    public async Task<JsonElement> FromStripe(string path)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(Platform.Services.GetRequiredService<SandboxServer>().Address, path));
        request.Headers.TryAddWithoutValidation("Authorization", "Bearer sk_test_1");
        using var response = await _http.SendAsync(request);
        return JsonDocument.Parse(await response.Content.ReadAsStringAsync()).RootElement;
    }

    public async Task OpenAccount(string id, string paymentMethod)
    {
        var answer = await Api.Post("/v1/accounts", $$"""{"id":"{{id}}","name":"Shop","email":"{{id}}@example.test","plans":["desk-basic"],"payment_method":"{{paymentMethod}}"}""");
        Assert.True(answer.Status == 201, answer.Text);
    }

    /// <summary>The states of an account's charges.</summary>
    public async Task<List<string>> Charges(string account) =>
        [.. (await Api.Get($"/v1/accounts/{account}/charges")).Json.GetProperty("items").EnumerateArray().Select(c => c.GetProperty("state").GetString()!)];

    /// <summary>What the sandbox holds of a kind.</summary>
    public async Task<List<JsonElement>> Held(string kind) => [.. (await Api.Get("/v1/sandbox/stripe")).Json.GetProperty(kind).EnumerateArray()];

    public async ValueTask DisposeAsync()
    {
        _listener.Dispose();
        _http.Dispose();
        await Platform.DisposeAsync();
    }
}
