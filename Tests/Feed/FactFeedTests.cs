using System.Collections.Frozen;
using System.Reflection;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using System.Text.RegularExpressions;
using Billing.Accounts;
using Billing.Http;
using Billing.Silo.Feed;
using Billing.Tests.Support;
using FsCheck.Fluent;

namespace Billing.Tests.Feed;

/// <summary>What a follower gets to see: which facts, as what, and by pages of any length.</summary>
public sealed partial class FactFeedTests
{
    private static readonly DateTimeOffset Noon = new(2026, 4, 10, 12, 0, 0, TimeSpan.Zero);
    private static readonly FeedFilter All = new(null, null);

    private static readonly string[] LeftOut =
        ["stripe_call_sent", "stripe_call_ended", "customer_step_put", "charge_step_put", "charge_noticed", "payment_method_set", "meter_tracked", "dead_letter_closed", "usage_looked_at"];

    private readonly MemoryFeed _store = new();

    public static TheoryData<string> SavedFacts => new(Repository.Files("Tests/Accounts/Facts", ".json").Select(f => Path.GetFileNameWithoutExtension(f)));

    // Goal: a type means the same and has the same members in every release. Method: the facts that were saved once, as they are told.
    [Theory]
    [MemberData(nameof(SavedFacts))]
    public async Task FactAsItWasSaved_IsToldAsItIsStored(string file)
    {
        var saved = JsonNode.Parse(Repository.Read($"Tests/Accounts/Facts/{file}.json"))!.AsObject();
        var type = saved["fact"]!.GetValue<string>();
        _store.Add("acme", Entry(FactReader.ReadJson(Encoding.UTF8.GetBytes(saved.ToJsonString()))));

        var items = await Whole();

        if (LeftOut.Contains(type))
        {
            Assert.Empty(items);
            return;
        }

        var item = Assert.Single(items);
        saved.Remove("fact");
        Assert.Equal(("acme", type), (item.Account, item.Type));
        Assert.True(JsonNode.DeepEquals(saved, item.Data), item.Data.ToJsonString());
        Assert.Equal((saved["at"] ?? saved["invoice"]!["finalized_at"])!.GetValue<DateTimeOffset>(), item.At);
    }

    [Fact]
    public void TypesOfTheFeed_AreAllFactsButThoseLeftOut()
    {
        var facts = typeof(AccountFact).GetCustomAttributes<JsonDerivedTypeAttribute>(inherit: false).Select(f => (string)f.TypeDiscriminator!).ToList();

        Assert.Superset(LeftOut.ToHashSet(), facts.ToHashSet());
        Assert.Equal(facts.Except(LeftOut).Order(), FeedFacts.Types.Order());
    }

    // Goal: docs/feed.md has the schema of every type. Method: its table against the members of the facts.
    [Fact]
    public void TableOfTheTypes_HasEveryMember()
    {
        var table = Repository.Read("docs/feed.md").Split('\n').Select(l => Row().Match(l)).Where(m => m.Success)
            .ToDictionary(m => m.Groups[1].Value, m => Member().Matches(m.Groups[2].Value).Select(n => n.Groups[1].Value).Order().ToList());
        var facts = typeof(AccountFact).GetCustomAttributes<JsonDerivedTypeAttribute>(inherit: false).ToDictionary(
            f => (string)f.TypeDiscriminator!,
            f => f.DerivedType.GetProperties().Where(p => p.Name != "EqualityContract").Select(p => JsonNamingPolicy.SnakeCaseLower.ConvertName(p.Name)).Order().ToList());

        Assert.Equal(FeedFacts.Types.Append(FactFeed.Unreadable).Order(), table.Keys.Order());
        foreach (var type in FeedFacts.Types) Assert.True(facts[type].SequenceEqual(table[type]), $"{type} has {string.Join(", ", facts[type])}; docs/feed.md has {string.Join(", ", table[type])}");
        Assert.Equal(["again", "detail", "entry"], table[FactFeed.Unreadable]);
        foreach (var type in LeftOut) Assert.Contains($"`{type}`", Repository.Read("docs/feed.md"), StringComparison.Ordinal);
    }

