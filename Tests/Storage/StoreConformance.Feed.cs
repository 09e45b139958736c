using Billing.Accounts;
using Billing.Journal;
using Billing.Silo.Storage;

namespace Billing.Tests.Storage;

/// <summary>The order of all entries that a follower reads: the same for good, whole, and none twice.</summary>
public abstract partial class StoreConformance
{
    private protected IFeedEntries Feed => Store;

    /// <summary>Damages the entries that hold a text.</summary>
    private protected abstract Task DamageEntries(string text);

    /// <summary>Takes the place in the feed from the entries of an account.</summary>
    private protected abstract Task LosePlacesInFeed(string account);

    /// <summary>Makes the store one of the release that had no feed.</summary>
    private protected abstract Task ToTheReleaseWithoutAFeed();

    [Fact]
    public async Task FeedByAnyLimit_IsTheSameListInTheOrderOfTheCommits()
    {
        foreach (var account in new[] { "c", "a", "b" }) await Append(account, 1, $"1 of {account}");
        await Task.WhenAll(new[] { "c", "d", "a", "b" }.Select(a => Append(a, a == "d" ? 1 : 2, $"later of {a}")));
        await Append("a", 3, "3 of a");

        var whole = await Follow(100);

        Assert.Equal(["1 of c", "1 of a", "1 of b"], whole.Take(3).Select(Fact));
        Assert.Equal(["later of a", "later of b", "later of c", "later of d"], whole.Skip(3).Take(4).Select(Fact).Order());
        Assert.Equal(["3 of a"], whole.Skip(7).Select(Fact));
        for (var limit = 1; limit <= 9; limit++) Assert.Equal(Places(whole), Places(await Follow(limit)));
        await Reopen();
        Assert.Equal(Places(whole), Places(await Follow(2)));
    }

    [Fact]
    public async Task FeedBehindAnyEntry_IsTheRest()
    {
        for (var i = 1; i <= 3; i++) await Task.WhenAll(Append("a", i, $"{i}"), Append("b", i, $"{i}"));
        var whole = await Follow(100);

        for (var i = 0; i < whole.Count; i++) Assert.Equal(Places(whole[(i + 1)..]), Places(await Follow(2, whole[i].Place)));
    }

    [Fact]
    public async Task EntriesOfUsageAlone_AreNotInTheFeed()
    {
        await Task.WhenAll(Put("a", 1, Usage(false)), Put("b", 1, Usage(true)), Put("c", 1, Usage(false)));
        await Put("a", 2, Usage(false));
        await Put("a", 3, Usage(true));

        var whole = await Follow(1);

        Assert.Equal([("b", 1), ("a", 3)], whole.Select(e => (e.Place.Account, e.Place.Sequence)));
        Assert.All(whole, e => Assert.Equal(Usage(true), e.Facts.ToArray()));
        Assert.Empty(await Store.Check(default));
    }

    [Fact]
    public async Task FollowerBesideManyWriters_GetsEachEntryOnceAndThoseOfAnAccountInOrder()
    {
        const int Accounts = 12, Entries = 30;
        var writers = Task.WhenAll(Enumerable.Range(0, Accounts).Select(a => Task.Run(async () =>
        {
            for (var i = 1; i <= Entries; i++) Assert.Equal(Appended.Yes, await Append($"account {a}", i, $"{a}:{i}"));
        })));
        var seen = new List<FeedEntry>();

        do seen.AddRange(await Follow(7, seen.Count == 0 ? null : seen[^1].Place));
        while (!writers.IsCompleted);
        await writers;
        await Support.Eventually.True(
            async () =>
            {
                seen.AddRange(await Follow(7, seen.Count == 0 ? null : seen[^1].Place));
                return seen.Count >= Accounts * Entries;
            },
            "the feed has all that was acknowledged");

        for (var a = 0; a < Accounts; a++)
            Assert.Equal(Enumerable.Range(1, Entries).Select(i => $"{a}:{i}"), seen.Where(e => e.Place.Account == $"account {a}").Select(Fact));
        Assert.Equal(Places(seen), Places(await Follow(100)));
    }

    [Fact]
    public async Task EntriesThatAreLarge_ComeInSmallReads()
    {
        for (var i = 1; i <= 4; i++) await Append("a", i, $"{i}{new string('x', 700_000)}");

        Assert.Equal(2, (await Feed.ReadFeed(null, 100, default))!.Entries.Count);
        Assert.Equal([1, 2, 3, 4], (await Follow(100)).Select(e => e.Place.Sequence));
    }

