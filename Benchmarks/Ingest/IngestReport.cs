using System.Globalization;
using Billing.Benchmarks.Measuring;
using Billing.Benchmarks.Workloads;

namespace Billing.Benchmarks.Ingest;

/// <summary>The run as people read it: a line for each target when it is done, then ours beside each peer.</summary>
public static class IngestReport
{
    private const long Mebibyte = 1 << 20;

    public static void PrintHeader(Machine machine, IngestOptions options, IReadOnlyList<TargetSpec> specs)
    {
        Print($"ingest: {options.Events:N0} events, {options.Accounts:N0} accounts (Zipf {WorkloadOptions.ZipfExponent}), {WorkloadOptions.DuplicateShare:P0} duplicates, {WorkloadOptions.LateShare:P0} late, seed {options.Seed}");
        Print($"{machine.Cores} cores ({machine.Cpu}), {machine.MemoryBytes / Mebibyte:N0} MiB, {machine.FileSystem}, {machine.DiskFreeBytes / Mebibyte:N0} MiB free, fsync p50 {machine.FsyncP50Milliseconds:F2} ms, {machine.Runtime}");
        foreach (var spec in specs)
        {
            Print($"  {spec.Name,-24} {spec.Title}");
        }

        Print($"");
        Print($"{"target",-26} {"events",11} {"seconds",8} {"events/s",10} {"poll p50",10} {"poll p99",10} {"peak memory",12}  counts right");
    }

    public static void PrintTarget(IngestResult result)
    {
        Print($"{result.Target,-26} {result.Events,11:N0} {result.Seconds,8:F1} {result.EventsPerSecond,10:N0} {result.PollP50Milliseconds,7:F1} ms {result.PollP99Milliseconds,7:F1} ms {result.PeakMemoryBytes / Mebibyte,8:N0} MiB  {Counts(result)}");
        foreach (var (name, value) in result.Details)
        {
            Print($"  {name}: {value:N1}");
        }
    }

    public static void PrintFigures(IReadOnlyList<IngestResult> results)
    {
        var peers = results.Select(result => (Result: result, Peer: IngestTargets.Named(result.Target))).Where(entry => entry.Peer.PeerOf is not null).ToList();
        var ours = results.Where(result => IngestTargets.Named(result.Target).PeerOf is null).ToList();
        Print($"");
        Print($"{"figure",-7} {"ours",-26} {"events/s",10} {"peak memory",12}   {"peer",-20} {"events/s",10} {"peak memory",12} {"ratio",8} {"at least",9}  counts right");
        foreach (var (peer, spec) in peers)
        {
            foreach (var our in ours)
            {
                Print($"{spec.PeerOf!.Id,-7} {our.Target,-26} {our.EventsPerSecond,10:N0} {our.PeakMemoryBytes / Mebibyte,8:N0} MiB   {peer.Target,-20} {peer.EventsPerSecond,10:N0} {peer.PeakMemoryBytes / Mebibyte,8:N0} MiB {our.EventsPerSecond / peer.EventsPerSecond,6:F1} x {spec.PeerOf.RatioAtLeast,7:F1} x  {(our.CountsRight && peer.CountsRight ? "yes, both" : "NO")}");
            }

            if (ours.Count == 0)
            {
                Print($"{spec.PeerOf!.Id,-7} {"not in this run",-26} {"",10} {"",12}   {peer.Target,-20} {peer.EventsPerSecond,10:N0} {peer.PeakMemoryBytes / Mebibyte,8:N0} MiB {"",8} {spec.PeerOf.RatioAtLeast,7:F1} x  {(peer.CountsRight ? "yes" : "NO")}");
            }
        }
    }

    private static string Counts(IngestResult result) => result.CountsRight
        ? $"yes ({result.Accepted:N0} accepted, {result.Duplicate:N0} duplicates)"
        : $"NO: {result.Accepted:N0} accepted and {result.Duplicate:N0} duplicates, right are {result.TrueAccepted:N0} and {result.TrueDuplicate:N0}";

    private static void Print(FormattableString line) => Console.WriteLine(line.ToString(CultureInfo.InvariantCulture));
}
