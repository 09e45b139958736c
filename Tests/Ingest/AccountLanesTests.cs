using System.Collections.Concurrent;
using System.Text;
using Billing.Silo.Ingest;
using Billing.Tests.Support;
using Billing.Usage;

namespace Billing.Tests.Ingest;

/// <summary>Batches of one account that meet: one call at a time, and each caller gets the answers to its own events.</summary>
public class AccountLanesTests
{
    private readonly ConcurrentQueue<string[]> _calls = new();
    private readonly SemaphoreSlim _open = new(0);
    private int _underWay;

    [Fact]
    public async Task BatchesThatComeDuringACall_AreMergedIntoTheNextOne()
    {
        var lanes = Lanes(Waiting);
        var first = lanes.Send("a", Batch("1"));
        var others = Enumerable.Range(2, 9).Select(i => lanes.Send("a", Batch($"{i}", $"{i}'"))).ToList();

        _open.Release(2);
        await Task.WhenAll(others.Append(first));

        Assert.Equal(2, _calls.Count);
        Assert.Equal(["1"], _calls.First());
        Assert.Equal(Enumerable.Range(2, 9).SelectMany(i => new[] { $"{i}", $"{i}'" }), _calls.Last());
    }

    [Fact]
    public async Task MergedAnswers_ReachTheCallersTheyBelongTo()
    {
        var lanes = Lanes(Waiting);
        var sends = new List<(string[] Ids, Task<UsageResult> Answer)> { (["x"], lanes.Send("a", Batch("x"))) };
        for (var i = 0; i < 50; i++)
        {
            var ids = Enumerable.Range(0, (i % 4) + 1).Select(n => $"{i}.{n}").ToArray();
            sends.Add((ids, lanes.Send("a", Batch(ids))));
        }

        _open.Release(2);

        foreach (var (ids, answer) in sends)
        {
            Assert.Equal(ids, (await answer).Receipts.Select(r => r.Reason));
            Assert.Equal(ids.Select(id => (byte)OutcomeOf(id)), (await answer).Outcomes.ToArray());
        }
    }

    [Fact]
    public async Task CallerWithoutReceipts_GetsNoneFromAMergedCall()
    {
        var lanes = Lanes(Waiting);
        var first = lanes.Send("a", Batch("1"));
        var without = lanes.Send("a", Batch("2") with { WantReceipts = false });
        var with = lanes.Send("a", Batch("3"));

        _open.Release(2);

        await first;
        Assert.Empty((await without).Receipts);
        Assert.Equal(1, (await without).Outcomes.Length);
        Assert.Equal("3", Assert.Single((await with).Receipts).Reason);
    }

    [Fact]
    public async Task ManySendersOnFewAccounts_OneCallAtATimeAndNothingLost()
    {
        var perAccount = new ConcurrentDictionary<string, int>(StringComparer.Ordinal);
        var overlaps = 0;
        var lanes = new AccountLanes(AccountDouble.Factory(account => AccountDouble.Account(async batch =>
        {
            if (perAccount.AddOrUpdate(account, 1, (_, n) => n + 1) > 1) Interlocked.Increment(ref overlaps);
            await Task.Yield();
            perAccount.AddOrUpdate(account, 0, (_, n) => n - 1);
            return Answer(batch);
        })));

        await Task.WhenAll(Enumerable.Range(0, 8).Select(sender => Task.Run(async () =>
        {
            for (var i = 0; i < 500; i++)
            {
                var id = $"{sender}:{i}";
                var answer = await lanes.Send($"account {i % 3}", Batch(id));
                Assert.Equal(id, Assert.Single(answer.Receipts).Reason);
            }
        })));

        Assert.Equal(0, overlaps);
    }

    [Fact]
    public async Task OtherAccounts_DoNotWait()
    {
        var lanes = new AccountLanes(AccountDouble.Factory(account => AccountDouble.Account(account == "slow" ? Waiting : batch => Task.FromResult(Answer(batch)))));
        var slow = lanes.Send("slow", Batch("1"));

        Assert.Equal("2", Assert.Single((await lanes.Send("quick", Batch("2"))).Receipts).Reason);

        Assert.False(slow.IsCompleted);
        _open.Release();
        await slow;
    }

    [Theory]
    [InlineData(RefusalKind.Retry, 1, true)]
    [InlineData(RefusalKind.Retry, 2, true)]
    [InlineData(RefusalKind.Retry, 3, false)]
    [InlineData(RefusalKind.Failed, 2, true)]
    [InlineData(RefusalKind.Failed, 3, false)]
    public async Task RefusalThatMayPass_IsSentAgainUpToThreeTimes(RefusalKind kind, int refusals, bool succeeds)
    {
        var calls = 0;
        var lanes = Lanes(batch => Task.FromResult(++calls <= refusals ? UsageResult.Refused(new(kind, "again")) : Answer(batch)));

        var answer = await lanes.Send("a", Batch("1"));

        Assert.Equal(succeeds, answer.Refusal is null);
        Assert.Equal(succeeds ? refusals + 1 : 3, calls);
    }

