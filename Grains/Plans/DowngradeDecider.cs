using Billing.Accounts;
using Billing.Rating;

namespace Billing.Plans;

/// <summary>Moves an account to the next lower plan when its last periods would have cost less there, with room to spare. Pure.</summary>
internal static class DowngradeDecider
{
    /// <summary>The plan that the period after a closed one is to begin with instead; null when no downgrade is due.</summary>
    /// <param name="account">The account.</param>
    /// <param name="subscription">The subscription.</param>
    /// <param name="closed">The period that is being finalised.</param>
    /// <param name="settled">The plan it settles on.</param>
    /// <param name="at">When it is finalised.</param>
    public static Plan? Decide(AccountState account, Subscription subscription, PeriodPlan closed, Plan settled, DateTimeOffset at)
    {
        if (!account.AutomaticPlanChanges || settled.Interval != PlanInterval.Month) return null;
        var version = closed.Last.CatalogVersion;
        if (account.CatalogOf(version).Catalog.FindProduct(subscription.Product)!.Transitions is not { Downgrade: { } rule } transitions) return null;
        if (subscription.AutomaticAt + transitions.Cooldown > closed.Period.End) return null;
        var lower = account.LadderOf(subscription.Product, version).LastOrDefault(p => p.Interval == PlanInterval.Month && p.Rank < settled.Rank);
        if (lower is null) return null;
        var last = subscription.Periods.Where(p => p.Period.Start <= closed.Period.Start).TakeLast(rule.Periods).ToList();
        return last.Count == rule.Periods && last.TrueForAll(p => p.Last.CatalogVersion == version && WouldFit(account, subscription, p, lower, rule.Headroom, at)) ? lower : null;
    }

    private static bool WouldFit(AccountState account, Subscription subscription, PeriodPlan period, Plan lower, decimal headroom, DateTimeOffset at)
    {
        var own = PlanCosts.Of(account, period, Settling.PlanOf(account, subscription, period, at), at);
        return PlanCosts.Of(account, period, lower, at).Total < own.Total && lower.Included.Keys.All(HasRoom);

        bool HasRoom(string meter)
        {
            var room = Exact.Of(headroom) * PlanCosts.Included(account, period, lower, meter).Units;
            return Exact.Of(account.MeterOf(meter).UsageAt(period.Period, at).Quantity).CompareTo(room) < 0;
        }
    }
}
