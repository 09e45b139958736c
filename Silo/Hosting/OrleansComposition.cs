#if ORLEANS_CLUSTER
using Orleans.Configuration;
using Orleans.Hosting;
#endif

namespace Billing.Silo.Hosting;

/// <summary>Puts the grains onto the Orleans of this build: one process of Orleans.Embedded, or a silo of the real one.</summary>
internal static class OrleansComposition
{
    public static void AddOrleans(this WebApplicationBuilder builder) => builder.Host.UseOrleans(silo =>
    {
#if ORLEANS_CLUSTER
        var siloPort = builder.Configuration.GetValue("BILLING_SILO_PORT", 11111);
        var gatewayPort = builder.Configuration.GetValue("BILLING_GATEWAY_PORT", 30000);
        if (builder.Configuration["BILLING_CLUSTER_DATABASE"] is not { Length: > 0 } database)
        {
            silo.UseLocalhostClustering(siloPort, gatewayPort);
            return;
        }

        silo.Configure<ClusterOptions>(cluster =>
        {
            cluster.ClusterId = "billing";
            cluster.ServiceId = "billing";
        });
        silo.Configure<EndpointOptions>(endpoint =>
        {
            endpoint.AdvertisedIPAddress = System.Net.IPAddress.Loopback;
            endpoint.SiloPort = siloPort;
            endpoint.GatewayPort = gatewayPort;
        });
        silo.UseAdoNetClustering(membership =>
        {
            membership.Invariant = "Npgsql";
            membership.ConnectionString = database;
        });
#endif
    });
}
