using Billing.Silo.Storage;

namespace Billing.Tests.Storage;

/// <summary>What every adapter of the store must do with drafts of catalogue versions.</summary>
public abstract partial class StoreConformance
{
    private static readonly DateTimeOffset Drafted = DateTimeOffset.UnixEpoch.AddTicks(7);

    private protected ICatalogStore Catalogs => Store;

    /// <summary>Makes the store one of the release that knew no drafts.</summary>
    private protected abstract Task ToTheReleaseWithoutDrafts();

    [Fact]
    public async Task Drafts_AreKeptInTheOrderOfTheirVersions_TheNewestOfEach()
    {
        foreach (var draft in new[] { Draft("z", "first"), Draft("a", "second"), Draft("z", "third") }) Assert.True(await Catalogs.SaveDraft(draft));

        await Reopen();

        var drafts = await Catalogs.Drafts();
        Assert.Equal([("a", Drafted, "second", true), ("z", Drafted, "third", true)], drafts.Select(d => (d.Version, d.DraftedAt, Text(d.Json), d.IsWell)));
        Assert.Empty(await Catalogs.All());
    }

    [Fact]
    public async Task DraftPublished_IsBehindAllOthers_AndNoDraftAnyMore()
    {
        await Catalogs.Add(new("z", DateTimeOffset.UnixEpoch, "first"u8.ToArray()));
        await Catalogs.SaveDraft(Draft("a", "second"));

        Assert.True(await Catalogs.Publish(Draft("a", "second"), Drafted.AddDays(1)));
        await Reopen();

        Assert.Equal([("z", "first"), ("a", "second")], (await Catalogs.All()).Select(c => (c.Version, Text(c.Json))));
        Assert.Equal(Drafted.AddDays(1), (await Catalogs.All())[1].PublishedAt);
        Assert.Empty(await Catalogs.Drafts());
        Assert.False(await Catalogs.Publish(Draft("a", "second"), Drafted));
        Assert.False(await Catalogs.SaveDraft(Draft("a", "other")));
        Assert.Empty(await Catalogs.Drafts());
    }

    [Fact]
    public async Task DraftReplacedSinceItWasRead_IsNotPublished()
    {
        await Catalogs.SaveDraft(Draft("a", "first"));
        var read = Assert.Single(await Catalogs.Drafts());
        await Catalogs.SaveDraft(Draft("a", "other"));

        Assert.False(await Catalogs.Publish(read, Drafted));

        Assert.Empty(await Catalogs.All());
        Assert.Equal("other", Text(Assert.Single(await Catalogs.Drafts()).Json));
    }

    [Fact]
    public async Task DamagedDraft_IsNotWell()
    {
        await Catalogs.SaveDraft(Draft("a", "1.00"));

        await ChangeStored("UPDATE {0}catalog_drafts SET drafted_at = drafted_at + 1");

        Assert.False(Assert.Single(await Catalogs.Drafts()).IsWell);
    }

    [Fact]
    public async Task StoreOfTheReleaseWithoutDrafts_IsMigratedWithAllItHolds()
    {
        await Catalogs.Add(new("z", DateTimeOffset.UnixEpoch, "first"u8.ToArray()));
        await Append("a", 1, "one");
        await ToTheReleaseWithoutDrafts();

        await Reopen();

        Assert.Equal(["one"], await Facts("a"));
        Assert.Equal("first", Text(Assert.Single(await Catalogs.All()).Json));
        Assert.True(await Catalogs.SaveDraft(Draft("a", "second")));
    }

    private static CatalogDraft Draft(string version, string json) => CatalogDraft.Of(version, Drafted, System.Text.Encoding.UTF8.GetBytes(json));
}
