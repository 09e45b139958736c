using System.Text;
using Billing.Journal;
using Billing.Silo.Storage;
using Billing.Silo.Storage.Sqlite;
using Billing.Tests.Support;
using Microsoft.Data.Sqlite;

namespace Billing.Tests.Storage;

/// <summary>F5 on the embedded store: what becomes of damaged bodies, heads and commits, and of a damaged index. The check reads all of it.</summary>
public sealed class SqliteDamageTests : IAsyncLifetime
{
    private const int Last = 4;

    private static readonly string[] Accounts = ["one", "two", "three"];

    private readonly TemporaryFolder _folder = new();
    private SqliteStore? _store;

    private SqliteStore Store => _store!;

    public async Task InitializeAsync() => _store = await SqliteStore.Open(_folder.Path);

    public async Task DisposeAsync()
    {
        await Close();
        _folder.Dispose();
    }

    [Fact]
    public async Task AnyByteOfABodyFlipped_LosesThatBodyAtMost_AndNeverGivesAWrongOne()
    {
        await Task.WhenAll(Accounts.Select(a => Append(a, 1, $"a body of {a}, each letter of which counts")));
        await Close();
        var rows = Read("SELECT commit_id, bytes FROM bodies");
        foreach (var (commit, bytes) in rows)
        {
            for (var at = 0; at < bytes.Length; at++)
            {
                var damaged = bytes.ToArray();
                damaged[at] ^= (byte)(1 << (at % 8));
                Change("UPDATE bodies SET bytes = $bytes WHERE commit_id = $commit", ("$bytes", damaged), ("$commit", commit));
                _store = await SqliteStore.Open(_folder.Path);

                var lost = 0;
                foreach (var account in Accounts)
                {
                    Assert.Equal([$"1 of {account}"], await Facts(account));
                    try
                    {
                        Assert.Equal($"a body of {account}, each letter of which counts", Text(await Store.ReadBodies(account, 1, default)));
                    }
                    catch (JournalDamagedException found)
                    {
                        Assert.Contains("What was counted is not touched", found.Message, StringComparison.Ordinal);
                        lost++;
                    }
                }

                Assert.True(lost > 0, $"byte {at} of commit {commit}");
                Assert.Contains($"bodies of events are damaged at {_folder.File("journal.db")}, commit {commit}", Assert.Single(await Store.Check(default)), StringComparison.Ordinal);
                foreach (var account in Accounts) Assert.Equal(Appended.Fenced, await Append(account, 1));
                await Close();
            }

            Change("UPDATE bodies SET bytes = $bytes WHERE commit_id = $commit", ("$bytes", bytes), ("$commit", commit));
        }
    }

    [Fact]
    public async Task BodiesOfTheReleaseBefore_AreStillRead()
    {
        await Append("one", 1, "a body");
        await Close();
        Change("ALTER TABLE bodies DROP COLUMN crcs; ALTER TABLE due DROP COLUMN crc32c; ALTER TABLE accounts DROP COLUMN crc32c; DROP TABLE stripe_events; DROP TABLE feed; PRAGMA user_version = 2");

        _store = await SqliteStore.Open(_folder.Path);
        await Append("one", 2, "another body");

        Assert.Equal("a body", Text(await Store.ReadBodies("one", 1, default)));
        Assert.Equal("another body", Text(await Store.ReadBodies("one", 2, default)));
        Assert.Empty(await Store.Check(default));
        await Close();
        Assert.Equal([(1L, 0), (2L, 4)], Read("SELECT commit_id, crcs FROM bodies").Select(r => (r.Id, r.Bytes.Length)));
        Change("UPDATE bodies SET bytes = substr(bytes, 1, 16) || zeroblob(length(bytes) - 16) WHERE commit_id = 1");
        _store = await SqliteStore.Open(_folder.Path);
        Assert.Contains("commit 1", Assert.Single(await Store.Check(default)), StringComparison.Ordinal);
    }

    [Fact]
    public async Task FrameDamagedBesideItsHeads_HoldsWhoseItIsAndNoOther()
    {
        await Task.WhenAll(Accounts.Select(a => Append(a, 1)));
        await Append("one", 2);
        await Close();
        var (commit, frames) = Read("SELECT id, frames FROM commits").First(c => Encoding.UTF8.GetString(c.Bytes).Contains("1 of two", StringComparison.Ordinal));
        frames[Encoding.UTF8.GetString(frames).IndexOf("1 of two", StringComparison.Ordinal)] ^= 1;
        Change("UPDATE commits SET frames = $frames, heads = zeroblob(length(heads)) WHERE id = $commit", ("$frames", frames), ("$commit", commit));

        _store = await SqliteStore.Open(_folder.Path);
        var found = await Store.Check(default);

        Assert.Equal(2, found.Count);
        Assert.Contains(found, f => f.Contains("heads", StringComparison.Ordinal));
        Assert.Contains(found, f => f.Contains("account two", StringComparison.Ordinal));
        await IsHeld("two");
        Assert.Equal(["1 of one", "2 of one"], await Facts("one"));
        Assert.Equal(["1 of three"], await Facts("three"));
    }

