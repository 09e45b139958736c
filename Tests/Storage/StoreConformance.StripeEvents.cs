using Billing.Silo.Storage;

namespace Billing.Tests.Storage;

/// <summary>The events that Stripe has told.</summary>
public abstract partial class StoreConformance
{
    private IStripeEvents Told => Store;

    [Fact]
    public async Task StripeEvents_AreGivenBackAsTheyWereNotedUntilTheyAreProcessed()
    {
        var whole = Paid("evt_b");
        var bare = new StripeEvent("evt_a", "balance.available", long.MaxValue, Noon, null, null, null, null);
        Assert.Equal(StripeEventNews.New, await Told.Add(whole));
        Assert.Equal(StripeEventNews.New, await Told.Add(bare));

        await Reopen();

        Assert.Equal([bare, whole], await Told.Pending("", 10));
        await Told.Processed(["evt_b", "evt_of_nobody"]);
        await Told.Processed([]);

        await Reopen();

        Assert.Equal([bare], await Told.Pending("", 10));
    }

    [Fact]
    public async Task PendingStripeEvents_ComeInPages()
    {
        foreach (var id in new[] { "evt_3", "evt_1", "evt_5", "evt_2", "evt_4" }) await Told.Add(Paid(id) with { ObjectId = id });
        await Told.Processed(["evt_2"]);

        var first = await Told.Pending("", 2);
        var second = await Told.Pending(first[^1].Id, 2);

        Assert.Equal(["evt_1", "evt_3"], first.Select(e => e.Id));
        Assert.Equal(["evt_4", "evt_5"], second.Select(e => e.Id));
        Assert.Empty(await Told.Pending(second[^1].Id, 2));
    }

    [Fact]
    public async Task StripeEventOfAKnownId_IsADuplicateWhateverItSays()
    {
        await Told.Add(Paid("evt_a"));
        await Told.Processed(["evt_a"]);

        await Reopen();

        Assert.Equal(StripeEventNews.Duplicate, await Told.Add(Paid("evt_a")));
        Assert.Equal(StripeEventNews.Duplicate, await Told.Add(Paid("evt_a") with { ObjectId = "in_2", Type = "invoice.voided", Created = 1 }));
        Assert.Empty(await Told.Pending("", 10));
    }

    [Fact]
    public async Task StripeEventOfTheSameObjectTypeAndSecond_IsADuplicate()
    {
        await Told.Add(Paid("evt_a"));

        Assert.Equal(StripeEventNews.Duplicate, await Told.Add(Paid("evt_b")));
        Assert.Equal(StripeEventNews.New, await Told.Add(Paid("evt_c") with { ObjectId = "in_2" }));
        Assert.Equal(StripeEventNews.New, await Told.Add(Paid("evt_d") with { Type = "invoice.updated" }));
        Assert.Equal(StripeEventNews.New, await Told.Add(Paid("evt_e") with { Created = 1_700_000_001 }));
        Assert.Equal(StripeEventNews.New, await Told.Add(Paid("evt_f") with { ObjectId = null }));
        Assert.Equal(StripeEventNews.New, await Told.Add(Paid("evt_g") with { ObjectId = null }));

        Assert.Equal(["evt_a", "evt_c", "evt_d", "evt_e", "evt_f", "evt_g"], (await Told.Pending("", 10)).Select(e => e.Id));
    }

    [Fact]
    public async Task StripeEventAddedByManyAtOnce_IsNewsOnce()
    {
        var news = await Task.WhenAll(Enumerable.Range(0, 20).Select(i => Told.Add(Paid($"evt_{i % 4}"))));

        Assert.Single(news, StripeEventNews.New);
        Assert.Single(await Told.Pending("", 100));
    }

    [Fact]
    public async Task OldStripeEvents_AreDroppedOnceTheyAreProcessed()
    {
        const int Old = 450;
        var ids = Enumerable.Range(0, Old).Select(i => $"evt_{i}").ToList();
        await Task.WhenAll(ids.Select(id => Told.Add(Paid(id) with { ObjectId = id, ReceivedAt = Noon.AddTicks(-1) })));
        await Told.Add(Paid("evt_young"));
        await Told.Processed([.. ids.Skip(1), "evt_young"]);

        var dropped = await Told.Drop(Noon, default);

        Assert.Equal(Old - 1, dropped);
        Assert.Equal(0, await Told.Drop(Noon, default));
        await Reopen();
        Assert.Equal(["evt_0"], (await Told.Pending("", 10)).Select(e => e.Id));
        Assert.Equal(StripeEventNews.Duplicate, await Told.Add(Paid("evt_young")));
        Assert.Equal(StripeEventNews.New, await Told.Add(Paid("evt_1") with { ObjectId = "evt_1" }));
    }

    private protected static StripeEvent Paid(string id) => new(id, "invoice.paid", 1_700_000_000, Noon, "in_1", "in_1", "shop \u00e9", "shop/1/1");
}
