using Billing.Silo.Hosting;
using Billing.Silo.Security;
using Billing.Silo.Storage;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Configuration;

namespace Billing.Tests.Support;

/// <summary>A whole platform inside the test process, on a store in a folder, or a database, that the test owns.</summary>
internal sealed class TestPlatform : IAsyncDisposable
{
    /// <summary>A key with all scopes.</summary>
    public const string Key = "key-of-a-test-platform";

    /// <summary>Where the clock of a new store stands.</summary>
    public const string Start = "2026-01-01T00:00:00Z";

    private readonly Platform _platform;

    private TestPlatform(Platform platform)
    {
        _platform = platform;
        Address = new(platform.Addresses.Single());
        Api = new(Address, Key);
    }

    public ApiCaller Api { get; }

    public Uri Address { get; }

    public IStore Store => _platform.Store;

    public IServiceProvider Services => _platform.Services;

    /// <summary>The key that has one scope only.</summary>
    public static string KeyFor(string scope) => $"key-that-may-only-{scope}";

    /// <summary>Starts a platform on the store in a folder, or on a new one.</summary>
    /// <param name="folder">Where the store is.</param>
    /// <param name="configure">Changes the host before it is built.</param>
    /// <param name="database">Where the store is instead: <c>BILLING_DATABASE</c>, which other platforms may share.</param>
    /// <param name="catalogJson">The catalogue that a new store begins with.</param>
    public static async Task<TestPlatform> Open(
        TemporaryFolder folder, Action<WebApplicationBuilder>? configure = null, string database = "sqlite", string catalogJson = TestCatalog.Json)
    {
        var catalog = folder.File("catalog.json");
        await File.WriteAllTextAsync(catalog, catalogJson);
        var data = folder.File("data");
        await AddKeys(data, database);
        return new(await Platform.Start(
        [
            $"--BILLING_DATA={data}",
            $"--BILLING_DATABASE={database}",
            "--BILLING_DATABASE_SHARED=true",
            "--BILLING_URL=http://127.0.0.1:0",
            "--BILLING_SANDBOX_URL=http://127.0.0.1:0",
            $"--BILLING_ADMIN_KEY={Key}",
            $"--BILLING_CATALOG={catalog}",
            $"--BILLING_CLOCK={Start}",
            "--Logging:LogLevel:Default=None",
        ], configure));
    }

    public async ValueTask DisposeAsync()
    {
        Api.Dispose();
        await _platform.DisposeAsync();
    }

    private static async Task AddKeys(string data, string database)
    {
        var settings = new ConfigurationBuilder().AddInMemoryCollection(new Dictionary<string, string?> { ["BILLING_DATA"] = data, ["BILLING_DATABASE"] = database, ["BILLING_DATABASE_SHARED"] = "true" }).Build();
        var store = await Stores.Open(settings);
        foreach (var scope in Scopes.All)
            await ((IApiKeyStore)store).Add(new(ApiKeys.HashOf(KeyFor(scope)), scope, DateTimeOffset.UnixEpoch));
        await store.DisposeAsync();
    }
}

/// <summary>One platform for all tests of a class.</summary>
public sealed class PlatformFixture : IAsyncLifetime
{
    private readonly TemporaryFolder _folder = new();
    private TestPlatform? _platform;

    internal TestPlatform Platform => _platform!;

    internal ApiCaller Api => Platform.Api;

    public async Task InitializeAsync() => _platform = await TestPlatform.Open(_folder);

    public async Task DisposeAsync()
    {
        await Platform.DisposeAsync();
        _folder.Dispose();
    }
}
