using System.Text;
using Billing.Deduplication;
using Billing.Journal;
using Billing.Silo.Ingest;
using Billing.Silo.Scheduling;
using Billing.Tests.Support;
using Billing.Usage;
using Microsoft.Extensions.Logging.Abstractions;
using Orleans;

namespace Billing.Tests.Ingest;

/// <summary>Taking a body apart by account, and putting the answers back into its order.</summary>
public class UsageIngestTests
{
    private static readonly Task Again = new(() => { });

    private readonly MemoryWaiting _waiting = new();
    private readonly MemorySettings _settings = new();
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

    [Theory]
    [InlineData(RefusalKind.Held, "account_held")]
    [InlineData(RefusalKind.Failed, "account_failed")]
    public async Task EventsOfAnAccountThatTakesNone_WaitAndTheOthersAreAnswered(RefusalKind kind, string reason)
    {
        var takesNone = UsageResult.Refused(new(kind, "no"));
        var ingest = Platform(AccountDouble.Factory(id => AccountDouble.Account(batch => Task.FromResult(id == "bad" ? takesNone : Accepted(batch)))));
        var lines = new[] { ("good", "1"), ("bad", "2"), ("bad", "3"), ("good", "4") }.Select(e => ApiCaller.Event(e.Item1, e.Item2, DateTimeOffset.UnixEpoch));

        var result = await ingest.Ingest(EventFormat.Lines, Encoding.UTF8.GetBytes(string.Join('\n', lines)), keepBodies: true, wantReceipts: true);

        Assert.Null(result.Refusal);
        Assert.Equal(
            [("1", UsageOutcome.Accepted, null), ("2", UsageOutcome.Quarantined, reason), ("3", UsageOutcome.Quarantined, reason), ("4", UsageOutcome.Accepted, null)],
            result.Receipts.Select(r => (r.Id!, r.Receipt.Outcome, r.Receipt.Reason)));
        Assert.Equal((2, 2), (result.Of(UsageOutcome.Accepted), result.Of(UsageOutcome.Quarantined)));
        var kept = Assert.Single(_waiting.Kept).Events!;
        Assert.Equal(("bad", DateTimeOffset.UnixEpoch.AddDays(1), reason, 2), (kept.Account, kept.ReceivedAt, kept.Reason, kept.Batch.Count));
        Assert.Equal(["2", "3"], MemoryWaiting.Ids(kept.Batch));
    }

    [Fact]
    public async Task EventAheadOfTheClockAsItIsKnownHere_IsReceivedWhereAnotherSiloHasMovedItTo()
    {
        var received = new List<DateTimeOffset?>();
        var ingest = Platform(AccountDouble.Factory(_ => AccountDouble.Account(batch =>
        {
            received.Add(batch.ReceivedAt);
            return Task.FromResult(Accepted(batch));
        })));
        var moved = DateTimeOffset.UnixEpoch.AddDays(40);
        await Clock().MoveTo(moved);

        foreach (var time in new[] { DateTimeOffset.UnixEpoch.AddDays(1), moved })
            await ingest.Ingest(EventFormat.Single, Encoding.UTF8.GetBytes(ApiCaller.Event("a", "1", time)), keepBodies: true, wantReceipts: true);

        Assert.Equal([DateTimeOffset.UnixEpoch.AddDays(1), moved], received);
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
    private UsageIngest Platform(Func<string, Task> account) => Platform(AccountDouble.Factory(id => AccountDouble.Account(async batch =>
    {
        lock (_calls) _calls[id] = _calls.GetValueOrDefault(id) + 1;
        var done = account(id);
        if (done == Again) return UsageResult.Refused(new(RefusalKind.Retry, "again"));
        await Task.Yield();
        await done;
        return Accepted(batch);
    })));

    private static UsageResult Accepted(UsageBatch batch) => new(
        null,
        Enumerable.Repeat((byte)UsageOutcome.Accepted, batch.Count).ToArray(),
        batch.WantReceipts ? [.. Enumerable.Repeat(new UsageReceipt(UsageOutcome.Accepted, null, [], null), batch.Count)] : []);

    private UsageIngest Platform(IGrainFactory accounts) => new(
        new KeyOnly(), new(accounts), new(_waiting, accounts, TimeProvider.System, NullLogger<WaitingRoom>.Instance), Clock());

    private BillingClock Clock() => BillingClock.Load(_settings, TimeProvider.System, DateTimeOffset.UnixEpoch.AddDays(1)).GetAwaiter().GetResult();

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
