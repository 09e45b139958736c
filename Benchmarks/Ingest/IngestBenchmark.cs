using System.Globalization;
using System.Text.Json;
using Billing.Benchmarks.Measuring;
using Billing.Benchmarks.Workloads;

namespace Billing.Benchmarks.Ingest;

/// <summary>
/// Measures durable exactly-once ingest: ours and its peers, one after the other on the same bytes, each in a process of
/// its own so that memory and compiled code of one do not help or burden the next.
/// </summary>
public static class IngestBenchmark
{
    private const string ResultFile = "result.json";

    /// <summary>Runs the targets, prints the table and appends the results to <paramref name="resultsPath"/>.</summary>
    /// <returns>Whether every target counted right.</returns>
    public static async Task<bool> Run(IngestOptions options, string resultsPath, CancellationToken cancellation)
    {
        var specs = options.Targets.Count == 0 ? IngestTargets.All : options.Targets.Select(IngestTargets.Named).ToList();
        var scratchRoot = Directory.CreateDirectory(Path.Combine(options.ScratchRoot, $"billing-bench-{Environment.ProcessId}")).FullName;
        try
        {
            var machine = Machine.Look(scratchRoot);
            IngestReport.PrintHeader(machine, options, specs);
            var results = new List<IngestResult>();
            foreach (var spec in specs)
            {
                var scratch = Directory.CreateDirectory(Path.Combine(scratchRoot, spec.Name)).FullName;
                results.Add(await RunInOwnProcess(spec, options, scratch, cancellation));
                IngestReport.PrintTarget(results[^1]);
                Directory.Delete(scratch, recursive: true);
            }

            IngestReport.PrintFigures(results);
            Append(resultsPath, machine, options, results);
            return results.TrueForAll(result => result.CountsRight);
        }
        finally
        {
            Directory.Delete(scratchRoot, recursive: true);
        }
    }

    /// <summary>The other end of <see cref="RunInOwnProcess"/>: measures one target and leaves its result in the scratch directory.</summary>
    public static async Task RunTarget(string target, IngestOptions options, string scratch, CancellationToken cancellation)
    {
        var result = await IngestRun.Measure(IngestTargets.Named(target), options, scratch, cancellation);
        await File.WriteAllTextAsync(Path.Combine(scratch, ResultFile), JsonSerializer.Serialize(result), cancellation);
    }

    private static async Task<IngestResult> RunInOwnProcess(TargetSpec spec, IngestOptions options, string scratch, CancellationToken cancellation)
    {
        string[] arguments =
        [
            "ingest",
            "--run-target", spec.Name,
            "--scratch", scratch,
            "--events", Text(options.Events),
            "--accounts", Text(options.Accounts),
            "--seed", Text(options.Seed),
            "--seconds", Text(options.Seconds),
            "--in-flight", Text(options.InFlight),
        ];
        using var process = OwnProcess.Start(arguments);
        using var stop = cancellation.Register(process.StandardInput.Close);
        await process.WaitForExitAsync(CancellationToken.None);
        cancellation.ThrowIfCancellationRequested();
        if (process.ExitCode != 0)
        {
            throw new InvalidOperationException($"{spec.Name} ended with code {process.ExitCode}; its error stands above. No result was kept.");
        }

        var result = await File.ReadAllTextAsync(Path.Combine(scratch, ResultFile), cancellation);
        return JsonSerializer.Deserialize<IngestResult>(result) ?? throw new InvalidOperationException($"{spec.Name} left no result.");
    }

    private static string Text<T>(T value) where T : IFormattable => value.ToString(null, CultureInfo.InvariantCulture);

    private static void Append(string path, Machine machine, IngestOptions options, List<IngestResult> results)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        var at = TimeProvider.System.GetUtcNow();
        var workload = new
        {
            options.Events,
            options.Accounts,
            options.Seed,
            WorkloadOptions.ZipfExponent,
            WorkloadOptions.DuplicateShare,
            WorkloadOptions.LateShare,
        };
        File.AppendAllLines(path, results.Select(result => JsonSerializer.Serialize(new { At = at, Machine = machine, Workload = workload, Result = result })));
    }
}
