using System.CommandLine;
using Billing.Benchmarks.Measuring;

namespace Billing.Benchmarks.Ingest;

/// <summary>The command line <c>ingest</c>, and the hidden part of it that runs one target in this process.</summary>
public sealed class IngestCommand : Command
{
    private const string ResultsPath = "artifacts/bench/ingest.json";

    private readonly Option<int> _events = Number("--events", "Events generated; a target takes them in until they or its time are used up.", 2_000_000);
    private readonly Option<int> _accounts = Number("--accounts", "Accounts the events are spread over.", 15_000);
    private readonly Option<int> _seconds = Number("--seconds", "Time for each target. 0: its own, 10 or 20.", 0);
    private readonly Option<int> _inFlight = Number("--in-flight", "Polls in flight. 0: the target's own number.", 0);
    private readonly Option<ulong> _seed = new("--seed") { Description = "Equal seeds give equal bytes.", DefaultValueFactory = _ => 1 };
    private readonly Option<string> _scratch = new("--scratch") { Description = "A directory on the disk to measure.", DefaultValueFactory = _ => "/var/tmp" };
    private readonly Option<string[]> _targets = new("--target") { Description = "Only this target; can be given more than once.", DefaultValueFactory = _ => [] };
    private readonly Option<string?> _runTarget = new("--run-target") { Hidden = true };

    public IngestCommand()
        : base("ingest", "H1 and H2: durable exactly-once ingest beside PostgreSQL, counts checked on both sides")
    {
        _targets.AcceptOnlyFromAmong([.. IngestTargets.All.Select(spec => spec.Name)]);
        foreach (Option option in (Option[])[_events, _accounts, _seconds, _inFlight, _seed, _scratch, _targets, _runTarget])
        {
            Options.Add(option);
        }

        SetAction(Run);
    }

    private static Option<int> Number(string name, string description, int value)
    {
        var option = new Option<int>(name) { Description = description, DefaultValueFactory = _ => value };
        option.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<int>() < 0) result.AddError($"{name} must not be negative.");
        });
        return option;
    }

    private async Task<int> Run(ParseResult line, CancellationToken cancellation)
    {
        var options = new IngestOptions(
            line.GetValue(_events),
            line.GetValue(_accounts),
            line.GetValue(_seed),
            line.GetValue(_seconds),
            line.GetValue(_inFlight),
            line.GetValue(_scratch)!,
            line.GetValue(_targets)!);
        if (line.GetValue(_runTarget) is not { } target)
        {
            return await RunAll(options, cancellation);
        }

        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        _ = OwnProcess.StopAtEndOfInput(stop);
        await IngestBenchmark.RunTarget(target, options, options.ScratchRoot, stop.Token);
        return 0;
    }

    private static async Task<int> RunAll(IngestOptions options, CancellationToken cancellation)
    {
        try
        {
            return await IngestBenchmark.Run(options, ResultsPath, cancellation) ? 0 : 1;
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
