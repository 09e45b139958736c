using System.Buffers;
using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Nodes;
using Billing.Http;
using Billing.Silo.Catalogs;
using Billing.Silo.Security;

namespace Billing.Silo.Api;

/// <summary>Catalogue versions over HTTP: drafts, publishing, and what there is.</summary>
internal static class CatalogEndpoints
{
    private const int BytesMax = 1 << 20;

    public static void Map(IEndpointRouteBuilder routes)
    {
        routes.MapGet("/v1/catalogs", List)
            .RequireAuthorization(Scopes.Read)
            .WithSummary("The catalogue versions: the published ones, the oldest first, then the drafts.")
            .WithPaging()
            .Produces<CatalogList>();
        routes.MapGet("/v1/catalogs/{version}", Show)
            .RequireAuthorization(Scopes.Read)
            .WithSummary("A catalogue version with its JSON.")
            .Produces<CatalogView>()
            .Produces<Problem>(404, "application/problem+json");
        routes.MapPost("/v1/catalogs", Draft)
            .RequireAuthorization(Scopes.Admin)
            .WithSummary("Keeps a catalogue as a draft, in the place of the draft of its version. A problem names the path of the first thing that is wrong.")
            .WithRequestBody<JsonObject>("application/json")
            .Produces<CatalogSummary>(201)
            .Produces<Problem>(400, "application/problem+json")
            .Produces<Problem>(409, "application/problem+json");
        routes.MapPost("/v1/catalogs/{version}/publish", Publish)
            .RequireAuthorization(Scopes.Admin)
            .WithSummary("Publishes a draft: it never changes again, and new subscriptions that name no version get it. Those that run stay on theirs.")
            .Produces<CatalogSummary>()
            .Produces<Problem>(404, "application/problem+json")
            .Produces<Problem>(409, "application/problem+json");
    }

    private static async Task<IResult> List(HttpRequest request, CatalogDesk desk)
    {
        var limit = RequestReading.Limit(request);
        var skip = RequestReading.Skip(request);
        var all = await desk.All();
        return Results.Json(
            new CatalogList([.. all.Skip(skip).Take(limit).Select(Summary)], all.Count - skip > limit ? RequestReading.ToCursor($"{skip + limit}") : null),
            BillingJson.Web.CatalogList);
    }

    private static async Task<IResult> Show(string version, CatalogDesk desk)
    {
        var (kept, refusal) = await desk.Find(version);
        if (kept is null) return Problems.Of(refusal!);
        var of = Summary(kept);
        using var json = JsonDocument.Parse(kept.Json);
        return Results.Json(
            new CatalogView(of.Version, of.PublishedAt, of.Currency, of.Plans, of.Status, of.DraftedAt, json.RootElement.Clone()), BillingJson.Web.CatalogView);
    }

    private static async Task<IResult> Draft(HttpRequest request, CatalogDesk desk, CancellationToken cancellation)
    {
        if (!string.IsNullOrEmpty(request.ContentType) && RequestReading.MediaType(request.ContentType) != "application/json")
            return Problems.MediaType("The body of this call is application/json in UTF-8. Nothing was stored.");
        var (buffer, length) = await RequestReading.Body(request, cancellation);
        var json = buffer.AsSpan(0, length).ToArray();
        ArrayPool<byte>.Shared.Return(buffer);
        if (json.Length > BytesMax) return Problems.TooLarge("A catalogue has at most 1 MiB. Nothing was stored.");
        var (kept, refusal) = await desk.Draft(json);
        if (kept is null) return Problems.Of(refusal!);
        request.HttpContext.Response.Headers.Location = $"/v1/catalogs/{kept.Catalog.Version}";
        return Results.Json(Summary(kept), BillingJson.Web.CatalogSummary, statusCode: 201);
    }

    private static async Task<IResult> Publish(string version, CatalogDesk desk)
    {
        var (kept, refusal) = await desk.Publish(version);
        return kept is null ? Problems.Of(refusal!) : Results.Json(Summary(kept), BillingJson.Web.CatalogSummary);
    }

    private static CatalogSummary Summary(KeptCatalog kept) => new(
        kept.Catalog.Version,
        kept.Status == CatalogStatus.Published ? kept.At : null,
        kept.Catalog.Currency,
        kept.Catalog.Products.SelectMany(p => p.Plans).Select(p => p.Id).ToImmutableArray(),
        kept.Status,
        kept.Status == CatalogStatus.Draft ? kept.At : null);
}
