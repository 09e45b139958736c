using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;

namespace Billing.Tests.Support;

/// <summary>Calls the HTTP API with bytes and names, so that what is held to the contract is what goes over the wire.</summary>
internal sealed class ApiCaller(Uri address, string key) : IDisposable
{
    public const string Lines = "application/x-ndjson";
    public const string Single = "application/cloudevents+json";
    public const string Batch = "application/cloudevents-batch+json";

    private readonly HttpClient _client = new(new SocketsHttpHandler { Expect100ContinueTimeout = TimeSpan.FromSeconds(10) });

    public Task<ApiAnswer> Get(string path) => Send("GET", path);

    public Task<ApiAnswer> Post(string path, string body, string? idempotencyKey = null) =>
        Send("POST", path, body, idempotencyKey: idempotencyKey);

    public Task<ApiAnswer> Events(string contentType, params IEnumerable<string> events) =>
        Send("POST", "/v1/events", contentType == Batch ? $"[{string.Join(',', events)}]" : string.Join('\n', events), contentType);

    /// <summary>Makes an account with a payment method, so that its subscriptions begin.</summary>
    public async Task Open(string id, params IEnumerable<string> plans)
    {
        var answer = await Post("/v1/accounts", Account(id, plans));
        Assert.True(answer.Status == 201, answer.Text);
    }

    public async Task<DateTimeOffset> MoveClock(string advance)
    {
        var answer = await Post("/v1/sandbox/clock", $$"""{"advance":"{{advance}}"}""");
        Assert.True(answer.Status == 200, answer.Text);
        return answer.Json.GetProperty("now").GetDateTimeOffset();
    }

    public async Task<DateTimeOffset> Now() => await MoveClock("PT0S");

    public static string Account(string id, params IEnumerable<string> plans) => JsonSerializer.Serialize(
        new { id, name = "Shop", email = "shop@example.test", plans, payment_method = "pm_card_visa" });

    public static string Event(string account, string id, DateTimeOffset time, string type = "ticket.sent", string data = "{}") =>
        $$"""{"specversion":"1.0","id":"{{id}}","source":"shop","type":"{{type}}","subject":"{{account}}","time":"{{time:yyyy-MM-dd'T'HH:mm:ss'Z'}}","data":{{data}}}""";

    /// <summary>Sends a request as it is told to.</summary>
    /// <param name="method">The method.</param>
    /// <param name="path">Path and query.</param>
    /// <param name="body">The body; null for none.</param>
    /// <param name="contentType">Its media type, not checked; null for none.</param>
    /// <param name="authorization">The whole <c>Authorization</c> header; null for the caller's own key, empty for no header.</param>
    /// <param name="idempotencyKey">The <c>Idempotency-Key</c>; null for none.</param>
    public Task<ApiAnswer> Send(
        string method, string path, string? body = null, string? contentType = "application/json", string? authorization = null, string? idempotencyKey = null) =>
        Send(method, path, body is null ? null : Encoding.UTF8.GetBytes(body), contentType, authorization, idempotencyKey);

    public async Task<ApiAnswer> Send(
        string method, string path, byte[]? body, string? contentType, string? authorization = null, string? idempotencyKey = null)
    {
        using var request = new HttpRequestMessage(new HttpMethod(method), new Uri(address.GetLeftPart(UriPartial.Authority) + path));
        if (body is not null) request.Content = new ByteArrayContent(body);
        if (body is not null && contentType is not null) request.Content!.Headers.TryAddWithoutValidation("Content-Type", contentType);
        if (body?.Length > 1 << 20) request.Headers.ExpectContinue = true;
        authorization ??= $"Bearer {key}";
        if (authorization.Length > 0) request.Headers.TryAddWithoutValidation("Authorization", authorization);
        if (idempotencyKey is not null) request.Headers.TryAddWithoutValidation("Idempotency-Key", idempotencyKey);
        using var response = await _client.SendAsync(request);
        return new(
            (int)response.StatusCode,
            response.Content.Headers.ContentType,
            response.Headers.Location?.OriginalString,
            await response.Content.ReadAsByteArrayAsync(),
            response.Headers.RetryAfter?.Delta);
    }

    public void Dispose() => _client.Dispose();
}

/// <summary>What a call answered.</summary>
internal sealed record ApiAnswer(int Status, MediaTypeHeaderValue? ContentType, string? Location, byte[] Body, TimeSpan? RetryAfter = null)
{
    public string Text => Encoding.UTF8.GetString(Body);

    public JsonElement Json => JsonDocument.Parse(Body).RootElement;

    /// <summary>The outcomes of the receipts, in their order.</summary>
    public string[] Outcomes => [.. Json.GetProperty("receipts").EnumerateArray().Select(r => r.GetProperty("outcome").GetString()!)];

    /// <summary>How many events had an outcome.</summary>
    public int Count(string outcome) => Json.GetProperty(outcome).GetInt32();

    /// <summary>Holds the answer to be a problem as RFC 9457 and the contract want it.</summary>
    public void IsProblem(int status, string? field = null)
    {
        Assert.True(Status == status, $"Wanted {status}, got {Status}: {Text}");
        Assert.Equal("application/problem+json", ContentType?.MediaType);
        Assert.StartsWith("urn:orleans-billing:problem:", Json.GetProperty("type").GetString(), StringComparison.Ordinal);
        Assert.NotEmpty(Json.GetProperty("title").GetString()!);
        Assert.Equal(status, Json.GetProperty("status").GetInt32());
        Assert.NotEmpty(Json.GetProperty("detail").GetString()!);
        Assert.Equal(field, Json.TryGetProperty("field", out var named) ? named.GetString() : null);
    }
}
