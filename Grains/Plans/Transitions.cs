namespace Billing.Plans;

/// <summary>How usage moves accounts along a product's ladder.</summary>
/// <param name="Upgrade">Whether a higher plan is taken as soon as it costs less for the period's usage so far.</param>
/// <param name="Downgrade">When the next lower plan is taken; null for never.</param>
/// <param name="Cooldown">How long after an automatic change no downgrade takes effect.</param>
public sealed record Transitions(bool Upgrade, DowngradeRule? Downgrade, TimeSpan Cooldown)
{
    /// <summary>The cooldown of a ladder that names none.</summary>
    public static readonly TimeSpan UsualCooldown = TimeSpan.FromDays(30);
}

/// <summary>When usage moves an account to the next lower plan.</summary>
/// <param name="Periods">So many finalised periods in a row would have cost less there; one or more.</param>
/// <param name="Headroom">Each used less than this part of that plan's allowance in every meter it includes; above 0, at most 1.</param>
public sealed record DowngradeRule(int Periods, decimal Headroom)
{
    /// <summary>The periods of a rule that names none.</summary>
    public const int UsualPeriods = 2;

    /// <summary>The headroom of a rule that names none.</summary>
    public const decimal UsualHeadroom = 0.80m;
}
