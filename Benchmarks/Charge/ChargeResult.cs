namespace Billing.Benchmarks.Charge;

/// <summary>What one target did in all schedules of a run.</summary>
/// <param name="Target">Its name.</param>
/// <param name="Schedules">How many there were.</param>
/// <param name="WrongSchedules">In how many a merchant was charged another sum than is owed, or more than once.</param>
/// <param name="OwedCents">What all merchants owe.</param>
/// <param name="WrongCents">How far what was charged is from that, summed over the merchants.</param>
/// <param name="Doubles">Charges of a merchant beyond the first.</param>
/// <param name="Missing">Merchants that were never charged.</param>
/// <param name="WrongAmounts">Charges of another amount than is owed.</param>
/// <param name="Crashes">How often a process died.</param>
/// <param name="StripeFaults">How many requests Stripe did wrong.</param>
/// <param name="Controls">Schedules run without faults and crashes.</param>
/// <param name="ControlWrongCents">Wrong cents in those; a right worker has none.</param>
/// <param name="ControlWrongSchedules">Wrong ones among those.</param>
/// <param name="WrongSeeds">The first seeds that went wrong.</param>
/// <param name="Threads">Schedules run at once.</param>
/// <param name="Seconds">Time for the schedules, controls left out.</param>
/// <param name="PeakMemoryBytes">High-water mark of the target's process.</param>
internal sealed record ChargeResult(
    string Target,
    int Schedules,
    int WrongSchedules,
    long OwedCents,
    long WrongCents,
    int Doubles,
    int Missing,
    int WrongAmounts,
    long Crashes,
    long StripeFaults,
    int Controls,
    int ControlWrongSchedules,
    long ControlWrongCents,
    IReadOnlyList<int> WrongSeeds,
    int Threads,
    double Seconds,
    long PeakMemoryBytes)
{
    public double SchedulesPerSecond => Schedules / Seconds;

    /// <summary>What is wrong with the run; null when it shows what it should.</summary>
    public string? Objection => this switch
    {
        { ControlWrongSchedules: > 0 } => $"wrong without any fault in {ControlWrongSchedules} schedules, {ControlWrongCents} cents",
        { WrongSchedules: > 0 } when IsOurs => $"wrong, seeds {string.Join(", ", WrongSeeds)}",
        { WrongSchedules: 0 } when !IsOurs => "never wrong here: the comparison shows nothing",
        _ => null,
    };

    private bool IsOurs => ChargeTargets.Named(Target).IsOurs;
}
