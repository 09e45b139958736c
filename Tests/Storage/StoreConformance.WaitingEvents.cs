using Billing.Silo.Storage;

namespace Billing.Tests.Storage;

/// <summary>Events that wait for their account.</summary>
public abstract partial class StoreConformance
{
    private IWaitingEvents Waiting => Store;

    [Fact]
    public async Task WaitingEvents_AreKeptInOrderForEachAccountUntilTheyAreRemoved()
    {
        foreach (var (account, text) in new[] { ("b", "1"), ("a", "2"), ("b", "3"), ("b", "4") }) await Waiting.Add(Events(account, text));

        await Reopen();

        Assert.Equal(["a", "b"], await Waiting.Accounts());
        Assert.Equal(["1", "3", "4"], await All("b"));
        Assert.Equal(["2"], await All("a"));
        var second = await Waiting.Next("b", (await Waiting.Next("b", 0))!.Number);
        await Waiting.Remove("b", second!.Number);
        await Waiting.Remove("b", second.Number);

        await Reopen();

        Assert.Equal(["1", "4"], await All("b"));
        await Waiting.Remove("a", (await Waiting.Next("a", 0))!.Number);
        Assert.Equal(["b"], await Waiting.Accounts());
        Assert.Null(await Waiting.Next("a", 0));
    }

    [Fact]
    public async Task WaitingEvents_AreGivenBackAsTheyWereKept()
    {
        await Waiting.Add(Events("a", "bytes") with { Reason = "account_failed" });

        var kept = (await Waiting.Next("a", 0))!.Events!;

        Assert.Equal(("a", Noon, "account_failed"), (kept.Account, kept.ReceivedAt, kept.Reason));
        Assert.Equal(("bytes", 3, true, false, Noon, true), (Text(kept.Batch.Records), kept.Batch.Count, kept.Batch.KeepBodies, kept.Batch.WantReceipts, kept.Batch.ReceivedAt, kept.Batch.Waited));
    }

    [Fact]
    public async Task WaitingEventsThatAreDamaged_AreNamedAndNotGiven()
    {
        await Waiting.Add(Events("a", "bytes"));
        await DamageWaitingEvents();

        var stored = await Waiting.Next("a", 0);

        Assert.NotNull(stored);
        Assert.Null(stored.Events);
    }

    private static WaitingEvents Events(string account, string text) => new(
        account, Noon, "account_held", new(System.Text.Encoding.UTF8.GetBytes(text), 3, KeepBodies: true, WantReceipts: true, Noon));

    private async Task<List<string>> All(string account)
    {
        var all = new List<string>();
        for (var number = 0L; await Waiting.Next(account, number) is { } stored; number = stored.Number) all.Add(Text(stored.Events!.Batch.Records));
        return all;
    }
}
