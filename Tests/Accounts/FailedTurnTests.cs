using System.Globalization;
using System.Text.Json;
using Billing.Journal;
using Billing.Plans;
using Billing.Silo.Storage;
using Billing.Silo.Storage.Sqlite;
using Billing.Tests.Support;
using Microsoft.Extensions.DependencyInjection;

namespace Billing.Tests.Accounts;

/// <summary>A turn that fails in the middle leaves nothing behind: neither in the journal nor in the answers that follow.</summary>
public sealed class FailedTurnTests
{
    // The period ended on 1 February and its grace on the 4th while the platform was down, so one turn drafts and finalises:
    // the draft is folded in, then building the invoice fails. A draft that stayed in memory only would be billed twice.
    [Fact]
    public async Task AFailureAfterFactsWereFoldedIn_IsAnsweredAndForgotten()
    {
        using var folder = new TemporaryFolder();
        await using (var before = await TestPlatform.Open(folder)) await before.Api.Open("acme", "desk-basic");
        await SetClock(folder, new(2026, 2, 5, 0, 0, 0, TimeSpan.Zero));
        var catalogs = new BreakableCatalogs(new(CatalogReader.Read(await File.ReadAllBytesAsync(folder.File("catalog.json"))).Catalog!));
        await using (var platform = await TestPlatform.Open(folder, builder => builder.Services.AddSingleton<ICatalogs>(catalogs)))
        {
            var failed = await platform.Api.Get("/v1/accounts/acme");
            catalogs.Broken = false;

            Assert.Equal(503, failed.Status);
            Assert.Equal("urn:orleans-billing:problem:failed", failed.Json.GetProperty("type").GetString());
            Assert.Equal([1, 2], await InvoiceNumbers(platform));
        }

        await using var again = await TestPlatform.Open(folder);
        Assert.Equal([1, 2], await InvoiceNumbers(again));
    }

    // The invoice that is due cannot be built, so no event of the account can be decided.
    [Fact]
    public async Task EventsOfAnAccountWhoseTurnsFail_WaitUntilTheySucceed()
    {
        using var folder = new TemporaryFolder();
        await using (var before = await TestPlatform.Open(folder))
            await before.Api.Open("acme", "desk-basic");
        var now = new DateTimeOffset(2026, 2, 5, 0, 0, 0, TimeSpan.Zero);
        await SetClock(folder, now);
        var catalogs = new BreakableCatalogs(new(CatalogReader.Read(await File.ReadAllBytesAsync(folder.File("catalog.json"))).Catalog!));
        await using var platform = await TestPlatform.Open(folder, builder => builder.Services.AddSingleton<ICatalogs>(catalogs));

        var answer = await platform.Api.Events(ApiCaller.Lines, ApiCaller.Event("acme", "e1", now), ApiCaller.Event("acme", "e2", now));

        Assert.True(answer.Status == 200, answer.Text);
        Assert.Equal(["quarantined", "quarantined"], answer.Outcomes);
        Assert.Equal("account_failed", answer.Json.GetProperty("receipts")[0].GetProperty("reason").GetString());
        catalogs.Broken = false;
        await Eventually.True(async () => (await ((IWaitingEvents)platform.Store).Accounts()).Count == 0, "the events have been given to the account");
        var usage = await platform.Api.Get("/v1/accounts/acme/usage?meter=desk.tickets");
        Assert.Equal("2", usage.Json.GetProperty("items").EnumerateArray().Last().GetProperty("quantity").GetString());
    }

    // A newer release has written an entry, and then the older one was started again.
    [Fact]
    public async Task AccountWithAnEntryThatThisReleaseCannotRead_IsHeld()
    {
        using var folder = new TemporaryFolder();
        await using (var before = await TestPlatform.Open(folder))
        {
            await before.Api.Open("acme", "desk-basic");
            Assert.Equal(Appended.Yes, await before.Store.Append(new("acme", 2, DateTimeOffset.Parse(TestPlatform.Start), new byte[] { 99 }, default, null, null)));
        }

        await using var platform = await TestPlatform.Open(folder);

        var held = await platform.Api.Get("/v1/accounts/acme");
        held.IsProblem(503);
        Assert.Equal("urn:orleans-billing:problem:held", held.Json.GetProperty("type").GetString());
        Assert.Contains("entry 2 cannot be read by this release", held.Json.GetProperty("detail").GetString(), StringComparison.Ordinal);
        Assert.Equal(["quarantined"], (await platform.Api.Events(ApiCaller.Single, ApiCaller.Event("acme", "e1", DateTimeOffset.Parse(TestPlatform.Start)))).Outcomes);
    }

    private static async Task<List<int>> InvoiceNumbers(TestPlatform platform) =>
    [
        .. (await platform.Api.Get("/v1/accounts/acme/invoices")).Json.GetProperty("items").EnumerateArray()
            .Select(i => i.GetProperty("number")).Where(n => n.ValueKind == JsonValueKind.Number).Select(n => n.GetInt32()),
    ];

    private static async Task SetClock(TemporaryFolder folder, DateTimeOffset instant)
    {
        var store = await SqliteStore.Open(folder.File("data"));
        await ((ISettings)store).Set("billing_clock", "stands at " + instant.UtcTicks.ToString(CultureInfo.InvariantCulture));
        await store.DisposeAsync();
    }

    /// <summary>Fails where invoices are built, and nowhere before.</summary>
    private sealed class BreakableCatalogs(CompiledCatalog published) : ICatalogs
    {
        public bool Broken { get; set; } = true;

        public CompiledCatalog? Latest => published;

        public CompiledCatalog? Find(string version) =>
            Broken && Environment.StackTrace.Contains("InvoiceBuilder", StringComparison.Ordinal)
                ? throw new InvalidOperationException("broken for this test")
                : published;
    }
}
