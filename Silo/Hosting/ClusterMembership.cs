using System.Net.Sockets;
using Billing.Silo.Storage;
using Billing.Silo.Storage.Postgres;
using Npgsql;

namespace Billing.Silo.Hosting;

/// <summary>The database in which the silos of a cluster find each other.</summary>
internal static class ClusterMembership
{
    // The youngest query of Orleans' own scripts: who has it has all of them.
    private const string Youngest = "CleanupDefunctSiloEntriesKey";

    /// <summary>Makes sure that the database answers and has the membership tables, before Orleans needs them.</summary>
    /// <returns>The connection string as Npgsql reads it: one that was given as a URL is none for Orleans.</returns>
    /// <exception cref="InvalidOperationException">It does not; the message names what to do.</exception>
    public static string Require(string connectionString)
    {
        try
        {
            using var connection = new NpgsqlConnection(ConnectionText.Read(connectionString, PostgresConnections.PoolSize).ConnectionString);
            connection.Open();
            using var command = new NpgsqlCommand("SELECT count(*) FROM OrleansQuery WHERE QueryKey = $1", connection);
            command.Parameters.Add(new() { Value = Youngest });
            if (command.ExecuteScalar() is 1L) return ConnectionText.Plain(connectionString);
        }
        catch (PostgresException failed) when (failed.SqlState == PostgresErrorCodes.UndefinedTable)
        {
            // Said below.
        }
        catch (Exception failed) when (failed is NpgsqlException or FormatException or ArgumentException or NotSupportedException or SocketException)
        {
            throw new InvalidOperationException($"The database of BILLING_CLUSTER_DATABASE cannot be used: {Told.Why(failed)}", failed);
        }

        throw new InvalidOperationException(
            "The database of BILLING_CLUSTER_DATABASE lacks the membership tables of Orleans. Run the scripts PostgreSQL-Main.sql and "
            + "PostgreSQL-Clustering.sql of the Orleans version in use on it once, with psql; they are in its source tree under src/AdoNet.");
    }
}
