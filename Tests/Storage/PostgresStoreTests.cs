using Billing.Journal;
using Billing.Silo.Storage;
using Billing.Silo.Storage.Postgres;
using Billing.Tests.Support;
using Npgsql;

namespace Billing.Tests.Storage;

/// <summary>The store on PostgreSQL: the journal's suite, and what only a server that others use can suffer.</summary>
public sealed class PostgresStoreTests(PostgresStoreTests.Server server) : StoreConformance, IClassFixture<PostgresStoreTests.Server>
{
    private const string WithoutAFeed = "ALTER TABLE billing.entries DROP COLUMN commit_number; DROP FUNCTION billing.commit_offset()";

    private string? _database;

    private protected override async Task<IJournal> Open()
    {
        _database ??= await server.One.NewDatabase();
        return await PostgresStore.Open(_database);
    }

    private protected override Task Delete() => server.One.Drop(_database!);

    private protected override Task DamageWaitingEvents() => Change("UPDATE billing.waiting_events SET records = set_byte(records, 0, 0)");

    private protected override Task ChangeStored(string sql) => Change(string.Format(null, sql, "billing."));

    private protected override Task DamageDue(string account, DueDamage damage) => Change($"UPDATE billing.heads SET {damage switch
    {
        DueDamage.Later => "due_at = due_at + 4503599627370496",
        DueDamage.Earlier => "due_at = due_at - 4503599627370496",
        DueDamage.Gone => "due_at = NULL",
        _ => "due_crc32c = due_crc32c # 1",
    }} WHERE account = '{account}'");

    private protected override Task ToTheReleaseBefore() => Change(
        "ALTER TABLE billing.heads DROP COLUMN due_crc32c; ALTER TABLE billing.accounts DROP COLUMN crc32c; ALTER TABLE billing.stripe_events DROP COLUMN crc32c; UPDATE billing.settings SET value = '3' WHERE name = 'schema';" + WithoutAFeed);

    private protected override Task DamageEntries(string text) =>
        Change($"UPDATE billing.entries SET facts = set_byte(facts, 0, get_byte(facts, 0) # 1) WHERE position('{text}'::bytea IN facts) > 0");

    private protected override Task LosePlacesInFeed(string account) => Change($"UPDATE billing.entries SET commit_number = NULL WHERE account = '{account}'");

    private protected override Task ToTheReleaseWithoutAFeed() => Change($"{WithoutAFeed}; UPDATE billing.settings SET value = '4' WHERE name = 'schema'");

    // The commit of "a" and "b" has begun to write and waits for "b"; that of "c", which began later, has ended. Were it told now, "a" would appear
    // before it later.
    [Fact]
    public async Task CommitThatIsStillOpen_HoldsTheFeedBackAndIsNotMissed()
    {
        foreach (var account in new[] { "b", "left" }) await Append(account, 1, $"1 of {account}");
        await using var other = await PostgresStore.Open(_database!);
        var seen = await Follow(10);
        List<Task<Appended>> open;
        await using (await Holding("SELECT FROM billing.heads WHERE account = 'b' FOR UPDATE"))
        {
            await using (await Holding("SELECT FROM billing.heads WHERE account = 'left' FOR UPDATE"))
            {
                open = [Append("left", 2, "2 of left")];
                await Waiting(1);
                open.AddRange(Append("a", 1, "1 of a"), Append("b", 2, "2 of b"));
            }

            await open[0];
            await Waiting(1);
            Assert.Equal(Appended.Yes, await other.Append(Entry("c", 1, "1 of c")));
            Assert.Empty(await Follow(10, seen[^1].Place));
        }

        Assert.All(await Task.WhenAll(open), answer => Assert.Equal(Appended.Yes, answer));
        Assert.Equal(["2 of left", "1 of a", "2 of b", "1 of c"], (await Follow(1, seen[^1].Place)).Select(Fact));
    }