    // As after a backup was put back that lacks what the follower had read.
    [Fact]
    public async Task PlaceThatTheStoreDoesNotHold_IsRefused()
    {
        Assert.Empty((await Feed.ReadFeed(null, 10, default))!.Entries);
        Assert.Null(await Feed.ReadFeed(new(1, "a", 1), 10, default));
        await Append("a", 1, "1");
        await Append("a", 2, "2");
        var (first, last) = ((await Follow(10))[0].Place, (await Follow(10))[1].Place);

        Assert.NotNull(await Feed.ReadFeed(last, 10, default));
        foreach (var other in new[] { last with { Commit = last.Commit + 1 }, last with { Commit = long.MaxValue }, last with { Account = "b" }, last with { Sequence = 1 }, first with { Sequence = 2 }, new(0, "", 0), last with { Account = "\0" } })
            Assert.Null(await Feed.ReadFeed(other, 10, default));
    }

    [Fact]
    public async Task EntriesOfTheReleaseWithoutAFeed_ComeFirst()
    {
        for (var i = 1; i <= 2; i++) await Task.WhenAll(Append("b", i, $"{i} of b"), Append("a", i, $"{i} of a"));
        await ToTheReleaseWithoutAFeed();

        await Reopen();
        await Append("a", 3, "3 of a");
        await Put("b", 3, Usage(false));

        var whole = await Follow(100);
        Assert.Equal(["1 of a", "1 of b", "2 of a", "2 of b"], whole.Take(4).Select(Fact).Order());
        Assert.Equal(["1 of b", "2 of b"], whole.Where(e => e.Place.Account == "b").Select(Fact));
        Assert.Equal(["3 of a"], whole.Skip(4).Select(Fact));
        for (var limit = 1; limit <= 5; limit++) Assert.Equal(Places(whole), Places(await Follow(limit)));
        Assert.Empty(await Store.Check(default));
        Assert.Equal(Places(whole), Places(await Follow(1)));
    }

    [Fact]
    public async Task DamagedEntry_IsToldAmongTheOthersAndHoldsItsAccount()
    {
        await Append("a", 1, "first of a");
        await Task.WhenAll(Append("a", 2, "second of a"), Append("b", 1, "first of b"));
        await Append("c", 1, "first of c");
        await DamageEntries("second of a");

        var whole = await Follow(1);

        Assert.Equal(["first of a", "first of b", "first of c", null], whole.Select(e => e.Damage is null ? Fact(e) : null).OrderBy(f => f is null).ThenBy(f => f));
        var damaged = Assert.Single(whole, e => e.Damage is not null);
        Assert.Equal(("a", 2), (damaged.Place.Account, damaged.Place.Sequence));
        Assert.Contains("The journal is damaged at", damaged.Damage, StringComparison.Ordinal);
        await Assert.ThrowsAsync<JournalDamagedException>(() => Append("a", 3, "more"));
        Assert.Equal(Appended.Yes, await Append("b", 2, "more"));
    }

    [Fact]
    public async Task EntryWithoutAPlaceInTheFeed_IsFoundByTheCheckAndGetsOne()
    {
        await Append("lost", 1, "1 of lost");
        await Append("other", 1, "1 of other");
        await LosePlacesInFeed("lost");
        Assert.Equal(["1 of other"], (await Follow(10)).Select(Fact));

        Assert.Contains("the feed", Assert.Single(await Store.Check(default)), StringComparison.Ordinal);

        Assert.Equal(["1 of lost", "1 of other"], (await Follow(1)).Select(Fact).Order());
        Assert.Empty(await Store.Check(default));
    }

    private protected static string Fact(FeedEntry entry) => entry.Damage ?? Text(entry.Facts);

    private protected static IEnumerable<FeedPlace> Places(IEnumerable<FeedEntry> entries) => entries.Select(e => e.Place);

    /// <summary>Reads up to the end, so many entries at a time.</summary>
    private protected async Task<List<FeedEntry>> Follow(int limit, FeedPlace? from = null)
    {
        var all = new List<FeedEntry>();
        while (true)
        {
            var read = await Feed.ReadFeed(from, limit, default);
            Assert.NotNull(read);
            Assert.InRange(read.Entries.Count, 0, limit + 1);
            if (from is not null) Assert.Equal(from, read.Entries[0].Place);
            all.AddRange(read.Entries.Skip(from is null ? 0 : 1));
            if (read.IsEnd) return all;
            Assert.NotEqual(from, read.Entries[^1].Place);
            from = read.Entries[^1].Place;
        }
    }

    private Task<Appended> Put(string account, long sequence, byte[] facts) => Journal.Append(Entry(account, sequence, "") with { Facts = facts });

    private static byte[] Usage(bool withMore)
    {
        var writer = new FactWriter();
        writer.Begin(Noon);
        for (var i = 0; i < 3; i++) writer.Write(new UsageRecordedFact { Source = "shop"u8, Id = "id"u8, Type = "sent"u8, Readings = "readings"u8 });
        if (withMore) writer.Write(new AccountFact.AccountClosed(Noon));
        writer.Write(new UsageRefusedFact { Source = "shop"u8, Id = "id"u8, Reason = "Too early."u8, Body = "{}"u8 });
        return writer.Entry.ToArray();
    }
}
