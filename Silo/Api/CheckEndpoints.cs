using Billing.Http;
using Billing.Silo.Checking;
using Billing.Silo.Security;

namespace Billing.Silo.Api;

/// <summary>The check of all that is stored.</summary>
internal static class CheckEndpoints
{
    public static void Map(IEndpointRouteBuilder routes)
    {
        routes.MapPost("/v1/check", (StoreCheck check) => Results.Json(check.Begin(), BillingJson.Web.CheckView, statusCode: 202))
            .RequireAuthorization(Scopes.Admin)
            .WithSummary("Starts to compare all that is stored with its check sums; while that runs, it is not started again. It ends with reading held accounts again: those that are well go on.")
            .Produces<CheckView>(202);
        routes.MapGet("/v1/check", async (StoreCheck check) => Results.Json(await check.Show(), BillingJson.Web.CheckView))
            .RequireAuthorization(Scopes.Admin)
            .WithSummary("How far the check of all that is stored is, or when the last one was and what it found.")
            .Produces<CheckView>();
    }
}
