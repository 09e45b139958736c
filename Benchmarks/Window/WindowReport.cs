using System.Globalization;
using Billing.Benchmarks.Measuring;

namespace Billing.Benchmarks.Window;

/// <summary>The run as people read it: a line for each size when a case is done, then the figures.</summary>
internal static class WindowReport
{
    private const long Mebibyte = 1 << 20;

    public static void PrintHeader(Machine machine, WindowOptions options)
    {
        Print($"window: one account at {string.Join(" and ", options.Sizes.Select(size => $"{size:N0}"))} remembered ids; {options.Rounds} rounds in turn of {options.Bursts} x {WindowOptions.BurstLines:N0} events: 75 % in order, 20 % late, 5 % duplicates; seed {options.Seed}");
        Print($"{machine.Cores} cores ({machine.Cpu}), {machine.MemoryBytes / Mebibyte:N0} MiB, {machine.FileSystem}, fsync p50 {machine.FsyncP50Milliseconds:F2} ms, {machine.Runtime}");
        Print($"rules: the rules in memory, {WindowOptions.PollLines} events a turn. path: CloudEvents bytes to the disk through the account's grain, polls of {WindowOptions.PollLines}, 4 at once.");
        Print($"");
        Print($"{"case",-16} {"part",-5} {"ids",11} {"new events/s",12} {"lowest",10} {"highest",10} {"CPU us/ev",9} {"alloc/ev",8} {"bytes/id",8} {"snapshot",9} {"peak",9}  counts right");
    }

    public static void PrintResult(WindowResult result)
    {
        if (result.Refusal is { } sentence)
        {
            Print($"{result.Case,-16} {Name(result),-5} refused: {sentence}");
            return;
        }

        foreach (var size in result.Sizes)
        {
            var snapshot = size.End.Snapshot is { } cost ? $"{cost.Milliseconds:F1} ms" : "";
            Print($"{result.Case,-16} {Name(result),-5} {size.Start.Ids,11:N0} {size.Rates.Median(),12:N0} {size.Rates[0],10:N0} {size.Rates[^1],10:N0} {size.CpuMicroseconds,9:F2} {size.AllocatedBytes,8:N0} {size.Start.BytesPerId,8:F1} {snapshot,9} {size.End.PeakMemoryBytes / Mebibyte,5:N0} MiB  {Counts(size)}");
        }

        if (result.Ratios.Count > 0)
            Print($"{result.Case,-16} {Name(result),-5} ratio {result.Ratios.Median():F2} ({result.Ratios[0]:F2} to {result.Ratios[^1]:F2} by round), wanted {WindowResult.RatioWanted}: {Verdict(result)}");
    }

    public static void PrintFigures(IReadOnlyList<WindowResult> results, IReadOnlyList<PeerResult> peers)
    {
        var paths = results.Where(result => result.Part == WindowPart.Path && result.Ratios.Count > 0).ToList();
        Print($"");
        if (paths.MinBy(result => result.Ratios.Median()) is { } worst)
            Print($"H5  {worst.Sizes[^1].Start.Ids:N0} ids against {worst.Sizes[0].Start.Ids:N0}, whole path, the case that falls most ({worst.Case}): {worst.Ratios.Median():F2}, at least {WindowResult.RatioWanted} asked");
        var ours = results.FirstOrDefault(result => result is { Part: WindowPart.Path, Case: "count", Refusal: null })?.Sizes[^1];
        foreach (var peer in peers)
        {
            var ratio = ours is null ? "ours (count, path) not in this run" : $"ours at {ours.Start.Ids:N0} ids {ours.Rates.Median() / peer.EventsPerSecond:N0} x, at least {RewritingPeer.RatioAtLeast:N0} x asked";
            Print($"H5  an account that rewrites its state, {peer.Ids:N0} ids, {peer.TurnEvents} event{(peer.TurnEvents == 1 ? "" : "s")} a write: {peer.EventsPerSecond:N0} new events/s, peak {peer.PeakMemoryBytes / Mebibyte:N0} MiB, counts {(peer.Wrong is null ? "right" : $"NO: {peer.Wrong}")}; {ratio}");
        }
    }

    private static string Name(WindowResult result) => result.Part == WindowPart.Rules ? "rules" : "path";

    private static string Verdict(WindowResult result)
    {
        var ratio = result.Ratios.Median();
        if (ratio >= WindowResult.RatioWanted) return "yes";
        return result.Grows ? $"NO, and below {result.RatioFailing} the run fails: the cost grows with the window" : "NO";
    }

    private static string Counts(SizeResult size)
    {
        var short_ = size.Start.Ids < size.Size ? $"; filled for too long, {size.Size:N0} ids were asked" : "";
        return size.End.Wrong is { } wrong
            ? $"NO: {wrong}"
            : $"yes ({size.End.Accounts} accounts, {size.End.Accepted:N0} + {size.End.Duplicates:N0} duplicates){short_}";
    }

    private static void Print(FormattableString line) => Console.WriteLine(line.ToString(CultureInfo.InvariantCulture));
}
