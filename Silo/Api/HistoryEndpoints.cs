using System.Globalization;
using Billing.Accounts;
using Billing.Http;
using Billing.Silo.Security;
using Billing.Usage;
using Microsoft.AspNetCore.Http.Features;
using Orleans;

namespace Billing.Silo.Api;

/// <summary>Why an amount is what it is: the events behind a line, and what became of one event.</summary>
internal static class HistoryEndpoints
{
    // /v1/accounts/{id}/events/{source}/{eventId}
    private const int SourceSegment = 5;

    public static void Map(IEndpointRouteBuilder routes)
    {
        routes.MapGet("/v1/accounts/{id}/events/{source}/{eventId}", Event)
            .RequireAuthorization(Scopes.Read)
            .WithSummary("The receipt of an event, where it is counted now, and what else came under its source and id (both percent-encoded).")
            .Produces<EventView>()
            .Produces<Problem>(404, "application/problem+json");
        routes.MapGet("/v1/accounts/{id}/invoices/{number}/lines/{n}/events", LineEvents)
            .RequireAuthorization(Scopes.Read)
            .WithSummary("The events behind an invoice line by time, source and id, then those that were refused.")
            .WithPaging()
            .Produces<LineEventList>()
            .Produces<Problem>(404, "application/problem+json");
    }

    private static async Task<IResult> Event(string id, HttpRequest request, IGrainFactory grains)
    {
        // As the caller wrote it: a slash inside a source is %2F, which the router would leave or take for a separator.
        var path = request.HttpContext.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget.Split('?')[0].Split('/');
        if (path.Length != SourceSegment + 2) return Problems.Invalid("Source and id of an event are percent-encoded: a slash inside them is %2F.", "source");
        var answer = await grains.GetGrain<IAccountHistoryGrain>(id).GetEvent(Uri.UnescapeDataString(path[SourceSegment]), Uri.UnescapeDataString(path[SourceSegment + 1]));
        return answer.Refusal is { } refusal ? Problems.Of(refusal) : Results.Json(answer.Event, BillingJson.Web.EventView);
    }

    private static async Task<IResult> LineEvents(string id, string number, string n, HttpRequest request, IGrainFactory grains)
    {
        if (Number(number) is not { } invoice) return Problems.Invalid("An invoice number is a whole number: 1, 2, 3 …", "number");
        if (Number(n) is not { } line) return Problems.Invalid("A line is a whole number: 1, 2, 3 …", "n");
        var page = await grains.GetGrain<IAccountHistoryGrain>(id).ListLineEvents(invoice, line, RequestReading.Skip(request), RequestReading.Limit(request));
        return page.Refusal is { } refusal
            ? Problems.Of(refusal)
            : Results.Json(
                new LineEventList(page.Items, page.Next is { } next ? RequestReading.ToCursor($"{next}") : null), BillingJson.Web.LineEventList);

        static int? Number(string text) => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var wanted) ? wanted : null;
    }
}
