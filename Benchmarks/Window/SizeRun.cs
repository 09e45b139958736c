using System.Diagnostics;
using Billing.Benchmarks.Measuring;

namespace Billing.Benchmarks.Window;

/// <summary>Accounts of one size on one path, in the process they have for themselves: filled, then measured round by round, then checked.</summary>
internal sealed class SizeRun(WindowCase what, int size, WindowOptions options) : IAsyncDisposable
{
    private const int FillLines = 4_096;
    private const int FillPollsInFlight = 4;
    private const int WarmUpIds = 4 * FillLines;
    private const int MeasuredIdsMin = 200_000;

    private readonly List<HotAccount> _accounts = [];
    private readonly byte[][] _buffers = Buffers(FillPollsInFlight, FillLines);
    private readonly byte[][] _burst = Buffers(WindowOptions.BurstPolls, WindowOptions.PollLines);
    private readonly List<HotAccount> _touched = [];
    private IHotPath _path = null!;
    private int _next;
    private HotAccount? _hot;

    /// <summary>
    /// Opens the accounts and fills some: one that lets buffers grow and code compile, then those whose memory is measured,
    /// one of the size or as many small ones as make it plain.
    /// </summary>
    public async Task<Prepared> Open(IHotPath path)
    {
        _path = path;
        PeakMemory.Reset();
        var filled = int.Max(1, MeasuredIdsMin / size);
        var burstsPerAccount = int.Max(1, size / WindowOptions.BurstLines);
        var fresh = ((options.Rounds + 1) * options.Bursts / burstsPerAccount) + 1;
        _accounts.Add(new(what, WarmUpIds, 0, options.Seed));
        _accounts.AddRange(Enumerable.Range(1, filled + fresh).Select(number => new HotAccount(what, size, number, options.Seed)));
        if (await path.Open([.. _accounts.Select(account => account.Id)]) is { } sentence) return Prepared.Refused(sentence);

        await FillNext(TimeSpan.Zero);
        var before = GC.GetTotalMemory(forceFullCollection: true);
        var start = Stopwatch.GetTimestamp();
        while (_touched.Count <= filled) await FillNext(Stopwatch.GetElapsedTime(start));
        var seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
        var memory = GC.GetTotalMemory(forceFullCollection: true) - before;
        var ids = _touched.Skip(1).Sum(account => (long)account.Events.Distinct);
        return new(null, (int)(ids / filled), ids / seconds, (double)memory / ids);
    }

    /// <summary>Measures one round.</summary>
    public async Task<RoundCost> Round()
    {
        var cost = default(RoundCost);
        for (var burst = 0; burst < options.Bursts && cost.Seconds < options.Seconds; burst++)
        {
            if (_hot!.IsUsedUp) await FillNext(TimeSpan.Zero);
            var polls = _burst.Select(buffer => _hot.Events.Next(buffer, WindowOptions.PollLines)).ToArray();
            cost += await _path.Measure(_hot.Id, polls);
        }

        return cost;
    }

    /// <summary>Checks every account that took in events.</summary>
    public async Task<Checked> Check()
    {
        var peak = PeakMemory.Read();
        var snapshot = _path.Snapshot(_hot!.Id);
        var wrong = new List<string>();
        foreach (var account in _touched)
            if (account.Compare(await _path.Held(account.Id)) is { } difference) wrong.Add(difference);
        var accepted = _touched.Sum(account => (long)account.Events.Distinct);
        var duplicates = _touched.Sum(account => (long)account.Events.Duplicates);
        return new(peak, snapshot, _touched.Count, accepted, duplicates, wrong.Count == 0 ? null : $"{wrong.Count} of {_touched.Count} accounts are wrong, such as {wrong[0]}");
    }

    public ValueTask DisposeAsync() => _path?.DisposeAsync() ?? ValueTask.CompletedTask;

    private static byte[][] Buffers(int count, int lines) =>
        [.. Enumerable.Range(0, count).Select(_ => new byte[lines * WindowEvents.LineBytesMax])];

    private async Task FillNext(TimeSpan alreadyFilling)
    {
        var account = _hot = _accounts[_next++];
        _touched.Add(account);
        var start = Stopwatch.GetTimestamp();
        var underWay = new Queue<Task>();
        for (var poll = 0; account.Events.Distinct < account.Size; poll++)
        {
            if ((alreadyFilling + Stopwatch.GetElapsedTime(start)).TotalSeconds > options.FillSeconds) break;
            if (underWay.Count == FillPollsInFlight) await underWay.Dequeue();
            var made = account.Events.Next(_buffers[poll % FillPollsInFlight], FillLines, account.Size);
            underWay.Enqueue(_path.Take(account.Id, made));
        }

        while (underWay.TryDequeue(out var last)) await last;
    }
}

/// <summary>A size that is ready to be measured.</summary>
/// <param name="Refusal">Why the product refuses the meter; null when it does not.</param>
/// <param name="Ids">The ids an account holds: the size, or less when filling took too long.</param>
/// <param name="FillPerSecond">Ids a second while it was filled, generating them included.</param>
/// <param name="BytesPerId">
/// Managed memory of the filled accounts, by their ids. On the whole path also the journal's index and the buffers that
/// snapshots have left in the pool.
/// </param>
internal sealed record Prepared(string? Refusal, int Ids, double FillPerSecond, double BytesPerId)
{
    public static Prepared Refused(string sentence) => new(sentence, 0, 0, 0);
}

/// <summary>The end of a size's run.</summary>
/// <param name="PeakMemoryBytes">The largest resident set of its process.</param>
/// <param name="Snapshot">What a snapshot of the account costs; null where it cannot be timed apart.</param>
/// <param name="Accounts">How many accounts were checked.</param>
/// <param name="Accepted">How many different events they took in.</param>
/// <param name="Duplicates">How many duplicates.</param>
/// <param name="Wrong">What was counted wrong; null when nothing was.</param>
internal sealed record Checked(long PeakMemoryBytes, SnapshotCost? Snapshot, int Accounts, long Accepted, long Duplicates, string? Wrong);
