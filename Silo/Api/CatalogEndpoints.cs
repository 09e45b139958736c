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
        .Produces<CatalogList>();

    private static async Task<IResult> List(ICatalogStore store, ICatalogs catalogs)
    {
        var published = await store.All();
        return Results.Json(
            new CatalogList([.. published.Select(c => Summary(c, catalogs.Find(c.Version)!.Catalog))]), BillingJson.Web.CatalogList);
    }

    private static CatalogSummary Summary(StoredCatalog stored, Catalog catalog) => new(
        stored.Version,
        stored.PublishedAt,
        catalog.Currency,
        catalog.Products.SelectMany(p => p.Plans).Select(p => p.Id).ToImmutableArray());
}
