using System.CommandLine;

namespace Billing.Benchmarks.Activation;

/// <summary>The command line <c>activation</c>.</summary>
public sealed class ActivationCommand : Command
{
    private const int RoundsMax = 100;
    private const int IdsMax = 20_000_000;

    private readonly Option<int> _ids = Number("--ids", "Remembered ids of the account, spread over 35 days.", 1_000_000, IdsMax);
    private readonly Option<int> _rounds = Number("--rounds", "Activations, each after a new start of the silo; the figure is their median.", 9, RoundsMax);
    private readonly Option<string> _scratch = new("--scratch") { Description = "A directory on the disk to measure.", DefaultValueFactory = _ => "/var/tmp" };

    public ActivationCommand()
        : base("activation", "H9: how long the first call of an account with 1,000,000 remembered ids takes after a start")
    {
        foreach (Option option in (Option[])[_ids, _rounds, _scratch]) Options.Add(option);
        SetAction(async (line, cancellation) =>
        {
            try
            {
                return await ActivationBenchmark.Run(line.GetValue(_ids), line.GetValue(_rounds), line.GetValue(_scratch)!, cancellation) ? 0 : 1;
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
