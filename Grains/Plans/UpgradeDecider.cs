using Billing.Accounts;
using Billing.Invoicing;

namespace Billing.Plans;

/// <summary>Moves the running period to a higher plan when that costs strictly less for its usage so far. Pure.</summary>
internal static class UpgradeDecider
{
    /// <summary>Compares the plans of all subscriptions.</summary>
    /// <param name="account">The account, its usage as of <paramref name="at"/>.</param>
    /// <param name="at">The billing clock; what is pending then does not count.</param>
    /// <param name="facts">Takes the facts.</param>
    public static void Decide(AccountState account, DateTimeOffset at, FactWriter facts)
    {
        for (var i = 0; i < account.Subscriptions.Count; i++)
            if (UsageWatch.Running(account, account.Subscriptions[i]) is { } period) Decide(account, account.Subscriptions[i], period, at, facts);
    }

    private static void Decide(AccountState account, Subscription subscription, PeriodPlan period, DateTimeOffset at, FactWriter facts)
    {
        var present = account.PlanOf(period.Last.Plan, period.Last.CatalogVersion);
        var higher = UsageWatch.HigherPlans(account, subscription, period);
        if (higher.IsEmpty) return;
        var (cost, best) = (PlanCosts.Of(account, period, present, at), Settling.Cheapest(account, period, higher, at));
        if (best.Total >= cost.Total) return;

        var due = PlanCosts.BaseOf(account, period, best.Plan) - BaseFees.Invoiced(account, subscription, period);
        var decision = PlanDecisions.Upgrade(account, subscription, period, present, best.Plan, due, at);
        AccountDecider.Emit(account, facts, new AccountFact.PlanUpgraded(subscription.Product, best.Plan.Id, decision, at));
        if (due <= 0) return;
        var line = BaseFees.Difference(account, subscription, period, best.Plan, due, Invoices.InvoiceLineKind.Upgrade);
        AccountDecider.Emit(account, facts, new AccountFact.InvoiceFinalized(InvoiceFinalizer.Finalize(account, InvoiceFinalizer.Draft(account, period.Period, at, [line]), at)));
    }
}
