namespace Billing.Benchmarks.Charge;

/// <summary>What is run.</summary>
/// <param name="Schedules">How many schedules, of the seeds from <paramref name="Seed"/> on.</param>
/// <param name="Seed">The first seed.</param>
/// <param name="Targets">The names of the targets.</param>
internal sealed record ChargeOptions(int Schedules, int Seed, IReadOnlyList<string> Targets)
{
    private const int SchedulesPerControl = 10;

    /// <summary>So many of the schedules, the first ones, are run once more without faults and crashes.</summary>
    public int Controls => int.Max(1, Schedules / SchedulesPerControl);
}
