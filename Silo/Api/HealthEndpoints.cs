using Billing.Http;

namespace Billing.Silo.Api;

/// <summary>Liveness and readiness.</summary>
internal static class HealthEndpoints
{
    public static void Map(IEndpointRouteBuilder routes)
    {
        routes.MapGet("/healthz", () => Results.Json(new HealthView("ok"), BillingJson.Web.HealthView))
            .WithSummary("Answers while the process lives.")
            .Produces<HealthView>();
        routes.MapGet("/readyz", (IHostApplicationLifetime lifetime) =>
                lifetime.ApplicationStarted.IsCancellationRequested && !lifetime.ApplicationStopping.IsCancellationRequested
                    ? Results.Json(new HealthView("ok"), BillingJson.Web.HealthView)
                    : Results.Json(new HealthView("starting or stopping"), BillingJson.Web.HealthView, statusCode: 503))
            .WithSummary("Answers 200 when requests are served.")
            .Produces<HealthView>()
            .Produces<HealthView>(503);
    }
}
