using System.Text;
using Billing.Deduplication;
using Billing.Journal;
using Billing.Silo.Ingest;
using Billing.Tests.Support;
using Billing.Usage;

namespace Billing.Tests.Ingest;

/// <summary>Taking a body apart by account, and putting the answers back into its order.</summary>
public class UsageIngestTests
{
    private static readonly Task Again = new(() => { });

    private readonly Dictionary<string, int> _calls = new(StringComparer.Ordinal);

    [Fact]
    public async Task ReceiptsOfMixedAccounts_AreInTheOrderOfTheBody()
    {
        var random = new Random(11);
        for (var round = 0; round < 50; round++)
        {
            var lines = Enumerable.Range(0, random.Next(1, 60))
                .Select(i => random.Next(10) == 0 ? "{ broken" : ApiCaller.Event($"account {random.Next(5)}", $"{round}.{i}", DateTimeOffset.UnixEpoch))
                .ToList();

            var result = await Ingest(EventFormat.Lines, string.Join('\n', lines), _ => Task.CompletedTask);

            Assert.Equal(
                lines.Select((line, i) => line == "{ broken" ? (null, null, UsageOutcome.Rejected) : ((string?)"shop", (string?)$"{round}.{i}", UsageOutcome.Accepted)),
                result.Receipts.Select(r => (r.Source, r.Id, r.Receipt.Outcome)));
            Assert.Equal(lines.Count, result.Counts.Sum());
        }
    }

    [Fact]
    public async Task EachAccount_IsCalledOncePerBody()
    {
        var lines = Enumerable.Range(0, 100).Select(i => ApiCaller.Event($"account {i % 7}", $"{i}", DateTimeOffset.UnixEpoch));

        await Ingest(EventFormat.Batch, $"[{string.Join(',', lines)}]", _ => Task.CompletedTask);

        Assert.Equal(7, _calls.Count);
        Assert.All(_calls.Values, calls => Assert.Equal(1, calls));
    }

    [Fact]
    public async Task OneAccountThatCannotAnswer_MakesTheBodyARefusal()
    {
        var lines = string.Join('\n', ApiCaller.Event("good", "1", DateTimeOffset.UnixEpoch), ApiCaller.Event("bad", "2", DateTimeOffset.UnixEpoch));

        var result = await Ingest(EventFormat.Lines, lines, account => account == "bad" ? Again : Task.CompletedTask);

        Assert.Equal(RefusalKind.Retry, result.Refusal?.Kind);
        Assert.Equal(1, result.Of(UsageOutcome.Accepted));
    }

    [Fact]
    public async Task OneAccountThatFails_FailsTheBodyAndTheNextOneIsClean()
    {
        var ingest = Platform(account => account == "bad" ? Task.FromException(new InvalidDataException("damaged")) : Task.CompletedTask);
        var bad = Encoding.UTF8.GetBytes(string.Join('\n', ApiCaller.Event("bad", "1", DateTimeOffset.UnixEpoch), ApiCaller.Event("good", "2", DateTimeOffset.UnixEpoch)));
        await Assert.ThrowsAsync<InvalidDataException>(() => ingest.Ingest(EventFormat.Lines, bad, true, true));

        var result = await ingest.Ingest(EventFormat.Lines, Encoding.UTF8.GetBytes(ApiCaller.Event("good", "3", DateTimeOffset.UnixEpoch)), true, true);

        Assert.Equal("3", Assert.Single(result.Receipts).Id);
    }

    [Fact]
    public async Task WithoutReceipts_OnlyCountsCome()
    {
        var ingest = Platform(_ => Task.CompletedTask);
        var body = Encoding.UTF8.GetBytes(ApiCaller.Event("a", "1", DateTimeOffset.UnixEpoch) + "\nbroken");

        var result = await ingest.Ingest(EventFormat.Lines, body, keepBodies: false, wantReceipts: false);

        Assert.Empty(result.Receipts);
        Assert.Equal((1, 1), (result.Of(UsageOutcome.Accepted), result.Of(UsageOutcome.Rejected)));
    }

    private Task<IngestResult> Ingest(EventFormat format, string body, Func<string, Task> account) =>
        Platform(account).Ingest(format, Encoding.UTF8.GetBytes(body), keepBodies: true, wantReceipts: true);

    /// <summary>An ingest whose accounts accept everything after a task of the test; <see cref="Again"/> makes them ask to be called again.</summary>
    private UsageIngest Platform(Func<string, Task> account) => new(new KeyOnly(), new(AccountDouble.Factory(id => AccountDouble.Account(async batch =>
    {
        lock (_calls) _calls[id] = _calls.GetValueOrDefault(id) + 1;
        var done = account(id);
        if (done == Again) return UsageResult.Refused(new(RefusalKind.Retry, "again"));
        await Task.Yield();
        await done;
        return new(
            null,
            Enumerable.Repeat((byte)UsageOutcome.Accepted, batch.Count).ToArray(),
            batch.WantReceipts ? [.. Enumerable.Repeat(new UsageReceipt(UsageOutcome.Accepted, null, [], null), batch.Count)] : []);
    }))));

    private sealed class KeyOnly : IJournal
    {
        public SipKey HashKey { get; } = new(1, 2);

        public Task<Appended> Append(JournalEntry entry) => throw new NotSupportedException();

        public Task<JournalTail> Read(string account, CancellationToken cancellation) => throw new NotSupportedException();

        public Task<JournalTail> ReadAll(string account, CancellationToken cancellation) => throw new NotSupportedException();

        public Task<ReadOnlyMemory<byte>> ReadBodies(string account, long sequence, CancellationToken cancellation) => throw new NotSupportedException();

        public Task SaveSnapshot(JournalSnapshot snapshot) => throw new NotSupportedException();
    }
}
