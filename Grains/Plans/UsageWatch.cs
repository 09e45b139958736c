using System.Collections.Immutable;
using Billing.Accounts;
using Billing.Rating;

namespace Billing.Plans;

/// <summary>
/// From which usage on a higher plan may cost less than the present one, or a threshold be reached: below it no event needs a comparison. Pure.
/// </summary>
internal static class UsageWatch
{
    /// <summary>The running period of a subscription if usage may move its plan; else null.</summary>
    public static PeriodPlan? Running(AccountState account, Subscription subscription) =>
        subscription.Periods is [.., var last]
        && last.Period == account.RunningPeriod
        && Settling.Moves(account, subscription, last, account.PlanOf(last.Last.Began, last.Last.CatalogVersion))
            ? last
            : null;

    /// <summary>The plans by the month above the present one, by rising rank.</summary>
    public static ImmutableArray<Plan> HigherPlans(AccountState account, Subscription subscription, PeriodPlan period)
    {
        var present = account.PlanOf(period.Last.Plan, period.Last.CatalogVersion);
        return [.. account.LadderOf(subscription.Product, period.Last.CatalogVersion).Where(p => p.Interval == PlanInterval.Month && p.Rank > present.Rank)];
    }

    /// <summary>
    /// The usage of a meter from which on a higher plan may cost less, whatever the other meters of the product say; null for never. While no
    /// meter of the product has come to its own, none does.
    /// </summary>
    /// <remarks>A higher plan costs its base price at least. So the overage of the present one has to make up for the difference.</remarks>
    public static Quantity? From(AccountState account, PeriodPlan period, ImmutableArray<Plan> higher, string meter)
    {
        var present = account.PlanOf(period.Last.Plan, period.Last.CatalogVersion);
        var gap = higher.Min(p => PlanCosts.BaseOf(account, period, p)) - PlanCosts.BaseOf(account, period, present);
        return WithOverage(account, period, present, meter, gap, present.Prices.Count);
    }

    /// <summary>
    /// A usage of a meter below which its overage is less than its part of an amount, at the meter's highest price; null when it costs nothing,
    /// and zero when there is no amount.
    /// </summary>
    /// <param name="account">The account.</param>
    /// <param name="period">The period.</param>
    /// <param name="plan">The plan of its last stretch.</param>
    /// <param name="meter">The meter.</param>
    /// <param name="amount">Minor units.</param>
    /// <param name="meters">How many meters make up the amount together.</param>
    public static Quantity? WithOverage(AccountState account, PeriodPlan period, Plan plan, string meter, long amount, int meters)
    {
        // Rounding gives a meter half a minor unit at most; what is left over of a division counts as not there.
        var needed = amount - meters;
        if (needed <= 0) return Quantity.Zero;
        if (!plan.Prices.TryGetValue(meter, out var price)) return null;
        var (highest, size) = price switch
        {
            Price.PerUnit each => (each.UnitPrice, Quantity.One),
            Price.Package package => (package.PackagePrice, package.Size),
            Price.Graduated graduated => (graduated.Tiers.Max(t => t.UnitPrice), Quantity.One),
            Price.Volume volume => (volume.Tiers.Max(t => t.UnitPrice), Quantity.One),
            var other => throw new InvalidOperationException($"The price of {meter} is of no known model: {other}."),
        };

        if (highest == 0) return null;
        var part = Exact.Of(needed) * Exact.Fraction(1, meters);
        var minor = Exact.Of(highest) * Exact.Of(1 / Currencies.ToMajor(1, account.Profile!.Currency));
        var blocks = part.StartedBlocksOf(minor) - 1;
        var units = PlanCosts.Included(account, period, plan, meter).Units + (Exact.Of(blocks) * Exact.Of(size));
        var whole = units.StartedBlocksOf(Exact.Of(1)) - 1;
        return whole.Sign <= 0 ? Quantity.Zero : whole > long.MaxValue ? null : Quantity.Of((long)whole);
    }
}
