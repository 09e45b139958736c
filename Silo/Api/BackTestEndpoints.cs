using System.Collections.Immutable;
using System.Text;
using System.Text.Json;
using Billing.Accounts;
using Billing.Http;
using Billing.Plans;
using Billing.Silo.Catalogs;
using Billing.Silo.Security;

namespace Billing.Silo.Api;

/// <summary>What a catalogue version, drafted or published, would have done to real histories.</summary>
internal static class BackTestEndpoints
{
    private const int AccountsMax = 100;

    public static void Map(IEndpointRouteBuilder routes)
    {
        routes.MapPost("/v1/catalogs/{version}/backtest", BackTest)
            .RequireAuthorization(Scopes.Operate)
            .WithMetadata(new AnsweredAnew())
            .WithSummary("Runs real histories again by the ladder rules of a catalogue version, drafted or published, or by the rules given: whom usage would have moved, when, and what each would have paid. Nothing is changed.")
            .ProducesBackTest();
        routes.MapPost("/v1/catalogs/{version}/simulate", Simulate)
            .RequireAuthorization(Scopes.Operate)
            .WithMetadata(new AnsweredAnew())
            .WithSummary("Runs real histories again on the plans, prices and rules of a catalogue version, drafted or published, plan by plan of the same id: who would have paid what. Nothing is changed.")
            .ProducesBackTest();
        routes.MapGet("/v1/catalogs/backtests/{id}", Show)
            .RequireAuthorization(Scopes.Read)
            .WithSummary("How far a back-test or simulation of all accounts is, and what came of it. It is known to the silo that was asked, until that stops or has begun eight others.")
            .WithPaging()
            .Produces<BackTestView>()
            .Produces<Problem>(404, "application/problem+json");
    }

    private static Task<IResult> BackTest(string version, HttpRequest request, CatalogDesk desk, BackTests tests, TimeProvider time, CancellationToken cancellation) =>
        Begin(version, BackTestKind.BackTest, request, desk, tests, time, cancellation);

    private static Task<IResult> Simulate(string version, HttpRequest request, CatalogDesk desk, BackTests tests, TimeProvider time, CancellationToken cancellation) =>
        Begin(version, BackTestKind.Simulate, request, desk, tests, time, cancellation);

    private static async Task<IResult> Begin(string version, BackTestKind kind, HttpRequest request, CatalogDesk desk, BackTests tests, TimeProvider time, CancellationToken cancellation)
    {
        var body = await RequestReading.JsonIfAny(request, BillingJson.Web.BackTestRequest, cancellation) ?? new();
        var accounts = Accounts(body.Accounts, AccountsMax, "run");
        var (from, to) = (Instant(body.From, "from"), Instant(body.To, "to"));
        if (to <= from) return Problems.Invalid("to is not after from. Nothing was run.", "to");
        var (kept, refusal) = await desk.Find(version);
        if (kept is null) return Problems.Of(refusal!);
        if (body.Transitions is { } transitions && TransitionOverrides.Apply(kept.Catalog, transitions).Problem is { } problem)
            return Problems.Invalid($"{problem.Detail} Nothing was run.", problem.Path);

        var question = new BackTestQuestion(Encoding.UTF8.GetString(kept.Json.Span), body.Transitions?.GetRawText(), kind == BackTestKind.Simulate, from, to);
        if (accounts is not { } named)
        {
            var now = time.GetUtcNow();
            if (tests.Begin(new(Idempotency.JobIdOf(request, now), kind, version, question, now)) is not { } job)
                return Problems.Conflict($"{JobList<BackTestJob>.Kept} back-tests of all accounts wait already. Nothing was begun; begin it again when one is done.");
            request.HttpContext.Response.Headers.Location = $"/v1/catalogs/backtests/{job.Id}";
            return Results.Json(job.Show(0, 0, static _ => "") with { Next = null }, BillingJson.Web.BackTestView, statusCode: 202);
        }

        var results = await tests.Run(named, question, cancellation);
        var sums = new BackTestSums();
        foreach (var result in results) sums.Add(result);
        return Results.Json(sums.View(kind, version, JobStatus.Done, [.. results]), BillingJson.Web.BackTestView);
    }

    private static IResult Show(string id, HttpRequest request, BackTests tests) => tests.Find(id) is { } job
        ? Results.Json(job.Show(RequestReading.Skip(request), RequestReading.Limit(request), skip => RequestReading.ToCursor($"{skip}")), BillingJson.Web.BackTestView)
        : Problems.NotFound("This silo knows no back-test of that id: it was begun on another one, before the silo started, or eight others were begun since. Begun again under its key it has the same id.", "id");

    /// <summary>The accounts that a body names, each once; null for all of them.</summary>
    /// <param name="given">The member <c>accounts</c>.</param>
    /// <param name="most">How many may be named.</param>
    /// <param name="done">What was not done when it is refused: run, begun.</param>
    public static ImmutableArray<string>? Accounts(JsonElement? given, int most, string done)
    {
        if (given is not { } json || (json.ValueKind == JsonValueKind.String && json.ValueEquals("all"))) return null;
        if (json.ValueKind != JsonValueKind.Array || json.GetArrayLength() is var length && (length < 1 || length > most))
            throw new BadRequest(Problems.Invalid($"accounts is a list of 1 to {most} account ids, or \"all\". Nothing was {done}.", "accounts"));
        var accounts = ImmutableArray.CreateBuilder<string>();
        for (var i = 0; i < json.GetArrayLength(); i++)
        {
            if (json[i].ValueKind != JsonValueKind.String || !AccountEndpoints.IsAccountId(json[i].GetRawText().Trim('"')) || accounts.Contains(json[i].GetString()!))
                throw new BadRequest(Problems.Invalid($"An account is named by its id, each once. Nothing was {done}.", $"accounts[{i}]"));
            accounts.Add(json[i].GetString()!);
        }

        return accounts.ToImmutable();
    }

    private static DateTimeOffset? Instant(string? text, string name) => text is null ? null
        : RequestReading.ReadInstant(text) ?? throw new BadRequest(Problems.Invalid($"{name} is an RFC 3339 time such as 2026-11-01T00:00:00Z. Nothing was run.", name));

    private static void ProducesBackTest(this RouteHandlerBuilder builder) => builder
        .WithOptionalBody<BackTestRequest>()
        .Produces<BackTestView>()
        .Produces<BackTestView>(202)
        .Produces<Problem>(400, "application/problem+json")
        .Produces<Problem>(404, "application/problem+json")
        .Produces<Problem>(409, "application/problem+json");
}
