using Billing.Http;
using Billing.Plans;
using Billing.Silo.Scheduling;
using Billing.Silo.Security;

namespace Billing.Silo.Api;

/// <summary>The calls that exist in the sandbox only.</summary>
internal static class SandboxEndpoints
{
    public static void Map(IEndpointRouteBuilder routes) => routes
        .MapPost("/v1/sandbox/clock", MoveClock)
        .RequireAuthorization(Scopes.Admin)
        .WithSummary("Moves the billing clock on, doing what is due at each due moment on the way. held names the accounts that could not: theirs is done when they can.")
        .WithRequestBody<MoveClockRequest>("application/json")
        .Produces<ClockView>()
        .Produces<Problem>(400, "application/problem+json")
        .Produces<Problem>(409, "application/problem+json");

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
