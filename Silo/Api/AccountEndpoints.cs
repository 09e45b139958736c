using System.Buffers;
using System.Text.RegularExpressions;
using Billing.Accounts;
using Billing.Http;
using Billing.Plans;
using Billing.Silo.Charging;
using Billing.Silo.Checking;
using Billing.Silo.Security;
using Orleans;

namespace Billing.Silo.Api;

/// <summary>Accounts and their usage over HTTP.</summary>
internal static partial class AccountEndpoints
{
    public static void Map(IEndpointRouteBuilder routes)
    {
        routes.MapPost("/v1/accounts", Open)
            .RequireAuthorization(Scopes.Operate)
            .WithSummary("Makes an account; with a payment method its subscriptions begin and the first base fees are invoiced.")
            .WithRequestBody<OpenAccountRequest>("application/json")
            .Produces<AccountView>(201)
            .Produces<Problem>(400, "application/problem+json")
            .Produces<Problem>(409, "application/problem+json");
        routes.MapGet("/v1/accounts", List)
            .RequireAuthorization(Scopes.Read)
            .WithSummary("Finds accounts by a part of id, name or e-mail (query), by status and by plan.")
            .WithQuery("query", "A part of the id, the name or the e-mail address.")
            .WithQuery("status", "pending, trialing, active, past_due, suspended or cancelled.")
            .WithQuery("plan", "A plan the account is on.")
            .WithPaging()
            .Produces<AccountList>();
        routes.MapGet("/v1/accounts/{id}", Get)
            .RequireAuthorization(Scopes.Read)
            .WithSummary("An account as of now.")
            .Produces<AccountView>()
            .Produces<Problem>(404, "application/problem+json");
        routes.MapGet("/v1/accounts/{id}/usage", Usage)
            .RequireAuthorization(Scopes.Read)
            .WithSummary("The usage of one meter per billing period.")
            .WithQuery("meter", "The meter.", required: true)
            .WithQuery("from", "Periods that end after this RFC 3339 time.")
            .WithQuery("to", "Periods that begin before this RFC 3339 time.")
            .WithQuery("granularity", "period.")
            .WithPaging()
            .Produces<UsageSeries>()
            .Produces<Problem>(404, "application/problem+json");
    }

    private static async Task<IResult> Open(
        HttpRequest request, IGrainFactory grains, ICatalogs catalogs, PaymentMethodDesk methods, CancellationToken cancellation)
    {
        var body = await RequestReading.Json(request, BillingJson.Web.OpenAccountRequest, cancellation);
        if (body.Id is null || !AccountId().IsMatch(body.Id))
            return Problems.Invalid("An account id has 1 to 128 letters, digits and . _ : @ - in it, and is neither . nor .. alone. Nothing was stored.", "id");
        if (body.Name is null) return Problems.Invalid("An account needs a name. Nothing was stored.", "name");
        if (body.Email is null) return Problems.Invalid("An account needs an e-mail address. Nothing was stored.", "email");
        if (body.Plans.IsDefault) return Problems.Invalid("An account needs its plans: a list of plan ids, which may be empty. Nothing was stored.", "plans");
        if (catalogs.Currencies is not [var first, ..] currencies) return Problems.Conflict("No catalogue is published yet. Nothing was stored.");
        if (catalogs.LatestIn(body.Currency ?? first) is not { } latest)
            return Problems.Invalid($"No catalogue is published in {body.Currency}; there are catalogues in {string.Join(", ", currencies)}. Give one of these, or leave the currency out for {first}. Nothing was stored.", "currency");

        if (body.PaymentMethod is { } method && await methods.Refused(method, cancellation) is { } none) return Problems.Of(none);

        var answer = await grains.GetGrain<IMerchantAccountGrain>(body.Id).Open(new(
            body.Name,
            body.Email,
            body.Currency,
            body.Country,
            body.Plans,
            latest.Catalog.Version,
            body.PaymentMethod,
            body.AutomaticPlanChanges ?? true,
            Idempotency.CommandIdOf(request)));
        if (answer.Refusal is { } refusal) return Problems.Of(refusal);
        request.HttpContext.Response.Headers.Location = $"/v1/accounts/{Uri.EscapeDataString(body.Id)}";
        return Results.Json(answer.Account, BillingJson.Web.AccountView, statusCode: 201);
    }

