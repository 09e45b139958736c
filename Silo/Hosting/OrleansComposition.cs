#if ORLEANS_CLUSTER
using System.Net;
using System.Net.Sockets;
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
        // The API is served by the silo itself, so nobody needs its gateway unless a port says so.
        var siloPort = Port(builder.Configuration, "BILLING_SILO_PORT");
        var gatewayPort = Port(builder.Configuration, "BILLING_GATEWAY_PORT") ?? 0;
        if (builder.Configuration["BILLING_CLUSTER_DATABASE"] is not { Length: > 0 } database)
        {
            silo.UseLocalhostClustering(siloPort ?? FreePort(), gatewayPort);
            return;
        }

        var connectionString = ClusterMembership.Require(database);
        silo.Configure<ClusterOptions>(cluster =>
        {
            cluster.ClusterId = "billing";
            cluster.ServiceId = "billing";
        });
        silo.Configure<EndpointOptions>(endpoint =>
        {
            endpoint.AdvertisedIPAddress = IPAddress.Loopback;
            endpoint.SiloPort = siloPort ?? EndpointOptions.DEFAULT_SILO_PORT;
            endpoint.GatewayPort = gatewayPort;
        });
        silo.UseAdoNetClustering(membership =>
        {
            membership.Invariant = "Npgsql";
            membership.ConnectionString = connectionString;
        });
#else
        if (builder.Configuration["BILLING_CLUSTER_DATABASE"] is { Length: > 0 })
            throw new InvalidOperationException("BILLING_CLUSTER_DATABASE is set, but this build runs the grains in one process, without a cluster. Leave it out, or build with OrleansRuntime=cluster.");
#endif
    });
#if ORLEANS_CLUSTER

    private static int? Port(IConfiguration settings, string name) => settings[name] is not { Length: > 0 } text ? null
        : ushort.TryParse(text, out var port) && port > 0 ? port
        : throw new InvalidOperationException($"{name} is \"{text}\"; a port is a number from 1 to 65535.");

    // A silo alone is found by nobody, so any port will do, and two on one machine do not meet.
    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
#endif
}