    // Where its frames begin and end is not known any more: each account of the commit that cannot be read is held.
    [Fact]
    public async Task FramesGoneBesideTheirHeads_HoldEachAccountOfTheCommit()
    {
        await Append("one", 1);
        await Append("two", 1);
        await Close();
        Change("UPDATE commits SET frames = zeroblob(length(frames)), heads = x'' WHERE id = 2");

        _store = await SqliteStore.Open(_folder.Path);
        await Store.Check(default);

        await IsHeld("two");
        Assert.Equal(["1 of one"], await Facts("one"));
    }

    [Fact]
    public async Task CommitGoneThatIsIndexed_HoldsItsAccounts()
    {
        for (var i = 1; i <= 2; i++) await Append("one", i);
        await Append("two", 1);
        await Store.SaveSnapshot(new("one", 2, "state"u8.ToArray(), []));
        await Close();
        Change("DELETE FROM commits WHERE id = 2");

        _store = await SqliteStore.Open(_folder.Path);
        var found = await Store.Check(default);

        Assert.All(found, f => Assert.Contains("commit 2", f, StringComparison.Ordinal));
        await IsHeld("one");
        Assert.Equal(["1 of two"], await Facts("two"));
    }

    [Theory]
    [InlineData("snapshots", "state")]
    [InlineData("segments", "ids")]
    [InlineData("blocks", "positions")]
    public async Task DerivedRowDamaged_IsFoundByTheCheckAndHoldsNobody(string table, string column)
    {
        await WithIndex();
        Change($"UPDATE {table} SET {column} = CAST(substr({column}, 1, length({column}) - 1) || x'5a' AS BLOB) WHERE account = 'one'", "index.db");

        _store = await SqliteStore.Open(_folder.Path);
        var found = await Store.Check(default);

        Assert.Equal(table == "blocks" ? 2 : 1, found.Count);
        Assert.All(found, f => Assert.Contains($"index.db, {table}, account one", f, StringComparison.Ordinal));
        Assert.All(found, f => Assert.Contains("Nothing is lost", f, StringComparison.Ordinal));
        await HoldsAll();
    }

    // The entries are found without it, and the next start makes it anew.
    [Fact]
    public async Task PlacesOfEntriesDamaged_AreReadFromTheJournalUntilTheNextStart()
    {
        await WithIndex();
        Change("UPDATE blocks SET positions = zeroblob(length(positions)) WHERE account = 'one'", "index.db");

        _store = await SqliteStore.Open(_folder.Path);
        Assert.Empty(Store.Notices);
        await HoldsAll();
        await Close();

        _store = await SqliteStore.Open(_folder.Path);
        Assert.Contains("index.db.damaged-1", Assert.Single(Store.Notices), StringComparison.Ordinal);
        Assert.Empty(await Store.Check(default));
        await HoldsAll();
        await Close();
        _store = await SqliteStore.Open(_folder.Path);
        Assert.Empty(Store.Notices);
    }

    [Fact]
    public async Task IndexThatIsNone_IsSetAsideAndMadeAnew()
    {
        await WithIndex();
        for (var time = 1; time <= 2; time++)
        {
            await File.WriteAllTextAsync(_folder.File("index.db"), new string('x', 100_000));

            _store = await SqliteStore.Open(_folder.Path);

            Assert.Contains($"index.db.damaged-{time}", Assert.Single(Store.Notices), StringComparison.Ordinal);
            Assert.Equal(100_000, new FileInfo(_folder.File($"index.db.damaged-{time}")).Length);
            await HoldsAll();
            Assert.Empty(await Store.Check(default));
            await Close();
        }
    }

