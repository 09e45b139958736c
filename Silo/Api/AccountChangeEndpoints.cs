using System.Text.Json;
using Billing.Accounts;
using Billing.Http;
using Billing.Silo.Security;
using Orleans;

namespace Billing.Silo.Api;

/// <summary>Acts of operators on an account over HTTP. Each answers with what it changes.</summary>
internal static class AccountChangeEndpoints
{
    public static void Map(IEndpointRouteBuilder routes)
    {
        routes.MapPost("/v1/accounts/{id}/plans", ChangePlans)
            .RequireAuthorization(Scopes.Operate)
            .WithSummary("Changes plans and adds products: upwards at once, invoiced at once for the rest of the period; downwards, by another interval or of another catalogue version at a period start. dry_run shows the lines.")
            .WithRequestBody<ChangePlansRequest>("application/json")
            .ProducesChange();
        routes.MapDelete("/v1/accounts/{id}/plans/scheduled/{product}", UndoPlanChange)
            .RequireAuthorization(Scopes.Operate)
            .WithSummary("Takes a scheduled change of plan back.")
            .WithOptionalBody<UndoCancelRequest>()
            .ProducesChange();
        routes.MapPost("/v1/accounts/{id}/settings", ChangeSettings)
            .RequireAuthorization(Scopes.Operate)
            .WithSummary("Changes what the merchant wants of the platform; settings that are left out stay.")
            .WithRequestBody<SettingsRequest>("application/json")
            .ProducesChange();
        routes.MapPost("/v1/accounts/{id}/cancel", Cancel)
            .RequireAuthorization(Scopes.Operate)
            .WithSummary("Cancels an account at the end of its running period or trial; one without a subscription at once.")
            .WithRequestBody<CancelRequest>("application/json")
            .ProducesChange();
        routes.MapDelete("/v1/accounts/{id}/cancel", Undo)
            .RequireAuthorization(Scopes.Operate)
            .WithSummary("Takes a scheduled cancellation back.")
            .WithOptionalBody<UndoCancelRequest>()
            .ProducesChange();
    }

    private static async Task<IResult> ChangePlans(
        string id, HttpRequest request, IGrainFactory grains, CancellationToken cancellation)
    {
        var body = await RequestReading.Json(request, BillingJson.Web.ChangePlansRequest, cancellation);
        if (body.Changes.IsDefault) return Problems.Invalid("changes is a list of products and the plans they are to be on. Nothing was stored.", "changes");
        if (body.Changes.IndexOf(null!) is >= 0 and var missing) return Problems.Invalid("A change names a product and its plan. Nothing was stored.", $"changes[{missing}]");
        PlanChangeTime? when = body.When switch { "now" => PlanChangeTime.Now, "period_end" => PlanChangeTime.PeriodEnd, _ => null };
        if (when is not { } time) return Problems.Invalid("when is now or period_end. Nothing was stored.", "when");

        return Show(await grains.GetGrain<IMerchantAccountGrain>(id).ChangePlans(
            new(body.Changes, body.CatalogVersion, time, body.Reason, body.DryRun ?? false, Idempotency.CommandIdOf(request))));
    }

    private static async Task<IResult> UndoPlanChange(string id, string product, HttpRequest request, IGrainFactory grains, CancellationToken cancellation)
    {
        var body = await RequestReading.JsonIfAny(request, BillingJson.Web.UndoCancelRequest, cancellation);
        return Show(await grains.GetGrain<IMerchantAccountGrain>(id).UndoPlanChange(new(product, body?.Reason, body?.DryRun ?? false)));
    }

    private static async Task<IResult> ChangeSettings(string id, HttpRequest request, IGrainFactory grains, CancellationToken cancellation)
    {
        var body = await RequestReading.Json(request, BillingJson.Web.SettingsRequest, cancellation);
        if (body.SpendCap.ValueKind == JsonValueKind.Object && body.SpendCap.EnumerateObject().FirstOrDefault(m => m.Name is not ("amount" or "kind")) is { Value.ValueKind: not JsonValueKind.Undefined } unknown)
            return JsonProblems.Unknown($"spend_cap.{unknown.Name}", ["amount", "kind"]);
        if (!TryReadSpendCap(body.SpendCap, out var cap)) return Problems.Invalid("A spend cap is an amount in minor units and a kind, soft or hard, such as {\"amount\":50000,\"kind\":\"soft\"}, or null for none. Nothing was stored.", "spend_cap");
        return Show(await grains.GetGrain<IMerchantAccountGrain>(id).ChangeSettings(new(
            body.AutomaticPlanChanges, body.Reason, body.DryRun ?? false, Idempotency.CommandIdOf(request), body.Alerts ?? default, cap, body.SpendCap.ValueKind == JsonValueKind.Null)));
    }

    // Left out and null mean different things here.
    private static bool TryReadSpendCap(JsonElement element, out SpendCap? cap)
    {
        cap = null;
        if (element.ValueKind is JsonValueKind.Undefined or JsonValueKind.Null) return true;
        if (element.ValueKind != JsonValueKind.Object || !element.TryGetProperty("amount", out var amount) || amount.ValueKind != JsonValueKind.Number || !amount.TryGetInt64(out var minor)) return false;
        SpendCapKind? kind = !element.TryGetProperty("kind", out var named) ? SpendCapKind.Soft
            : named.ValueKind != JsonValueKind.String ? null
            : named.GetString() switch { "soft" => SpendCapKind.Soft, "hard" => SpendCapKind.Hard, _ => null };
        if (kind is not { } known) return false;
        cap = new(minor, known);
        return true;
    }

    private static async Task<IResult> Cancel(string id, HttpRequest request, IGrainFactory grains, CancellationToken cancellation)
    {
        var body = await RequestReading.Json(request, BillingJson.Web.CancelRequest, cancellation);
        return Show(await grains.GetGrain<IMerchantAccountGrain>(id).Cancel(new(body.Reason, body.DryRun ?? false, Idempotency.CommandIdOf(request))));
    }

    private static async Task<IResult> Undo(string id, HttpRequest request, IGrainFactory grains, CancellationToken cancellation)
    {
        var body = await RequestReading.JsonIfAny(request, BillingJson.Web.UndoCancelRequest, cancellation);
        return Show(await grains.GetGrain<IMerchantAccountGrain>(id).UndoCancellation(new(body?.Reason, body?.DryRun ?? false)));
    }

    public static IResult Show(AccountChangeAnswer answer) =>
        answer.Refusal is { } refusal ? Problems.Of(refusal) : Results.Json(answer.Change, BillingJson.Web.AccountChange);

    public static RouteHandlerBuilder ProducesChange(this RouteHandlerBuilder builder) => builder
        .Produces<AccountChange>()
        .Produces<Problem>(400, "application/problem+json")
        .Produces<Problem>(404, "application/problem+json")
        .Produces<Problem>(409, "application/problem+json");
}
