namespace Billing.Benchmarks.Charge;

/// <summary>Something that bills the merchants of a schedule.</summary>
/// <param name="Name">Its name in tables and on the command line.</param>
/// <param name="Title">What it is.</param>
/// <param name="IsOurs">Whether it must charge no wrong cent; the others must, or the comparison shows nothing.</param>
/// <param name="Run">Runs one schedule; the action is told what happens, step by step.</param>
internal sealed record ChargeTarget(string Name, string Title, bool IsOurs, Func<ChargeSchedule, Action<string>?, ScheduleOutcome> Run);

/// <summary>All targets, ours first.</summary>
internal static class ChargeTargets
{
    public static readonly IReadOnlyList<ChargeTarget> All =
    [
        new("orleans-billing", "the platform: ingest, account grains, journal, due work and Stripe client", true, PlatformRun.Of),
        Worker("claim-then-charge", "claims in Redis, writes, charges; each attempt under a new key", world => new ClaimThenCharge(world)),
        Worker("charge-then-save", "charges, then saves that it charged; each attempt under a new key", world => new ChargeThenSave(world, oneKey: false)),
        Worker("charge-then-save-one-key", "the same, all attempts for an invoice under one key", world => new ChargeThenSave(world, oneKey: true)),
    ];

    public static ChargeTarget Named(string name) => All.First(target => target.Name == name);

    private static ChargeTarget Worker(string name, string title, Func<WorkerWorld, IWorker> make) =>
        new(name, title, false, (schedule, trace) => WorkerRun.Of(schedule, make, trace));
}
