using System.Text;
using Billing.Accounts;
using Billing.Journal;
using Billing.Silo.Storage;

namespace Billing.Tests.Storage;

/// <summary>What every adapter of the journal must do. An adapter's tests derive from it and run the same cases.</summary>
public abstract class JournalConformance : IAsyncLifetime
{
    private protected static readonly DateTimeOffset Noon = new(2026, 3, 10, 12, 0, 0, TimeSpan.Zero);

    private IJournal? _journal;

    private protected IJournal Journal => _journal!;

    private protected IDueTimes DueTimes => (IDueTimes)Journal;

    private protected IAccountDirectory Directory => (IAccountDirectory)Journal;

    public async Task InitializeAsync() => _journal = await Open();

    public async Task DisposeAsync()
    {
        await Close();
        await Delete();
    }

    /// <summary>Opens the journal on what it holds, or makes it.</summary>
    private protected abstract Task<IJournal> Open();

    /// <summary>Deletes what the journal holds.</summary>
    private protected abstract Task Delete();

    /// <summary>Lets go of the journal; what it holds stays.</summary>
    private protected async Task Close()
    {
        if (_journal is IAsyncDisposable opened) await opened.DisposeAsync();
        _journal = null;
    }

    private protected async Task Reopen()
    {
        await Close();
        _journal = await Open();
    }

    [Fact]
    public async Task EntriesAppended_AreReadBackInOrderAfterReopening()
    {
        for (var i = 1; i <= 20; i++) Assert.Equal(Appended.Yes, await Append("a", i, $"fact {i}"));

        await Reopen();

        Assert.Equal(Enumerable.Range(1, 20).Select(i => $"fact {i}"), await Facts("a"));
    }

    // The caller writes its next entry into the same buffer.
    [Fact]
    public async Task BuffersUsedAgainAfterTheCall_DoNotChangeTheEntry()
    {
        var facts = Encoding.UTF8.GetBytes("as it was");
        var bodies = Encoding.UTF8.GetBytes("as it came");

        var appended = Journal.Append(new("a", 1, Noon, facts, bodies, null, null));
        facts.AsSpan().Clear();
        bodies.AsSpan().Clear();
        await appended;

        Assert.Equal(["as it was"], await Facts("a"));
        Assert.Equal("as it came", Encoding.UTF8.GetString((await Journal.ReadBodies("a", 1, default)).Span));
    }

    [Fact]
    public async Task AccountNeverWritten_ReadsAsNothing()
    {
        await Append("a", 1, "fact");

        var tail = await Journal.Read("b", default);

        Assert.Null(tail.Snapshot);
        Assert.Equal(0, tail.SnapshotSequence);
        Assert.Empty(tail.Entries);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(3)]
    [InlineData(long.MaxValue)]
    public async Task AppendAtAnotherNumberThanTheNext_IsFencedAndWritesNothing(long sequence)
    {
        await Append("a", 1, "first");

        var appended = await Journal.Append(Entry("a", sequence, "wrong") with { DueAt = Noon, Summary = Summary("a", "wrong") });

        Assert.Equal(Appended.Fenced, appended);
        Assert.Null(await DueTimes.Next());
        Assert.Empty(await Directory.List(new(null, null, null), null, 10));
        await Reopen();
        Assert.Equal(["first"], await Facts("a"));
        Assert.Equal(Appended.Yes, await Append("a", 2, "second"));
    }

    [Fact]
    public async Task TwoActivationsAppend_ExactlyOneWinsEachNumber()
    {
        var won = new List<string>();
        for (var i = 1; i <= 50; i++)
        {
            var both = await Task.WhenAll(
                Task.Run(() => Append("a", i, $"left {i}")),
                Task.Run(() => Append("a", i, $"right {i}")));
            Assert.Single(both, Appended.Yes);
            Assert.Single(both, Appended.Fenced);
            won.Add(both[0] == Appended.Yes ? $"left {i}" : $"right {i}");
        }

        await Reopen();

        Assert.Equal(won, await Facts("a"));
    }

