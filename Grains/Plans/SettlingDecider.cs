using Billing.Accounts;

namespace Billing.Plans;

/// <summary>Settles the plans of a closed period when its invoice is finalised, and with them the plans that go on. Pure.</summary>
internal static class SettlingDecider
{
    /// <summary>To be called before the invoice is built.</summary>
    public static void Decide(AccountState account, InvoiceDraft draft, DateTimeOffset due, FactWriter facts)
    {
        if (account.PeriodBefore(draft.Period) is not { } closed) return;
        for (var i = 0; i < account.Subscriptions.Count; i++)
        {
            if (account.Subscriptions[i].Find(closed) is { } period) Decide(account, account.Subscriptions[i], period, draft, due, facts);
        }
    }

    /// <summary>Settles those billed periods again whose usage has changed since. To be called before the invoice is built that bears the difference.</summary>
    public static void DecideAgain(AccountState account, DateTimeOffset due, FactWriter facts)
    {
        for (var i = 0; i < account.Subscriptions.Count; i++)
        {
            for (var k = 0; k < account.Subscriptions[i].Periods.Length; k++)
            {
                var (subscription, period) = (account.Subscriptions[i], account.Subscriptions[i].Periods[k]);
                if (period.Settled is null || Settling.PlanOf(account, subscription, period, due) is var plan && plan.Id == period.Last.Plan) continue;
                AccountDecider.Emit(account, facts, new AccountFact.PeriodSettledAgain(
                    subscription.Product, period.Period, plan.Id, PlanDecisions.SettlingAgain(account, subscription, period, plan, due), due));
            }
        }
    }

    /// <summary>The plan whose base price the invoice of a period bears, as things stand.</summary>
    public static Plan BasePlan(AccountState account, Subscription subscription, BillingPeriod coming, DateTimeOffset at)
    {
        var next = subscription.Find(coming);
        if (next is null && subscription.Scheduled is { } scheduled && scheduled.At <= coming.Start) return account.PlanOf(scheduled.Plan, scheduled.CatalogVersion);
        var begun = next is null ? account.PlanOf(subscription.Plan, subscription.CatalogVersion) : account.PlanOf(next.Stretches[0].Began, next.Stretches[0].CatalogVersion);
        if (next?.FollowsTheOneBefore == false || account.PeriodBefore(coming) is not { } before || subscription.Find(before) is not { Settled: null } closed) return begun;
        var settled = Settling.PlanOf(account, subscription, closed, at);
        return DowngradeDecider.Decide(account, subscription, closed, settled, at) ?? (settled.Id == closed.Last.Plan ? begun : settled);
    }

    private static void Decide(AccountState account, Subscription subscription, PeriodPlan closed, InvoiceDraft draft, DateTimeOffset due, FactWriter facts)
    {
        var settled = Settling.PlanOf(account, subscription, closed, due);
        var next = draft.WithoutBaseFees ? null : subscription.Find(draft.Period);
        var lower = next?.FollowsTheOneBefore == true ? DowngradeDecider.Decide(account, subscription, closed, settled, due) : null;
        if (settled.Id != closed.Last.Plan)
        {
            AccountDecider.Emit(account, facts, new AccountFact.PeriodSettled(
                subscription.Product, closed.Period, settled.Id, PlanDecisions.Settling(account, subscription, closed, settled, due), due));
        }

        if (lower is not null)
        {
            AccountDecider.Emit(account, facts, new AccountFact.PlanDowngraded(
                subscription.Product, lower.Id, closed.Period.End, PlanDecisions.Downgrade(account, subscription, closed, settled, lower, due), due));
        }
    }
}
