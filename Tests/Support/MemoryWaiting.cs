using System.Text;
using Billing.Silo.Storage;
using Billing.Usage;

namespace Billing.Tests.Support;

/// <summary>Events that wait for their account, in memory.</summary>
internal sealed class MemoryWaiting : IWaitingEvents
{
    private long _last;

    public List<StoredEvents> Kept { get; } = [];

    public static List<string> Ids(UsageBatch batch)
    {
        var ids = new List<string>();
        var reader = new UsageBatchReader(batch.Records.Span);
        while (reader.TryRead(out var record)) ids.Add(Encoding.UTF8.GetString(record.Id));
        return ids;
    }

    public Task Add(WaitingEvents events)
    {
        var batch = events.Batch with { Records = events.Batch.Records.ToArray(), Waited = true };
        lock (Kept) Kept.Add(new(++_last, events with { Batch = batch }));
        return Task.CompletedTask;
    }

    public Task<IReadOnlyList<string>> Accounts() => Task.FromResult<IReadOnlyList<string>>([.. Kept.Select(k => k.Events!.Account).Distinct().Order(StringComparer.Ordinal)]);

    public Task<StoredEvents?> Next(string account, long after) => Task.FromResult(Kept.Find(k => k.Events!.Account == account && k.Number > after));

    public Task Remove(string account, long number)
    {
        Kept.RemoveAll(k => k.Number == number);
        return Task.CompletedTask;
    }
}