    [Fact]
    public async Task ManyAccountsAppendAtOnce_AllIsDurableWithoutGaps()
    {
        const int Accounts = 60, Entries = 25;
        await Task.WhenAll(Enumerable.Range(0, Accounts).Select(a => Task.Run(async () =>
        {
            for (var i = 1; i <= Entries; i++) Assert.Equal(Appended.Yes, await Append($"account {a}", i, $"{a}:{i}"));
        })));

        await Reopen();

        for (var a = 0; a < Accounts; a++)
            Assert.Equal(Enumerable.Range(1, Entries).Select(i => $"{a}:{i}"), await Facts($"account {a}"));
    }

    // Goal: no entry is lost between two commits. Method: few accounts, so that an entry often comes in the moment in which nothing waits.
    [Fact]
    public async Task EntryThatComesWhenACommitEnds_IsAnsweredAndDurable()
    {
        const int Accounts = 3, Entries = 1500;
        await Task.WhenAll(Enumerable.Range(0, Accounts).Select(a => Task.Run(async () =>
        {
            for (var i = 1; i <= Entries; i++)
                Assert.Equal(Appended.Yes, await Append($"account {a}", i, $"{i}").WaitAsync(TimeSpan.FromMinutes(1)));
        })));

        await Reopen();

        for (var a = 0; a < Accounts; a++) Assert.Equal(Entries, (await Facts($"account {a}")).Count());
    }

    [Fact]
    public async Task EntriesHandedInWithoutWaiting_AreAllAppendedInOrder()
    {
        var appends = Enumerable.Range(1, 200).Select(i => Append("a", i, $"{i}")).ToList();

        Assert.All(await Task.WhenAll(appends), appended => Assert.Equal(Appended.Yes, appended));
        await Reopen();
        Assert.Equal(Enumerable.Range(1, 200).Select(i => $"{i}"), await Facts("a"));
    }

    [Fact]
    public async Task SnapshotAndTail_AreAll()
    {
        for (var i = 1; i <= 6; i++) await Append("a", i, $"{i}");

        await Journal.SaveSnapshot(new("a", 4, "1234"u8.ToArray(), []));

        await IsSnapshotAndTail();
        await Reopen();
        await IsSnapshotAndTail();

        async Task IsSnapshotAndTail()
        {
            var tail = await Journal.Read("a", default);
            Assert.Equal(4, tail.SnapshotSequence);
            Assert.Equal("1234", Text(tail.Snapshot!.Value));
            Assert.Equal(["5", "6"], tail.Entries.Select(Text));
        }
    }

    [Fact]
    public async Task AppendsGoOnBehindASnapshotOfEverything()
    {
        await Append("a", 1, "1");
        await Journal.SaveSnapshot(new("a", 1, "state"u8.ToArray(), []));

        Assert.Equal(Appended.Fenced, await Append("a", 1, "again"));
        Assert.Equal(Appended.Yes, await Append("a", 2, "2"));
        await Reopen();
        Assert.Equal(Appended.Yes, await Append("a", 3, "3"));

        var tail = await Journal.Read("a", default);
        Assert.Equal(1, tail.SnapshotSequence);
        Assert.Equal(["2", "3"], tail.Entries.Select(Text));
    }

    [Fact]
    public async Task SnapshotOlderThanTheStoredOne_IsLeftOut()
    {
        for (var i = 1; i <= 6; i++) await Append("a", i, $"{i}");
        await Journal.SaveSnapshot(new("a", 5, "new"u8.ToArray(), []));

        await Journal.SaveSnapshot(new("a", 3, "old"u8.ToArray(), []));

        var tail = await Journal.Read("a", default);
        Assert.Equal(5, tail.SnapshotSequence);
        Assert.Equal("new", Text(tail.Snapshot!.Value));
        Assert.Equal(["6"], tail.Entries.Select(Text));
    }

    [Fact]
    public async Task ReadAll_GivesEveryEntryInOrderDespiteSnapshots()
    {
        for (var i = 1; i <= 6; i++)
        {
            await Append("a", i, $"a{i}");
            await Append("b", i, $"b{i}");
        }

        await Journal.SaveSnapshot(new("a", 6, "state"u8.ToArray(), []));
        await Reopen();

        var all = await Journal.ReadAll("a", default);

        Assert.Null(all.Snapshot);
        Assert.Equal(0, all.SnapshotSequence);
        Assert.Equal(Enumerable.Range(1, 6).Select(i => $"a{i}"), all.Entries.Select(Text));
    }

