using System.Collections.Concurrent;
using System.Security.Claims;
using System.Security.Cryptography;
using System.Text;
using Billing.Silo.Storage;

namespace Billing.Silo.Api;

/// <summary>
/// Gives a POST with an <c>Idempotency-Key</c> that came before the answer it got then; the same key with another request is
/// a conflict. Events have no need of it: each has a key of its own.
/// </summary>
/// <remarks>
/// The answer is stored after the act. When the process dies between the two, the account still knows the command by its id
/// (<see cref="CommandIdOf"/>) and answers as if it had just been carried out. Answers of 500 and above are not kept: the act
/// may be sent again. A call that is <see cref="AnsweredAnew"/> and began a job is carried out each time.
/// </remarks>
internal sealed class Idempotency(IIdempotencyStore store) : IMiddleware
{
    private const int KeyLengthMax = 255;
    private const string CommandId = "billing.command-id";

    private readonly ConcurrentDictionary<string, SemaphoreSlim> _underWay = new(StringComparer.Ordinal);

    /// <summary>Names the command of a request with an idempotency key, or null.</summary>
    public static string? CommandIdOf(HttpRequest request) => request.HttpContext.Items[CommandId] as string;

    /// <summary>Names the job that a request begins: the same one each time it comes under its idempotency key, a new one without a key.</summary>
    public static string JobIdOf(HttpRequest request, DateTimeOffset now) => CommandIdOf(request) is { } command
        ? Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(command)))[..32]
        : Guid.CreateVersion7(now).ToString("N");

    /// <inheritdoc/>
    public async Task InvokeAsync(HttpContext context, RequestDelegate next)
    {
        var key = context.Request.Headers["Idempotency-Key"].ToString();
        if (key.Length == 0 || !HttpMethods.IsPost(context.Request.Method) || context.Request.Path.StartsWithSegments("/v1/events", StringComparison.OrdinalIgnoreCase)
            || context.Request.Path.StartsWithSegments(StripeWebhookEndpoint.Route, StringComparison.OrdinalIgnoreCase)
            || context.User.Identity?.IsAuthenticated != true)
        {
            await next(context);
            return;
        }

        if (key.Length > KeyLengthMax)
        {
            await Problems.Invalid($"An idempotency key has at most {KeyLengthMax} characters. Nothing was stored.", "Idempotency-Key").ExecuteAsync(context);
            return;
        }

        var scoped = $"{context.User.FindFirstValue(ClaimTypes.NameIdentifier)} {key}";
        var turn = await TakeTurn(scoped, context.RequestAborted);
        try
        {
            await Once(context, next, scoped);
        }
        finally
        {
            _underWay.TryRemove(scoped, out _);
            turn.Release();
        }
    }

    // Whose turn is over takes it out of the table, so those who waited for it queue again at the next one.
    private async Task<SemaphoreSlim> TakeTurn(string key, CancellationToken cancellation)
    {
        while (true)
        {
            var turn = _underWay.GetOrAdd(key, static _ => new(1, 1));
            await turn.WaitAsync(cancellation);
            if (_underWay.TryGetValue(key, out var current) && current == turn) return turn;
            turn.Release();
        }
    }

    private async Task Once(HttpContext context, RequestDelegate next, string key)
    {
        var (buffer, length) = await RequestReading.Body(context.Request, context.RequestAborted);
        var body = buffer.AsSpan(0, length).ToArray();
        context.Request.Body = new MemoryStream(body);
        var hash = HashOf(context.Request, body);
        if (await store.Find(key) is { } known && (known.RequestHash != hash || known.Status != StatusCodes.Status202Accepted || context.GetEndpoint()?.Metadata.GetMetadata<AnsweredAnew>() is null))
        {
            await Repeat(context, known, hash);
            return;
        }

        context.Items[CommandId] = $"{key} {hash}";
        var response = context.Response.Body;
        using var kept = new MemoryStream();
        context.Response.Body = kept;
        try
        {
            await next(context);
        }
        catch (BadRequest bad)
        {
            await bad.Problem.ExecuteAsync(context);
        }
        finally
        {
            context.Response.Body = response;
        }

        // No endpoint has answered: the problem is written further out, and nothing was done that could be done twice.
        if (kept.Length == 0) return;
        if (context.Response.StatusCode < 500)
        {
            await store.Add(key, new(
                hash, context.Response.StatusCode, context.Response.ContentType ?? "", LocationOf(context.Response), kept.ToArray()));
        }

        await response.WriteAsync(kept.ToArray(), context.RequestAborted);
    }

    private static async Task Repeat(HttpContext context, StoredAnswer known, string hash)
    {
        if (known.RequestHash != hash)
        {
            await Problems.Conflict(
                    "This idempotency key came before with another request. Nothing was stored; use a new key for a new request.", "Idempotency-Key")
                .ExecuteAsync(context);
            return;
        }

        context.Response.StatusCode = known.Status;
        context.Response.ContentType = known.ContentType;
        if (known.Location is { } location) context.Response.Headers.Location = location;
        await context.Response.Body.WriteAsync(known.Body, context.RequestAborted);
    }

    private static string? LocationOf(HttpResponse response) =>
        response.Headers.Location.ToString() is { Length: > 0 } location ? location : null;

    private static string HashOf(HttpRequest request, byte[] body)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(Encoding.UTF8.GetBytes($"{request.Method} {request.Path}{request.QueryString}\n"));
        hash.AppendData(body);
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }
}

/// <summary>
/// Marks a call that begins a job: under its key it is carried out each time it comes, since the job may be gone with the silo that had it. The
/// job knows by <see cref="Idempotency.JobIdOf"/> what it did before, and does nothing twice.
/// </summary>
internal sealed class AnsweredAnew;
