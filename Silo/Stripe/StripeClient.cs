using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using Billing.Charging;

namespace Billing.Silo.Stripe;

/// <summary>
/// Sends requests to Stripe and says what came of each. One instance serves a silo; it bounds the reads and writes of all accounts together. That there is
/// one request at a time for one customer is the account's part: it has one call under way.
/// </summary>
/// <remarks>
/// It never sends again by itself: whoever asks decides that, and looks up first where it must. No answer of Stripe's and no failure on the way is thrown;
/// only the caller's own cancellation is, and then it is open what was done. Awaits are plain: what follows one runs on the caller's scheduler.
/// </remarks>
internal sealed partial class StripeClient : IDisposable
{
    private const int PageSize = 100;
    private const int PagesMax = 1_000;
    private const int AnswerBytesMax = 16 << 20;
    private const int KeyLengthMax = 255;
    private static readonly TimeSpan ConnectionLifetime = TimeSpan.FromMinutes(5);
    private static readonly TimeSpan RetryAfterMax = TimeSpan.FromDays(1);

    private readonly StripeOptions _options;
    private readonly HttpMessageInvoker _http;
    private readonly TimeProvider _time;
    private readonly ILogger<StripeClient> _log;
    private readonly RequestRate _reads;
    private readonly RequestRate _writes;

    /// <summary>A client.</summary>
    /// <param name="options">Which Stripe, and as whom.</param>
    /// <param name="handler">Carries the requests; the client disposes of it. See <see cref="OverNetwork"/>.</param>
    /// <param name="time">Measures time-outs and rates, and dates <c>Retry-After</c>.</param>
    /// <param name="log">Where each request is told with its path, status and request id; no ids, parameters or messages.</param>
    public StripeClient(StripeOptions options, HttpMessageHandler handler, TimeProvider time, ILogger<StripeClient> log)
    {
        _options = options;
        _http = new(handler);
        _time = time;
        _log = log;
        _reads = new(options.ReadsPerSecond, time);
        _writes = new(options.WritesPerSecond, time);
    }

    /// <summary>The handler for a real network. It follows no redirects, keeps no cookies, and renews connections so that a changed DNS name is seen.</summary>
    public static HttpMessageHandler OverNetwork(StripeOptions options) => new SocketsHttpHandler
    {
        PooledConnectionLifetime = ConnectionLifetime,
        AllowAutoRedirect = false,
        UseCookies = false,
        UseProxy = !options.BaseAddress.IsLoopback,
        AutomaticDecompression = DecompressionMethods.GZip,
    };

    /// <summary>Reads.</summary>
    public Task<StripeResult> Get(StripePath path, StripeParameters? parameters, CancellationToken cancellation) =>
        Send(HttpMethod.Get, path, parameters, key: null, cancellation);

    /// <summary>Writes.</summary>
    /// <param name="path">Where to.</param>
    /// <param name="parameters">What; null for nothing.</param>
    /// <param name="key">The idempotency key: 1 to 255 visible ASCII characters. The same key goes with the same parameters.</param>
    /// <param name="cancellation">Ends the wait; it is then open what was done.</param>
    /// <exception cref="ArgumentException">The key is none.</exception>
    public Task<StripeResult> Post(StripePath path, StripeParameters? parameters, string key, CancellationToken cancellation) =>
        key.Length is >= 1 and <= KeyLengthMax && key.All(c => c is >= ' ' and <= '~')
            ? Send(HttpMethod.Post, path, parameters ?? [], key, cancellation)
            : throw new ArgumentException($"An idempotency key has 1 to {KeyLengthMax} visible ASCII characters; this one has {key.Length} characters.", nameof(key));

    /// <summary>Deletes. A delete needs no key: done twice it is the same.</summary>
    public Task<StripeResult> Delete(StripePath path, CancellationToken cancellation) =>
        Send(HttpMethod.Delete, path, parameters: null, key: null, cancellation);

    /// <summary>Reads a list to its end.</summary>
    /// <param name="path">The list.</param>
    /// <param name="parameters">What to list; without <c>limit</c> and <c>starting_after</c>.</param>
    /// <param name="cancellation">Ends the wait.</param>
    public async Task<StripeList> ListAll(StripePath path, StripeParameters? parameters, CancellationToken cancellation)
    {
        var asked = (parameters ?? []).With("limit", $"{PageSize}");
        var items = new List<JsonElement>();
        string? after = null;
        for (var page = 0; page < PagesMax; page++)
        {
            var result = await Get(path, asked.With("starting_after", after), cancellation);
            if (!result.IsDone) return new(result, []);
            try
            {
                var found = StripeJson.Items(result.Body);
                items.AddRange(found);
                if (!StripeJson.HasMore(result.Body)) return new(result, items);
                if (found.Count == 0) return new(result.Unreadable(writes: false, $"A page of {path} has no items, and yet there are more."), []);
                after = found[^1].Id();
            }
            catch (UnreadableObjectException unreadable)
            {
                return new(result.Unreadable(writes: false, unreadable.Message), []);
            }
        }

        return new(StripeResult.NoAnswer(writes: false, $"{path} has more than {PagesMax * PageSize} items: more than is read at once."), []);
    }

