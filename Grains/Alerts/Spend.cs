using Billing.Accounts;
using Billing.Plans;

namespace Billing.Alerts;

/// <summary>What the running period of an account costs. Amounts are minor units.</summary>
internal static class Spend
{
    /// <summary>Base prices by the month, and overage so far, of all products.</summary>
    public static Int128 Of(AccountState account, DateTimeOffset at)
    {
        var sum = Int128.Zero;
        foreach (var (_, period) in account.RunningPlans()) sum += PlanCosts.Of(account, period, account.PlanOf(period.Last.Plan, period.Last.CatalogVersion), at).Total;
        return sum;
    }

    /// <summary>The usage of a meter from which on the period may cost an amount, if no other meter has come to its part of it; null for never.</summary>
    public static Quantity? From(AccountState account, PeriodPlan period, string meter, long amount)
    {
        var (gap, meters) = (amount, 0);
        foreach (var (_, other) in account.RunningPlans())
        {
            var plan = account.PlanOf(other.Last.Plan, other.Last.CatalogVersion);
            gap -= PlanCosts.BaseOf(account, other, plan);
            meters += plan.Prices.Count;
        }

        var present = account.PlanOf(period.Last.Plan, period.Last.CatalogVersion);
        return UsageWatch.WithOverage(account, period, present, meter, gap, meters);
    }
}