    [Fact]
    public async Task RefusalOfAMergedCall_ReachesAllItsCallersAndTheLaneGoesOn()
    {
        var refuse = true;
        var lanes = Lanes(async batch =>
        {
            await _open.WaitAsync();
            return refuse ? UsageResult.Refused(new(RefusalKind.Conflict, "no")) : Answer(batch);
        });
        var first = lanes.Send("a", Batch("1"));
        var second = lanes.Send("a", Batch("2"));
        var third = lanes.Send("a", Batch("3"));

        _open.Release(2);

        Assert.All(await Task.WhenAll(first, second, third), r => Assert.Equal("no", r.Refusal?.Detail));
        refuse = false;
        _open.Release();
        Assert.Equal("4", Assert.Single((await lanes.Send("a", Batch("4"))).Receipts).Reason);
    }

    [Fact]
    public async Task FailureOfAMergedCall_ReachesOnlyTheCallerWhoseEventsFail()
    {
        var lanes = Lanes(async batch =>
        {
            await _open.WaitAsync();
            return Ids(batch).Contains("poison") ? UsageResult.Refused(new(RefusalKind.Failed, "no")) : Answer(batch);
        });
        var sends = new[] { "1", "2", "poison", "3" }.Select(id => lanes.Send("a", Batch(id))).ToList();
        _open.Release(100);

        var answers = await Task.WhenAll(sends);

        Assert.Equal(["1", "2", null, "3"], answers.Select(a => a.Refusal is null ? Assert.Single(a.Receipts).Reason : null));
    }

    [Fact]
    public async Task Exception_ReachesExactlyTheCallersOfItsCall()
    {
        var lanes = Lanes(async batch =>
        {
            await _open.WaitAsync();
            return Ids(batch).Contains("bad") ? throw new InvalidDataException("damaged") : Answer(batch);
        });
        var first = lanes.Send("a", Batch("bad"));
        var second = lanes.Send("a", Batch("2"));
        var third = lanes.Send("a", Batch("3"));
        _open.Release(2);

        await Assert.ThrowsAsync<InvalidDataException>(() => first);
        Assert.Equal("2", Assert.Single((await second).Receipts).Reason);
        Assert.Equal("3", Assert.Single((await third).Receipts).Reason);

        var fourth = lanes.Send("a", Batch("4"));
        var merged = new[] { lanes.Send("a", Batch("5")), lanes.Send("a", Batch("bad")) };
        _open.Release(2);
        Assert.Equal("4", Assert.Single((await fourth).Receipts).Reason);
        foreach (var one in merged) await Assert.ThrowsAsync<InvalidDataException>(() => one);
        _open.Release();
        Assert.Equal("6", Assert.Single((await lanes.Send("a", Batch("6"))).Receipts).Reason);
    }

    private static AccountLanes Lanes(Func<UsageBatch, Task<UsageResult>> recordUsage) =>
        new(AccountDouble.Factory(_ => AccountDouble.Account(recordUsage)));

    private static UsageBatch Batch(params string[] ids)
    {
        var writer = new UsageBatchWriter();
        foreach (var id in ids) writer.Add(new() { Id = Encoding.UTF8.GetBytes(id) });
        return writer.ToBatch(keepBodies: true, wantReceipts: true);
    }

    private static List<string> Ids(UsageBatch batch)
    {
        var ids = new List<string>();
        var reader = new UsageBatchReader(batch.Records.Span);
        while (reader.TryRead(out var record)) ids.Add(Encoding.UTF8.GetString(record.Id));
        return ids;
    }

    private static UsageOutcome OutcomeOf(string id) => (UsageOutcome)((id.Sum(c => c) % 5) + 1);

    private static UsageResult Answer(UsageBatch batch)
    {
        var ids = Ids(batch);
        Assert.Equal(batch.Count, ids.Count);
        return new(null, ids.Select(id => (byte)OutcomeOf(id)).ToArray(), batch.WantReceipts ? [.. ids.Select(id => new UsageReceipt(OutcomeOf(id), id, [], null))] : []);
    }

    /// <summary>Answers when the test lets it, and holds that no other call is under way.</summary>
    private async Task<UsageResult> Waiting(UsageBatch batch)
    {
        Assert.Equal(1, Interlocked.Increment(ref _underWay));
        _calls.Enqueue([.. Ids(batch)]);
        await _open.WaitAsync();
        Interlocked.Decrement(ref _underWay);
        return Answer(batch);
    }
}
