using System.CommandLine;
using Billing.Benchmarks.Measuring;

namespace Billing.Benchmarks.Charge;

/// <summary>The command line <c>charge</c>, and the hidden part of it that measures one target in this process.</summary>
public sealed class ChargeCommand : Command
{
    private const string ResultsPath = "artifacts/bench/charge.json";
    private const int SchedulesMax = 1_000_000;

    private readonly Option<int> _schedules = new("--schedules") { Description = $"Schedules, one for each seed. 1 to {SchedulesMax:N0}.", DefaultValueFactory = _ => 10_000 };
    private readonly Option<int> _seed = new("--seed") { Description = "The first seed. Equal seeds give equal schedules and equal outcomes.", DefaultValueFactory = _ => 1 };
    private readonly Option<string[]> _targets = new("--target") { Description = "Only this target; can be given more than once.", DefaultValueFactory = _ => [] };
    private readonly Option<bool> _trace = new("--trace") { Description = "Prints what happens in the schedule, step by step; with --schedules 1. No result is kept." };
    private readonly Option<string?> _runTarget = new("--run-target") { Hidden = true };

    public ChargeCommand()
        : base("charge", "H7: wrong cents over schedules of crashes, duplicates and Stripe faults, beside workers that claim or save")
    {
        _targets.AcceptOnlyFromAmong([.. ChargeTargets.All.Select(target => target.Name)]);
        _schedules.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<int>() is < 1 or > SchedulesMax) result.AddError($"--schedules is from 1 to {SchedulesMax:N0}.");
        });
        _seed.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<int>() is < 0 or > int.MaxValue - SchedulesMax) result.AddError($"--seed is from 0 to {int.MaxValue - SchedulesMax:N0}.");
        });
        Validators.Add(result =>
        {
            if (result.GetValue(_trace) && result.GetValue(_schedules) != 1) result.AddError("--trace goes with --schedules 1.");
        });
        foreach (Option option in (Option[])[_schedules, _seed, _targets, _trace, _runTarget]) Options.Add(option);
        SetAction(Run);
    }

    private async Task<int> Run(ParseResult line, CancellationToken cancellation)
    {
        var targets = line.GetValue(_targets)!;
        var options = new ChargeOptions(
            line.GetValue(_schedules), line.GetValue(_seed), [.. ChargeTargets.All.Select(target => target.Name).Where(name => targets.Length == 0 || targets.Contains(name, StringComparer.Ordinal))]);
        if (line.GetValue(_runTarget) is { } target)
        {
            using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
            _ = OwnProcess.StopAtEndOfInput(stop);
            return ChargeBenchmark.RunTarget(target, options, stop.Token) ? 0 : 1;
        }

        if (line.GetValue(_trace)) return ChargeBenchmark.Trace(options) ? 0 : 1;
        try
        {
            return await ChargeBenchmark.Run(options, ResultsPath, cancellation) ? 0 : 1;
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
