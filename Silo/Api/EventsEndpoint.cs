using System.Buffers;
using Billing.Http;
using Billing.Silo.Hosting;
using Billing.Silo.Ingest;
using Billing.Silo.Security;
using Billing.Usage;

namespace Billing.Silo.Api;

/// <summary><c>POST /v1/events</c>: CloudEvents in, receipts out.</summary>
internal static class EventsEndpoint
{
    public static void Map(IEndpointRouteBuilder routes) => routes
        .MapPost("/v1/events", Record)
        .RequireAuthorization(Scopes.Ingest)
        .WithSummary("Records usage events; the answer is durable. ?receipts=none leaves the receipts out.")
        .WithQuery("receipts", "none leaves the receipts out.")
        .WithRequestBody<CloudEventSchema>("application/cloudevents+json", "application/cloudevents-batch+json", "application/x-ndjson")
        .Produces<EventsAnswer>()
        .Produces<Problem>(400, "application/problem+json")
        .Produces<Problem>(413, "application/problem+json")
        .Produces<Problem>(415, "application/problem+json")
        .Produces<Problem>(503, "application/problem+json");

    private static async Task<IResult> Record(HttpRequest request, UsageIngest ingest, BodyBudget budget, CancellationToken cancellation)
    {
        if (FormatOf(request.ContentType) is not { } format)
        {
            return Problems.MediaType(
                "Events come as application/cloudevents+json (one), application/cloudevents-batch+json (an array) or application/x-ndjson (one a line). Nothing was stored.");
        }

        var receipts = request.Query["receipts"].ToString();
        if (receipts is not ("" or "none")) return Problems.Invalid("receipts is \"none\" or is left out. Nothing was stored.", "receipts");

        using var place = await budget.Take(request.ContentLength, cancellation);
        if (!place.IsAcquired) return Problems.Retry("Too many bodies of events are under way. Nothing of this one was stored; send it again in a moment.");
        var (buffer, length) = await RequestReading.Body(request, cancellation);
        try
        {
            // Not cancelled with the request: what was begun is brought to its end, whether or not the sender still listens.
            var result = await ingest.Ingest(format, buffer.AsMemory(0, length), keepBodies: true, wantReceipts: receipts != "none");
            CrashPoints.Reach(CrashPoints.BeforeAnswer);
            request.HttpContext.Response.OnCompleted(AfterAnswer);
            return result.Refusal is { } refusal
                ? Problems.Of(refusal with { Detail = $"{refusal.Detail} The events of other accounts in this body are stored; sent again they are recognised as duplicates." })
                : Results.Json(Answer(result), BillingJson.Web.EventsAnswer);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private static Task AfterAnswer()
    {
        CrashPoints.Reach(CrashPoints.AfterAnswer);
        return Task.CompletedTask;
    }

    private static EventFormat? FormatOf(string? contentType) => RequestReading.MediaType(contentType) switch
    {
        "application/cloudevents+json" => EventFormat.Single,
        "application/cloudevents-batch+json" => EventFormat.Batch,
        "application/x-ndjson" => EventFormat.Lines,
        _ => null,
    };

    private static EventsAnswer Answer(IngestResult result) => new(
        result.Of(UsageOutcome.Accepted),
        result.Of(UsageOutcome.Duplicate),
        result.Of(UsageOutcome.Conflict),
        result.Of(UsageOutcome.Quarantined),
        result.Of(UsageOutcome.Rejected),
        [.. result.Receipts.Select(r => new EventReceiptView(
            r.Source, r.Id, r.Receipt.Outcome, r.Receipt.Reason, r.Receipt.Meters, r.Receipt.BilledOn))]);
}
