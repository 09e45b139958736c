using Billing.Http;
using Billing.Silo.Security;

namespace Billing.Silo.Api;

/// <summary>Calls of the contract whose capability is not built yet. They answer 501 with a problem that says so.</summary>
internal static class NotBuiltEndpoints
{
    /// <summary>Method, route and the scope that the call will need.</summary>
    public static readonly (string Method, string Route, string? Scope)[] Calls =
    [
        ("POST", "/v1/accounts/{id}/invoices/{number}/credit-notes", Scopes.Operate),
        ("POST", "/v1/accounts/{id}/invoices/{number}/refunds", Scopes.Operate),
        ("POST", "/v1/accounts/{id}/invoices/{number}/write-off", Scopes.Operate),
        ("POST", "/v1/accounts/{id}/invoices/{number}/void", Scopes.Operate),
        ("POST", "/v1/accounts/{id}/credits", Scopes.Operate),
        ("GET", "/v1/accounts/{id}/timeline", Scopes.Read),
        ("POST", "/v1/replays", Scopes.Operate),
        ("GET", "/v1/replays/{id}", Scopes.Read),
        ("GET", "/v1/replays/{id}/diff", Scopes.Read),
        ("POST", "/v1/replays/{id}/apply", Scopes.Operate),
        ("POST", "/v1/replays/{id}/revert", Scopes.Operate),
        ("GET", "/v1/dead-letters", Scopes.Read),
        ("POST", "/v1/dead-letters/release", Scopes.Operate),
        ("GET", "/v1/webhook-endpoints", Scopes.Admin),
        ("POST", "/v1/webhook-endpoints", Scopes.Admin),
        ("GET", "/v1/webhook-endpoints/{id}/deliveries", Scopes.Admin),
        ("POST", "/v1/webhook-endpoints/{id}/deliveries", Scopes.Admin),
        ("GET", "/v1/reconciliation", Scopes.Read),
        ("POST", "/v1/reconciliation/run", Scopes.Operate),
        ("GET", "/metrics", Scopes.Read),
    ];

    public static void Map(IEndpointRouteBuilder routes)
    {
        foreach (var (method, route, scope) in Calls)
        {
            var call = routes
                .MapMethods(route, [method], () => Problems.NotBuilt($"{method} {route} is part of the contract and not built yet. Nothing was stored."))
                .WithSummary("Not built yet.")
                .Produces<Problem>(501, "application/problem+json");
            if (scope is not null) call.RequireAuthorization(scope);
        }
    }
}
