using Npgsql;

namespace Billing.Silo.Storage.Postgres;

/// <summary>Makes the connections of the store. All of them, whatever they write, sync before the server acknowledges.</summary>
internal static class PostgresConnections
{
    /// <summary>Connections for everything but commits, unless the connection string says how many.</summary>
    public const int PoolSize = 16;

    private const int AutoPrepared = 40;

    // Said to the session even when it is so already: then the server's setting can change under it. Stricter promises than "on" stay.
    private const string Durable =
        "SELECT set_config('synchronous_commit', CASE current_setting('synchronous_commit') WHEN 'off' THEN 'on' ELSE current_setting('synchronous_commit') END, false)";

    /// <summary>The settings of the pool in a connection string.</summary>
    /// <exception cref="FormatException">They cannot be used; the message shows no text of the string.</exception>
    public static NpgsqlConnectionStringBuilder Settings(string connectionString)
    {
        var settings = ConnectionText.Read(connectionString, PoolSize);
        settings.MaxAutoPrepare = int.Max(settings.MaxAutoPrepare, AutoPrepared);
        settings.ApplicationName ??= "Orleans.Billing";
        settings.IncludeErrorDetail = false;
        settings.Multiplexing = false;
        settings.Enlist = false;

        // What a session was told at its start holds until its end.
        settings.NoResetOnClose = true;
        return settings;
    }

    /// <summary>The pool's connections.</summary>
    public static NpgsqlDataSource Pool(NpgsqlConnectionStringBuilder settings) => Source(settings);

    /// <summary>The connection of the commits, beside the pool: they never wait for reads.</summary>
    public static NpgsqlDataSource Writer(NpgsqlConnectionStringBuilder settings) =>
        Source(new(settings.ConnectionString) { MinPoolSize = 0, MaxPoolSize = 1, MaxAutoPrepare = 0 });

    private static NpgsqlDataSource Source(NpgsqlConnectionStringBuilder settings) => new NpgsqlDataSourceBuilder(settings.ConnectionString)
        .UsePhysicalConnectionInitializer(
            static connection =>
            {
                using var command = new NpgsqlCommand(Durable, connection);
                command.ExecuteNonQuery();
            },
            static async connection =>
            {
                await using var command = new NpgsqlCommand(Durable, connection);
                await command.ExecuteNonQueryAsync();
            })
        .Build();
}
