using System.Diagnostics;
using System.Globalization;
using Npgsql;

namespace Billing.Tests.Support;

/// <summary>
/// A real PostgreSQL server in a temporary folder, on a Unix socket only. A shell beside it waits on a pipe from this process, and
/// stops the server and deletes the folder when the pipe closes: so nothing is left even when this process is killed.
/// </summary>
internal sealed class PostgresServer : IAsyncDisposable
{
    private const string Supervise =
        """
        set -u
        dir=$1 bin=$2 wal=$3
        shift 3
        control() { "$bin/pg_ctl" -D "$dir/data" -s -w -t 60 "$@" >>"$dir/control.log" 2>&1; }
        trap 'control stop -m immediate; rm -rf "$dir"' EXIT
        "$bin/initdb" -D "$dir/data" -U postgres -A trust -E UTF8 --no-locale --no-sync ${wal:+"--waldir=$wal" --wal-segsize=1} >"$dir/control.log" 2>&1 || { cat "$dir/control.log" >&2; exit 1; }
        printf '%s\n' "$@" >>"$dir/data/postgresql.conf"
        while read -r verb argument; do
          case $verb in
            start) control -l "$dir/log" start ;;
            crash) control stop -m immediate; control -l "$dir/log" start ;;
            stop) control stop -m "$argument" ;;
            save) cp -a "$dir/data" "$dir/saved" ;;
            restore) rm -rf "$dir/data" && mv "$dir/saved" "$dir/data" ;;
          esac
          echo "$?"
        done
        """;

    private static readonly string[] Settings =
    [
        "listen_addresses = ''",
        "max_connections = 60",
        "shared_buffers = 64MB",
        "max_wal_size = 256MB",
        "jit = off",
        "autovacuum_naptime = 10min",
    ];

    private static readonly Lazy<Task<PostgresServer>> One = new(() => Start());

    private readonly Process _supervisor;
    private readonly DirectoryInfo _folder;
    private int _databases;

    private PostgresServer(Process supervisor, DirectoryInfo folder)
    {
        _supervisor = supervisor;
        _folder = folder;
    }

    /// <summary>The server that all tests of a run share, each on a database of its own.</summary>
    public static Task<PostgresServer> Shared => One.Value;

    /// <summary>What the server has logged.</summary>
    public string Log => File.ReadAllText(Path.Combine(_folder.FullName, "log"));

    /// <summary>Makes a server and starts it.</summary>
    /// <param name="settings">Lines of <c>postgresql.conf</c>, beside those of every test server.</param>
    public static Task<PostgresServer> Start(params string[] settings) => StartOn("", settings);

    /// <summary>Makes a server and starts it.</summary>
    /// <param name="log">An empty folder for its write-ahead log, in segments of 1 MiB; empty for a place beside the data.</param>
    /// <param name="settings">Lines of <c>postgresql.conf</c>, beside those of every test server.</param>
    public static async Task<PostgresServer> StartOn(string log, params string[] settings)
    {
        var folder = Directory.CreateTempSubdirectory("billing-postgres-");
        // PostgreSQL refuses to run as root.
        string[] user = [];
        if (Environment.IsPrivilegedProcess)
        {
            user = ["runuser", "-u", "postgres", "--"];
            await Run("chown", "postgres", folder.FullName);
        }

        // A session of its own, or Ctrl-C would reach the server before its clients.
        string[] command =
        [
            // Where PostgreSQL's user may not change the folder around it, the folder itself goes after its content.
            "--wait", "bash", "-c", """trap '' INT HUP; "${@:2}"; rm -rf "$1" """, "bash", folder.FullName,
            .. user, "bash", "-c", Supervise, "bash", folder.FullName, Binaries(), log,
            .. Settings, .. settings, $"unix_socket_directories = '{folder.FullName}'",
        ];
        var start = new ProcessStartInfo("setsid", command) { RedirectStandardInput = true, RedirectStandardOutput = true, UseShellExecute = false, WorkingDirectory = "/" };
        var server = new PostgresServer(Process.Start(start)!, folder);
        await server.StartAgain();
        return server;
    }

    public Task StartAgain() => Control("start");

    /// <summary>Stops the server: <c>fast</c> with a checkpoint, <c>immediate</c> as by a crash.</summary>
    public Task Stop(string mode) => Control("stop " + mode);

    /// <summary>Starts the server again, whether or not it still runs.</summary>
    public Task Restart() => Control("crash");

    /// <summary>Copies the data of the stopped server.</summary>
    public Task Save() => Control("save");

    /// <summary>Puts the copied data back in place of what the stopped server has.</summary>
    public Task Restore() => Control("restore");

    /// <summary>Makes a new, empty database.</summary>
    /// <returns>Its connection string.</returns>
    public async Task<string> NewDatabase(string options = "")
    {
        var name = string.Create(CultureInfo.InvariantCulture, $"test_{Interlocked.Increment(ref _databases)}");
        await Execute($"CREATE DATABASE {name} {options}");
        return ConnectionTo(name);
    }

    /// <summary>Deletes a database with whatever still uses it.</summary>
    public async Task Drop(string connectionString) =>
        await Execute($"DROP DATABASE {new NpgsqlConnectionStringBuilder(connectionString).Database} WITH (FORCE)");

    /// <summary>Runs SQL as the server's owner.</summary>
    public Task<object?> Execute(string sql) => Execute(ConnectionTo("postgres"), sql);

    /// <summary>Runs SQL in a database.</summary>
    /// <returns>The first value of the first row.</returns>
    public static async Task<object?> Execute(string connectionString, string sql)
    {
        await using var connection = new NpgsqlConnection(new NpgsqlConnectionStringBuilder(connectionString) { Pooling = false }.ConnectionString);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        return await command.ExecuteScalarAsync();
    }

    public async ValueTask DisposeAsync()
    {
        _supervisor.StandardInput.Close();
        await _supervisor.WaitForExitAsync();
        _supervisor.Dispose();
    }

    private static string Binaries()
    {
        if (Environment.GetEnvironmentVariable("POSTGRES_BIN") is { Length: > 0 } named) return named;
        var newest = Directory.Exists("/usr/lib/postgresql")
            ? Directory.GetDirectories("/usr/lib/postgresql").OrderBy(d => int.TryParse(Path.GetFileName(d), out var major) ? major : 0).LastOrDefault()
            : null;
        return newest is not null
            ? Path.Combine(newest, "bin")
            : throw new InvalidOperationException("PostgreSQL's programs were not found: install Debian's postgresql, as ./test does, or let POSTGRES_BIN name their folder.");
    }

    private static async Task Run(string program, params string[] arguments)
    {
        using var process = Process.Start(program, arguments);
        await process.WaitForExitAsync();
        Assert.Equal(0, process.ExitCode);
    }

    private string ConnectionTo(string database) =>
        new NpgsqlConnectionStringBuilder { Host = _folder.FullName, Username = "postgres", Database = database }.ConnectionString;

    private async Task Control(string command)
    {
        await _supervisor.StandardInput.WriteLineAsync(command);
        await _supervisor.StandardInput.FlushAsync();
        var answer = await _supervisor.StandardOutput.ReadLineAsync();
        if (answer != "0") throw new InvalidOperationException($"PostgreSQL did not {command}: {Log}");
    }
}