    // A dump of a server that had come far, put into one whose transactions count from low numbers.
    [Fact]
    public async Task DatabaseThatMovedToAServerThatCountsFromLower_GoesOnBehindWhatItHolds()
    {
        await Append("b", 1, "1 of b");
        await Append("a", 1, "1 of a");
        await Change("UPDATE billing.entries SET commit_number = commit_number + 1000000000");

        for (var i = 2; i <= 4; i++)
        {
            await Reopen();
            await Append("a", i, $"{i} of a");
        }

        var whole = await Follow(10);
        Assert.Equal(["1 of b", "1 of a", "2 of a", "3 of a", "4 of a"], whole.Select(Fact));
        for (var i = 0; i < whole.Count; i++) Assert.Equal(Places(whole[(i + 1)..]), Places(await Follow(1, whole[i].Place)));
    }

    // While silos are replaced one by one.
    [Fact]
    public async Task EntryOfASiloThatDoesNotKnowTheFeed_IsInIt()
    {
        await Append("a", 1, "1 of a");

        await Change("INSERT INTO billing.entries (account, sequence, at, crc32c, facts) SELECT account, sequence + 1, at, crc32c, facts FROM billing.entries");
        await Append("b", 1, "1 of b");

        Assert.Equal([("a", 1), ("a", 2), ("b", 1)], (await Follow(10)).Select(e => (e.Place.Account, e.Place.Sequence)));
    }

    private protected override Task ToTheReleaseWithoutDrafts() => Change("DROP TABLE billing.catalog_drafts; UPDATE billing.settings SET value = '5' WHERE name = 'schema'");

    [Fact]
    public async Task ManySilosStartOnANewDatabaseAtOnce_OneMakesTheTables()
    {
        var database = await server.One.NewDatabase();

        var stores = await Task.WhenAll(Enumerable.Range(0, 6).Select(_ => Task.Run(() => PostgresStore.Open(database))));

        Assert.Single(stores.Select(s => s.HashKey).Distinct());
        foreach (var store in stores) await store.DisposeAsync();
        await server.One.Drop(database);
    }

    [Fact]
    public async Task StoreOfANewerRelease_IsRefusedAndLetGo()
    {
        await Close();
        await Change("UPDATE billing.settings SET value = '99' WHERE name = 'schema'");

        var refused = await Assert.ThrowsAsync<InvalidDataException>(Open);

        Assert.Contains("schema 99; this release knows 6", refused.Message, StringComparison.Ordinal);
        await Change("UPDATE billing.settings SET value = '6' WHERE name = 'schema'");
        await Reopen();
    }

    [Fact]
    public async Task StoreWithoutStripeEvents_IsMigratedWithAllItHolds()
    {
        await Append("a", 1, "one");
        await Close();
        await Change("DROP TABLE billing.stripe_events; ALTER TABLE billing.heads DROP COLUMN due_crc32c; ALTER TABLE billing.accounts DROP COLUMN crc32c; UPDATE billing.settings SET value = '2' WHERE name = 'schema';" + WithoutAFeed);

        await Reopen();

        Assert.Equal(["one"], await Facts("a"));
        Assert.Equal(StripeEventNews.New, await ((IStripeEvents)Store).Add(Paid("evt_a")));
        Assert.Equal(StripeEventNews.Duplicate, await ((IStripeEvents)Store).Add(Paid("evt_b")));
    }

    [Theory]
    [InlineData("ENCODING 'SQL_ASCII' TEMPLATE template0 LOCALE 'C'", "SQL_ASCII")]
    public async Task DatabaseThatCannotHoldTheStore_IsRefusedWithASentence(string options, string says)
    {
        var database = await server.One.NewDatabase(options);

        var refused = await Assert.ThrowsAsync<InvalidDataException>(() => PostgresStore.Open(database));

        Assert.Contains(says, refused.Message, StringComparison.Ordinal);
        await server.One.Drop(database);
    }

