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

    /// <summary>Whether a plan would move at an instant with the usage known now.</summary>
    public static bool WouldMove(AccountState account, DateTimeOffset at) =>
        account.Subscriptions.Any(s => UsageWatch.Running(account, s) is { } period && Cheaper(account, s, period, at) is not null);

    private static void Decide(AccountState account, Subscription subscription, PeriodPlan period, DateTimeOffset at, FactWriter facts)
    {
        if (Cheaper(account, subscription, period, at) is not { } plan) return;
        var present = account.PlanOf(period.Last.Plan, period.Last.CatalogVersion);
        var due = PlanCosts.BaseOf(account, period, plan) - BaseFees.Invoiced(account, subscription, period);
        var decision = PlanDecisions.Upgrade(account, subscription, period, present, plan, due, at);
        AccountDecider.Emit(account, facts, new AccountFact.PlanUpgraded(subscription.Product, plan.Id, decision, at));
        if (due <= 0) return;
        var line = BaseFees.Difference(account, subscription, period, plan, due, Invoices.InvoiceLineKind.Upgrade);
        AccountDecider.Emit(account, facts, new AccountFact.InvoiceFinalized(InvoiceFinalizer.Finalize(account, InvoiceFinalizer.Draft(account, period.Period, at, [line]), at)));
    }

    // The cheapest higher plan if it costs strictly less than the present one.
    private static Plan? Cheaper(AccountState account, Subscription subscription, PeriodPlan period, DateTimeOffset at)
    {
        var higher = UsageWatch.HigherPlans(account, subscription, period);
        if (higher.IsEmpty) return null;
        var best = Settling.Cheapest(account, period, higher, at);
        return best.Total < PlanCosts.Of(account, period, account.PlanOf(period.Last.Plan, period.Last.CatalogVersion), at).Total ? best.Plan : null;
    }
}
