using System.Diagnostics;
using System.Globalization;
using Billing.Benchmarks.Measuring;
using Npgsql;

namespace Billing.Benchmarks.Postgres;

/// <summary>
/// A PostgreSQL cluster of its own, on a Unix socket only, with the durability of production. It is deleted at the end:
/// a shell beside the server waits on a pipe from this process and stops the server when the pipe closes, so it goes even
/// when this process is killed.
/// </summary>
public sealed class TemporaryCluster : IAsyncDisposable
{
    private const string Supervise =
        """
        set -eu
        dir=$1
        bin=$2
        shift 2
        trap 'rm -rf "$dir"/*' EXIT
        "$bin/initdb" -D "$dir/data" -U postgres -A trust -E UTF8 --no-locale --no-sync >"$dir/initdb.log"
        "$bin/postgres" -D "$dir/data" "$@" >"$dir/log" 2>&1 &
        server=$!
        cat >/dev/null
        kill -INT "$server" 2>/dev/null || true
        wait "$server" || true
        """;

    private static readonly string[] Settings =
    [
        "fsync=on",
        "synchronous_commit=on",
        "full_page_writes=on",
        "shared_buffers=1GB",
        "max_wal_size=4GB",
        "checkpoint_timeout=15min",
        "wal_buffers=64MB",
        "max_connections=40",
        "jit=off",
        "listen_addresses=",
    ];

    private static readonly TimeSpan StartMax = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan StopMax = TimeSpan.FromSeconds(30);

    private readonly Process _supervisor;
    private readonly string _directory;

    private TemporaryCluster(Process supervisor, string directory, NpgsqlDataSource dataSource)
    {
        _supervisor = supervisor;
        _directory = directory;
        DataSource = dataSource;
    }

    public NpgsqlDataSource DataSource { get; }

    /// <summary>Memory of all the server's processes, in bytes.</summary>
    public long MemoryBytes => PeakMemory.OfFamily(ProcessId);

    /// <summary>Processor time that the server's processes have used which run now.</summary>
    public TimeSpan CpuTime => ProcessTime.OfFamily(ProcessId);

    private int ProcessId => int.Parse(File.ReadLines(Path.Combine(_directory, "data", "postmaster.pid")).First(), CultureInfo.InvariantCulture);

    /// <summary>Creates and starts a cluster.</summary>
    /// <param name="scratch">A directory on the measured disk.</param>
    /// <param name="connectionsMax">The most connections the data source opens.</param>
    public static async Task<TemporaryCluster> Start(string scratch, int connectionsMax)
    {
        var binaries = Binaries();
        var directory = Path.Combine(scratch, "postgres");
        // PostgreSQL refuses to run as root, and to use a directory that others can read.
        string[] owner = Environment.IsPrivilegedProcess ? ["--owner=postgres"] : [];
        using (var install = Process.Start("install", ["--directory", "--mode=700", .. owner, directory]))
        {
            await install.WaitForExitAsync();
        }

        string[] user = Environment.IsPrivilegedProcess ? ["runuser", "-u", "postgres", "--"] : [];
        var settings = Settings.Append($"unix_socket_directories={directory}").SelectMany(setting => new[] { "-c", setting });
        string[] command = ["--wait", .. user, "bash", "-c", Supervise, "bash", directory, binaries, .. settings];

        // A session of its own, or Ctrl-C would reach the server before its clients.
        var start = new ProcessStartInfo("setsid", command) { RedirectStandardInput = true, UseShellExecute = false, WorkingDirectory = "/" };
        var supervisor = Process.Start(start) ?? throw new InvalidOperationException("PostgreSQL was not started.");
        var connection = new NpgsqlConnectionStringBuilder
        {
            Host = directory,
            Username = "postgres",
            Database = "postgres",
            MaxPoolSize = connectionsMax,
            MinPoolSize = connectionsMax,
            MaxAutoPrepare = 0,
            CommandTimeout = 60,
        };
        var cluster = new TemporaryCluster(supervisor, directory, NpgsqlDataSource.Create(connection));
        try
        {
            await cluster.WaitUntilReady();
            return cluster;
        }
        catch
        {
            await cluster.DisposeAsync();
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        await DataSource.DisposeAsync();
        _supervisor.StandardInput.Close();
        using var stop = new CancellationTokenSource(StopMax);
        await _supervisor.WaitForExitAsync(stop.Token);
        _supervisor.Dispose();
    }

    private static string Binaries()
    {
        var directory = Environment.GetEnvironmentVariable("POSTGRES_BIN");
        return File.Exists(Path.Combine(directory ?? "", "initdb"))
            ? directory!
            : throw new InvalidOperationException("PostgreSQL's programs were not found: POSTGRES_BIN must name their directory, as ./bench does.");
    }

    private async Task WaitUntilReady()
    {
        var start = Stopwatch.GetTimestamp();
        while (true)
        {
            try
            {
                await using var connection = await DataSource.OpenConnectionAsync();
                return;
            }
            catch (NpgsqlException notYet) when (Stopwatch.GetElapsedTime(start) < StartMax && !_supervisor.HasExited)
            {
                _ = notYet;
                await Task.Delay(TimeSpan.FromMilliseconds(50));
            }
        }
    }
}