    [Theory]
    [InlineData("CREATE TABLE billing.settings (id int, theme text)")]
    [InlineData("CREATE TABLE billing.settings (name text, value int)")]
    [InlineData("CREATE TABLE billing.settings (name text, value text); INSERT INTO billing.settings VALUES ('schema', 'dark')")]
    [InlineData("CREATE TABLE billing.settings (name text, value text); INSERT INTO billing.settings VALUES ('schema', NULL)")]
    [InlineData("CREATE TABLE billing.settings (name text, value text)")]
    [InlineData("CREATE VIEW billing.settings AS SELECT 1 AS one")]
    [InlineData("CREATE TABLE billing.heads (id int)")]
    [InlineData("CREATE TABLE billing.invoices (id int)")]
    public async Task SchemaOfSomebodyElse_IsRefusedAndLeftAsItIs(string made)
    {
        const string Relations = "SELECT string_agg(relname, ' ' ORDER BY relname) FROM pg_class WHERE relnamespace = 'billing'::regnamespace";
        var database = await server.One.NewDatabase();
        await PostgresServer.Execute(database, $"CREATE SCHEMA billing; {made}");
        var before = await PostgresServer.Execute(database, Relations);

        var refused = await Assert.ThrowsAsync<InvalidDataException>(() => PostgresStore.Open(database));

        Assert.Contains("another program", refused.Message, StringComparison.Ordinal);
        Assert.Contains(new NpgsqlConnectionStringBuilder(database).Database!, refused.Message, StringComparison.Ordinal);
        Assert.Equal(before, await PostgresServer.Execute(database, Relations));
        await server.One.Drop(database);
    }

    [Fact]
    public async Task EmptySchemaThatWasMadeForIt_IsTaken()
    {
        var database = await server.One.NewDatabase();
        await PostgresServer.Execute(database, "CREATE SCHEMA billing");

        await using (var store = await PostgresStore.Open(database)) Assert.Equal(Appended.Yes, await store.Append(Entry("a", 1, "1")));

        await server.One.Drop(database);
    }

    [Theory]
    [InlineData("UPDATE billing.settings SET value = 'not a key' WHERE name = 'hash_key'")]
    [InlineData("UPDATE billing.settings SET value = 'AB' WHERE name = 'hash_key'")]
    public async Task DamagedHashKey_IsRefusedWithASentence(string damage)
    {
        await Close();
        var key = await PostgresServer.Execute(_database!, "SELECT value FROM billing.settings WHERE name = 'hash_key'");
        await Change(damage);

        var refused = await Assert.ThrowsAsync<InvalidDataException>(Open);

        Assert.Contains("hash_key", refused.Message, StringComparison.Ordinal);
        await Change($"UPDATE billing.settings SET value = '{key}' WHERE name = 'hash_key'");
        await Reopen();
    }

    // F19: two silos each hold an activation of every account, and commit the accounts in other orders.
    [Fact]
    public async Task TwoSilosAppendToTheSameAccounts_ExactlyOneWinsEachNumber()
    {
        const int Accounts = 30, Entries = 20;
        await using var other = await PostgresStore.Open(_database!);
        for (var i = 1; i <= Entries; i++)
        {
            var both = await Task.WhenAll(AppendAll(Store, Enumerable.Range(0, Accounts), "left", i), AppendAll(other, Enumerable.Range(0, Accounts).Reverse(), "right", i));
            for (var a = 0; a < Accounts; a++) Assert.Equal(1, both.Count(answers => answers[a] == Appended.Yes));
        }

        for (var a = 0; a < Accounts; a++) Assert.Equal(Entries, (await Facts($"account {a}")).Count());

        static async Task<Dictionary<int, Appended>> AppendAll(IStore store, IEnumerable<int> accounts, string side, int number)
        {
            var appends = accounts.Select(a => (Account: a, Append: store.Append(Entry($"account {a}", number, $"{side} {number}")))).ToList();
            await Task.WhenAll(appends.Select(a => a.Append));
            return appends.ToDictionary(a => a.Account, a => a.Append.Result);
        }
    }

    // Both commits stop at the account in the middle: had they come to it from two ends, each would hold what the other needs.
    [Fact]
    public async Task CommitsOfTwoSilosThatMeet_NeverWaitForEachOtherCrosswise()
    {
        await using var other = await PostgresStore.Open(_database!);
        var accounts = Enumerable.Range(0, 9).Select(i => $"account {i}").ToList();
        foreach (var account in accounts.Concat(["left", "right"])) await Append(account, 1, "1");
        List<Task<Appended>> both;
        await using (await Holding("SELECT FROM billing.heads WHERE account = 'account 4' FOR UPDATE"))
        {
            // Behind the commit under way the others gather.
            await using (await Holding("SELECT FROM billing.heads WHERE account IN ('left', 'right') FOR UPDATE"))
            {
                both = [Append("left", 2, "in the way"), other.Append(Entry("right", 2, "in the way"))];
                await Waiting(2);
                both.AddRange(accounts.Select(a => Append(a, 2, "left")));
                both.AddRange(accounts.AsEnumerable().Reverse().Select(a => other.Append(Entry(a, 2, "right"))));
            }

            await Task.WhenAll(both[0], both[1]);
            await Waiting(2);
        }

        var answers = await Task.WhenAll(both);
        Assert.Equal(2 + accounts.Count, answers.Count(a => a == Appended.Yes));
        foreach (var account in accounts) Assert.Equal(2, (await Facts(account)).Count());
    }

