using Billing.Silo.Hosting;
using Billing.Silo.Storage;
using Billing.Silo.Storage.Postgres;
using Billing.Silo.Storage.Sqlite;
using Billing.Tests.Support;
using Microsoft.AspNetCore.Builder;

namespace Billing.Tests.Faults;

/// <summary>A store that faults are tried on, and the platforms that run on it: a process of its own, or one inside the test.</summary>
internal sealed class FaultStore : IAsyncDisposable
{
    public const string Sqlite = "sqlite";
    public const string Postgres = "postgres";

    /// <summary>Where the clock of a new store stands.</summary>
    public static readonly DateTimeOffset Start = DateTimeOffset.Parse(TestPlatform.Start);

    private readonly TemporaryFolder _folder = new();

    private FaultStore(string? dataFolder, string? database)
    {
        Database = database;
        File.WriteAllText(CatalogPath, TestCatalog.Json);
        DataFolder = dataFolder ?? _folder.File("data");
        Directory.CreateDirectory(DataFolder);
    }

    /// <summary>The stores that every fault is tried on.</summary>
    public static IReadOnlyList<string> Kinds { get; } = [Sqlite, Postgres];

    /// <summary>The same, for a theory.</summary>
    public static TheoryData<string> All => [.. Kinds];

    /// <summary>The PostgreSQL database; null for the embedded store.</summary>
    public string? Database { get; }

    /// <summary>Where the files of the embedded store are.</summary>
    public string DataFolder { get; }

    private string CatalogPath => _folder.File("catalog.json");

    /// <summary>Makes a store.</summary>
    /// <param name="kind">One of <see cref="Kinds"/>.</param>
    /// <param name="dataFolder">Where its files are; null for a folder of its own.</param>
    public static async Task<FaultStore> New(string kind, string? dataFolder = null) =>
        new(dataFolder, kind == Postgres ? await (await PostgresServer.Shared).NewDatabase() : null);

    /// <summary>Takes a store in a database that the caller owns.</summary>
    public static FaultStore In(string database) => new(null, database);

    /// <summary>Opens the store alone, without a silo.</summary>
    public async Task<IStore> OpenAlone() => Database is null ? await SqliteStore.Open(DataFolder) : await PostgresStore.Open(Database);

    /// <summary>Starts the silo on the store as a process that can be killed.</summary>
    /// <param name="with">More settings.</param>
    public Task<SiloProcess> StartSilo(params (string Name, string Value)[] with) => StartSilo(Start, with);

    /// <summary>Starts the silo on the store as a process that can be killed.</summary>
    /// <param name="clock">Where the clock of a new store stands; null lets it run.</param>
    /// <param name="with">More settings.</param>
    public Task<SiloProcess> StartSilo(DateTimeOffset? clock, params (string Name, string Value)[] with) =>
        SiloProcess.StartAsync(CatalogPath, clock, DataFolder, with.Append(("BILLING_DATABASE", Database ?? Sqlite)).ToDictionary(s => s.Item1, s => s.Item2));

    /// <summary>Starts the platform on the store inside this process, which costs less.</summary>
    /// <param name="clock">Where the clock of a new store stands; null for <see cref="Start"/>.</param>
    /// <param name="configure">Changes the host before it is built.</param>
    /// <param name="shared">Whether another silo may have the store too.</param>
    public async Task<OpenPlatform> Open(DateTimeOffset? clock = null, Action<WebApplicationBuilder>? configure = null, bool shared = false) => new(await Platform.Start(
    [
        $"--BILLING_DATA={DataFolder}",
        $"--BILLING_DATABASE={Database ?? Sqlite}",
        $"--BILLING_DATABASE_SHARED={(shared ? "true" : "false")}",
        "--BILLING_URL=http://127.0.0.1:0",
        "--BILLING_SANDBOX_URL=http://127.0.0.1:0",
        $"--BILLING_ADMIN_KEY={TestPlatform.Key}",
        $"--BILLING_CATALOG={CatalogPath}",
        $"--BILLING_CLOCK={clock ?? Start:yyyy-MM-dd'T'HH:mm:ss'Z'}",
        "--Logging:LogLevel:Default=None",
    ], configure));

    /// <summary>Deletes what can be derived from the journal.</summary>
    public async Task DeleteDerived()
    {
        foreach (var file in Directory.GetFiles(DataFolder, "index.db*")) File.Delete(file);
        if (Database is not null) await PostgresServer.Execute(Database, "TRUNCATE billing.snapshots, billing.segments");
    }

    public ValueTask DisposeAsync()
    {
        _folder.Dispose();
        return ValueTask.CompletedTask;
    }
}

/// <summary>A platform inside the test process.</summary>
internal sealed class OpenPlatform : IAsyncDisposable
{
    private readonly Platform _platform;

    public OpenPlatform(Platform platform)
    {
        _platform = platform;
        Api = new(new Uri(platform.Addresses.Single()), TestPlatform.Key);
    }

    public ApiCaller Api { get; }

    public IServiceProvider Services => _platform.Services;

    public async ValueTask DisposeAsync()
    {
        Api.Dispose();
        await _platform.DisposeAsync();
    }
}
