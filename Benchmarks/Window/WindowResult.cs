using System.Text.Json.Serialization;

namespace Billing.Benchmarks.Window;

/// <summary>What of the product is measured.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<WindowPart>))]
internal enum WindowPart
{
    /// <summary>The rules in memory, batches of 100 events.</summary>
    Rules = 1,

    /// <summary>CloudEvents bytes to the disk, through the account's grain.</summary>
    Path = 2,
}

/// <summary>One case on one path, at all sizes.</summary>
/// <param name="Case">The case.</param>
/// <param name="Part">The path.</param>
/// <param name="Refusal">Why the product refuses the meter; null when it was measured.</param>
/// <param name="Sizes">The measurements, smallest size first.</param>
internal sealed record WindowResult(string Case, WindowPart Part, string? Refusal, IReadOnlyList<SizeResult> Sizes)
{
    /// <summary>What H5 asks of the largest size, by the smallest.</summary>
    public const double RatioWanted = 0.8;

    /// <summary>The rate of the largest size by that of the smallest in the same round, sorted.</summary>
    public IReadOnlyList<double> Ratios => Sizes.Count < 2
        ? []
        : [.. Sizes[^1].Rounds.Zip(Sizes[0].Rounds, (large, small) => large.Rate() / small.Rate()).Order()];

    /// <summary>
    /// Below this the run fails. The rules at 1,000 ids run out of the caches nearest to the core, a million ids do not fit
    /// there, which may cost them a few times; the whole path hardly notices. Only a cost that grows with the window falls below.
    /// </summary>
    public double RatioFailing => Part == WindowPart.Rules ? 0.1 : 0.5;

    public bool CountsRight => Sizes.All(size => size.End.Wrong is null);

    public bool Grows => Ratios.Count > 0 && Ratios.Median() < RatioFailing;
}

/// <summary>One case on one path at one size.</summary>
/// <param name="Size">The ids asked for.</param>
/// <param name="Start">How it was filled.</param>
/// <param name="Rounds">What each round took.</param>
/// <param name="End">What was checked.</param>
internal sealed record SizeResult(int Size, Prepared Start, IReadOnlyList<RoundCost> Rounds, Checked End)
{
    /// <summary>New events a second in each round, sorted.</summary>
    public IReadOnlyList<double> Rates => [.. Rounds.Select(RoundFigures.Rate).Order()];

    public double CpuMicroseconds => Rounds.Select(round => round.CpuSeconds * 1e6 / round.NewEvents).Order().ToList().Median();

    public double AllocatedBytes => Rounds.Select(round => (double)round.AllocatedBytes / round.NewEvents).Order().ToList().Median();
}

internal static class RoundFigures
{
    public static double Rate(this RoundCost round) => round.NewEvents / round.Seconds;

    /// <summary>The middle of sorted values; the lower one of two.</summary>
    public static double Median(this IReadOnlyList<double> sorted) => sorted[(sorted.Count - 1) / 2];
}
