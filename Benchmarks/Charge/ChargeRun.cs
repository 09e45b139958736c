using System.Diagnostics;
using Billing.Benchmarks.Measuring;

namespace Billing.Benchmarks.Charge;

/// <summary>Runs all schedules of one target, in the process it has for itself.</summary>
internal static class ChargeRun
{
    private const int WrongSeedsKept = 5;

    public static ChargeResult Measure(ChargeTarget target, ChargeOptions options, CancellationToken cancellation)
    {
        var controls = RunAll(target, options.Seed, options.Controls, withFaults: false, cancellation);
        var start = Stopwatch.GetTimestamp();
        var outcomes = RunAll(target, options.Seed, options.Schedules, withFaults: true, cancellation);
        var elapsed = Stopwatch.GetElapsedTime(start);
        return new(
            target.Name,
            outcomes.Length,
            outcomes.Count(o => !o.IsRight),
            outcomes.Sum(o => o.OwedCents),
            outcomes.Sum(o => o.WrongCents),
            outcomes.Sum(o => o.Doubles),
            outcomes.Sum(o => o.Missing),
            outcomes.Sum(o => o.WrongAmounts),
            outcomes.Sum(o => (long)o.Crashes),
            outcomes.Sum(o => (long)o.StripeFaults),
            controls.Length,
            controls.Count(o => !o.IsRight),
            controls.Sum(o => o.WrongCents),
            [.. outcomes.Where(o => !o.IsRight).Take(WrongSeedsKept).Select(o => o.Seed)],
            Environment.ProcessorCount,
            elapsed.TotalSeconds,
            PeakMemory.Read());
    }

    // No run knows of another: each has its own world, stores and Stripe.
    private static ScheduleOutcome[] RunAll(ChargeTarget target, int firstSeed, int count, bool withFaults, CancellationToken cancellation)
    {
        var outcomes = new ScheduleOutcome[count];
        Parallel.For(0, count, new() { MaxDegreeOfParallelism = Environment.ProcessorCount, CancellationToken = cancellation }, i =>
        {
            var schedule = ChargeSchedule.Of(firstSeed + i);
            outcomes[i] = target.Run(withFaults ? schedule : schedule.WithoutFaults(), null);
        });
        return outcomes;
    }
}
