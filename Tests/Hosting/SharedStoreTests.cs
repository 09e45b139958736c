using System.Text;
using Billing.Plans;
using Billing.Silo.Catalogs;
using Billing.Silo.Hosting;
using Billing.Silo.Security;
using Billing.Silo.Storage;
using Billing.Tests.Support;
using Microsoft.Extensions.DependencyInjection;

namespace Billing.Tests.Hosting;

/// <summary>Two silos on one PostgreSQL store, each with the grains in its own process.</summary>
public sealed class SharedStoreTests : IAsyncLifetime
{
    private readonly TemporaryFolder _folder = new();
    private PostgresServer _server = null!;
    private string _database = null!;
    private TestPlatform _left = null!;
    private TestPlatform _right = null!;

    public async Task InitializeAsync()
    {
        _server = await PostgresServer.Shared;
        _database = await _server.NewDatabase();
        _left = await TestPlatform.Open(_folder, database: _database);
        _right = await TestPlatform.Open(_folder, database: _database);
    }

    public async Task DisposeAsync()
    {
        await _left.DisposeAsync();
        await _right.DisposeAsync();
        await _server.Drop(_database);
        _folder.Dispose();
    }

    [Fact]
    public async Task WhatOneSiloChanges_ReachesTheOther()
    {
        var moved = await _left.Api.MoveClock("P3D");
        await _left.Services.GetRequiredService<ICatalogStore>().Add(Version("test-2"));
        await ((IApiKeyStore)_left.Store).Add(new(ApiKeys.HashOf("a key made on the left silo"), Scopes.Read, moved));

        await Eventually.True(async () => await _right.Api.Now() == moved, "the clock of the other silo stands where it was moved to");
        await Eventually.True(() => _right.Services.GetRequiredService<ICatalogs>().Latest!.Catalog.Version == "test-2", "the other silo sells from the new catalogue");
        using var caller = new ApiCaller(_right.Address, "a key made on the left silo");
        await Eventually.True(async () => (await caller.Get("/v1/accounts")).Status == 200, "the other silo knows the key");
    }

    [Fact]
    public async Task ClockMovedOnBothSilos_NeverGoesBack()
    {
        var far = await _left.Api.MoveClock("P10D");

        var later = await _right.Api.MoveClock("P1D");

        Assert.True(later >= far, $"{later:o}");
        await Eventually.True(async () => await _left.Api.Now() >= far && await _right.Api.Now() >= far, "both silos are at the later time");
    }

    // The silo has not looked for new catalogues yet.
    [Fact]
    public async Task AccountOnACatalogueThatIsNotKnownYet_IsLookedUpWhenItIsFirstNeeded()
    {
        await using var late = await TestPlatform.Open(
            _folder, builder => builder.Services.Remove(builder.Services.Single(s => s.ImplementationType == typeof(SharedStoreRefresh))), _database);
        await _left.Services.GetRequiredService<ICatalogStore>().Add(Version("test-2"));
        await _left.Services.GetRequiredService<PublishedCatalogs>().Refresh();
        await _left.Api.Open("acme", "desk-basic");

        var answer = await late.Api.Get("/v1/accounts/acme");

        Assert.True(answer.Status == 200, answer.Text);
        Assert.Contains("test-2", answer.Text, StringComparison.Ordinal);
    }

    // F19: an activation on each silo, and each event sent to both.
    [Fact]
    public async Task EventsOfAnAccountSentToBothSilos_CountOnce()
    {
        const int Events = 40;
        var now = await _left.Api.Now();
        await _left.Api.Open("acme", "desk-basic");

        await Task.WhenAll(SendAll(_left), SendAll(_right));

        foreach (var platform in new[] { _left, _right })
        {
            // What an activation shows may be behind the other's; the next append tells it.
            await Send(platform, "one more");
            var usage = await platform.Api.Get("/v1/accounts/acme/usage?meter=desk.tickets");
            Assert.Equal($"{Events + 1}", usage.Json.GetProperty("items")[0].GetProperty("quantity").GetString());
        }

        async Task SendAll(TestPlatform platform)
        {
            for (var i = 0; i < Events; i++) await Send(platform, $"event {i}");
        }

        async Task Send(TestPlatform platform, string id) => await Eventually.True(
            async () => await platform.Api.Events(ApiCaller.Single, ApiCaller.Event("acme", id, now)) is { Status: 200 } answer && answer.Outcomes[0] is "accepted" or "duplicate",
            $"{id} is stored");
    }

    [Fact]
    public async Task SiloProcessKilledAndStartedAgain_HasWhatItAnswered()
    {
        await File.WriteAllTextAsync(_folder.File("catalog.json"), TestCatalog.Json);
        var database = await _server.NewDatabase();
        await using var silo = await SiloProcess.StartAsync(_folder.File("catalog.json"), DateTimeOffset.Parse(TestPlatform.Start, null), with: new Dictionary<string, string> { ["BILLING_DATABASE"] = database });
        using var api = new ApiCaller(silo.Url, silo.Key);
        await api.Open("acme", "desk-basic");
        var sent = ApiCaller.Event("acme", "1", await api.Now());
        Assert.Equal(["accepted"], (await api.Events(ApiCaller.Single, sent)).Outcomes);

        silo.Kill();
        await silo.StartAgainAsync();

        Assert.Equal(["duplicate"], (await api.Events(ApiCaller.Single, sent)).Outcomes);
        Assert.DoesNotContain("Password", silo.Log, StringComparison.OrdinalIgnoreCase);
        silo.Kill();
        await _server.Drop(database);
    }

    private static StoredCatalog Version(string version) => new(
        version, DateTimeOffset.UnixEpoch, Encoding.UTF8.GetBytes(TestCatalog.Json.Replace("\"test-1\"", $"\"{version}\"", StringComparison.Ordinal)));
}
