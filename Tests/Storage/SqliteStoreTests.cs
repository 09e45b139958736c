using Billing.Journal;
using Billing.Silo.Storage;
using Billing.Silo.Storage.Sqlite;
using Billing.Tests.Support;
using Microsoft.Data.Sqlite;

namespace Billing.Tests.Storage;

/// <summary>The embedded store: the journal's suite, and what only a file on a disk can suffer.</summary>
public sealed partial class SqliteStoreTests : StoreConformance
{
    private readonly TemporaryFolder _folder = new();

    private protected override async Task<IJournal> Open() => await SqliteStore.Open(_folder.Path);

    private protected override Task Delete()
    {
        _folder.Dispose();
        return Task.CompletedTask;
    }

    private protected override async Task DamageWaitingEvents()
    {
        await Close();
        Change("UPDATE waiting_events SET records = CAST(x'00' || substr(records, 2) AS BLOB)");
        await Reopen();
    }

    private protected override async Task ChangeStored(string sql)
    {
        await Close();
        Change(string.Format(null, sql, ""));
        await Reopen();
    }

    private protected override Task DamageDue(string account, DueDamage damage) => ChangeStored(damage switch
    {
        DueDamage.Later => $"UPDATE due SET at = at + 4503599627370496 WHERE account = '{account}'",
        DueDamage.Earlier => $"UPDATE due SET at = at - 4503599627370496 WHERE account = '{account}'",
        DueDamage.Gone => $"DELETE FROM due WHERE account = '{account}'",
        _ => $"UPDATE due SET crc32c = (crc32c | 1) - (crc32c & 1) WHERE account = '{account}'",
    });

    private protected override Task ToTheReleaseBefore() => ChangeStored(
        "DELETE FROM due WHERE at = 9223372036854775807; ALTER TABLE due DROP COLUMN crc32c; ALTER TABLE accounts DROP COLUMN crc32c; ALTER TABLE stripe_events DROP COLUMN crc32c; DROP TABLE feed; PRAGMA user_version = 4");

    private protected override Task ToTheReleaseWithoutDrafts() => ChangeStored("DROP TABLE catalog_drafts; PRAGMA user_version = 6");

    // The file changes under the running silo, which knows better.
    [Fact]
    public async Task DueTimeThatIsDamagedOnTheDiskWhileTheSiloRuns_IsFoundByTheCheckAndWrittenAnew()
    {
        await Journal.Append(Entry("an account", 1, "") with { DueAt = Noon, Summary = Summary("an account", "A") });
        await Reopen();
        await using (var file = new FileStream(_folder.File("journal.db"), FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite))
        {
            var bytes = new byte[file.Length];
            await file.ReadExactlyAsync(bytes);
            var ticks = new byte[8];
            System.Buffers.Binary.BinaryPrimitives.WriteInt64BigEndian(ticks, Noon.UtcTicks);
            var at = bytes.AsSpan().IndexOf([.. "an account"u8, .. ticks]);
            Assert.True(at > 0, "The row lies in the file.");
            file.Position = at + "an account".Length + 3;
            file.WriteByte((byte)(bytes[at + "an account".Length + 3] ^ 1));
        }

        var found = Assert.Single(await Store.Check(default));

        Assert.Contains("due time of account an account", found, StringComparison.Ordinal);
        Assert.Equal(Noon, await DueTimes.Next());
        Assert.Empty(await Store.Check(default));
        await Reopen();
        Assert.Equal(Noon, await DueTimes.Next());
        Assert.Empty(((SqliteStore)Journal).Notices);
    }

    [Fact]
    public async Task FolderOpenedTwice_IsRefusedWithASentence()
    {
        await Append("a", 1, "fact");

        var refused = await Assert.ThrowsAsync<StoreInUseException>(() => SqliteStore.Open(_folder.Path));

        Assert.Contains("in use by another process", refused.Message, StringComparison.Ordinal);
        Assert.EndsWith("Nothing was changed.", refused.Message, StringComparison.Ordinal);
        Assert.Equal(Appended.Yes, await Append("a", 2, "still mine"));
    }

