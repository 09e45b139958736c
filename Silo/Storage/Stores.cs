using Billing.Silo.Storage.Postgres;
using Billing.Silo.Storage.Sqlite;

namespace Billing.Silo.Storage;

/// <summary>Which store the settings name.</summary>
internal static class Stores
{
    private const string Embedded = "sqlite";

    /// <summary>Whether several silos can share the store that the settings name.</summary>
    public static bool AreShared(IConfiguration settings) => !string.Equals(Database(settings), Embedded, StringComparison.OrdinalIgnoreCase);

    /// <summary>Opens the store that the settings name, or makes it.</summary>
    /// <exception cref="InvalidOperationException">A setting cannot be met; the message names it and shows no password.</exception>
    public static async Task<IStore> Open(IConfiguration settings)
    {
        var alone = IsAlone(settings);
        if (!AreShared(settings)) return await OpenEmbedded(settings["BILLING_DATA"] is { Length: > 0 } folder ? folder : ".data");
        try
        {
            return await PostgresStore.Open(Database(settings), alone);
        }
        catch (FormatException unreadable)
        {
            throw new InvalidOperationException($"BILLING_DATABASE can be \"{Embedded}\" or the connection string of a PostgreSQL database. {unreadable.Message}", unreadable);
        }
        catch (StoreUnavailableException unavailable)
        {
            throw new InvalidOperationException($"The PostgreSQL database of BILLING_DATABASE cannot be used: {unavailable.Message}", unavailable);
        }
    }

    // The silos of a cluster agree on where an account is active; others do not.
    private static bool IsAlone(IConfiguration settings) => settings["BILLING_DATABASE_SHARED"] switch
    {
        null or "" or "false" => settings["BILLING_CLUSTER_DATABASE"] is not { Length: > 0 },
        "true" => false,
        var other => throw new InvalidOperationException($"BILLING_DATABASE_SHARED is \"{other}\"; it can be true or false, or is left out. Nothing was started."),
    };

    private static async Task<IStore> OpenEmbedded(string folder)
    {
        for (var path = Path.GetFullPath(folder); path is not null; path = Path.GetDirectoryName(path))
        {
            if (File.Exists(path))
                throw new InvalidOperationException($"BILLING_DATA is \"{folder}\", but {path} is a file; it needs a folder, which is made when it is not there. Nothing was changed.");
        }

        try
        {
            return await SqliteStore.Open(folder);
        }
        catch (Exception refused) when (refused is IOException or UnauthorizedAccessException)
        {
            throw new InvalidOperationException(
                $"BILLING_DATA is \"{folder}\", which cannot be used: {Told.Why(refused)} It needs a folder with room that the platform may read and write, with all files in it.", refused);
        }
    }

    private static string Database(IConfiguration settings) => settings["BILLING_DATABASE"] is { Length: > 0 } database ? database : Embedded;
}
