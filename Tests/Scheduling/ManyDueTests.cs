using System.Collections.Concurrent;
using Billing.Accounts;
using Billing.Invoices;
using Billing.Silo.Charging;
using Billing.Silo.Storage;
using Billing.Tests.Support;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Orleans;

namespace Billing.Tests.Scheduling;

/// <summary>All merchants' periods end in the same minute, and again their graces; on one silo and on two that share a store.</summary>
public sealed class ManyDueTests
{
    private const int Merchants = 15_000;
    private const int AtOnce = 500;

    [Fact]
    public async Task FifteenThousandAccountsDueInOneMinute_AreAllDone()
    {
        using var folder = new TemporaryFolder();
        await using var platform = await TestPlatform.Open(folder, Charged(new()));

        await AllAreInvoicedOnce(Merchants, platform);
    }

    // Two schedulers find the same accounts due, each wakes them in its own process, and one of the two is fenced.
    [Fact]
    public async Task ThousandsDueInOneMinuteOnASharedStore_AreDoneOnceByTwoSilos()
    {
        var server = await PostgresServer.Shared;
        var database = await server.NewDatabase();
        using var folder = new TemporaryFolder();
        var stripe = new InstantStripe();
        await using (var left = await TestPlatform.Open(folder, Charged(stripe), database))
        await using (var right = await TestPlatform.Open(folder, Charged(stripe), database))
            await AllAreInvoicedOnce(Merchants / 10, left, right);
        await server.Drop(database);
    }

    private static Action<WebApplicationBuilder> Charged(InstantStripe stripe) => builder => builder.Services.AddSingleton<ICarryOut>(stripe);

    private static async Task AllAreInvoicedOnce(int merchants, params TestPlatform[] silos)
    {
        var grains = silos[0].Services.GetRequiredService<IGrainFactory>();
        var due = silos[0].Services.GetRequiredService<IDueTimes>();
        await ForAll(async id => Assert.Null((await Account(id).Open(new(id, $"{id}@example.test", null, null, ["desk-basic"], "test-1", "pm_card_visa", true, null))).Refusal));

        // The period ends on 1 February, its grace three days later.
        foreach (var advance in new[] { "P31D", "P3D" })
        {
            var now = await silos[0].Api.MoveClock(advance);
            await Eventually.True(async () => (await due.DueAt(now, 1)).Count == 0, $"after {advance} nothing is due");
        }

        var invoices = new ConcurrentDictionary<string, int>();
        await ForAll(async id => invoices[id] = (await Listed(id)).Items.Count(i => i.Number is not null));
        Assert.Equal(merchants, invoices.Count);
        Assert.All(invoices.Values, count => Assert.Equal(2, count));
        await Eventually.True(async () => await due.Next() == new DateTimeOffset(2026, 3, 1, 0, 0, 0, TimeSpan.Zero), "every charge has settled");

        IMerchantAccountGrain Account(string id) => grains.GetGrain<IMerchantAccountGrain>(id);

        // An activation that the other silo has overtaken asks for the same again.
        async Task<InvoicePage> Listed(string id)
        {
            var page = await Account(id).ListInvoices(0, 10);
            return page.Refusal is { Kind: RefusalKind.Retry } ? await Account(id).ListInvoices(0, 10) : page;
        }

        async Task ForAll(Func<string, Task> act)
        {
            foreach (var part in Enumerable.Range(0, merchants).Chunk(AtOnce)) await Task.WhenAll(part.Select(i => act($"shop-{i}")));
        }
    }
}
