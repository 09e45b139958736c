using System.Globalization;
using Billing.Accounts;
using Billing.Http;
using Billing.Invoices;
using Billing.Silo.Security;
using Orleans;

namespace Billing.Silo.Api;

/// <summary>Invoices over HTTP.</summary>
internal static class InvoiceEndpoints
{
    public static void Map(IEndpointRouteBuilder routes)
    {
        routes.MapGet("/v1/accounts/{id}/invoices", List)
            .RequireAuthorization(Scopes.Read)
            .WithSummary("Finalised invoices by number, then drafts.")
            .WithPaging()
            .Produces<InvoiceList>()
            .Produces<Problem>(404, "application/problem+json");
        routes.MapGet("/v1/accounts/{id}/invoices/preview", Preview)
            .RequireAuthorization(Scopes.Read)
            .WithSummary("The next period invoice with the usage known now.")
            .WithQuery("at", "As it would be at this RFC 3339 time if no event came meanwhile: from now to two years ahead.")
            .Produces<InvoiceView>()
            .Produces<Problem>(404, "application/problem+json");
        routes.MapGet("/v1/accounts/{id}/invoices/{number}", Get)
            .RequireAuthorization(Scopes.Read)
            .WithSummary("A finalised invoice.")
            .Produces<InvoiceView>()
            .Produces<Problem>(404, "application/problem+json");
    }

    private static async Task<IResult> List(string id, HttpRequest request, IGrainFactory grains)
    {
        var page = await grains.GetGrain<IMerchantAccountGrain>(id).ListInvoices(RequestReading.Skip(request), RequestReading.Limit(request));
        return page.Refusal is { } refusal
            ? Problems.Of(refusal)
            : Results.Json(
                new InvoiceList(page.Items, page.Next is { } next ? RequestReading.ToCursor($"{next}") : null), BillingJson.Web.InvoiceList);
    }

    private static async Task<IResult> Get(string id, string number, IGrainFactory grains)
    {
        if (!int.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out var wanted)) return Problems.Invalid("An invoice number is a whole number: 1, 2, 3 …", "number");
        return Show(await grains.GetGrain<IMerchantAccountGrain>(id).GetInvoice(wanted));
    }

    private static async Task<IResult> Preview(string id, HttpRequest request, IGrainFactory grains)
    {
        var account = grains.GetGrain<IMerchantAccountGrain>(id);
        return Show(RequestReading.Instant(request, "at") is { } at ? await account.PreviewInvoiceAt(at) : await account.PreviewInvoice());
    }

    private static IResult Show(InvoiceAnswer answer) =>
        answer.Refusal is { } refusal ? Problems.Of(refusal) : Results.Json(answer.Invoice, BillingJson.Web.InvoiceView);
}
