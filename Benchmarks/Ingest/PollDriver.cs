using System.Collections.Concurrent;
using System.Diagnostics;
using Billing.Benchmarks.Workloads;

namespace Billing.Benchmarks.Ingest;

/// <summary>
/// Feeds a workload's polls to a target, several at once, as partitions of a source would. The polls begun are always
/// the first ones without a gap, and all of them are awaited, so the right counts are known.
/// </summary>
public sealed class PollDriver(IIngestTarget target, IReadOnlyList<Poll> polls, int inFlight)
{
    private readonly Lock _gate = new();
    private int _begun;

    /// <summary>How many polls were taken in so far.</summary>
    public int Taken => _begun;

    /// <summary>Feeds polls until <paramref name="end"/> polls were begun in all, or no time is left.</summary>
    /// <returns>The time from the first poll begun to the last one answered, and each poll's own time, sorted.</returns>
    public async Task<(TimeSpan Elapsed, IReadOnlyList<double> PollMilliseconds)> Feed(int end, TimeSpan timeMax, CancellationToken cancellation)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        var times = new ConcurrentBag<double>();
        var start = Stopwatch.GetTimestamp();
        await Task.WhenAll(Enumerable.Range(0, inFlight).Select(_ => Task.Run(Partition, CancellationToken.None)));
        return (Stopwatch.GetElapsedTime(start), times.Order().ToList());

        async Task Partition()
        {
            try
            {
                while (Stopwatch.GetElapsedTime(start) < timeMax && Begin(end) is { } poll)
                {
                    var begun = Stopwatch.GetTimestamp();
                    await target.Ingest(poll.Ndjson, stop.Token);
                    times.Add(Stopwatch.GetElapsedTime(begun).TotalMilliseconds);
                }
            }
            catch (OperationCanceledException) when (stop.IsCancellationRequested && !cancellation.IsCancellationRequested)
            {
                // Another partition failed, and its error is the one to report.
            }
            catch
            {
                await stop.CancelAsync();
                throw;
            }
        }
    }

    private Poll? Begin(int end)
    {
        lock (_gate)
        {
            return _begun < Math.Min(end, polls.Count) ? polls[_begun++] : null;
        }
    }
}
