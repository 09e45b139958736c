using Billing.Accounts;
using Billing.Http;
using Billing.Silo.Security;
using Orleans;

namespace Billing.Silo.Api;

/// <summary>An account's ledger over HTTP.</summary>
internal static class LedgerEndpoint
{
    public static void Map(IEndpointRouteBuilder routes) => routes
        .MapGet("/v1/accounts/{id}/ledger", Get)
        .RequireAuthorization(Scopes.Read)
        .WithSummary("The double entries of the account, the oldest first, and the balances of the whole ledger.")
        .WithPaging()
        .Produces<LedgerList>()
        .Produces<Problem>(404, "application/problem+json");

    private static async Task<IResult> Get(string id, HttpRequest request, IGrainFactory grains)
    {
        var page = await grains.GetGrain<IMerchantAccountGrain>(id).GetLedger(RequestReading.Skip(request), RequestReading.Limit(request));
        return page.Refusal is { } refusal
            ? Problems.Of(refusal)
            : Results.Json(
                new LedgerList(page.Currency!, page.Balances!, page.Items, page.Next is { } next ? RequestReading.ToCursor($"{next}") : null),
                BillingJson.Web.LedgerList);
    }
}
