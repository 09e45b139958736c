using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;

namespace Billing.Tests.Support;

/// <summary>
/// The real silo as a process of its own, on free ports, and on a new data folder that is deleted at the end unless it is given one.
/// It can be killed as by a power cut and started again on the same data and ports.
/// </summary>
internal sealed class SiloProcess : IAsyncDisposable
{
    private const int LogLinesMax = 200;

    // Settings of the machine that would lead the silo to other services than its own sandbox.
    private static readonly string[] ForeignSettings = ["BILLING_", "STRIPE_", "KAFKA_", "EVENTHUBS_", "ASPNETCORE_", "DOTNET_ENVIRONMENT", "CRASH_AT"];

    private static readonly TimeSpan ReadyWithin = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan AskEvery = TimeSpan.FromMilliseconds(50);

    private readonly DirectoryInfo data;
    private readonly bool ownsData;
    private readonly ConcurrentQueue<string> log = new();
    private readonly Dictionary<string, string> settings;
    private Process? process;

    private SiloProcess(string catalogPath, DateTimeOffset? clock, string? dataFolder, IReadOnlyDictionary<string, string>? with)
    {
        ownsData = dataFolder is null;
        data = dataFolder is null ? Directory.CreateTempSubdirectory("billing-silo-") : new(dataFolder);
        var (url, sandbox) = FreeUrls();
        Url = url;
        SandboxUrl = sandbox;
        settings = new(StringComparer.Ordinal)
        {
            ["BILLING_URL"] = url.GetLeftPart(UriPartial.Authority),
            ["BILLING_SANDBOX_URL"] = sandbox.GetLeftPart(UriPartial.Authority),
            ["BILLING_DATA"] = data.FullName,
            ["BILLING_DATABASE"] = "sqlite",
            ["BILLING_ADMIN_KEY"] = Key,
            ["BILLING_CATALOG"] = catalogPath,
        };
        if (clock is { } start) settings["BILLING_CLOCK"] = start.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'");
        foreach (var (name, value) in with ?? new Dictionary<string, string>()) settings[name] = value;
    }

    /// <summary>Where the API listens.</summary>
    public Uri Url { get; }

    /// <summary>Where its sandbox Stripe listens.</summary>
    public Uri SandboxUrl { get; }

    /// <summary>A key with all scopes.</summary>
    public string Key { get; } = "key-of-a-test-silo-" + Guid.NewGuid().ToString("N");

    /// <summary>The folder of its store.</summary>
    public string DataFolder => data.FullName;

    /// <summary>The last lines that the silo wrote, of all its starts.</summary>
    public string Log => string.Join('\n', log);

    /// <summary>The process, for what is done to it from outside.</summary>
    public int ProcessId => process!.Id;

    /// <summary>Starts a silo and waits until it is ready.</summary>
    /// <param name="catalogPath">The catalogue that a new store begins with.</param>
    /// <param name="clock">Where the clock of a new store stands; null lets it run.</param>
    /// <param name="dataFolder">The folder of the store, which is left there at the end; null makes one.</param>
    /// <param name="with">More settings.</param>
    /// <exception cref="SiloFailedException">It was not found or did not become ready; the message holds its log.</exception>
    public static async Task<SiloProcess> StartAsync(
        string catalogPath, DateTimeOffset? clock, string? dataFolder = null, IReadOnlyDictionary<string, string>? with = null)
    {
        var silo = new SiloProcess(catalogPath, clock, dataFolder, with);
        try
        {
            await silo.StartAgainAsync();
            return silo;
        }
        catch
        {
            await silo.DisposeAsync();
            throw;
        }
    }

