namespace Billing.Benchmarks.Ingest;

/// <summary>The command line of <c>./bench ingest</c>.</summary>
/// <param name="Events">Events generated; each target takes them in until they or its time are used up.</param>
/// <param name="Accounts">Accounts they are spread over.</param>
/// <param name="Seed">Equal seeds give equal bytes.</param>
/// <param name="Seconds">Time for each target, instead of its own; 0 leaves the target's own.</param>
/// <param name="InFlight">Polls in flight, instead of the target's own; 0 leaves the target's own.</param>
/// <param name="ScratchRoot">A directory on the disk to measure.</param>
/// <param name="Targets">The targets to run; empty for all.</param>
public sealed record IngestOptions(
    int Events, int Accounts, ulong Seed, int Seconds, int InFlight, string ScratchRoot, IReadOnlyList<string> Targets)
{
    /// <summary>The instant of receipt, the same in every run.</summary>
    public static readonly DateTimeOffset Clock = new(2026, 11, 20, 12, 0, 0, TimeSpan.Zero);
}