    // A newer silo writes it beside this one.
    [Fact]
    public async Task FactOfATypeThatThisReleaseDoesNotKnow_IsToldAsItIs()
    {
        _store.Add("acme", Frames((FactKind.Json, """{"fact":"rocket_launched","at":"2026-04-10T12:00:00+00:00","to":"the moon"}""")));
        _store.Add("acme", Frames((FactKind.Json, """{"fact":"rocket_landed"}""")));

        var items = await Whole();

        Assert.Equal([("rocket_launched", Noon), ("rocket_landed", Noon.AddYears(1))], items.Select(i => (i.Type, i.At!.Value)));
        Assert.Equal("the moon", items[0].Data["to"]!.GetValue<string>());
    }

    [Fact]
    public void AnyPagesOfAnyEntries_AreTheWholeOnce() =>
        Prop.ForAll(Generated.Numbers(9), Generated.Numbers(4), (entries, limits) =>
        {
            var store = new MemoryFeed();
            var wanted = new List<string>();
            foreach (var (facts, n) in entries.Select((facts, n) => (facts, n)))
            {
                store.Add($"account {n % 3}", Entry([.. Enumerable.Range(0, facts).Select(i => i % 4 == 1 ? (AccountFact)new AccountFact.MeterTracked("m", "v", Noon) : new AccountFact.AccountPastDue($"{n}.{i}", Noon))]));
                wanted.AddRange(Enumerable.Range(0, facts).Where(i => i % 4 != 1).Select(i => $"{n}.{i}"));
            }

            var feed = new FactFeed(store);
            var told = new List<string>();
            FeedCursor? after = null;
            for (var page = 0; ; page++)
            {
                var limit = limits.Length == 0 ? 1 : limits[page % limits.Length] + 1;
                var read = feed.Read(after, All, limit, default).Result!;
                Assert.InRange(read.Items.Count, 0, limit);
                told.AddRange(read.Items.Select(i => i.Data["reason"]!.GetValue<string>()));
                if (read.Items.Count > 0) Assert.Equal(told[^1], Assert.Single(feed.Read(Before(read.Items, after), All, 1, default).Result!.Items).Data["reason"]!.GetValue<string>());
                after = read.Next;
                if (read.IsEnd) break;
            }

            Assert.Equal(wanted, told);
            Assert.Empty(feed.Read(after, All, 5, default).Result!.Items);
        }).Holds();

    [Fact]
    public async Task FiltersLeaveTheOrder_AndTheCursorGoesOnWithoutThem()
    {
        _store.Add("a", Entry(new AccountFact.AccountPastDue("1", Noon), new AccountFact.AccountClosed(Noon)));
        _store.Add("b", Entry(new AccountFact.AccountPastDue("2", Noon)));
        _store.Add("a", Entry(new AccountFact.AccountPastDue("3", Noon)));
        _store.Add("c", Entry(new AccountFact.AccountClosed(Noon)));

        Assert.Equal(["a", "a", "a"], (await Whole(new(Set("a"), null))).Select(i => i.Account));
        Assert.Equal(["a", "b", "a"], (await Whole(new(null, Set("account_past_due")))).Select(i => i.Account));
        Assert.Equal(["account_closed"], (await Whole(new(Set("a", "b"), Set("account_closed")))).Select(i => i.Type));
        var first = await new FactFeed(_store).Read(null, new(Set("a"), Set("account_closed")), 1, default);
        Assert.Equal(["b", "a", "c"], (await new FactFeed(_store).Read(first!.Next, All, 10, default))!.Items.Select(i => i.Account));
    }

