using System.Text.Json.Nodes;
using Billing.Http;
using Billing.Plans;
using Billing.Silo.Sandbox;
using Billing.Silo.Scheduling;
using Billing.Silo.Security;

namespace Billing.Silo.Api;

/// <summary>The calls that exist in the sandbox only.</summary>
internal static class SandboxEndpoints
{
    public static void Map(IEndpointRouteBuilder routes)
    {
        routes.MapPost("/v1/sandbox/clock", MoveClock)
            .RequireAuthorization(Scopes.Admin)
            .WithSummary("Moves the billing clock on, doing what is due at each due moment on the way. held names the accounts that could not: theirs is done when they can.")
            .WithRequestBody<MoveClockRequest>("application/json")
            .Produces<ClockView>()
            .Produces<Problem>(400, "application/problem+json")
            .Produces<Problem>(409, "application/problem+json");
        routes.MapPost("/v1/sandbox/faults", SetFaults)
            .RequireAuthorization(Scopes.Admin)
            .WithSummary("Puts faults into the sandbox Stripe from now on: each request and each webhook meets one with the probability; no kinds end it.")
            .WithRequestBody<SandboxFaults>("application/json")
            .Produces<SandboxFaults>()
            .Produces<Problem>(400, "application/problem+json")
            .Produces<Problem>(404, "application/problem+json");
        routes.MapGet("/v1/sandbox/stripe", ReadStripe)
            .RequireAuthorization(Scopes.Admin)
            .WithSummary("What the sandbox Stripe holds: customers, invoices, charges and the last requests.")
            .Produces<JsonObject>()
            .Produces<Problem>(404, "application/problem+json");
    }

    private static async Task<IResult> SetFaults(HttpRequest request, CancellationToken cancellation)
    {
        var body = await RequestReading.Json(request, BillingJson.Web.SandboxFaults, cancellation);
        if (SandboxOf(request) is not { } sandbox) return NoSandbox();
        if (body.Kinds.IsDefault) return Problems.Invalid("kinds lists the faults to put in; an empty list ends them. Nothing changed.", "kinds");
        for (var i = 0; i < body.Kinds.Length; i++)
        {
            if (!FaultKinds.All.Contains(body.Kinds[i], StringComparer.Ordinal))
                return Problems.Invalid($"\"{body.Kinds[i]}\" is no kind of fault; there are {string.Join(", ", FaultKinds.All)}. Nothing changed.", $"kinds[{i}]");
        }

        var probability = body.Probability ?? (body.Kinds.Length == 0 ? 0 : double.NaN);
        if (!(probability >= 0 && probability <= 1)) return Problems.Invalid("probability goes from 0 to 1. Nothing changed.", "probability");
        var set = new SandboxFaults(body.Kinds, probability, body.Seed ?? 0);
        sandbox.SetFaults(set.Kinds, probability, set.Seed!.Value);
        await sandbox.Written;
        return Results.Json(set, BillingJson.Web.SandboxFaults);
    }

    private static IResult ReadStripe(HttpRequest request) =>
        SandboxOf(request) is { } sandbox ? Results.Bytes(sandbox.Snapshot(), "application/json") : NoSandbox();

    private static StripeSandbox? SandboxOf(HttpRequest request) => request.HttpContext.RequestServices.GetService<SandboxServer>()?.Sandbox;

    private static IResult NoSandbox() => Problems.NotFound("This silo serves no sandbox Stripe: the settings name another Stripe, or another silo of the store serves it. Nothing changed.");

    private static async Task<IResult> MoveClock(HttpRequest request, SandboxClock clock, CancellationToken cancellation)
    {
        var body = await RequestReading.Json(request, BillingJson.Web.MoveClockRequest, cancellation);
        var moved = await clock.Move(now => Target(body, now), Idempotency.CommandIdOf(request), cancellation);
        if (moved is not null) return Results.Json(new ClockView(moved.Now, moved.Held is { Count: > 0 } held ? [.. held] : null), BillingJson.Web.ClockView);
        if (Target(body, clock.Now) is null)
        {
            return body.Now is not null
                ? Problems.Invalid("now is an RFC 3339 time before the year 2149, such as 2026-12-01T00:00:00Z, and goes without advance. The clock did not move.", "now")
                : Problems.Invalid("advance is an ISO 8601 duration such as P1D, PT12H or P1M, and the clock stays before the year 2149. The clock did not move.", "advance");
        }

        return Problems.Conflict($"The billing clock stands at {UtcJsonConverter.ToText(clock.Now)} and never goes back. It did not move.", "now");
    }

    private static DateTimeOffset? Target(MoveClockRequest body, DateTimeOffset now)
    {
        DateTimeOffset? target = body switch
        {
            { Now: { } text, Advance: null } => RequestReading.ReadInstant(text),
            { Now: null, Advance: { } text } when IsoDuration.TryParse(text, out var by) && by.Months < 12_000 => Later(now, by),
            _ => null,
        };
        return target < BillingClock.Latest ? target : null;
    }

    private static DateTimeOffset? Later(DateTimeOffset now, IsoDuration by) =>
        by.Exact < BillingClock.Latest - now && by.Months < (BillingClock.Latest.Year - now.Year) * 12 ? by.After(now) : null;
}
