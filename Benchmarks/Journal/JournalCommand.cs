using System.CommandLine;

namespace Billing.Benchmarks.Journal;

/// <summary>The command line <c>journal</c>.</summary>
public sealed class JournalCommand : Command
{
    private const int EventsMax = 10_000_000;
    private const int SecondsMax = 600;

    private readonly Option<int> _events = Number("--events", "Events generated; each form writes them until they or its time are used up.", 1_500_000, EventsMax);
    private readonly Option<int> _accounts = Number("--accounts", "Accounts the events are spread over.", 15_000, 1_000_000);
    private readonly Option<int> _seconds = Number("--seconds", "Time for each form.", 15, SecondsMax);
    private readonly Option<string> _scratch = new("--scratch") { Description = "A directory on the disk to measure.", DefaultValueFactory = _ => "/var/tmp" };

    public JournalCommand()
        : base("journal", "H6: the journal on PostgreSQL at 4,096 events a commit beside a row per event, rate and disk, on one server")
    {
        foreach (Option option in (Option[])[_events, _accounts, _seconds, _scratch]) Options.Add(option);
        SetAction(async (line, cancellation) =>
        {
            try
            {
                return await JournalBenchmark.Run(line.GetValue(_events), line.GetValue(_accounts), line.GetValue(_seconds), line.GetValue(_scratch)!, cancellation) ? 0 : 1;
            }
            catch (OperationCanceledException)
            {
                await Console.Error.WriteLineAsync("Stopped; no result was kept.");
                return 130;
            }
        });
    }

    private static Option<int> Number(string name, string description, int value, int max)
    {
        var option = new Option<int>(name) { Description = $"{description} 1 to {max:N0}.", DefaultValueFactory = _ => value };
        option.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<int>() is var given && (given < 1 || given > max)) result.AddError($"{name} is from 1 to {max:N0}.");
        });
        return option;
    }
}
