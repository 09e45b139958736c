namespace Billing.Benchmarks.Window;

/// <summary>The command line of <c>./bench window</c>.</summary>
/// <param name="Sizes">Remembered ids of the accounts, ascending; the others are set beside the first.</param>
/// <param name="Cases">The cases to run; empty for all.</param>
/// <param name="Rounds">Rounds that are measured, each size once in a round; one more warms up.</param>
/// <param name="Bursts">Bursts of <see cref="BurstPolls"/> polls in a round.</param>
/// <param name="Seconds">No burst of a round is begun after this time.</param>
/// <param name="FillSeconds">An account that is not filled after this time is measured with what it holds.</param>
/// <param name="Seed">Equal seeds give equal events.</param>
/// <param name="ScratchRoot">A directory on the disk to measure.</param>
internal sealed record WindowOptions(
    IReadOnlyList<int> Sizes, IReadOnlyList<string> Cases, int Rounds, int Bursts, double Seconds, double FillSeconds, ulong Seed, string ScratchRoot)
{
    public const int PollLines = 100;
    public const int BurstPolls = 10;
    public const int BurstLines = PollLines * BurstPolls;
}
