using System.Globalization;
using Npgsql;

namespace Billing.Silo.Storage.Postgres;

/// <summary>
/// The session by which a silo shows that it runs on a database, as long as it lasts. A silo without a cluster is alone there: a
/// second one would hold accounts of its own, and show what the other has left behind.
/// </summary>
internal static class SiloSession
{
    // The lock that silos hold: one alone, or many of a cluster together.
    private const long Lock = 0x42_69_6C_6C_69_6E_67_53;

    // Until a session that was just killed is gone.
    private const string Patience = "5s";

    // The server ends the session of a machine that is gone after half a minute.
    private const string Watched = "SET tcp_keepalives_idle = 10; SET tcp_keepalives_interval = 5; SET tcp_keepalives_count = 4";

    private static readonly string Holders = string.Create(
        CultureInfo.InvariantCulture,
        $"""
        FROM pg_locks WHERE locktype = 'advisory' AND granted AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
            AND classid = {Lock >> 32} AND objid = {Lock & uint.MaxValue} AND objsubid = 1 AND pid <> pg_backend_pid()
        """);

    /// <summary>Opens the session.</summary>
    /// <param name="source">Where to.</param>
    /// <param name="alone">Whether no other silo may be there.</param>
    /// <param name="former">The server's process of this silo's session before, which may not have noticed yet that it is over; 0 for none.</param>
    /// <exception cref="StoreInUseException">Others are there, and this silo or one of them is alone.</exception>
    public static async Task<NpgsqlConnection> Open(NpgsqlDataSource source, bool alone, int former)
    {
        var session = await source.OpenConnectionAsync();
        try
        {
            await Execute(session, Watched);
            if (former != 0) await Execute(session, string.Create(CultureInfo.InvariantCulture, $"SELECT pg_terminate_backend(pid) {Holders} AND pid = {former}"));
            await Take(session, alone);
            return session;
        }
        catch
        {
            await session.DisposeAsync();
            throw;
        }
    }

    private static async Task Take(NpgsqlConnection session, bool alone)
    {
        try
        {
            await using var transaction = await session.BeginTransactionAsync();
            await Execute(session, $"SET LOCAL lock_timeout = '{Patience}'");
            await Execute(session, string.Create(CultureInfo.InvariantCulture, $"SELECT {(alone ? "pg_advisory_lock" : "pg_advisory_lock_shared")}({Lock})"));
            await transaction.CommitAsync();
        }
        catch (PostgresException taken) when (taken.SqlState == PostgresErrorCodes.LockNotAvailable)
        {
            await using var command = new NpgsqlCommand($"SELECT string_agg(pid::text, ', ') {Holders}", session);
            var holders = await command.ExecuteScalarAsync() as string ?? "which just ended";
            throw new StoreInUseException(
                $"Another silo runs on the database {session.Database} (server process {holders}), and {(alone ? "this one" : "that one")} has no cluster: each would show accounts as the other left them. "
                + "Stop the other, or run all as a cluster with BILLING_CLUSTER_DATABASE, or set BILLING_DATABASE_SHARED=true on each if that is wanted. A silo whose machine is gone is forgotten after half a minute. Nothing was changed.",
                taken);
        }
    }

    private static async Task Execute(NpgsqlConnection session, string sql)
    {
        await using var command = new NpgsqlCommand(sql, session);
        await command.ExecuteNonQueryAsync();
    }
}
