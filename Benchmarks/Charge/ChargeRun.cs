using System.Diagnostics;
using Billing.Benchmarks.Measuring;

namespace Billing.Benchmarks.Charge;

/// <summary>Runs all schedules of one target, in the process it has for itself.</summary>
internal static class ChargeRun
{
    private const int WrongSeedsKept = 5;

    public static ChargeResult Measure(ChargeTarget target, ChargeOptions options)
    {
        var controls = RunAll(target, options.Seed, options.Controls, withFaults: false);
        var start = Stopwatch.GetTimestamp();
        var outcomes = RunAll(target, options.Seed, options.Schedules, withFaults: true);
        var elapsed = Stopwatch.GetElapsedTime(start);
        return new(
            target.Name,
            outcomes.Length,
            outcomes.Count(IsWrong),
            outcomes.Sum(o => o.OwedCents),
            outcomes.Sum(o => o.WrongCents),
            outcomes.Sum(o => o.Doubles),
            outcomes.Sum(o => o.Missing),
            outcomes.Sum(o => o.WrongAmounts),
            outcomes.Sum(o => (long)o.Crashes),
            outcomes.Sum(o => (long)o.StripeFaults),
            controls.Length,
            controls.Count(IsWrong),
            controls.Sum(o => o.WrongCents),
            [.. outcomes.Where(IsWrong).Take(WrongSeedsKept).Select(o => o.Seed)],
            Environment.ProcessorCount,
            elapsed.TotalSeconds,
            PeakMemory.Read());
    }

    private static bool IsWrong(ScheduleOutcome outcome) => outcome is not { WrongCents: 0, Doubles: 0, Missing: 0, WrongAmounts: 0 };

    // No run knows of another: each has its own world, stores and Stripe.
    private static ScheduleOutcome[] RunAll(ChargeTarget target, int firstSeed, int count, bool withFaults)
    {
        var outcomes = new ScheduleOutcome[count];
        Parallel.For(0, count, new() { MaxDegreeOfParallelism = Environment.ProcessorCount }, i =>
        {
            var schedule = ChargeSchedule.Of(firstSeed + i);
            outcomes[i] = target.Run(withFaults ? schedule : schedule.WithoutFaults(), null);
        });
        return outcomes;
    }
}
