using System.Text.Json;
using Billing.Plans;
using Billing.Tests.Support;
using Microsoft.Extensions.DependencyInjection;

namespace Billing.Tests.Accounts;

/// <summary>A turn that fails in the middle leaves nothing behind: neither in the journal nor in the answers that follow.</summary>
public sealed class FailedTurnTests
{
    [Fact]
    public async Task AFailureAfterFactsWereFoldedIn_IsAnsweredAndForgotten()
    {
        using var folder = new TemporaryFolder();
        var broken = new BreakableCatalogs();
        await using (var platform = await TestPlatform.Open(folder, builder => builder.Services.AddSingleton<ICatalogs>(services => broken)))
        {
            broken.Inner = await Published(folder);
            await platform.Api.Open("acme", "desk-basic");

            // The period ends on 1 February and is finalised on the 4th: drafting succeeds, building the invoice fails.
            broken.Failing = true;
            await platform.Api.Post("/v1/sandbox/clock", """{ "now": "2026-02-05T00:00:00Z" }""");
            var failed = await platform.Api.Get("/v1/accounts/acme");
            broken.Failing = false;
            var invoices = await Invoices(platform);

            Assert.Equal(503, (int)failed.Status);
            Assert.Equal([1, 2], invoices.Select(i => i.GetProperty("number").GetInt32()));
        }

        await using var again = await TestPlatform.Open(folder);
        Assert.Equal([1, 2], (await Invoices(again)).Select(i => i.GetProperty("number").GetInt32()));
    }

    private static async Task<List<JsonElement>> Invoices(TestPlatform platform) =>
        [.. (await platform.Api.Get("/v1/accounts/acme/invoices")).Json.GetProperty("items").EnumerateArray()];

    private static async Task<CompiledCatalog> Published(TemporaryFolder folder) =>
        new(CatalogReader.Read(await File.ReadAllBytesAsync(folder.File("catalog.json"))).Catalog!);

    private sealed class BreakableCatalogs : ICatalogs
    {
        public CompiledCatalog? Inner { get; set; }

        public bool Failing { get; set; }

        public CompiledCatalog? Latest => Inner;

        public CompiledCatalog? Find(string version) => Failing ? throw new InvalidOperationException("broken for this test") : Inner;
    }
}
