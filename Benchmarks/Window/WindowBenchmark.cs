using System.Text.Json;
using Billing.Benchmarks.Measuring;

namespace Billing.Benchmarks.Window;

/// <summary>Measures whether an event costs more when its account remembers more ids.</summary>
internal static class WindowBenchmark
{
    private const int PeerBatch = 100;

    /// <summary>Runs the cases and the peer, prints the table and appends the results to <paramref name="resultsPath"/>.</summary>
    /// <returns>Whether everything was counted right and no case fell below what <see cref="WindowResult.RatioFailing"/> allows.</returns>
    public static async Task<bool> Run(WindowOptions options, string resultsPath, CancellationToken cancellation)
    {
        var cases = options.Cases.Count == 0 ? WindowCase.All : options.Cases.Select(WindowCase.Named).ToList();
        var scratchRoot = Directory.CreateDirectory(Path.Combine(options.ScratchRoot, $"billing-bench-{Environment.ProcessId}")).FullName;
        try
        {
            var machine = Machine.Look(scratchRoot);
            WindowReport.PrintHeader(machine, options);
            var results = new List<WindowResult>();
            foreach (var what in cases)
            {
                var scratch = Directory.CreateDirectory(Path.Combine(scratchRoot, what.Name)).FullName;
                results.AddRange(await Run(what, options, scratch, cancellation));
                Directory.Delete(scratch, recursive: true);
            }

            PeerResult[] peers = [RewritingPeer.Measure(scratchRoot, PeerBatch, options.Seed), RewritingPeer.Measure(scratchRoot, turnEvents: 1, options.Seed)];
            WindowReport.PrintFigures(results, peers);
            Append(resultsPath, machine, options, results, peers);
            return results.TrueForAll(result => result is { CountsRight: true, Grows: false }) && Array.TrueForAll(peers, peer => peer.Wrong is null);
        }
        finally
        {
            Directory.Delete(scratchRoot, recursive: true);
        }
    }

    private static async Task<List<WindowResult>> Run(WindowCase what, WindowOptions options, string scratch, CancellationToken cancellation)
    {
        var processes = new List<SizeProcess>();
        using var stop = cancellation.Register(() => processes.ForEach(process => process.Stop()));
        try
        {
            foreach (var size in options.Sizes)
                processes.Add(SizeProcess.Start(what, size, options, Directory.CreateDirectory(Path.Combine(scratch, $"{size}")).FullName));

            var results = new List<WindowResult>();
            foreach (var part in Enum.GetValues<WindowPart>())
            {
                results.Add(await Measure(what, part, processes, options.Rounds, cancellation));
                WindowReport.PrintResult(results[^1]);
            }

            return results;
        }
        finally
        {
            foreach (var process in processes) await process.DisposeAsync();
        }
    }

    private static async Task<WindowResult> Measure(
        WindowCase what, WindowPart part, List<SizeProcess> processes, int rounds, CancellationToken cancellation)
    {
        var starts = await Task.WhenAll(processes.Select(process => process.Open(part)));
        if (Array.Find(starts, start => start.Refusal is not null) is { } refused)
        {
            await Task.WhenAll(processes.Select(process => process.Close()));
            return new(what.Name, part, refused.Refusal, []);
        }

        var costs = processes.ToDictionary(process => process, _ => new List<RoundCost>());
        foreach (var process in processes) await process.Round();
        for (var round = 0; round < rounds; round++)
        {
            cancellation.ThrowIfCancellationRequested();
            var order = round % 2 == 0 ? processes : Enumerable.Reverse(processes);
            foreach (var process in order) costs[process].Add(await process.Round());
        }

        var ends = await Task.WhenAll(processes.Select(process => process.Check()));
        await Task.WhenAll(processes.Select(process => process.Close()));
        return new(what.Name, part, null, [.. processes.Select((process, i) => new SizeResult(process.Size, starts[i], costs[process], ends[i]))]);
    }

    private static void Append(string path, Machine machine, WindowOptions options, List<WindowResult> results, PeerResult[] peers)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        var at = TimeProvider.System.GetUtcNow();
        var settings = new { options.Sizes, options.Rounds, options.Bursts, options.Seed };
        File.AppendAllLines(path, results.Select(result => JsonSerializer.Serialize(new { At = at, Machine = machine, Options = settings, Result = result })));
        File.AppendAllLines(path, peers.Select(peer => JsonSerializer.Serialize(new { At = at, Machine = machine, Options = settings, Peer = peer })));
    }
}
