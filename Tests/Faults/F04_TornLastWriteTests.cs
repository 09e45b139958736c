using Billing.Accounts;
using Billing.Journal;
using Billing.Silo.Storage;
using Billing.Silo.Storage.Sqlite;
using Billing.Tests.Support;
using Microsoft.Data.Sqlite;
using SQLitePCL;

namespace Billing.Tests.Faults;

/// <summary>F4: the last write is cut, or one bit of it is flipped, at every byte. What was acknowledged before it is there, and nothing of it is half there.</summary>
[Trait("Suite", "Faults")]
public sealed class F04_TornLastWriteTests : IAsyncLifetime
{
    private const int Before = 11;
    private const int LogHeaderBytes = 32;
    private const int FrameHeaderBytes = 24;
    private const int FrameBytes = FrameHeaderBytes + (16 << 10);

    // Every byte of a page in a long run; else all of the headers and each so many bytes of the pages.
    private const int Stride = 13;
    private const int NoCheckpointOnClose = 1006;

    private readonly TemporaryFolder _folder = new();
    private byte[] _database = [];
    private byte[] _log = [];
    private byte[] _head = [];

    public async Task InitializeAsync()
    {
        var store = await SqliteStore.Open(_folder.Path);
        for (var i = 1; i <= Before; i++) Assert.Equal(Appended.Yes, await store.Append(Entry(i)));
        await store.DisposeAsync();

        // The log is empty now: all that is in it afterwards is the last write.
        store = await SqliteStore.Open(_folder.Path);
        _head = await File.ReadAllBytesAsync(_folder.File("journal.head"));
        Assert.Equal(Appended.Yes, await store.Append(Entry(Before + 1)));
        _database = await File.ReadAllBytesAsync(_folder.File("journal.db"));
        _log = await File.ReadAllBytesAsync(_folder.File("journal.db-wal"));
        await store.DisposeAsync();
        Assert.True((_log.Length - LogHeaderBytes) % FrameBytes == 0 && _log.Length > 2 * FrameBytes, $"A log of {_log.Length} bytes");
    }

    public Task DisposeAsync()
    {
        _folder.Dispose();
        return Task.CompletedTask;
    }

    [Fact]
    public void F4_LastWriteCutAtEveryByte_LeavesWhatWasBefore()
    {
        using var torn = new Torn(_database, _log);
        Assert.Equal(Before + 1, torn.Commits());

        foreach (var at in Places().Reverse())
        {
            torn.Cut(at);
            Assert.True(torn.Commits() == Before, $"Cut at byte {at} of {_log.Length}: {torn.Commits()} commits.");
        }
    }

    [Fact]
    public void F4_LastWriteFlippedAtEveryByte_LeavesWhatWasBefore()
    {
        using var torn = new Torn(_database, _log);
        foreach (var at in Places())
        {
            torn.Flip(at, _log);
            Assert.True(torn.Commits() == Before, $"Flipped at byte {at} of {_log.Length}: {torn.Commits()} commits.");
            torn.Restore(at, _log);
        }

        Assert.Equal(Before + 1, torn.Commits());
    }

    [Fact]
    public async Task F4_StoreWithATornLastWrite_OpensAndTakesItAgain()
    {
        for (var at = 0; at < _log.Length; at += FrameBytes / 3)
        {
            await IsTakenAgain(_log[..at]);
            var flipped = _log.ToArray();
            flipped[at] ^= 1;
            await IsTakenAgain(flipped);
        }
    }

    private async Task IsTakenAgain(byte[] log)
    {
        using var copy = new TemporaryFolder();
        await File.WriteAllBytesAsync(copy.File("journal.db"), _database);
        await File.WriteAllBytesAsync(copy.File("journal.head"), _head);
        await File.WriteAllBytesAsync(copy.File("journal.db-wal"), log);
        for (var entries = Before; entries <= Before + 1; entries++)
        {
            var store = await SqliteStore.Open(copy.Path);
            Assert.Equal(entries, (await store.Read("a", default)).Entries.Count);
            Assert.Empty(await store.Check(default));
            if (entries == Before) Assert.Equal(Appended.Yes, await store.Append(Entry(Before + 1)));
            await store.DisposeAsync();
        }
    }

    private IEnumerable<int> Places() => Enumerable.Range(0, _log.Length)
        .Where(at => Generated.LongRun || at < LogHeaderBytes || (at - LogHeaderBytes) % FrameBytes < FrameHeaderBytes || at % Stride == 0 || at == _log.Length - 1);

    // With all that an entry can bring: facts, bodies, a due time and a row for lists.
    private static JournalEntry Entry(int sequence) => new(
        "a", sequence, FaultStore.Start, new byte[20_000], "a body"u8.ToArray(), FaultStore.Start.AddHours(sequence),
        new AccountSummary("a", $"Shop {sequence}", "shop@example.com", AccountStatus.Active, "USD", FaultStore.Start, [], []));

    /// <summary>A database and its log, opened again and again as at a start, without folding the log in.</summary>
    private sealed class Torn : IDisposable
    {
        private readonly TemporaryFolder _folder = new();
        private readonly FileStream _log;

        public Torn(byte[] database, byte[] log)
        {
            File.WriteAllBytes(_folder.File("journal.db"), database);
            _log = new(_folder.File("journal.db-wal"), FileMode.Create, FileAccess.ReadWrite, FileShare.ReadWrite, bufferSize: 0);
            _log.Write(log);
        }

        public void Cut(int length) => _log.SetLength(length);

        public void Flip(int at, byte[] log) => Put(at, (byte)(log[at] ^ (1 << (at % 8))));

        public void Restore(int at, byte[] log) => Put(at, log[at]);

        /// <summary>How many commits there are, each of them whole.</summary>
        public long Commits()
        {
            using var connection = new SqliteConnection($"Data Source={_folder.File("journal.db")};Pooling=False");
            connection.Open();
            Assert.Equal(raw.SQLITE_OK, raw.sqlite3_db_config(connection.Handle, NoCheckpointOnClose, 1, out _));
            using var command = connection.CreateCommand();
            command.CommandText =
                """
                PRAGMA locking_mode=EXCLUSIVE;
                SELECT (SELECT count(*) FROM commits), (SELECT count(*) FROM bodies), (SELECT max(id) FROM commits), (SELECT at FROM due)
                """;
            using var reader = command.ExecuteReader();
            do Assert.True(reader.Read());
            while (reader.FieldCount == 1 && reader.NextResult());
            var commits = reader.GetInt64(0);
            Assert.Equal((commits, commits, FaultStore.Start.AddHours(commits).UtcTicks), (reader.GetInt64(1), reader.GetInt64(2), reader.GetInt64(3)));
            return commits;
        }

        public void Dispose()
        {
            _log.Dispose();
            _folder.Dispose();
        }

        private void Put(int at, byte value)
        {
            _log.Position = at;
            _log.WriteByte(value);
        }
    }
}