    [Fact]
    public async Task SnapshotSavedWhileReading_NeverTearsATail()
    {
        var stop = false;
        var writing = Task.Run(async () =>
        {
            for (var i = 1; i <= 300; i++)
            {
                await Append("a", i, $"{i}");
                if (i % 3 == 0) await Journal.SaveSnapshot(new("a", i, Encoding.UTF8.GetBytes($"{i}"), []));
            }

            Volatile.Write(ref stop, true);
        });

        while (!Volatile.Read(ref stop))
        {
            var tail = await Journal.Read("a", default);
            Assert.Equal(tail.SnapshotSequence, tail.Snapshot is { } state ? long.Parse(Text(state)) : 0);
            Assert.Equal(Enumerable.Range(1, tail.Entries.Count).Select(i => $"{tail.SnapshotSequence + i}"), tail.Entries.Select(Text));
        }

        await writing;
    }

    [Fact]
    public async Task Bodies_AreKeptWithTheirEntryAndReadBack()
    {
        var large = new byte[300_000];
        new Random(7).NextBytes(large);
        await Task.WhenAll(
            Journal.Append(Entry("a", 1, "fact") with { Bodies = "the bodies of a"u8.ToArray() }),
            Journal.Append(Entry("b", 1, "fact") with { Bodies = large }),
            Journal.Append(Entry("c", 1, "fact")));
        await Journal.Append(Entry("a", 2, "fact"));
        await Journal.Append(Entry("a", 3, "fact") with { Bodies = "more of a"u8.ToArray() });

        await Reopen();

        Assert.Equal("the bodies of a", Text(await Journal.ReadBodies("a", 1, default)));
        Assert.Equal(0, (await Journal.ReadBodies("a", 2, default)).Length);
        Assert.Equal("more of a", Text(await Journal.ReadBodies("a", 3, default)));
        Assert.Equal(large, (await Journal.ReadBodies("b", 1, default)).ToArray());
        Assert.Equal(0, (await Journal.ReadBodies("c", 1, default)).Length);
        Assert.Equal(0, (await Journal.ReadBodies("nobody", 1, default)).Length);
    }

    [Fact]
    public async Task HashKey_StaysWithTheStore()
    {
        var key = Journal.HashKey;

        await Reopen();

        Assert.Equal(key, Journal.HashKey);
    }

    [Theory]
    [InlineData("Ünïcödé@shop:1")]
    [InlineData("𝄞")]
    [InlineData("a' OR '1'='1")]
    public async Task AccountNames_AreKeptAsTheyAre(string account)
    {
        await Journal.Append(Entry(account, 1, "fact") with { DueAt = Noon, Bodies = "body"u8.ToArray(), Summary = Summary(account, "Shop") });

        await Reopen();

        Assert.Equal(["fact"], await Facts(account));
        Assert.Equal([account], await DueTimes.DueAt(Noon, 10));
        Assert.Equal("body", Text(await Journal.ReadBodies(account, 1, default)));
        Assert.Equal(account, Assert.Single(await Directory.List(new(null, null, null), null, 10)).Id);
    }

    [Fact]
    public async Task EntryOfManyMegabytes_IsKept()
    {
        var facts = new byte[20 << 20];
        new Random(3).NextBytes(facts);

        Assert.Equal(Appended.Yes, await Journal.Append(Entry("a", 1, "") with { Facts = facts }));
        await Reopen();

        Assert.True(Assert.Single((await Journal.Read("a", default)).Entries).Span.SequenceEqual(facts));
    }

