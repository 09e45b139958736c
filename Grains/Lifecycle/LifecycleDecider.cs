using Billing.Accounts;
using Billing.Invoicing;
using Billing.Plans;

namespace Billing.Lifecycle;

/// <summary>What is due in the life of an account: the end of its trial, of each billing period, and its closing. Pure.</summary>
internal static class LifecycleDecider
{
    /// <summary>Does what is due beside the finalising of drafts, at the instant at which it is due.</summary>
    public static void Advance(AccountState account, DateTimeOffset due, FactWriter facts)
    {
        switch (account.Status)
        {
            case AccountStatus.Trialing:
                EndTrial(account, due, facts);
                break;
            case AccountStatus.Cancelled:
                Close(account, due, facts);
                break;
            default:
                EndPeriod(account, due, facts);
                break;
        }
    }

    private static void EndTrial(AccountState account, DateTimeOffset due, FactWriter facts)
    {
        if (account.Cancellation is not null)
        {
            Cancel(account, due, facts);
        }
        else if (!account.Charging.HasMethod)
        {
            AccountDecider.Emit(account, facts, new AccountFact.AccountCancelled(due, "The trial ended and the account has no payment method."));
        }
        else
        {
            PlanChangeDecider.TakeEffect(account, due, facts);
            AccountDecider.Emit(account, facts, new AccountFact.PaidSubscriptionBegan(due));
            PlanChangeDecider.BeginAdded(account, due, facts);
            AccountDecider.Emit(account, facts, new AccountFact.InvoiceFinalized(InvoiceBuilder.First(account, due)));
        }
    }

    // The last draft of a cancelled account is for the period that would have followed: receipts have named it before.
    private static void EndPeriod(AccountState account, DateTimeOffset due, FactWriter facts)
    {
        if (account.Cancellation is not null) Cancel(account, due, facts);
        else if (account.Suspension is not null) AccountDecider.Emit(account, facts, new AccountFact.PeriodsPaused(due));
        else PlanChangeDecider.TakeEffect(account, due, facts);
        var next = BillingCalendar.PeriodAfter(account.Calendar.Anchor!.Value, account.BegunPeriod!.Value);
        AccountDecider.Emit(account, facts, new AccountFact.InvoiceDrafted(next, due, account.Calendar.PausedAt is null ? null : true));
        if (account.Cancelled is null && account.Calendar.PausedAt is null) PlanChangeDecider.BeginAdded(account, due, facts);
    }

    /// <summary>An account that waited for a payment method begins its subscriptions, now that it has one.</summary>
    public static void BeginPending(AccountState account, DateTimeOffset now, FactWriter facts)
    {
        if (account is not { Status: AccountStatus.Pending, Profile: { Plans: { IsEmpty: false } plans } profile }) return;
        var at = AccountDecider.WholeSecond(now);
        var catalog = account.CatalogOf(profile.CatalogVersion).Catalog;
        foreach (var plan in plans) AccountDecider.Emit(account, facts, new AccountFact.SubscriptionStarted(catalog.FindPlan(plan)!.Product, plan, profile.CatalogVersion, at));
        AccountDecider.Emit(account, facts, new AccountFact.AccountReactivated("The account has a payment method.", null, now));
        AccountDecider.Emit(account, facts, new AccountFact.InvoiceFinalized(InvoiceBuilder.First(account, at)));
    }

    private static void Cancel(AccountState account, DateTimeOffset due, FactWriter facts) =>
        AccountDecider.Emit(account, facts, new AccountFact.AccountCancelled(due, account.Cancellation!.Reason, account.Cancellation.CommandId));

    private static void Close(AccountState account, DateTimeOffset due, FactWriter facts)
    {
        SettlingDecider.DecideAgain(account, due, facts);
        var closing = InvoiceBuilder.Closing(account, due);
        if (!closing.Lines.IsEmpty) AccountDecider.Emit(account, facts, new AccountFact.InvoiceFinalized(closing));
        AccountDecider.Emit(account, facts, new AccountFact.AccountClosed(due));
    }
}
