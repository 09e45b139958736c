using Billing.Accounts;
using Billing.Http;
using Billing.Silo.Security;
using Orleans;

namespace Billing.Silo.Api;

/// <summary>What an account may use, over HTTP.</summary>
internal static class EntitlementEndpoint
{
    public static void Map(IEndpointRouteBuilder routes) => routes.MapGet("/v1/accounts/{id}/entitlements/{feature}", Get)
        .RequireAuthorization(Scopes.Read)
        .WithSummary("Whether an account may use a feature of the catalogue, or a meter, with the limit and the reason.")
        .Produces<EntitlementView>()
        .Produces<Problem>(404, "application/problem+json");

    private static async Task<IResult> Get(string id, string feature, IGrainFactory grains)
    {
        var answer = await grains.GetGrain<IMerchantAccountGrain>(id).GetEntitlement(feature);
        return answer.Refusal is { } refusal ? Problems.Of(refusal) : Results.Json(answer.Entitlement, BillingJson.Web.EntitlementView);
    }
}