    [Fact]
    public async Task EntryThatCannotBeRead_IsToldWhateverTypesAreWanted_AndCanBeReadAgain()
    {
        _store.Add("a", Entry(new AccountFact.AccountPastDue("1", Noon)));
        _store.Add("a", default, "The journal is damaged at x.");
        _store.Add("b", new byte[] { 99, 0, 0, 0, 0, 0, 0, 0, 0 });
        _store.Add("a", Entry(new AccountFact.AccountPastDue("2", Noon)));

        var items = await Whole();

        Assert.Equal(["account_past_due", "entry_unreadable", "entry_unreadable", "account_past_due"], items.Select(i => i.Type));
        Assert.Equal([("a", 2L), ("b", 1L)], items.Where(i => i.At is null).Select(i => (i.Account, i.Data["entry"]!.GetValue<long>())));
        Assert.Contains("newer release", items[2].Data["detail"]!.GetValue<string>(), StringComparison.Ordinal);
        Assert.Equal(["a"], (await Whole(new(Set("a"), Set("account_closed")))).Select(i => i.Account));

        var (passed, again) = (Cursor(items[1].Position), Cursor(items[1].Data["again"]!.GetValue<string>()));
        _store.Entries[1] = _store.Entries[1] with { Facts = Entry(new AccountFact.AccountClosed(Noon)), Damage = null };
        Assert.Equal("b", (await new FactFeed(_store).Read(passed, All, 1, default))!.Items[0].Account);
        Assert.Equal("account_closed", (await new FactFeed(_store).Read(again, All, 1, default))!.Items[0].Type);
    }

    [Fact]
    public async Task PageThatFindsNothingForLong_EndsAndTheCursorHasMovedOn()
    {
        for (var i = 0; i < 10_000; i++) _store.Add("a", Entry());
        _store.Add("b", Entry(new AccountFact.AccountClosed(Noon)));
        var (pages, after) = (0, (FeedCursor?)null);

        FeedPage page;
        do
        {
            page = (await new FactFeed(_store).Read(after, All, 1, default))!;
            Assert.True(page.Items.Count == 1 || page.Next!.Value.Place.Commit > (after?.Place.Commit ?? 0));
            after = page.Next;
            pages++;
        }
        while (page.Items.Count == 0);

        Assert.Equal(("b", 3), (page.Items[0].Account, pages));
    }

    [Theory]
    [InlineData("0", true)]
    [InlineData("12.3.0.shop", true)]
    [InlineData("12.3.2147483647.a.b:c@d", true)]
    [InlineData("", false)]
    [InlineData("1", false)]
    [InlineData("12.3.0", false)]
    [InlineData("-12.3.0.shop", false)]
    [InlineData("12.3.2147483648.shop", false)]
    [InlineData("9223372036854775808.3.0.shop", false)]
    [InlineData("12.+3.0.shop", false)]
    public void CursorAsText_IsReadBackOrNone(string text, bool isOne)
    {
        Assert.Equal(isOne, FeedCursor.TryParse(text, out var cursor));
        if (isOne) Assert.Equal(text, FeedCursor.ToText(cursor));
    }

    private static FeedCursor? Before(IReadOnlyList<FeedItem> items, FeedCursor? after) => items.Count > 1 ? Cursor(items[^2].Position) : after;

    private static FeedCursor? Cursor(string position)
    {
        Assert.True(FeedCursor.TryParse(Encoding.UTF8.GetString(System.Buffers.Text.Base64Url.DecodeFromChars(position)), out var cursor));
        return cursor;
    }

    private static FrozenSet<string> Set(params string[] names) => names.ToFrozenSet(StringComparer.Ordinal);

    private static byte[] Entry(params AccountFact[] facts)
    {
        var writer = new FactWriter();
        writer.Begin(Noon.AddYears(1));
        writer.Write(new UsageRecordedFact { Source = "s"u8, Id = "i"u8, Type = "t"u8, Readings = default });
        foreach (var fact in facts) writer.Write(fact);
        return writer.Entry.ToArray();
    }

    private static byte[] Frames(params (FactKind Kind, string Json)[] frames)
    {
        var writer = new FactWriter();
        writer.Begin(Noon.AddYears(1));
        return [.. writer.Entry.ToArray(), .. frames.SelectMany(f => (byte[])[(byte)f.Kind, .. BitConverter.GetBytes(f.Json.Length), .. Encoding.UTF8.GetBytes(f.Json)])];
    }

    private async Task<IReadOnlyList<FeedItem>> Whole(FeedFilter? filter = null) => (await new FactFeed(_store).Read(null, filter ?? All, 1000, default))!.Items;

    [GeneratedRegex(@"^\| `([a-z_]+)` \|[^|]*\|([^|]*)\|$")]
    private static partial Regex Row();

    [GeneratedRegex("`([a-z_]+)`")]
    private static partial Regex Member();
}