    [Fact]
    public async Task DueTimes_AreWrittenWithTheEntry()
    {
        await Journal.Append(Entry("a", 1, "") with { DueAt = Noon.AddHours(2) });
        await Journal.Append(Entry("b", 1, "") with { DueAt = Noon });
        await Journal.Append(Entry("c", 1, ""));
        await Journal.Append(Entry("d", 1, "") with { DueAt = Noon.AddHours(1) });
        await Journal.Append(Entry("d", 2, ""));

        await AreDue();
        await Reopen();
        await AreDue();

        async Task AreDue()
        {
            Assert.Equal(Noon, await DueTimes.Next());
            Assert.Equal(Noon, await DueTimes.Next(Noon.AddTicks(-1)));
            Assert.Equal(Noon.AddHours(2), await DueTimes.Next(Noon));
            Assert.Null(await DueTimes.Next(Noon.AddHours(2)));
            Assert.Empty(await DueTimes.DueAt(Noon.AddTicks(-1), 10));
            Assert.Equal(["b"], await DueTimes.DueAt(Noon, 10));
            Assert.Equal(["b", "a"], await DueTimes.DueAt(Noon.AddHours(2), 10));
            Assert.Equal(["b"], await DueTimes.DueAt(Noon.AddHours(2), 1));
        }
    }

    [Fact]
    public async Task DueTimeMovedAndMovedBackInOneGo_IsTheLastOneAfterReopening()
    {
        await Journal.Append(Entry("a", 1, "") with { DueAt = Noon });

        await Task.WhenAll(Enumerable.Range(2, 200).Select(
            i => Journal.Append(Entry("a", i, "") with { DueAt = i % 2 == 0 ? Noon.AddHours(1) : Noon })));

        Assert.Equal(Noon, await DueTimes.Next());
        await Reopen();
        Assert.Equal(Noon, await DueTimes.Next());
    }

    [Fact]
    public async Task Summaries_AreFoundByTextStatusAndPlan()
    {
        await Journal.Append(Entry("ada", 1, "") with { Summary = Summary("ada", "Engines", plans: "desk") });
        await Journal.Append(Entry("bob", 1, "") with { Summary = Summary("bob", "Builders", AccountStatus.Pending, "desk", "voice") });
        await Journal.Append(Entry("cyd", 1, "") with { Summary = Summary("cyd", "100% _Ça_", plans: "voice") });
        await Journal.Append(Entry("ada", 2, "") with { Summary = Summary("ada", "Engines & Looms", plans: "desk") });
        await Journal.Append(Entry("ada", 3, ""));

        await Reopen();

        Assert.Equal(["ada", "bob", "cyd"], await Ids(new(null, null, null)));
        Assert.Equal(["ada"], await Ids(new("ENGINES & l", null, null)));
        Assert.Equal(["cyd"], await Ids(new("100% _Ça", null, null)));
        Assert.Empty(await Ids(new("a%g", null, null)));
        Assert.Equal(["bob"], await Ids(new(null, AccountStatus.Pending, null)));
        Assert.Equal(["bob", "cyd"], await Ids(new(null, null, "voice")));
        Assert.Equal(["bob"], await Ids(new("example.test", AccountStatus.Pending, "desk")));
        Assert.Equal(["bob", "cyd"], (await Directory.List(new(null, null, null), "ada", 10)).Select(s => s.Id));
        Assert.Equal(["bob"], (await Directory.List(new(null, null, null), "ada", 1)).Select(s => s.Id));

        async Task<IEnumerable<string>> Ids(AccountQuery query) => (await Directory.List(query, null, 10)).Select(s => s.Id);
    }

    private protected static JournalEntry Entry(string account, long sequence, string facts) =>
        new(account, sequence, Noon, Encoding.UTF8.GetBytes(facts), default, null, null);

    private protected static AccountSummary Summary(string id, string name, AccountStatus status = AccountStatus.Active, params string[] plans) =>
        new(id, name, $"{id}@example.test", status, "USD", Noon, [.. plans], []);

    private protected static string Text(ReadOnlyMemory<byte> bytes) => Encoding.UTF8.GetString(bytes.Span);

    private protected Task<Appended> Append(string account, long sequence, string facts) => Journal.Append(Entry(account, sequence, facts));

    private protected async Task<IEnumerable<string>> Facts(string account)
    {
        var tail = await Journal.Read(account, default);
        var all = await Journal.ReadAll(account, default);
        Assert.Equal(all.Entries.Select(Text), tail.Entries.Select(Text));
        return tail.Entries.Select(Text);
    }
}
