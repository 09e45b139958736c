using Billing.Silo.Storage;

namespace Billing.Tests.Storage;

/// <summary>What every adapter of the store must do with the tables beside the journal.</summary>
public abstract partial class StoreConformance : JournalConformance
{
    private protected IStore Store => (IStore)Journal;

    [Fact]
    public async Task Settings_AreKeptAndReplaced()
    {
        ISettings settings = Store;
        Assert.Null(await settings.Get("x"));
        await settings.Set("x", "1");
        await settings.Set("x", "2");

        await Reopen();

        Assert.Equal("2", await ((ISettings)Store).Get("x"));
    }

    [Fact]
    public async Task Catalogues_AreKeptInTheOrderOfPublishing_EachVersionOnce()
    {
        ICatalogStore catalogs = Store;
        Assert.True(await catalogs.Add(new("z", DateTimeOffset.UnixEpoch, "first"u8.ToArray())));
        Assert.True(await catalogs.Add(new("a", DateTimeOffset.UnixEpoch.AddTicks(1), "second"u8.ToArray())));
        Assert.False(await catalogs.Add(new("z", DateTimeOffset.UnixEpoch, "other"u8.ToArray())));

        await Reopen();

        var all = await ((ICatalogStore)Store).All();
        Assert.Equal([("z", 0L, "first"), ("a", 1L, "second")], all.Select(c => (c.Version, (c.PublishedAt - DateTimeOffset.UnixEpoch).Ticks, Text(c.Json))));
    }

    [Fact]
    public async Task ApiKeys_AreKept()
    {
        IApiKeyStore keys = Store;
        await keys.Add(new("hash", "read ingest", DateTimeOffset.UnixEpoch));
        await keys.Add(new("hash", "admin", DateTimeOffset.UnixEpoch));

        await Reopen();

        Assert.Equal([new("hash", "read ingest", DateTimeOffset.UnixEpoch)], await ((IApiKeyStore)Store).All());
    }

    [Fact]
    public async Task AnswerUnderAnIdempotencyKey_IsTheFirstOne()
    {
        IIdempotencyStore answers = Store;
        await answers.Add("key", new("hash", 201, "application/json", "/v1/accounts/a", [1, 2]));
        await answers.Add("key", new("other", 200, "", null, [3]));

        await Reopen();

        var found = await ((IIdempotencyStore)Store).Find("key");
        Assert.Equal(("hash", 201, "application/json", "/v1/accounts/a"), (found!.RequestHash, found.Status, found.ContentType, found.Location));
        Assert.Equal([1, 2], found.Body);
        Assert.Null(await ((IIdempotencyStore)Store).Find("none"));
    }

    // Two silos change the same setting, such as where the clock stands: neither undoes what the other did.
    [Fact]
    public async Task SettingReplaced_OnlyWhereItStillIsWhatItWas()
    {
        ISettings settings = Store;

        Assert.False(await settings.Replace("x", "0", "1"));
        Assert.True(await settings.Replace("x", null, "1"));
        Assert.False(await settings.Replace("x", null, "2"));
        Assert.False(await settings.Replace("x", "2", "3"));
        Assert.True(await settings.Replace("x", "1", "4"));

        await Reopen();

        Assert.Equal("4", await ((ISettings)Store).Get("x"));
    }

    [Fact]
    public async Task CataloguesBehindThoseThatAreKnown_AreGivenAlone()
    {
        ICatalogStore catalogs = Store;
        foreach (var version in new[] { "c", "b", "a" }) await catalogs.Add(new(version, DateTimeOffset.UnixEpoch, default));

        Assert.Equal(["b", "a"], (await catalogs.All(1)).Select(c => c.Version));
        Assert.Empty(await catalogs.All(3));
    }
}
