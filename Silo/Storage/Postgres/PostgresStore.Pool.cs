using Npgsql;

namespace Billing.Silo.Storage.Postgres;

/// <summary>Work over the connections of the pool, and what is said when there is none.</summary>
internal sealed partial class PostgresStore
{
    /// <summary>Whether the server, its disk or the way to it failed, and not the statement.</summary>
    private static bool IsLost(Exception failed) => failed switch
    {
        PostgresException said => said.SqlState is PostgresErrorCodes.AdminShutdown or PostgresErrorCodes.CrashShutdown or PostgresErrorCodes.CannotConnectNow
            or PostgresErrorCodes.ReadOnlySqlTransaction or PostgresErrorCodes.IdleSessionTimeout or PostgresErrorCodes.DiskFull,
        _ => failed is NpgsqlException,
    };

    /// <summary>Reads; once again when the connection turns out to be lost.</summary>
    private async Task<T> Reading<T>(Func<NpgsqlConnection, Task<T>> read, CancellationToken cancellation)
    {
        try
        {
            return await Over(read, cancellation);
        }
        catch (NpgsqlException lost) when (IsLost(lost))
        {
            // What was lost together with it is not worth another try.
            _readers.Clear();
        }

        return await Once(read, cancellation);
    }

    /// <summary>Writes, once: after an exception it is open whether it is stored.</summary>
    private Task<T> Writing<T>(Func<NpgsqlConnection, Task<T>> write) => Once(write, default);

    private async Task<T> Once<T>(Func<NpgsqlConnection, Task<T>> work, CancellationToken cancellation)
    {
        try
        {
            return await Over(work, cancellation);
        }
        catch (NpgsqlException lost) when (IsLost(lost))
        {
            _readers.Clear();
            throw Unavailable(lost);
        }
    }

    private async Task<T> Over<T>(Func<NpgsqlConnection, Task<T>> work, CancellationToken cancellation)
    {
        var began = _availability.Begin();
        await using var connection = await Connect(cancellation);
        var result = await work(connection);
        _availability.Done(began);
        return result;
    }

    private StoreUnavailableException Unavailable(Exception lost) => _availability.Failed($"{_place}: {Told.Why(lost).TrimEnd('.')}.", lost);

    private async ValueTask<NpgsqlConnection> Connect(CancellationToken cancellation)
    {
        try
        {
            return await _readers.OpenConnectionAsync(cancellation);
        }
        catch (NpgsqlException exhausted) when (exhausted.InnerException is TimeoutException && exhausted.Message.Contains("pool", StringComparison.Ordinal))
        {
            throw _availability.Failed(
                $"All {_poolSize} connections to {_place} are in use and none became free in time. Raise \"Maximum Pool Size\" in BILLING_DATABASE, and max_connections of the server with it, or add silos. Nothing was stored.", exhausted);
        }
        catch (PostgresException full) when (full.SqlState == PostgresErrorCodes.TooManyConnections)
        {
            throw _availability.Failed(
                $"The PostgreSQL server of {_place} takes no more connections. Raise its max_connections, or lower \"Maximum Pool Size\" in BILLING_DATABASE. Nothing was stored.", full);
        }
        catch (NpgsqlException refused)
        {
            throw Unavailable(refused);
        }
    }
}