    // Its header and each so many bytes of the rest: whatever they say, no entry is lost and no number is given twice.
    [Fact]
    public async Task AnyByteOfTheIndexFlipped_LosesNothing()
    {
        const int HeaderBytes = 100, Stride = 331;
        await WithIndex();
        var index = await File.ReadAllBytesAsync(_folder.File("index.db"));
        Assert.False(File.Exists(_folder.File("index.db-wal")));
        var places = Enumerable.Range(0, index.Length).Where(at => index[at] != 0 && (Generated.LongRun || at < HeaderBytes || at % (1 << 14) < 64 || at % Stride == 0)).ToList();
        Assert.True(places.Count > HeaderBytes / 2, $"{places.Count} places");
        foreach (var at in places)
        {
            using var copy = new TemporaryFolder();
            foreach (var file in new[] { "journal.db", "journal.head" }) File.Copy(_folder.File(file), copy.File(file));
            var damaged = index.ToArray();
            damaged[at] ^= (byte)(1 << (at % 8));
            await File.WriteAllBytesAsync(copy.File("index.db"), damaged);
            try
            {
                _store = await SqliteStore.Open(copy.Path);
                await HoldsAll();
                await Store.Check(default);
                await HoldsAll();
                for (var i = 0; i < Accounts.Length; i++)
                {
                    Assert.Equal(Appended.Fenced, await Append(Accounts[i], Last));
                    Assert.Equal(Appended.Yes, await Append(Accounts[i], Last + 1));
                }

                await Close();
                _store = await SqliteStore.Open(copy.Path);
                await HoldsAll(Last + 1);
                await Close();
            }
            catch (Exception failed)
            {
                throw new InvalidOperationException($"Bit flipped in byte {at} of {index.Length}.", failed);
            }
        }
    }

    // Blocks of two rounds, snapshots that hold the first of them, and sealed ids.
    private async Task WithIndex()
    {
        for (var i = 1; i <= Last; i++)
        {
            foreach (var account in Accounts) await Append(account, i);
            if (i == 2) await Close();
            _store ??= await SqliteStore.Open(_folder.Path);
        }

        foreach (var account in Accounts[..2])
            await Store.SaveSnapshot(new(account, Last, Encoding.UTF8.GetBytes($"{Last} of {account}"), [new(20_000, "ids"u8.ToArray())]));
        await Close();
    }

    private async Task HoldsAll(int last = Last)
    {
        foreach (var account in Accounts)
        {
            var all = Enumerable.Range(1, last).Select(i => $"{i} of {account}").ToList();
            Assert.Equal(all, (await Store.ReadAll(account, default)).Entries.Select(Text));
            var tail = await Store.Read(account, default);
            Assert.Equal(all, all.Take((int)tail.SnapshotSequence).Concat(tail.Entries.Select(Text)));
            Assert.Equal(last, tail.SnapshotSequence + tail.Entries.Count);
            if (tail.Snapshot is { } state) Assert.Equal($"{Last} of {account}", Text(state));
        }
    }

    private async Task IsHeld(string account)
    {
        await Assert.ThrowsAsync<JournalDamagedException>(() => Append(account, 9));
        await Assert.ThrowsAsync<JournalDamagedException>(() => Store.Read(account, default));
    }

    private async Task Close()
    {
        if (_store is not null) await _store.DisposeAsync();
        _store = null;
    }

    private Task<Appended> Append(string account, int sequence, string body = "") => Store.Append(
        new(account, sequence, DateTimeOffset.UnixEpoch, Encoding.UTF8.GetBytes($"{sequence} of {account}"), Encoding.UTF8.GetBytes(body), null, null));

    private async Task<IEnumerable<string>> Facts(string account) => (await Store.ReadAll(account, default)).Entries.Select(Text);

    private static string Text(ReadOnlyMemory<byte> bytes) => Encoding.UTF8.GetString(bytes.Span);

    private void Change(string sql, string file) => Execute(sql, file, []);

    private void Change(string sql, params (string Name, object Value)[] parameters) => Execute(sql, "journal.db", parameters);

    private void Execute(string sql, string file, (string Name, object Value)[] parameters)
    {
        using var connection = Connect(file);
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        foreach (var (name, value) in parameters) command.Parameters.AddWithValue(name, value);
        command.ExecuteNonQuery();
    }

    private List<(long Id, byte[] Bytes)> Read(string sql)
    {
        using var connection = Connect("journal.db");
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        using var reader = command.ExecuteReader();
        var rows = new List<(long, byte[])>();
        while (reader.Read()) rows.Add((reader.GetInt64(0), reader.IsDBNull(1) ? [] : reader.GetFieldValue<byte[]>(1)));
        return rows;
    }

    private SqliteConnection Connect(string file)
    {
        var connection = new SqliteConnection($"Data Source={_folder.File(file)};Pooling=False");
        connection.Open();
        return connection;
    }
}