    /// <summary>Starts the silo on the data it has and waits until it is ready.</summary>
    /// <exception cref="SiloFailedException">It was not found or did not become ready; the message holds its log.</exception>
    public async Task StartAgainAsync()
    {
        var program = FindProgram();
        var start = new ProcessStartInfo(Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") ?? "dotnet", [program])
        {
            UseShellExecute = false,
            WorkingDirectory = Path.GetDirectoryName(program),
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (var name in start.Environment.Keys.Where(name => ForeignSettings.Any(name.StartsWith)).ToList())
            start.Environment.Remove(name);

        foreach (var (name, value) in settings)
            start.Environment[name] = value;

        process = new Process { StartInfo = start };
        process.OutputDataReceived += (_, line) => Note(line.Data);
        process.ErrorDataReceived += (_, line) => Note(line.Data);
        process.Start();
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        await WaitUntilReadyAsync(process);
    }

    /// <summary>Ends the silo with SIGKILL, and only it, and waits until it is gone.</summary>
    public void Kill()
    {
        if (process is null)
            return;

        if (!process.HasExited)
            process.Kill();

        process.WaitForExit();
        process.Dispose();
        process = null;
    }

    /// <summary>Asks the silo to drain and stop, with SIGTERM, and waits until it is gone.</summary>
    /// <returns>Its exit code.</returns>
    public async Task<int> StopAsync()
    {
        await SignalAsync("-TERM");
        return await EndedAsync();
    }

    /// <summary>Freezes the silo: no thread of it runs until it is thawed.</summary>
    public async Task FreezeAsync()
    {
        await SignalAsync("-STOP");
        await Eventually.True(() => Directory.GetDirectories($"/proc/{ProcessId}/task").All(IsStopped), "every thread of the silo is stopped");

        // The state is the letter behind the name, which stands in brackets.
        static bool IsStopped(string thread) => File.ReadAllText(Path.Combine(thread, "stat")) is var stat && stat[stat.LastIndexOf(')') + 2] == 'T';
    }

    /// <summary>Lets a frozen silo go on where it stood.</summary>
    public Task ThawAsync() => SignalAsync("-CONT");

    /// <summary>Waits until the silo has ended by itself.</summary>
    /// <returns>Its exit code: 128 and the number of the signal that ended it, 137 for SIGKILL.</returns>
    public async Task<int> EndedAsync()
    {
        using var patience = new CancellationTokenSource(ReadyWithin);
        await process!.WaitForExitAsync(patience.Token);
        var code = process.ExitCode;
        process.Dispose();
        process = null;
        return code;
    }

    /// <summary>Changes a setting for the starts to come; null takes it away.</summary>
    public void Set(string name, string? value)
    {
        if (value is null) settings.Remove(name);
        else settings[name] = value;
    }

    /// <summary>A client with the key, for this silo only.</summary>
    public HttpClient CreateClient()
    {
        var client = new HttpClient { BaseAddress = Url };
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", Key);
        return client;
    }

    public ValueTask DisposeAsync()
    {
        Kill();
        if (ownsData) data.Delete(recursive: true);
        return ValueTask.CompletedTask;
    }

    // Two projects side by side in the tree of build products: .../bin/Tests/debug and .../bin/Silo/debug.
    private static string FindProgram()
    {
        var here = new DirectoryInfo(AppContext.BaseDirectory);
        var beside = Path.Combine(here.Parent!.Parent!.FullName, "Silo", here.Name, "Billing.Silo.dll");
        return File.Exists(beside)
            ? beside
            : throw new SiloFailedException($"The silo was not found at {beside}: build the solution first.");
    }

    private static (Uri Api, Uri Sandbox) FreeUrls()
    {
        using var api = new TcpListener(IPAddress.Loopback, 0);
        using var sandbox = new TcpListener(IPAddress.Loopback, 0);
        api.Start();
        sandbox.Start();
        return (UrlOf(api), UrlOf(sandbox));

        static Uri UrlOf(TcpListener listener) => new($"http://127.0.0.1:{((IPEndPoint)listener.LocalEndpoint).Port}/");
    }

    private async Task WaitUntilReadyAsync(Process started)
    {
        using var client = CreateClient();
        using var timer = new PeriodicTimer(AskEvery);
        var began = Stopwatch.GetTimestamp();
        while (!await IsReadyAsync(client))
        {
            if (started.HasExited)
            {
                // Without a time-out this returns only when both streams were read to their end.
                await started.WaitForExitAsync();
                throw new SiloFailedException($"The silo is not ready: it ended with code {started.ExitCode}. Its log:\n{Log}");
            }

            if (Stopwatch.GetElapsedTime(began) > ReadyWithin)
                throw new SiloFailedException($"The silo is not ready after {ReadyWithin.TotalSeconds:0} s. Its log:\n{Log}");

            await timer.WaitForNextTickAsync();
        }
    }

    private static async Task<bool> IsReadyAsync(HttpClient client)
    {
        try
        {
            using var answer = await client.GetAsync("readyz");
            return answer.StatusCode == HttpStatusCode.OK;
        }
        catch (HttpRequestException)
        {
            return false;
        }
    }

    private async Task SignalAsync(string signal)
    {
        using var kill = Process.Start("kill", [signal, $"{ProcessId}"]);
        await kill.WaitForExitAsync();
    }

    private void Note(string? line)
    {
        if (line is null)
            return;

        log.Enqueue(line);
        while (log.Count > LogLinesMax)
            log.TryDequeue(out _);
    }
}

/// <summary>The silo could not be started.</summary>
internal sealed class SiloFailedException(string message) : Exception(message);