    private static async Task<IResult> Get(string id, IGrainFactory grains)
    {
        var answer = await grains.GetGrain<IMerchantAccountGrain>(id).GetAccount();
        return answer.Refusal is { } refusal ? Problems.Of(refusal) : Results.Json(answer.Account, BillingJson.Web.AccountView);
    }

    private static async Task<IResult> List(HttpRequest request, AccountListing listing)
    {
        var limit = RequestReading.Limit(request);
        var status = Text("status") is { } wanted
            ? ReadStatus(wanted) ?? throw new BadRequest(Problems.Invalid("status is pending, trialing, active, past_due, suspended or cancelled.", "status"))
            : (AccountStatus?)null;
        if (Text("risk") is not null) return Problems.NotBuilt("Accounts have no risk yet: leave risk out.", "risk");

        var found = await listing.List(new(Text("query"), status, Text("plan")), RequestReading.Cursor(request), limit + 1);
        var page = found.Take(limit).ToArray();
        return Results.Json(
            new AccountList(
                [.. page.Select(a => a.Summary).OfType<AccountSummary>()],
                found.Count > limit ? RequestReading.ToCursor(page[^1].Id) : null,
                page.Where(a => a.Summary is null).Select(a => a.Id).ToArray() is { Length: > 0 } damaged ? [.. damaged] : null),
            BillingJson.Web.AccountList);

        string? Text(string name) => request.Query[name].ToString() is { Length: > 0 } text ? text : null;
    }

    private static async Task<IResult> Usage(string id, HttpRequest request, IGrainFactory grains)
    {
        var limit = RequestReading.Limit(request);
        var skip = RequestReading.Skip(request);
        var meter = request.Query["meter"].ToString();
        if (meter.Length == 0) return Problems.Invalid("meter names the meter whose usage is wanted.", "meter");
        switch (request.Query["granularity"].ToString())
        {
            case "" or "period":
                break;
            case "day" or "hour":
                return Problems.NotBuilt("Usage by day or hour is not built yet; granularity=period is.", "granularity");
            default:
                return Problems.Invalid("granularity is day, hour or period.", "granularity");
        }

        var from = RequestReading.Instant(request, "from");
        var to = RequestReading.Instant(request, "to");
        if (to < from) return Problems.Invalid("to lies before from.", "to");
        var answer = await grains.GetGrain<IMerchantAccountGrain>(id).GetUsage(meter, from, to);
        if (answer.Refusal is { } refusal) return Problems.Of(refusal);
        var items = answer.Usage!.Items;
        return Results.Json(
            new UsageSeries(
                answer.Usage.Meter,
                [.. items.Skip(skip).Take(limit)],
                items.Length - limit > skip ? RequestReading.ToCursor($"{skip + limit}") : null),
            BillingJson.Web.UsageSeries);
    }

    private static AccountStatus? ReadStatus(string text) => text switch
    {
        "pending" => AccountStatus.Pending,
        "trialing" => AccountStatus.Trialing,
        "active" => AccountStatus.Active,
        "past_due" => AccountStatus.PastDue,
        "suspended" => AccountStatus.Suspended,
        "cancelled" => AccountStatus.Cancelled,
        _ => null,
    };

    /// <summary>Whether a text can be the id of an account.</summary>
    public static bool IsAccountId(string text) => AccountId().IsMatch(text);

    [GeneratedRegex(@"^(?!\.{1,2}\z)[A-Za-z0-9._:@-]{1,128}\z", RegexOptions.CultureInvariant)]
    private static partial Regex AccountId();
}
