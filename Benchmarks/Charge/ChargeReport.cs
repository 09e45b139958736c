using System.Globalization;
using Billing.Benchmarks.Measuring;

namespace Billing.Benchmarks.Charge;

/// <summary>The run as people read it: a line for each target when it is done.</summary>
internal static class ChargeReport
{
    private const long Mebibyte = 1 << 20;

    public static void PrintHeader(Machine machine, ChargeOptions options)
    {
        Print($"charge: {options.Schedules:N0} schedules from seed {options.Seed} on, the first {options.Controls:N0} of them also without faults and crashes");
        Print($"{machine.Cores} cores ({machine.Cpu}), {machine.MemoryBytes / Mebibyte:N0} MiB, {machine.Runtime}");
        foreach (var target in options.Targets.Select(ChargeTargets.Named)) Print($"  {target.Name,-26} {target.Title}");
        Print($"");
        Print($"{"target",-26} {"schedules",9} {"wrong",6} {"wrong cents",12} {"doubles",8} {"missing",8} {"wrong amounts",13} {"crashes",8} {"Stripe faults",13} {"schedules/s",11} {"peak memory",12}  without faults");
    }

    public static void PrintTarget(ChargeResult result)
    {
        Print($"{result.Target,-26} {result.Schedules,9:N0} {result.WrongSchedules,6:N0} {result.WrongCents,12:N0} {result.Doubles,8:N0} {result.Missing,8:N0} {result.WrongAmounts,13:N0} {result.Crashes,8:N0} {result.StripeFaults,13:N0} {result.SchedulesPerSecond,11:N1} {result.PeakMemoryBytes / Mebibyte,8:N0} MiB  {result.ControlWrongCents:N0} wrong cents in {result.Controls:N0}");
        if (result.WrongSchedules > 0) Print($"  {result.WrongCents / (decimal)result.OwedCents:P2} of {result.OwedCents:N0} cents owed; seeds {string.Join(", ", result.WrongSeeds)}{(result.WrongSchedules > result.WrongSeeds.Count ? " …" : "")}");
        if (result.Objection is { } objection) Print($"  NO: {objection}");
    }

    public static void PrintFigure(IReadOnlyList<ChargeResult> results)
    {
        Print($"");
        Print($"H7      {(results.All(r => r.Objection is null) ? "yes" : "NO")}: wrong cents {string.Join(", ", results.Select(r => string.Create(CultureInfo.InvariantCulture, $"{r.Target} {r.WrongCents:N0}")))}; 0 asked of ours where the others have more");
    }

    public static void PrintOutcome(string target, ScheduleOutcome outcome) =>
        Print($"{target}: {outcome.WrongCents:N0} wrong cents of {outcome.OwedCents:N0} owed, {outcome.Doubles} doubles, {outcome.Missing} missing, {outcome.WrongAmounts} wrong amounts");

    private static void Print(FormattableString line) => Console.WriteLine(line.ToString(CultureInfo.InvariantCulture));
}
