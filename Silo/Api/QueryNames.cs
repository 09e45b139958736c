using Microsoft.AspNetCore.Authorization;

namespace Billing.Silo.Api;

/// <summary>
/// Refuses an act whose query has a parameter that the call does not know: <c>?dry_run=true</c>, say, where the body takes it, would
/// otherwise be passed over and the act carried out.
/// </summary>
internal sealed class QueryNames(RequestDelegate next)
{
    public async Task InvokeAsync(HttpContext context)
    {
        if (IsAct(context) && Unknown(context) is { } unknown)
        {
            var known = string.Join(", ", Known(context).Order(StringComparer.Ordinal));
            await Problems.Invalid(
                $"The query parameter {unknown} is not known here{(known.Length > 0 ? $"; this call knows {known}" : "; this call takes what it needs in its body")}. Nothing was done or stored.", unknown).ExecuteAsync(context);
            return;
        }

        await next(context);
    }

    // Calls that need a key: where Stripe sends its webhooks is for their reader to decide.
    private static bool IsAct(HttpContext context) =>
        context.Request.QueryString.HasValue && !HttpMethods.IsGet(context.Request.Method) && context.GetEndpoint()?.Metadata.GetMetadata<IAuthorizeData>() is not null;

    private static string? Unknown(HttpContext context) =>
        context.Request.Query.Keys.FirstOrDefault(name => !Known(context).Contains(name, StringComparer.OrdinalIgnoreCase));

    private static IEnumerable<string> Known(HttpContext context) =>
        context.GetEndpoint()!.Metadata.GetOrderedMetadata<QueryParameter>().Select(p => p.Name);
}

/// <summary>A query parameter that an endpoint reads.</summary>
/// <param name="Name">Its name.</param>
internal sealed record QueryParameter(string Name);
