using System.CommandLine;

namespace Billing.Benchmarks.Window;

/// <summary>The command line <c>window</c>, and the hidden part of it that measures one size in this process.</summary>
public sealed class WindowCommand : Command
{
    private const string ResultsPath = "artifacts/bench/window.json";
    private const int SizeMax = 20_000_000;

    private readonly Option<int[]> _sizes = new("--size")
    {
        Description = "Remembered ids of the account; can be given more than once. The largest is set beside the smallest. 1,000 and 1,000,000 without it.",
        DefaultValueFactory = _ => [1_000, 1_000_000],
    };

    private readonly Option<string[]> _cases = new("--case") { Description = "Only this case; can be given more than once.", DefaultValueFactory = _ => [] };
    private readonly Option<int> _rounds = Number("--rounds", "Rounds; the figure is their median.", 9);
    private readonly Option<int> _bursts = Number("--bursts", $"Bursts of {WindowOptions.BurstLines:N0} events in a round.", 20);
    private readonly Option<double> _seconds = new("--seconds") { Description = "No burst of a round begins after this time.", DefaultValueFactory = _ => 2 };
    private readonly Option<double> _fillSeconds = new("--fill-seconds") { Description = "An account not filled after this time is measured with what it holds.", DefaultValueFactory = _ => 30 };
    private readonly Option<ulong> _seed = new("--seed") { Description = "Equal seeds give equal events.", DefaultValueFactory = _ => 1 };
    private readonly Option<string> _scratch = new("--scratch") { Description = "A directory on the disk to measure.", DefaultValueFactory = _ => "/var/tmp" };
    private readonly Option<string?> _runCase = new("--run-case") { Hidden = true };
    private readonly Option<int> _runSize = new("--run-size") { Hidden = true };

    public WindowCommand()
        : base("window", "H5: the cost of an event at 1,000 and at 1,000,000 remembered ids, in one run, beside a state that is rewritten")
    {
        _cases.AcceptOnlyFromAmong([.. WindowCase.All.Select(what => what.Name)]);
        _sizes.Validators.Add(result =>
        {
            if (Array.Exists(result.GetValueOrDefault<int[]>()!, size => size is < 1 or > SizeMax)) result.AddError($"--size is from 1 to {SizeMax:N0}.");
        });
        foreach (Option option in (Option[])[_sizes, _cases, _rounds, _bursts, _seconds, _fillSeconds, _seed, _scratch, _runCase, _runSize])
            Options.Add(option);
        SetAction(Run);
    }

    // So few that all events have a time in the hour after the fill.
    private static Option<int> Number(string name, string description, int value)
    {
        const int max = 50;
        var option = new Option<int>(name) { Description = $"{description} 1 to {max}.", DefaultValueFactory = _ => value };
        option.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<int>() is < 1 or > max) result.AddError($"{name} is from 1 to {max}.");
        });
        return option;
    }

    private async Task<int> Run(ParseResult line, CancellationToken cancellation)
    {
        var options = new WindowOptions(
            [.. line.GetValue(_sizes)!.Distinct().Order()],
            line.GetValue(_cases)!,
            line.GetValue(_rounds),
            line.GetValue(_bursts),
            line.GetValue(_seconds),
            line.GetValue(_fillSeconds),
            line.GetValue(_seed),
            line.GetValue(_scratch)!);
        if (line.GetValue(_runCase) is { } what)
        {
            await SizeProcess.Serve(WindowCase.Named(what), line.GetValue(_runSize), options);
            return 0;
        }

        try
        {
            return await WindowBenchmark.Run(options, ResultsPath, cancellation) ? 0 : 1;
        }
        catch (InvalidOperationException failure)
        {
            await Console.Error.WriteLineAsync(failure.Message);
            return 1;
        }
        catch (OperationCanceledException)
        {
            await Console.Error.WriteLineAsync("Stopped; no result was kept.");
            return 130;
        }
    }
}
