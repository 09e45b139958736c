using System.Security.Cryptography;
using Billing.Journal;
using Billing.Silo.Storage.Sqlite;
using Billing.Tests.Support;

namespace Billing.Tests.Storage;

/// <summary>A process that was killed, and a byte of its write-ahead log or its head file changed: nothing acknowledged goes without a word.</summary>
public sealed class SqliteLostEndTests : IAsyncLifetime
{
    private const int Last = 12;

    private readonly TemporaryFolder _folder = new();
    private readonly TemporaryFolder _killed = new();
    private byte[] _log = [];

    public async Task InitializeAsync()
    {
        await using var store = await SqliteStore.Open(_folder.Path);
        for (var i = 1; i <= Last; i++) Assert.Equal(Appended.Yes, await store.Append(new("a", i, DateTimeOffset.UnixEpoch, new byte[20_000], default, null, null)));
        foreach (var file in new[] { "journal.db", "journal.db-wal", "journal.head" }) File.Copy(_folder.File(file), _killed.File(file));
        _log = await File.ReadAllBytesAsync(_killed.File("journal.db-wal"));
    }

    public Task DisposeAsync()
    {
        _folder.Dispose();
        _killed.Dispose();
        return Task.CompletedTask;
    }

    [Fact]
    public async Task ByteOfTheLogFlipped_IsRefusedWithNothingChangedAndGoesOnWithTheSoundLog()
    {
        foreach (var at in new[] { 40, _log.Length / 3, _log.Length / 2, _log.Length - 40 })
        {
            Flip(at);
            var files = FilesBut("index.db");

            for (var start = 0; start < 2; start++)
            {
                var refused = await Assert.ThrowsAsync<InvalidDataException>(() => SqliteStore.Open(_killed.Path));

                Assert.Contains($"commit {Last} was acknowledged", refused.Message, StringComparison.Ordinal);
                Assert.Contains("Nothing was changed", refused.Message, StringComparison.Ordinal);
                Assert.Equal(files, FilesBut("index.db"));
            }
        }

        await File.WriteAllBytesAsync(_killed.File("journal.db-wal"), _log);
        await using var store = await SqliteStore.Open(_killed.Path);
        Assert.Equal(Last, (await store.ReadAll("a", default)).Entries.Count);
    }

    [Fact]
    public async Task JournalEmptied_IsRefusedWithItsLogLeftAlone()
    {
        await File.WriteAllBytesAsync(_killed.File("journal.db"), []);

        var refused = await Assert.ThrowsAsync<InvalidDataException>(() => SqliteStore.Open(_killed.Path));

        Assert.Contains("journal.db is empty", refused.Message, StringComparison.Ordinal);
        Assert.Contains("Nothing was changed", refused.Message, StringComparison.Ordinal);
        Assert.Equal(_log, await File.ReadAllBytesAsync(_killed.File("journal.db-wal")));
    }

    [Fact]
    public async Task LogThatIsWell_IsTakenWithoutAWord()
    {
        await using var store = await SqliteStore.Open(_killed.Path);

        Assert.Equal(Last, (await store.ReadAll("a", default)).Entries.Count);
        Assert.Empty(store.Notices);
    }

    [Theory]
    [InlineData(true, "does not match its check sum")]
    [InlineData(false, "is missing or empty")]
    public async Task HeadFileThatCannotBeUsed_IsSaidAndTheStoreStarts(bool damaged, string says)
    {
        await LoseTheHead(damaged);

        await using var store = await SqliteStore.Open(_killed.Path);

        Assert.Contains(says, Assert.Single(store.Notices), StringComparison.Ordinal);
        Assert.Equal(Last, (await store.ReadAll("a", default)).Entries.Count);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task HeadFileAndTheMiddleOfTheLogDamaged_AreRefusedAndLeftAlone(bool damaged)
    {
        await LoseTheHead(damaged);
        var log = Flip(_log.Length / 2);

        var refused = await Assert.ThrowsAsync<InvalidDataException>(() => SqliteStore.Open(_killed.Path));

        Assert.Contains("journal.db-wal is damaged", refused.Message, StringComparison.Ordinal);
        Assert.Equal(log, await File.ReadAllBytesAsync(_killed.File("journal.db-wal")));
        await File.WriteAllBytesAsync(_killed.File("journal.db-wal"), _log);
        await using var store = await SqliteStore.Open(_killed.Path);
        Assert.Equal(Last, (await store.ReadAll("a", default)).Entries.Count);
    }

    // What a loss of power leaves: nobody was told of the last write.
    [Fact]
    public async Task HeadFileDamagedAndTheLastWriteTorn_Starts()
    {
        await LoseTheHead(damaged: true);
        await File.WriteAllBytesAsync(_killed.File("journal.db-wal"), _log[..^100]);

        await using var store = await SqliteStore.Open(_killed.Path);

        Assert.Equal(Last - 1, (await store.ReadAll("a", default)).Entries.Count);
    }

    private byte[] Flip(int at)
    {
        var log = _log.ToArray();
        log[at] ^= 1;
        File.WriteAllBytes(_killed.File("journal.db-wal"), log);
        return log;
    }

    private async Task LoseTheHead(bool damaged)
    {
        var head = await File.ReadAllBytesAsync(_killed.File("journal.head"));
        head[0] ^= 1;
        if (damaged) await File.WriteAllBytesAsync(_killed.File("journal.head"), head);
        else File.Delete(_killed.File("journal.head"));
    }

    private List<(string? Name, string Hash)> FilesBut(string derived) =>
        [.. Directory.GetFiles(_killed.Path).Where(f => !Path.GetFileName(f).StartsWith(derived, StringComparison.Ordinal)).Order(StringComparer.Ordinal)
            .Select(f => (Path.GetFileName(f), Convert.ToHexString(SHA256.HashData(File.ReadAllBytes(f)))))];
}
