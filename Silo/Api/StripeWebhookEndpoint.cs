using System.Text.Json.Nodes;
using Billing.Http;
using Billing.Journal;
using Billing.Silo.Charging;
using Billing.Silo.Storage;
using Billing.Silo.Stripe;

namespace Billing.Silo.Api;

/// <summary><c>POST /v1/stripe/webhook</c>: what Stripe tells, believed by its signature and answered once it is stored.</summary>
internal static class StripeWebhookEndpoint
{
    /// <summary>Where Stripe sends its webhooks.</summary>
    public const string Route = "/v1/stripe/webhook";

    private const int BodyBytesMax = 256 << 10;

    public static void Map(IEndpointRouteBuilder routes) => routes
        .MapPost(Route, Take)
        .WithSummary("Takes a webhook of Stripe's. It needs no key but Stripe's signature; the answer is durable, and what the event is about is then read at Stripe.")
        .WithRequestBody<JsonObject>("application/json")
        .Produces<JsonObject>()
        .Produces<Problem>(400, "application/problem+json")
        .Produces<Problem>(413, "application/problem+json")
        .Produces<Problem>(503, "application/problem+json");

    private static async Task<IResult> Take(
        HttpRequest request, StripeOptions options, IStripeEvents events, StripeEventWork work, WebhookCounts counts, IBillingClock clock, TimeProvider time, CancellationToken cancellation)
    {
        if (await Body(request, cancellation) is not { } body)
        {
            counts.Add("too_large");
            return Problems.TooLarge($"A webhook has at most {BodyBytesMax >> 10} KiB. Nothing was stored.");
        }

        // The own sandbox signs at billing time.
        var problem = WebhookSignature.Verify(
            body, request.Headers[WebhookSignature.Header], options.WebhookSecrets, options.IsOwnSandbox ? clock.Now : time.GetUtcNow());
        if (problem != WebhookProblem.None)
        {
            counts.Add(NameOf(problem));
            return Problems.Invalid(WebhookSignature.Describe(problem), WebhookSignature.Header);
        }

        if (StripeEventReader.Read(body, clock.Now) is not { } told)
        {
            counts.Add("no_event");
            return Problems.Invalid("The signature is right, but the body is no event object of Stripe's. Nothing was stored.", null);
        }

        var news = await events.Add(told);
        work.Wake();
        counts.Add(news == StripeEventNews.New ? "stored" : "duplicate");
        return Results.Text("{}", "application/json");
    }

    // The bytes as they came: they are what was signed.
    private static async Task<byte[]?> Body(HttpRequest request, CancellationToken cancellation)
    {
        if (request.ContentLength > BodyBytesMax) return null;
        var buffer = new byte[(int)(request.ContentLength ?? BodyBytesMax) + 1];
        var length = await request.Body.ReadAtLeastAsync(buffer, buffer.Length, throwOnEndOfStream: false, cancellation);
        return length > BodyBytesMax ? null : buffer[..length];
    }

    private static string NameOf(WebhookProblem problem) => problem switch
    {
        WebhookProblem.NoSecret => "no_secret",
        WebhookProblem.NoHeader => "no_header",
        WebhookProblem.Malformed => "malformed",
        WebhookProblem.NoMatch => "no_match",
        _ => "not_fresh",
    };
}
