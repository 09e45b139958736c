using System.Collections.Immutable;
using Billing.Http;
using Billing.Plans;
using Billing.Silo.Catalogs;
using Billing.Silo.Security;

namespace Billing.Silo.Api;

/// <summary>Moves of accounts from one catalogue version to another.</summary>
internal static class CatalogMoveEndpoints
{
    private const int AccountsMax = 1_000;
    private const int PlansMax = 100;

    public static void Map(IEndpointRouteBuilder routes)
    {
        routes.MapPost("/v1/catalogs/{version}/move", Begin)
            .RequireAuthorization(Scopes.Admin)
            .WithMetadata(new AnsweredAnew())
            .WithSummary("Moves the subscriptions of all accounts, of some, or of some plans to a published catalogue version, each to the plan of the same id at the end of its period. dry_run shows it. A job; sent again, it changes nothing twice.")
            .WithRequestBody<CatalogMoveRequest>("application/json")
            .Produces<CatalogMoveView>(202)
            .Produces<Problem>(400, "application/problem+json")
            .Produces<Problem>(404, "application/problem+json")
            .Produces<Problem>(409, "application/problem+json");
        routes.MapGet("/v1/catalogs/moves/{id}", Show)
            .RequireAuthorization(Scopes.Read)
            .WithSummary("How far a move to another catalogue version is, and what came of it, account by account. It is known to the silo that was asked, until that stops or has begun eight others.")
            .WithPaging()
            .Produces<CatalogMoveView>()
            .Produces<Problem>(404, "application/problem+json");
    }

    private static async Task<IResult> Begin(
        string version, HttpRequest request, CatalogDesk desk, CatalogMoves moves, TimeProvider time, CancellationToken cancellation)
    {
        var body = await RequestReading.Json(request, BillingJson.Web.CatalogMoveRequest, cancellation);
        if (body.From is null) return Problems.Invalid("from names the catalogue version that is left. Nothing was begun.", "from");
        if (body.DryRun is not { } isDryRun) return Problems.Invalid("dry_run is true, to be shown what would change, or false, to change it. Nothing was begun.", "dry_run");
        if (body.When is not (null or "period_end"))
        {
            return Problems.Invalid(
                body.When == "now" ? "A catalogue version takes effect at a period start. Nothing was begun; ask for it at period_end." : "when is period_end. Nothing was begun.", "when");
        }

        if (CatalogMove.ReasonRefused(body.Reason) is { } refused) return Problems.Of(refused);
        var accounts = BackTestEndpoints.Accounts(body.Accounts, AccountsMax, "begun");
        if (body.From == version) return Problems.Invalid($"from is {version} itself. Nothing was begun; name the version that is left.", "from");
        var (to, noTarget) = await desk.Find(version);
        if (to is null) return Problems.Of(noTarget!);
        if (to.Status == CatalogStatus.Draft) return Problems.Conflict($"The catalogue version {version} is a draft, and nobody can be on it. Nothing was begun; publish it first.", "version");
        var (from, _) = await desk.Find(body.From);
        if (from is not { Status: CatalogStatus.Published }) return Problems.Invalid($"No catalogue version {body.From} is published. Nothing was begun.", "from");

        var move = new CatalogMove(from.Catalog, to.Catalog, Plans(body, from.Catalog));
        var now = time.GetUtcNow();
        if (moves.Begin(new(Idempotency.JobIdOf(request, now), move, accounts, body.Reason ?? $"Moved from the catalogue {body.From} to {version}.", isDryRun, now)) is not { } job)
            return Problems.Conflict($"{JobList<CatalogMoveJob>.Kept} moves wait already. Nothing was begun; begin it again when one is done.");
        request.HttpContext.Response.Headers.Location = $"/v1/catalogs/moves/{job.Id}";
        return Results.Json(job.Show(0, 0, static _ => "") with { Next = null }, BillingJson.Web.CatalogMoveView, statusCode: 202);
    }

    private static IResult Show(string id, HttpRequest request, CatalogMoves moves) => moves.Find(id) is { } job
        ? Results.Json(job.Show(RequestReading.Skip(request), RequestReading.Limit(request), skip => RequestReading.ToCursor($"{skip}")), BillingJson.Web.CatalogMoveView)
        : Problems.NotFound("This silo knows no move of that id: it was begun on another one, before the silo started, or eight others were begun since. Begun again under its key it has the same id, and changes nothing twice.", "id");

    private static ImmutableHashSet<string>? Plans(CatalogMoveRequest body, Catalog from)
    {
        if (body.Plan is not null && body.Plans is not null) throw new BadRequest(Problems.Invalid("plan names one plan and plans several; one of the two is left out. Nothing was begun.", "plans"));
        if (body.Plan is { } one) return [Known(one, "plan")];
        if (body.Plans is not { } several) return null;
        if (several.IsDefault || several.Length is < 1 or > PlansMax) throw new BadRequest(Problems.Invalid($"plans is a list of 1 to {PlansMax} plan ids. Nothing was begun.", "plans"));
        return [.. several.Select((plan, i) => Known(plan, $"plans[{i}]"))];

        string Known(string? plan, string field) => plan is not null && from.FindPlan(plan) is not null
            ? plan
            : throw new BadRequest(Problems.Invalid($"The catalogue {from.Version} has no plan {plan}. Nothing was begun.", field));
    }
}