    [Fact]
    public async Task StoreOfANewerRelease_IsRefusedAndLetGo()
    {
        await Close();
        Change("PRAGMA user_version = 99");

        var refused = await Assert.ThrowsAsync<InvalidDataException>(Open);

        Assert.Contains("schema 99", refused.Message, StringComparison.Ordinal);
        Change("PRAGMA user_version = 7");
        await Reopen();
    }

    [Fact]
    public async Task FileThatIsNoStore_IsRefusedWithASentence()
    {
        await Close();
        File.Delete(_folder.File("journal.db-wal"));
        await File.WriteAllTextAsync(_folder.File("journal.db"), new string('x', 100_000));

        var refused = await Assert.ThrowsAsync<InvalidDataException>(Open);

        Assert.Contains("journal.db", refused.Message, StringComparison.Ordinal);
    }

    // F5: a flipped bit anywhere in what is stored of an entry holds its account, and no other.
    [Fact]
    public async Task AnyByteOfAFrameFlipped_HoldsItsAccountAndNamesThePlace()
    {
        await Append("one", 1, "fact of one");
        await Task.WhenAll(Append("two", 1, "fact of two"), Append("one", 2, "second"));
        await Append("three", 1, "fact of three");
        await Close();
        foreach (var (commit, frames) in Commits())
        {
            for (var at = 0; at < frames.Length; at++)
            {
                var damaged = frames.ToArray();
                damaged[at] ^= (byte)(1 << (at % 8));
                SetFrames(commit, damaged);
                await Reopen();

                var held = new List<string>();
                foreach (var account in new[] { "one", "two", "three" })
                {
                    try
                    {
                        await Store.Read(account, default);
                    }
                    catch (JournalDamagedException found)
                    {
                        Assert.Contains($"journal.db, commit {commit}, byte ", found.Message, StringComparison.Ordinal);
                        held.Add(account);
                    }
                }

                var account1 = Assert.Single(held);
                await Assert.ThrowsAsync<JournalDamagedException>(() => Store.Append(Entry(account1, account1 == "one" ? 3 : 2, "more")));
                Assert.Single(await Store.Check(default));
                await Close();
            }

            SetFrames(commit, frames);
        }

        await Reopen();
        Assert.Equal(["fact of one", "second"], await Facts("one"));
        Assert.Empty(await Store.Check(default));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task HeadsOfACommitDamaged_AreMadeAnewFromItsFramesOrTheStoreIsRefused(bool framesAreWell)
    {
        await Task.WhenAll(Append("one", 1, "fact of one"), Append("two", 1, "fact of two"));
        await Close();
        DeleteIndex();
        Change("UPDATE commits SET heads = zeroblob(length(heads)) WHERE id = 1");
        if (!framesAreWell) Change("UPDATE commits SET frames = zeroblob(length(frames)) WHERE id = 1");

        if (!framesAreWell)
        {
            var refused = await Assert.ThrowsAsync<InvalidDataException>(Open);
            Assert.Contains("commit 1, byte 0: neither what it holds nor whose it is can be read", refused.Message, StringComparison.Ordinal);
            return;
        }

        await Reopen();
        Assert.Equal(["fact of one"], await Facts("one"));
        Assert.Single(await Store.Check(default));
    }

    // F22: the write-ahead log removed.
    [Fact]
    public async Task WriteAheadLogRemoved_IsRefused()
    {
        for (var i = 1; i <= 5; i++) await Append("a", i, $"{i}");
        using var copy = new TemporaryFolder();
        foreach (var file in new[] { "journal.db", "journal.head" }) File.Copy(_folder.File(file), copy.File(file));

        var refused = await Assert.ThrowsAsync<InvalidDataException>(() => SqliteStore.Open(copy.Path));

        Assert.Contains("was acknowledged. Put back what is missing, such as journal.db-wal", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task WriteAheadLogWithoutItsJournal_IsRefusedAndLeftAlone()
    {
        for (var i = 1; i <= 5; i++) await Append("a", i, $"{i}");
        using var copy = new TemporaryFolder();
        foreach (var file in new[] { "journal.db-wal", "journal.head" }) File.Copy(_folder.File(file), copy.File(file));
        var log = new FileInfo(copy.File("journal.db-wal")).Length;

        var refused = await Assert.ThrowsAsync<InvalidDataException>(() => SqliteStore.Open(copy.Path));

        Assert.Contains("Put journal.db back beside journal.db-wal", refused.Message, StringComparison.Ordinal);
        Assert.Equal(log, new FileInfo(copy.File("journal.db-wal")).Length);
        File.Copy(_folder.File("journal.db"), copy.File("journal.db"));
        await using var store = await SqliteStore.Open(copy.Path);
        Assert.Equal(5, (await store.ReadAll("a", default)).Entries.Count);
    }

    // F5: the number a snapshot was taken at says which entries follow it.
    [Theory]
    [InlineData("UPDATE snapshots SET sequence = sequence + 1")]
    [InlineData("UPDATE snapshots SET sequence = sequence - 1")]
    public async Task NumberOfASnapshotChanged_IsFoundAndTheEntriesAreRead(string damage)
    {
        for (var i = 1; i <= 5; i++) await Append("a", i, $"{i}");
        await Journal.SaveSnapshot(new("a", 3, "123"u8.ToArray(), []));
        await Close();
        Change(damage, "index.db");

        await Reopen();

        var tail = await Journal.Read("a", default);
        Assert.Null(tail.Snapshot);
        Assert.Equal(["1", "2", "3", "4", "5"], tail.Entries.Select(Text));
    }

    // F6: a write beside the journal that fails in a way that leaves unknown what is on disk ends the store too.
    [Fact]
    public async Task FailureOfASetting_BreaksTheStore()
    {
        await Close();
        Change("CREATE TRIGGER fails BEFORE INSERT ON settings WHEN NEW.name = 'x' BEGIN SELECT RAISE(ABORT, 'a failing disk'); END");
        await Reopen();
        var broken = new List<Exception>();
        Store.Broken += broken.Add;

        await Assert.ThrowsAsync<SqliteException>(() => Store.Set("x", "1"));

        Assert.Single(broken);
        await Assert.ThrowsAsync<SqliteException>(() => Append("a", 1, "lost"));
    }

    [Fact]
    public async Task StoreOfTheReleaseBefore_IsMigratedWithAllItHolds()
    {
        await Journal.Append(Entry("a", 1, "one") with { Bodies = "the bodies"u8.ToArray() });
        await Task.WhenAll(Append("a", 2, "two"), Append("b", 1, "three"));
        await Close();
        DeleteIndex();
        Change(
            """
            ALTER TABLE commits RENAME TO new_commits;
            CREATE TABLE commits (id INTEGER PRIMARY KEY, frames BLOB NOT NULL, bodies BLOB);
            INSERT INTO commits SELECT id, frames, (SELECT bytes FROM bodies WHERE commit_id = id) FROM new_commits;
            DROP TABLE new_commits;
            DROP TABLE bodies;
            DROP TABLE stripe_events;
            ALTER TABLE due DROP COLUMN crc32c;
            ALTER TABLE accounts DROP COLUMN crc32c;
            DROP TABLE feed;
            PRAGMA user_version = 1;
            """);

        await Reopen();

        Assert.Equal(["one", "two"], await Facts("a"));
        Assert.Equal(["three"], await Facts("b"));
        Assert.Equal("the bodies", Text(await Journal.ReadBodies("a", 1, default)));
        Assert.Empty(await Store.Check(default));
        Assert.Equal(Appended.Yes, await Append("a", 3, "four"));
    }

    [Fact]
    public async Task StoreWithoutStripeEvents_IsMigratedWithAllItHolds()
    {
        await Append("a", 1, "one");
        await Close();
        Change("DROP TABLE stripe_events; ALTER TABLE due DROP COLUMN crc32c; ALTER TABLE accounts DROP COLUMN crc32c; DROP TABLE feed; PRAGMA user_version = 3");

        await Reopen();

        Assert.Equal(["one"], await Facts("a"));
        Assert.Equal(StripeEventNews.New, await ((IStripeEvents)Store).Add(Paid("evt_a")));
        Assert.Equal(StripeEventNews.Duplicate, await ((IStripeEvents)Store).Add(Paid("evt_b")));
    }

    [Fact]
    public async Task CommitMissingInTheMiddle_IsFound()
    {
        for (var i = 1; i <= 3; i++) await Append("a", i, $"{i}");
        await Close();
        DeleteIndex();
        Change("DELETE FROM commits WHERE id = 2");

        var found = await Assert.ThrowsAsync<InvalidDataException>(Open);

        Assert.Contains("commit 2: it is missing", found.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task DamagedBody_IsFoundAtReadingAndHoldsNothingElseUp()
    {
        await Journal.Append(Entry("a", 1, "fact") with { Bodies = "a body of many characters, each of which counts"u8.ToArray() });
        await Close();
        Change("UPDATE bodies SET bytes = substr(bytes, 1, 16) || zeroblob(length(bytes) - 16)");

        await Reopen();

        Assert.Equal(["fact"], await Facts("a"));
        var found = await Assert.ThrowsAsync<JournalDamagedException>(() => Journal.ReadBodies("a", 1, default));
        Assert.Contains("journal.db, commit 1", found.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task SnapshotsDeleted_NothingIsLost()
    {
        for (var i = 1; i <= 5; i++) await Append("a", i, $"{i}");
        await Journal.SaveSnapshot(new("a", 5, "state"u8.ToArray(), []));
        await Close();
        DeleteIndex();

        await Reopen();

        Assert.Equal(["1", "2", "3", "4", "5"], await Facts("a"));
    }

    [Theory]
    [InlineData(3)]
    [InlineData(5)]
    public async Task DamagedSnapshot_IsReplacedByTheEntries(int sequence)
    {
        for (var i = 1; i <= 5; i++) await Append("a", i, $"{i}");
        await Journal.SaveSnapshot(new("a", sequence, "state"u8.ToArray(), []));
        await Close();
        Change("UPDATE snapshots SET state = CAST('stage' AS BLOB)", "index.db");

        await Reopen();

        Assert.Equal(["1", "2", "3", "4", "5"], await Facts("a"));
        Assert.Null((await Journal.Read("a", default)).Snapshot);
        Assert.Equal(Appended.Yes, await Append("a", 6, "6"));
    }

    // F22: the write-ahead log removed, or an older journal put back, is told by a snapshot that is ahead.
    [Fact]
    public async Task JournalThatEndsBeforeASnapshot_IsRefused()
    {
        for (var i = 1; i <= 5; i++) await Append("a", i, $"{i}");
        await Journal.SaveSnapshot(new("a", 5, "state"u8.ToArray(), []));
        await Close();
        Change("DELETE FROM commits WHERE id > 3");

        var refused = await Assert.ThrowsAsync<InvalidDataException>(Open);

        Assert.Contains("ends at commit 3, but commit 5 was acknowledged", refused.Message, StringComparison.Ordinal);
    }

    // F4: the write-ahead log ends anywhere, or holds a wrong byte anywhere, as after a power cut.
    [Fact]
    public async Task TornWriteAheadLog_LosesNothingBeforeTheTearOrIsRefused()
    {
        const int Entries = 12;
        var sizes = new List<long>();
        for (var i = 1; i <= Entries; i++)
        {
            await Append("a", i, $"{i}");
            sizes.Add(new FileInfo(_folder.File("journal.db-wal")).Length);
        }

        var database = await File.ReadAllBytesAsync(_folder.File("journal.db"));
        var log = await File.ReadAllBytesAsync(_folder.File("journal.db-wal"));
        var cuts = Enumerable.Range(0, 40).Select(i => (int)((long)log.Length * i / 40)).Concat(sizes.Select(s => (int)s)).ToList();
        foreach (var cut in cuts) await HoldsAtLeast(log[..cut], cut);
        foreach (var at in cuts.Where(c => c < log.Length))
        {
            var flipped = log.ToArray();
            flipped[at] ^= 0x10;

            // A loss of power tears the last commit alone.
            if (at >= sizes[^2]) await HoldsAtLeast(flipped, at);
            else await Refused(flipped);
        }

        async Task<TemporaryFolder> Copy(byte[] tornLog)
        {
            var copy = new TemporaryFolder();
            await File.WriteAllBytesAsync(copy.File("journal.db"), database);
            await File.WriteAllBytesAsync(copy.File("journal.db-wal"), tornLog);
            return copy;
        }

        async Task Refused(byte[] tornLog)
        {
            using var copy = await Copy(tornLog);
            var refused = await Assert.ThrowsAsync<InvalidDataException>(() => SqliteStore.Open(copy.Path));
            Assert.Contains("journal.db-wal is damaged", refused.Message, StringComparison.Ordinal);
            Assert.Equal(tornLog, await File.ReadAllBytesAsync(copy.File("journal.db-wal")));
        }

        async Task HoldsAtLeast(byte[] tornLog, long tear)
        {
            using var copy = await Copy(tornLog);
            var store = await SqliteStore.Open(copy.Path);
            var read = (await store.Read("a", default)).Entries.Select(Text).ToList();
            await store.DisposeAsync();
            Assert.Equal(Enumerable.Range(1, read.Count).Select(i => $"{i}"), read);
            Assert.True(read.Count >= sizes.Count(s => s <= tear), $"Torn at byte {tear}: {read.Count} entries.");
        }
    }

    // F6: a write that fails in a way that leaves unknown what is on disk.
    [Theory]
    [InlineData("commits")]
    [InlineData("due")]
    [InlineData("accounts")]
    public async Task FailureInsideACommit_ReachesEveryCallerAndNothingIsThere(string table)
    {
        await Append("a", 1, "before");
        await Close();
        Change($"CREATE TRIGGER fails BEFORE INSERT ON {table} BEGIN SELECT RAISE(ABORT, 'a failing disk'); END");
        await Reopen();
        var broken = new List<Exception>();
        Store.Broken += broken.Add;

        var appends = Enumerable.Range(0, 20)
            .Select(i => Journal.Append(Entry(i == 0 ? "a" : $"b{i}", i == 0 ? 2 : 1, "lost")
                with { DueAt = DateTimeOffset.UnixEpoch, Summary = Summary($"b{i}", "Lost") }))
            .ToList();

        foreach (var append in appends) await Assert.ThrowsAsync<SqliteException>(() => append);
        await Assert.ThrowsAsync<SqliteException>(() => Append("a", 2, "lost"));
        await Assert.ThrowsAsync<SqliteException>(() => Append("c", 1, "lost"));
        Assert.Single(broken);
        Assert.Equal(["before"], await Facts("a"));
        Assert.Null(await DueTimes.Next());
        await Close();
        Change("DROP TRIGGER fails");
        await Reopen();
        Assert.Equal(["before"], await Facts("a"));
        Assert.Empty(await Facts("b1"));
        Assert.Null(await DueTimes.Next());
        Assert.Empty(await Directory.List(new(null, null, null), null, 10));
        Assert.Equal(Appended.Yes, await Append("a", 2, "after"));
    }

    private void DeleteIndex()
    {
        foreach (var file in System.IO.Directory.GetFiles(_folder.Path, "index.db*")) File.Delete(file);
    }

    private SqliteConnection Connect(string file = "journal.db")
    {
        var connection = new SqliteConnection($"Data Source={_folder.File(file)};Pooling=False");
        connection.Open();
        return connection;
    }

    private void Change(string sql, string file = "journal.db")
    {
        using var connection = Connect(file);
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        command.ExecuteNonQuery();
    }

    private List<(long Commit, byte[] Frames)> Commits()
    {
        using var connection = Connect();
        using var command = connection.CreateCommand();
        command.CommandText = "SELECT id, frames FROM commits ORDER BY id";
        using var reader = command.ExecuteReader();
        var commits = new List<(long, byte[])>();
        while (reader.Read()) commits.Add((reader.GetInt64(0), reader.GetFieldValue<byte[]>(1)));
        return commits;
    }

    private void SetFrames(long commit, byte[] frames)
    {
        using var connection = Connect();
        using var command = connection.CreateCommand();
        command.CommandText = "UPDATE commits SET frames = $frames WHERE id = $id";
        command.Parameters.AddWithValue("$frames", frames);
        command.Parameters.AddWithValue("$id", commit);
        command.ExecuteNonQuery();
    }
}