    /// <inheritdoc/>
    public void Dispose() => _http.Dispose();

    private async Task<StripeResult> Send(HttpMethod method, StripePath path, StripeParameters? parameters, string? key, CancellationToken cancellation)
    {
        var writes = method != HttpMethod.Get;
        await (writes ? _writes : _reads).Wait(cancellation);
        using var request = Request(method, path, parameters, key);
        var began = _time.GetTimestamp();
        var result = await Exchange(request, writes, path, cancellation);
        Log(method, path, result, _time.GetElapsedTime(began));
        return result;
    }

    private HttpRequestMessage Request(HttpMethod method, StripePath path, StripeParameters? parameters, string? key)
    {
        var sentAsForm = method == HttpMethod.Post;
        var query = !sentAsForm && parameters?.Encode() is { Length: > 0 } encoded ? "?" + encoded : "";
        var request = new HttpRequestMessage(method, new Uri(_options.BaseAddress, path.Path + query));
        request.Headers.Authorization = new("Bearer", _options.SecretKey);
        request.Headers.Add("Stripe-Version", StripeOptions.ApiVersion);
        request.Headers.UserAgent.Add(new("Orleans.Billing", null));
        if (key is not null) request.Headers.Add("Idempotency-Key", key);
        if (sentAsForm) request.Content = new StringContent(parameters?.Encode() ?? "", Encoding.UTF8, new MediaTypeHeaderValue("application/x-www-form-urlencoded"));
        return request;
    }

    private async Task<StripeResult> Exchange(HttpRequestMessage request, bool writes, StripePath path, CancellationToken cancellation)
    {
        using var timeout = new CancellationTokenSource(_options.Timeout, _time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, cancellation);
        try
        {
            using var response = await _http.SendAsync(request, either.Token);
            if (await ReadBody(response.Content, either.Token) is not { } body)
                return StripeResult.NoAnswer(writes, $"{request.Method} {path}: the answer has more than {AnswerBytesMax >> 20} MiB.");
            var result = StripeOutcomes.Of(writes, new(
                (int)response.StatusCode,
                StripeJson.Parse(body),
                Header(response, "Stripe-Should-Retry") switch { "true" => true, "false" => false, _ => null },
                RetryAfter(response.Headers.RetryAfter),
                Header(response, "Request-Id"),
                response.Headers.Date));
            return result.Message is { } message ? result with { Message = message.Replace(_options.SecretKey, "(our key)", StringComparison.Ordinal) } : result;
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            return StripeResult.NoAnswer(writes, $"{request.Method} {path}: no answer within {_options.Timeout.TotalSeconds:0} s.");
        }
        catch (HttpRequestException failed) when (failed.HttpRequestError is HttpRequestError.ConnectionError or HttpRequestError.NameResolutionError or HttpRequestError.SecureConnectionError or HttpRequestError.ProxyTunnelError)
        {
            return StripeResult.NotSent($"{request.Method} {path}: no connection ({failed.HttpRequestError}). Nothing was sent.");
        }
        catch (Exception failed) when (failed is HttpRequestException or IOException)
        {
            return StripeResult.NoAnswer(writes, $"{request.Method} {path}: the connection broke before the answer was here.");
        }
    }

    // Null when it is larger than an answer may be.
    private static async Task<ReadOnlyMemory<byte>?> ReadBody(HttpContent content, CancellationToken cancellation)
    {
        if (content.Headers.ContentLength > AnswerBytesMax) return null;
        using var body = new MemoryStream();
        await using var stream = await content.ReadAsStreamAsync(cancellation);
        var buffer = new byte[16 << 10];
        while (await stream.ReadAsync(buffer, cancellation) is > 0 and var count)
        {
            body.Write(buffer, 0, count);
            if (body.Length > AnswerBytesMax) return null;
        }

        return body.GetBuffer().AsMemory(0, (int)body.Length);
    }

    private static string? Header(HttpResponseMessage response, string name) => response.Headers.TryGetValues(name, out var values) ? values.First() : null;

    private TimeSpan? RetryAfter(RetryConditionHeaderValue? header)
    {
        var wait = header?.Delta ?? (header?.Date is { } date ? date - _time.GetUtcNow() : null);
        return wait is { } asked ? TimeSpan.FromTicks(long.Clamp(asked.Ticks, 0, RetryAfterMax.Ticks)) : null;
    }

    private void Log(HttpMethod method, StripePath path, StripeResult result, TimeSpan elapsed)
    {
        var level = result.Outcome switch
        {
            StripeOutcome.Done => LogLevel.Debug,
            StripeOutcome.Declined or StripeOutcome.RequiresAction => LogLevel.Information,
            _ when result.Status is 401 or 403 => LogLevel.Error,
            _ => LogLevel.Warning,
        };
        LogRequest(level, method.Method, path.Template, result.Outcome, result.Status, result.Code, result.RequestId, (long)elapsed.TotalMilliseconds);
    }

    [LoggerMessage(Message = "Stripe {Method} {Path}: {Outcome}, HTTP {Status}, code {Code}, request {RequestId}, {Milliseconds} ms.")]
    private partial void LogRequest(LogLevel level, string method, string path, StripeOutcome outcome, int status, string? code, string? requestId, long milliseconds);
}