    // F21: whether it is stored is not known, so it is not for the store to send it again.
    [Fact]
    public async Task ConnectionLostInACommit_IsToldToTheCallerAndNotTriedAgain()
    {
        await Append("a", 1, "1");
        Task<Appended> lost;
        await using (await Holding("LOCK TABLE billing.heads IN ACCESS EXCLUSIVE MODE"))
        {
            lost = Append("a", 2, "lost");
            await Waiting(1);
            await Change("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'");
        }

        await Assert.ThrowsAsync<StoreUnavailableException>(() => lost);
        Assert.Equal(["1"], await Facts("a"));
        Assert.Equal(Appended.Yes, await Append("a", 2, "2"));
        Assert.Equal(["1", "2"], await Facts("a"));
    }

    // One commit waits for the server; what arrives meanwhile shares the next.
    [Fact]
    public async Task StaleAndCurrentActivationsInOneGo_AreAnsweredAsIfOneByOne()
    {
        await Append("a", 1, "1");
        Task<Appended> first;
        List<Task<Appended>> waiting;
        await using (await Holding("LOCK TABLE billing.heads IN ACCESS EXCLUSIVE MODE"))
        {
            first = Append("z", 1, "in the way");
            waiting = [Append("a", 1, "stale"), Append("a", 2, "2"), Append("a", 2, "again"), Append("a", 3, "3"), Append("a", 5, "gap"), Append("a", 4, "4"), Append("b", 2, "none before")];
        }

        await first;
        Assert.Equal(
            [Appended.Fenced, Appended.Yes, Appended.Fenced, Appended.Yes, Appended.Fenced, Appended.Yes, Appended.Fenced],
            await Task.WhenAll(waiting));
        Assert.Equal(["1", "2", "3", "4"], await Facts("a"));
        Assert.Empty(await Facts("b"));
    }

    // F21: the backends go while entries are committed and read.
    [Fact]
    public async Task BackendsKilledAgainAndAgain_WhatWasAnsweredIsThereOnce()
    {
        var appending = new AppendsUnderFaults(Store, accounts: 24, entries: 40);

        var faults = 0;
        await appending.Run(async () =>
        {
            await Change($"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{new NpgsqlConnectionStringBuilder(_database).Database}' AND pid <> pg_backend_pid()");
            faults++;
        });

        await appending.HoldsIn(Store);
        await Reopen();
        await appending.HoldsIn(Store);
        Assert.Empty(await Store.Check(default));
        Assert.True(faults > 0 && appending.Unknown > 0, $"{faults} faults, {appending.Unknown} entries whose outcome was unknown.");
    }

    // The server says that it has undone the commit: all callers hear of it, and the store goes on.
    [Fact]
    public async Task FailureInsideACommit_ReachesEveryCallerAndNothingIsThere()
    {
        await Append("a", 1, "before");
        await Change("ALTER TABLE billing.entries ADD CONSTRAINT no_bad CHECK (account <> 'bad')");
        List<Task<Appended>> appends;
        await using (await Holding("LOCK TABLE billing.heads IN ACCESS EXCLUSIVE MODE"))
        {
            var first = Append("in the way", 1, "1");
            await Eventually.True(
                async () => (long)(await PostgresServer.Execute(_database!, "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"))! > 0,
                "the commit before waits for the lock");
            appends = [Append("a", 2, "lost"), Journal.Append(Entry("bad", 1, "lost") with { DueAt = DateTimeOffset.UnixEpoch, Summary = Summary("bad", "Bad") }), Append("c", 1, "lost")];
        }

        foreach (var append in appends) await Assert.ThrowsAsync<PostgresException>(() => append);
        Assert.Equal(["before"], await Facts("a"));
        Assert.Empty(await Facts("bad"));
        Assert.Empty(await Facts("c"));
        Assert.Null(await DueTimes.Next());
        Assert.Empty(await Directory.List(new(null, null, null), null, 10));
        Assert.Equal(Appended.Yes, await Append("a", 2, "after"));
    }

