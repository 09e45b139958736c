using Billing.Accounts;
using Billing.Http;
using Billing.Silo.Charging;
using Billing.Silo.Security;
using Orleans;

namespace Billing.Silo.Api;

/// <summary>Charges over HTTP, and the acts that concern whether and with what an account is charged.</summary>
internal static class ChargeEndpoints
{
    public static void Map(IEndpointRouteBuilder routes)
    {
        routes.MapGet("/v1/accounts/{id}/charges", List)
            .RequireAuthorization(Scopes.Read)
            .WithSummary("The charge of each finalised invoice: its intent, every attempt, and what is proven of it.")
            .WithPaging()
            .Produces<ChargeList>()
            .Produces<Problem>(404, "application/problem+json");
        routes.MapPost("/v1/accounts/{id}/payment-method", ChangePaymentMethod)
            .RequireAuthorization(Scopes.Operate)
            .WithSummary("Gives the account another payment method; declined charges are tried again with it at once. Answers when Stripe has taken it.")
            .WithRequestBody<PaymentMethodRequest>("application/json")
            .ProducesChange();
        MapAct(routes, "suspend", "Withholds service: the running period goes on to its end, and no other begins until the account is resumed.", (account, body, command) => account.Suspend(new(body.Reason, body.DryRun ?? false, command)));
        MapAct(routes, "resume", "Lets a suspended account go on; when its period has ended, new ones begin now.", (account, body, command) => account.Resume(new(body.Reason, body.DryRun ?? false, command)));
        MapAct(routes, "release", "Lets the parked charges of an account go on; what may have been sent is looked up at Stripe first.", (account, body, command) => account.ReleaseCharges(new(body.Reason, body.DryRun ?? false, command)));
    }

    private static void MapAct(IEndpointRouteBuilder routes, string act, string summary, Func<IMerchantAccountGrain, ActRequest, string?, Task<AccountChangeAnswer>> carryOut) => routes
        .MapPost($"/v1/accounts/{{id}}/{act}", async (string id, HttpRequest request, IGrainFactory grains, CancellationToken cancellation) =>
        {
            var body = await RequestReading.Json(request, BillingJson.Web.ActRequest, cancellation);
            return AccountChangeEndpoints.Show(await carryOut(grains.GetGrain<IMerchantAccountGrain>(id), body, Idempotency.CommandIdOf(request)));
        })
        .RequireAuthorization(Scopes.Operate)
        .WithSummary(summary)
        .WithRequestBody<ActRequest>("application/json")
        .ProducesChange();

    private static async Task<IResult> List(string id, HttpRequest request, IGrainFactory grains)
    {
        var page = await grains.GetGrain<IMerchantAccountGrain>(id).ListCharges(RequestReading.Skip(request), RequestReading.Limit(request));
        return page.Refusal is { } refusal
            ? Problems.Of(refusal)
            : Results.Json(
                new ChargeList(page.Items, page.Next is { } next ? RequestReading.ToCursor($"{next}") : null), BillingJson.Web.ChargeList);
    }

    private static async Task<IResult> ChangePaymentMethod(string id, HttpRequest request, PaymentMethodDesk methods, CancellationToken cancellation)
    {
        var body = await RequestReading.Json(request, BillingJson.Web.PaymentMethodRequest, cancellation);
        return AccountChangeEndpoints.Show(await methods.Change(
            id, new(body.PaymentMethod, body.Reason, body.DryRun ?? false, Idempotency.CommandIdOf(request)), cancellation));
    }
}
