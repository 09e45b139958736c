using System.Collections.Immutable;
using Billing.Http;
using Billing.Plans;
using Billing.Silo.Security;
using Billing.Silo.Storage;

namespace Billing.Silo.Api;

/// <summary>Catalogue versions over HTTP.</summary>
internal static class CatalogEndpoints
{
    public static void Map(IEndpointRouteBuilder routes) => routes
        .MapGet("/v1/catalogs", List)
        .RequireAuthorization(Scopes.Read)
        .WithSummary("The published catalogue versions, the oldest first.")
        .WithPaging()
        .Produces<CatalogList>();

    private static async Task<IResult> List(HttpRequest request, ICatalogStore store, ICatalogs catalogs)
    {
        var limit = RequestReading.Limit(request);
        var skip = RequestReading.Skip(request);
        var published = await store.All();
        return Results.Json(
            new CatalogList(
                [.. published.Skip(skip).Take(limit).Select(c => Summary(c, catalogs.Find(c.Version)!.Catalog))],
                published.Count - skip > limit ? RequestReading.ToCursor($"{skip + limit}") : null),
            BillingJson.Web.CatalogList);
    }

    private static CatalogSummary Summary(StoredCatalog stored, Catalog catalog) => new(
        stored.Version,
        stored.PublishedAt,
        catalog.Currency,
        catalog.Products.SelectMany(p => p.Plans).Select(p => p.Id).ToImmutableArray());
}
