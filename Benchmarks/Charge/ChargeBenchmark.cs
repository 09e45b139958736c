using System.Globalization;
using System.Text.Json;
using Billing.Benchmarks.Measuring;
using Billing.Tests.Simulation;

namespace Billing.Benchmarks.Charge;

/// <summary>Runs the same schedules against each target, one after the other, each in a process of its own.</summary>
internal static class ChargeBenchmark
{
    private const string AnswerMark = "answer ";

    /// <summary>Runs the targets, prints the table and appends the results to <paramref name="resultsPath"/>.</summary>
    /// <returns>Whether ours charged no wrong cent, the others did, and without faults none did.</returns>
    public static async Task<bool> Run(ChargeOptions options, string resultsPath, CancellationToken cancellation)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(resultsPath)!);
        var machine = Machine.Look(Path.GetDirectoryName(resultsPath)!);
        ChargeReport.PrintHeader(machine, options);
        var results = new List<ChargeResult>();
        foreach (var target in options.Targets)
        {
            results.Add(await RunInOwnProcess(target, options, cancellation));
            ChargeReport.PrintTarget(results[^1]);
        }

        ChargeReport.PrintFigure(results);
        var at = TimeProvider.System.GetUtcNow();
        var workload = new { options.Schedules, options.Seed, options.Controls };
        await File.AppendAllLinesAsync(resultsPath, results.Select(result => JsonSerializer.Serialize(new { At = at, Machine = machine, Workload = workload, Result = result })), cancellation);
        return results.TrueForAll(r => r.Objection is null);
    }

    /// <summary>Runs one schedule in this process and prints what happens in it.</summary>
    /// <returns>Whether ours charged no wrong cent.</returns>
    public static bool Trace(ChargeOptions options)
    {
        var right = true;
        foreach (var target in options.Targets.Select(ChargeTargets.Named))
        {
            var outcome = target.Run(ChargeSchedule.Of(options.Seed), line => Console.WriteLine($"{target.Name}  {line}"));
            ChargeReport.PrintOutcome(target.Name, outcome);
            right &= !target.IsOurs || outcome.IsRight;
        }

        return right;
    }

    /// <summary>The other end of <see cref="RunInOwnProcess"/>: measures one target and writes its result.</summary>
    /// <returns>Whether every schedule came to its end.</returns>
    public static bool RunTarget(string target, ChargeOptions options, CancellationToken cancellation)
    {
        try
        {
            Console.WriteLine(AnswerMark + JsonSerializer.Serialize(ChargeRun.Measure(ChargeTargets.Named(target), options, cancellation)));
            return true;
        }
        catch (AggregateException failed) when (failed.InnerException is SimulationException unfinished)
        {
            Console.Error.WriteLine(unfinished);
            return false;
        }
    }

    private static async Task<ChargeResult> RunInOwnProcess(string target, ChargeOptions options, CancellationToken cancellation)
    {
        string[] arguments = ["charge", "--run-target", target, "--schedules", Text(options.Schedules), "--seed", Text(options.Seed)];
        using var process = OwnProcess.Start(arguments, readOutput: true);
        using var stop = cancellation.Register(process.StandardInput.Close);
        ChargeResult? result = null;
        while (await process.StandardOutput.ReadLineAsync(CancellationToken.None) is { } line)
        {
            if (line.StartsWith(AnswerMark, StringComparison.Ordinal)) result = JsonSerializer.Deserialize<ChargeResult>(line[AnswerMark.Length..]);
            else await Console.Error.WriteLineAsync($"{target}: {line}");
        }

        await process.WaitForExitAsync(CancellationToken.None);
        cancellation.ThrowIfCancellationRequested();
        return result ?? throw new InvalidOperationException($"{target} ended with code {process.ExitCode}; its error stands above. No result was kept.");
    }

    private static string Text(int value) => value.ToString(CultureInfo.InvariantCulture);
}