    [Fact]
    public async Task AllConnectionsInUse_IsSaidAndCommitsGoOn()
    {
        await Append("a", 1, "1");
        await using var store = await PostgresStore.Open(_database + ";Maximum Pool Size=1;Timeout=1");
        Task<ReadOnlyMemory<byte>> inTheWay;
        await using (await Holding("LOCK TABLE billing.bodies IN ACCESS EXCLUSIVE MODE"))
        {
            inTheWay = store.ReadBodies("a", 1, default);

            var refused = await Assert.ThrowsAsync<StoreUnavailableException>(() => store.Read("a", default));

            Assert.Contains("Raise \"Maximum Pool Size\" in BILLING_DATABASE", refused.Message, StringComparison.Ordinal);
            Assert.Equal(Appended.Yes, await store.Append(Entry("a", 2, "2")));
        }

        await inTheWay;
        Assert.Equal(2, (await store.Read("a", default)).Entries.Count);
    }

    // A character that the database cannot hold must not keep out what shares the commit.
    [Fact]
    public async Task TextThatTheDatabaseCannotHold_DelaysNobodyElse()
    {
        var appends = new[] { "nul\0", "half \uD800" }.Select(a => Append(a, 1, "")).ToList();
        var named = Journal.Append(Entry("named", 1, "1") with { Summary = Summary("named", "nul\0 half \uD800") });
        var well = Append("well", 1, "1");

        foreach (var append in appends) await Assert.ThrowsAsync<ArgumentException>(() => append);
        Assert.Equal(Appended.Yes, await named);
        Assert.Equal(Appended.Yes, await well);
        Assert.Empty(await Facts("nul\0"));
        Assert.Equal("named", Assert.Single(await Directory.List(new("half", null, null), null, 10)).Id);
    }

    // F5: whatever is wrong with the entries of an account holds it, and no other.
    [Theory]
    [InlineData("UPDATE billing.entries SET facts = set_byte(facts, 2, get_byte(facts, 2) # 16) WHERE account = 'a' AND sequence = 2", 2)]
    [InlineData("UPDATE billing.entries SET at = at # 1 WHERE account = 'a' AND sequence = 1", 1)]
    [InlineData("UPDATE billing.entries SET crc32c = crc32c # 1 WHERE account = 'a' AND sequence = 3", 3)]
    [InlineData("UPDATE billing.entries SET sequence = 7 WHERE account = 'a' AND sequence = 3", 3)]
    [InlineData("UPDATE billing.entries SET account = 'A' WHERE account = 'a' AND sequence = 2", 2)]
    [InlineData("DELETE FROM billing.entries WHERE account = 'a' AND sequence = 1", 1)]
    [InlineData("DELETE FROM billing.entries WHERE account = 'a' AND sequence = 3", 3)]
    [InlineData("DELETE FROM billing.entries WHERE account = 'a'", 1)]
    [InlineData("UPDATE billing.heads SET last_sequence = 2 WHERE account = 'a'", 3)]
    [InlineData("UPDATE billing.heads SET last_sequence = 4 WHERE account = 'a'", 4)]
    [InlineData("DELETE FROM billing.heads WHERE account = 'a'", 1)]
    public async Task DamagedEntries_HoldTheirAccountAndNameThePlace(string damage, int at)
    {
        for (var i = 1; i <= 3; i++) await Task.WhenAll(Append("a", i, $"fact {i} of a"), Append("b", i, $"fact {i} of b"));
        await Change(damage);

        var found = await Assert.ThrowsAsync<JournalDamagedException>(() => Journal.Read("a", default));

        Assert.Contains($"account a, entry {at}: ", found.Message, StringComparison.Ordinal);
        await Assert.ThrowsAsync<JournalDamagedException>(() => Journal.ReadAll("a", default));
        await Assert.ThrowsAsync<JournalDamagedException>(() => Append("a", 4, "more"));
        Assert.Equal(3, (await Facts("b")).Count());
        Assert.Equal(Appended.Yes, await Append("b", 4, "more"));
        Assert.NotEmpty(await Store.Check(default));
    }

