using System.Diagnostics;
using Billing.Benchmarks.Measuring;
using Billing.Benchmarks.Workloads;

namespace Billing.Benchmarks.Ingest;

/// <summary>Measures one target, in the process it has for itself.</summary>
public static class IngestRun
{
    private static readonly TimeSpan WarmUpMax = TimeSpan.FromSeconds(5);

    public static async Task<IngestResult> Measure(TargetSpec spec, IngestOptions options, string scratch, CancellationToken cancellation)
    {
        var workload = WorkloadGenerator.Generate(new WorkloadOptions(options.Events, options.Accounts, options.Seed, IngestOptions.Clock));
        GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
        PeakMemory.Reset();

        var accounts = Enumerable.Range(0, options.Accounts).Select(Workload.AccountId).ToList();
        await using var target = spec.Create(new TargetContext(scratch, accounts, IngestOptions.Clock));
        await target.Start();

        var inFlight = options.InFlight > 0 ? options.InFlight : spec.PollsInFlight;
        var timeMax = TimeSpan.FromSeconds(options.Seconds > 0 ? options.Seconds : spec.SecondsMax);
        var driver = new PollDriver(target, workload.Polls, inFlight);
        await driver.Feed(Math.Min(spec.WarmUpPolls, workload.Polls.Count / 2), WarmUpMax, cancellation);
        var warmUpPolls = driver.Taken;

        using var process = Process.GetCurrentProcess();
        var (cpu, allocated) = (process.TotalProcessorTime, GC.GetTotalAllocatedBytes());
        var (elapsed, pollTimes) = await driver.Feed(int.MaxValue, timeMax, cancellation);
        process.Refresh();
        (cpu, allocated) = (process.TotalProcessorTime - cpu, GC.GetTotalAllocatedBytes() - allocated);

        var ownPeak = PeakMemory.Read() - workload.Bytes;
        var server = target.ServerMemoryBytes;
        var counts = await target.Counts();
        var truth = workload.Truth(driver.Taken);
        return new IngestResult(
            spec.Name,
            inFlight,
            Events(workload.Polls.Take(driver.Taken).Skip(warmUpPolls)),
            Events(workload.Polls.Take(warmUpPolls)),
            elapsed.TotalSeconds,
            Percentile(pollTimes, 0.50),
            Percentile(pollTimes, 0.99),
            ownPeak + server,
            server,
            workload.Bytes,
            cpu.TotalSeconds,
            allocated,
            counts.Accepted,
            counts.Duplicate,
            truth.Accepted,
            truth.Duplicate,
            target.Details);
    }

    private static long Events(IEnumerable<Poll> polls) => polls.Sum(poll => (long)poll.Events);

    private static double Percentile(IReadOnlyList<double> sorted, double share) =>
        sorted.Count == 0 ? 0 : sorted[Math.Min(sorted.Count - 1, (int)(share * sorted.Count))];
}
