using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;

namespace Billing.Feeder;

/// <summary>
/// The three calls the feeder makes, each sent again with the same bytes while the platform is down. That is safe: accounts are
/// made once, events are told apart by their key, and the clock is given an instant, not a distance.
/// </summary>
/// <param name="http">Its base address is the platform's.</param>
/// <param name="key">The key sent as bearer token; it needs the scopes <c>admin</c>, <c>operate</c> and <c>ingest</c>.</param>
/// <param name="retryFor">How long a call is repeated before the feeder gives up.</param>
/// <param name="time">Measures <paramref name="retryFor"/> and the pauses between attempts.</param>
internal sealed class PlatformClient(HttpClient http, string key, TimeSpan retryFor, TimeProvider time)
{
    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(1);

    /// <summary>How often a call was sent again.</summary>
    public int Retries { get; private set; }

    /// <summary>Makes an account.</summary>
    /// <returns>True if it was made, false if it was there already.</returns>
    public async Task<bool> MakeAccountAsync(NewAccount account, CancellationToken cancellation)
    {
        var answer = await PostAsync("v1/accounts", "application/json", account.Body, cancellation);
        return answer.Status switch
        {
            HttpStatusCode.Created => true,
            HttpStatusCode.Conflict => false,
            _ => throw Refused($"account {account.Id}", answer),
        };
    }

    /// <summary>Moves the sandbox clock to an instant; everything due until then is done when the call returns.</summary>
    /// <returns>Null if the clock stands there; why not, if it stands later or the move was refused.</returns>
    public async Task<string?> MoveClockAsync(DateTimeOffset now, CancellationToken cancellation)
    {
        var text = Rfc3339(now);
        var body = Encoding.UTF8.GetBytes($"{{\"now\":\"{text}\"}}");
        var answer = await PostAsync("v1/sandbox/clock", "application/json", body, cancellation);
        if (answer.Status is HttpStatusCode.OK or HttpStatusCode.NoContent)
        {
            return answer.Member("now") is { } stands
                && DateTimeOffset.TryParse(stands, CultureInfo.InvariantCulture, out var at) && at > now
                ? $"it stands at {stands}"
                : null;
        }

        if (answer.Status is HttpStatusCode.BadRequest or HttpStatusCode.Conflict or HttpStatusCode.UnprocessableEntity)
            return answer.Member("detail") ?? answer.Member("title") ?? $"it answered {(int)answer.Status}";

        throw Refused($"the clock at {text}", answer);
    }

    /// <summary>Sends events and returns their receipts, one for each line, in the order of the lines.</summary>
    public async Task<IReadOnlyList<Receipt>> SendEventsAsync(FeedBody body, CancellationToken cancellation)
    {
        var answer = await PostAsync("v1/events", "application/x-ndjson", body.Bytes, cancellation);
        var what = $"the events of lines {body.Lines.Min(line => line.Number)} to {body.Lines.Max(line => line.Number)}";
        if (answer.Status != HttpStatusCode.OK)
            throw Refused(what, answer);

        var receipts = Receipt.ReadAll(answer.Body)
            ?? throw new FeederException(FeederExit.PlatformFailed, $"The answer to {what} holds no receipts that can be read.");
        return receipts.Count == body.Lines.Count
            ? receipts
            : throw new FeederException(
                FeederExit.PlatformFailed, $"The platform gave {receipts.Count} receipts for {body.Lines.Count} lines: {what}.");
    }

    /// <summary>An instant as the contract writes it.</summary>
    public static string Rfc3339(DateTimeOffset instant) =>
        instant.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.FFFFFFF'Z'", CultureInfo.InvariantCulture);

    private static FeederException Refused(string what, Answer answer)
    {
        var code = (int)answer.Status;
        var reason = answer.Member("detail") ?? answer.Member("title") ?? "no reason given";
        return answer.Status is HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden
            ? new(FeederExit.PlatformFailed, $"The platform refused the key ({code}) for {what}: check --key and its scopes.")
            : new(FeederExit.PlatformFailed, $"The platform refused {what} ({code}): {reason}");
    }

    private async Task<Answer> PostAsync(string path, string mediaType, byte[] body, CancellationToken cancellation)
    {
        var began = time.GetTimestamp();
        var pause = FirstPause;
        while (true)
        {
            var (answer, failure) = await TryPostAsync(path, mediaType, body, cancellation);
            if (answer is not null && !PassesByItself(answer.Status))
                return answer;

            var last = failure?.Message ?? $"it answered {(int)answer!.Status}";
            var waited = time.GetElapsedTime(began);
            if (failure is HttpRequestException { HttpRequestError: HttpRequestError.NameResolutionError } || waited + pause > retryFor)
            {
                throw new FeederException(
                    FeederExit.PlatformFailed,
                    $"The platform at {http.BaseAddress} could not be reached for {waited.TotalSeconds:0} s ({last.TrimEnd('.')}).",
                    failure);
            }

            await Task.Delay(pause, time, cancellation);
            pause = pause * 2 < LongestPause ? pause * 2 : LongestPause;
            Retries++;
        }
    }

    private async Task<(Answer? Answer, Exception? Failure)> TryPostAsync(
        string path, string mediaType, byte[] body, CancellationToken cancellation)
    {
        try
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = new ByteArrayContent(body) };
            request.Content.Headers.ContentType = new MediaTypeHeaderValue(mediaType);
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", key);
            using var response = await http.SendAsync(request, cancellation);
            return (new(response.StatusCode, await response.Content.ReadAsByteArrayAsync(cancellation)), null);
        }
        catch (Exception lost) when (lost is HttpRequestException or IOException
            || (lost is TaskCanceledException && !cancellation.IsCancellationRequested))
        {
            return (null, lost);
        }
    }

    // 501 says that the platform has no such call: it will not have it in a minute either.
    private static bool PassesByItself(HttpStatusCode status) =>
        status == HttpStatusCode.TooManyRequests || ((int)status >= 500 && status != HttpStatusCode.NotImplemented);

    private sealed record Answer(HttpStatusCode Status, byte[] Body)
    {
        public string? Member(string name)
        {
            try
            {
                using var document = JsonDocument.Parse(Body);
                return document.RootElement.ValueKind == JsonValueKind.Object
                    && document.RootElement.TryGetProperty(name, out var value)
                    && value.ValueKind == JsonValueKind.String
                        ? value.GetString()
                        : null;
            }
            catch (JsonException)
            {
                return null;
            }
        }
    }
}