    [Fact]
    public async Task DamageThatTheCheckFinds_HoldsTheAccount()
    {
        for (var i = 1; i <= 3; i++) await Task.WhenAll(Append("a", i, $"fact {i} of a"), Append("b", i, $"fact {i} of b"));
        await Change("UPDATE billing.entries SET facts = set_byte(facts, 0, 0) WHERE account = 'a' AND sequence = 2");

        var found = Assert.Single(await Store.Check(default));

        Assert.Contains("account a, entry 2: ", found, StringComparison.Ordinal);
        await Assert.ThrowsAsync<JournalDamagedException>(() => Append("a", 4, "more"));
        Assert.Equal(Appended.Yes, await Append("b", 4, "more"));
    }

    [Theory]
    [InlineData("UPDATE billing.snapshots SET state = set_byte(state, 0, 0)")]
    [InlineData("UPDATE billing.snapshots SET sequence = 2")]
    [InlineData("UPDATE billing.snapshots SET crc32c = crc32c # 1")]
    [InlineData("UPDATE billing.segments SET ids = set_byte(ids, 0, 0) WHERE forget_day = 20100")]
    [InlineData("UPDATE billing.segments SET forget_day = 20101 WHERE forget_day = 20100")]
    public async Task DamagedSnapshotOrSegment_IsReplacedByTheEntries(string damage)
    {
        for (var i = 1; i <= 4; i++) await Append("a", i, $"{i}");
        await Journal.SaveSnapshot(new("a", 3, "state"u8.ToArray(), [new(20_099, "ids"u8.ToArray()), new(20_100, "more"u8.ToArray())]));
        Assert.NotNull((await Journal.Read("a", default)).Snapshot);
        await Change(damage);

        Assert.Single(await Store.Check(default));
        Assert.Equal(["1", "2", "3", "4"], await Facts("a"));
        Assert.Null((await Journal.Read("a", default)).Snapshot);
        Assert.Equal(Appended.Yes, await Append("a", 5, "5"));
    }

    [Fact]
    public async Task DamagedBody_IsFoundAtReadingAndHoldsNothingElseUp()
    {
        await Journal.Append(Entry("a", 1, "fact") with { Bodies = "a body of many characters, each of which counts"u8.ToArray() });
        await Change("UPDATE billing.bodies SET bytes = set_byte(bytes, 20, get_byte(bytes, 20) # 1)");

        var found = await Assert.ThrowsAsync<JournalDamagedException>(() => Journal.ReadBodies("a", 1, default));

        Assert.Contains("account a, entry 1", found.Message, StringComparison.Ordinal);
        Assert.Equal([found.Message], await Store.Check(default));
        Assert.Equal(["fact"], await Facts("a"));
        Assert.Equal(Appended.Yes, await Append("a", 2, "more"));
    }

    private Task Change(string sql) => PostgresServer.Execute(_database!, sql);

    /// <summary>Waits until so many backends wait for a lock.</summary>
    private Task Waiting(int backends) => Eventually.True(
        async () => await PostgresServer.Execute(_database!, "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'") is long count && count == backends,
        $"{backends} backends wait for a lock");

    /// <summary>Holds the locks that a statement takes until it is disposed of.</summary>
    private async Task<IAsyncDisposable> Holding(string sql)
    {
        var connection = new NpgsqlConnection(_database + ";Pooling=false");
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand("BEGIN; " + sql, connection);
        await command.ExecuteNonQueryAsync();
        return connection;
    }

    /// <summary>A server that only these tests write to: the feed ends before its oldest transaction that writes, in whatever database.</summary>
    public sealed class Server : IAsyncLifetime
    {
        internal PostgresServer One { get; private set; } = null!;

        public async Task InitializeAsync() => One = await PostgresServer.Start("autovacuum = off");

        public async Task DisposeAsync() => await One.DisposeAsync();
    }
}
