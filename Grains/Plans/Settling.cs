using System.Collections.Immutable;
using Billing.Accounts;

namespace Billing.Plans;

/// <summary>
/// Chooses the plan of a period by its usage: the cheapest at or above the one its last stretch began with, of equals the lowest. So what a
/// period costs depends on that plan and the set of its events, and is never more than that plan alone would have cost. Pure.
/// </summary>
internal static class Settling
{
    /// <summary>The plan that a period settles on for the usage as it is billed at an instant.</summary>
    public static Plan PlanOf(AccountState account, Subscription subscription, PeriodPlan period, DateTimeOffset at)
    {
        var choice = Choice(account, subscription, period);
        return choice is [var only] ? only : Cheapest(account, period, choice, at).Plan;
    }

    /// <summary>What the period costs on the cheapest of some plans, given by rising rank.</summary>
    public static PlanCost Cheapest(AccountState account, PeriodPlan period, ImmutableArray<Plan> plans, DateTimeOffset at)
    {
        var cheapest = PlanCosts.Of(account, period, plans[0], at);
        foreach (var plan in plans[1..])
            if (PlanCosts.Of(account, period, plan, at) is var cost && cost.Total < cheapest.Total) cheapest = cost;
        return cheapest;
    }

    /// <summary>The plans that a period may settle on, by rising rank. Where usage may not move it, those it was moved through before that was so.</summary>
    public static ImmutableArray<Plan> Choice(AccountState account, Subscription subscription, PeriodPlan period)
    {
        var last = period.Last;
        var (began, highest) = (account.PlanOf(last.Began, last.CatalogVersion), account.PlanOf(last.Highest ?? last.Began, last.CatalogVersion));
        var isFree = Moves(account, subscription, period, began);
        if (!isFree && began.Rank == highest.Rank) return [began];
        return
        [
            .. account.LadderOf(subscription.Product, last.CatalogVersion)
                .Where(p => p.Interval == PlanInterval.Month && p.Rank >= began.Rank && (isFree || p.Rank <= highest.Rank)),
        ];
    }

    /// <summary>Whether usage may move the plan of a period: the ladder and the merchant let it, and it is paid by the month.</summary>
    public static bool Moves(AccountState account, Subscription subscription, PeriodPlan period, Plan began) =>
        (period.Settled ?? account.AutomaticPlanChanges)
        && began.Interval == PlanInterval.Month
        && account.CatalogOf(period.Last.CatalogVersion).Catalog.FindProduct(subscription.Product)!.Transitions is { Upgrade: true };
}
