using System.Buffers;
using System.Collections.Concurrent;
using System.Collections.Immutable;
using Billing.Accounts;
using Billing.Journal;
using Billing.Usage;
using Orleans;

namespace Billing.Silo.Ingest;

/// <summary>
/// Keeps one call under way per account. What arrives for it meanwhile is merged into the next call, so that an account with
/// much traffic costs one journal entry per commit, not one per request.
/// </summary>
internal sealed class AccountLanes(IGrainFactory grains)
{
    private const int MergedBytesMax = 4 << 20;
    private const int TriesMax = 3;

    private readonly ConcurrentDictionary<string, Lane> _lanes = new(StringComparer.Ordinal);

    /// <summary>Hands a batch to its account.</summary>
    /// <returns>The account's answer for exactly these events.</returns>
    public Task<UsageResult> Send(string account, UsageBatch batch)
    {
        while (true)
        {
            var lane = _lanes.GetOrAdd(account, static _ => new());
            lock (lane)
            {
                if (lane.Closed) continue;
                if (lane.Busy)
                {
                    var waiting = new Waiting(batch);
                    (lane.Waiting ??= []).Enqueue(waiting);
                    return waiting.Done.Task;
                }

                lane.Busy = true;
            }

            return First(account, lane, batch);
        }
    }

    private async Task<UsageResult> First(string account, Lane lane, UsageBatch batch)
    {
        try
        {
            var result = await grains.GetGrain<IMerchantAccountGrain>(account).RecordUsage(batch);
            return await Again(account, batch, result);
        }
        finally
        {
            if (!TryClose(account, lane)) _ = Rest(account, lane);
        }
    }

    private async Task Rest(string account, Lane lane)
    {
        do
        {
            var taken = Take(lane);
            var buffer = new PooledBuffer(taken.Sum(w => w.Batch.Records.Length));
            try
            {
                var merged = Merge(taken, buffer);
                var result = await grains.GetGrain<IMerchantAccountGrain>(account).RecordUsage(merged);
                result = await Again(account, merged, result);
                var offset = 0;
                foreach (var waiting in taken)
                {
                    // What fails may fail for the events of one sender alone.
                    waiting.Done.SetResult(
                        result.Refusal is { Kind: RefusalKind.Failed } && taken.Count > 1 ? await Alone(account, waiting.Batch)
                        : result.Refusal is not null ? result
                        : Part(result, offset, waiting.Batch));
                    offset += waiting.Batch.Count;
                }

                // Only now: after an exception a call that nobody waits for may still look into it.
                buffer.Dispose();
            }
            catch (Exception failed)
            {
                foreach (var waiting in taken) waiting.Done.TrySetException(failed);
            }
        }
        while (!TryClose(account, lane));
    }

    private async Task<UsageResult> Alone(string account, UsageBatch batch) =>
        await Again(account, batch, await grains.GetGrain<IMerchantAccountGrain>(account).RecordUsage(batch));

    // An account that failed, or whose journal was taken over or did not answer, is read again by its next activation; equal events
    // are recognised, so the same batch may be sent again.
    private async Task<UsageResult> Again(string account, UsageBatch batch, UsageResult result)
    {
        for (var tries = 1; result.Refusal is { Kind: RefusalKind.Retry or RefusalKind.Failed } && tries < TriesMax; tries++)
            result = await grains.GetGrain<IMerchantAccountGrain>(account).RecordUsage(batch);
        return result;
    }

    private bool TryClose(string account, Lane lane)
    {
        lock (lane)
        {
            if (lane.Waiting is { Count: > 0 }) return false;
            lane.Closed = true;
            _lanes.TryRemove(account, out _);
            return true;
        }
    }

    private static List<Waiting> Take(Lane lane)
    {
        var taken = new List<Waiting>();
        var bytes = 0;
        lock (lane)
        {
            while (bytes < MergedBytesMax && lane.Waiting!.TryDequeue(out var waiting))
            {
                taken.Add(waiting);
                bytes += waiting.Batch.Records.Length;
            }
        }

        return taken;
    }

    private static UsageBatch Merge(List<Waiting> taken, PooledBuffer buffer)
    {
        if (taken.Count == 1) return taken[0].Batch;
        foreach (var waiting in taken) buffer.Write(waiting.Batch.Records.Span);
        return new(
            buffer.Written, taken.Sum(w => w.Batch.Count), taken.Exists(w => w.Batch.KeepBodies), taken.Exists(w => w.Batch.WantReceipts), taken.Max(w => w.Batch.ReceivedAt));
    }

    private static UsageResult Part(UsageResult result, int offset, UsageBatch batch) => new(
        null,
        result.Outcomes.Slice(offset, batch.Count),
        batch.WantReceipts ? ImmutableArray.Create(result.Receipts, offset, batch.Count) : []);

    private sealed class Lane
    {
        public bool Busy { get; set; }

        public bool Closed { get; set; }

        public Queue<Waiting>? Waiting { get; set; }
    }

    private sealed record Waiting(UsageBatch Batch)
    {
        public TaskCompletionSource<UsageResult> Done { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
