using Billing.Accounts;
using Billing.Invoicing;

namespace Billing.Lifecycle;

/// <summary>What is due in the life of an account at the end of its trial and of each billing period. Pure.</summary>
internal static class LifecycleDecider
{
    /// <summary>Ends the running period, or the trial, at the instant at which it ends.</summary>
    public static void EndPeriod(AccountState account, DateTimeOffset due, FactWriter facts)
    {
        if (account.Status == AccountStatus.Trialing)
        {
            EndTrial(account, due, facts);
            return;
        }

        var next = BillingCalendar.PeriodAfter(account.Calendar.Anchor!.Value, account.BegunPeriod!.Value);
        AccountDecider.Emit(account, facts, new AccountFact.InvoiceDrafted(next, due));
    }

    private static void EndTrial(AccountState account, DateTimeOffset due, FactWriter facts)
    {
        if (account.Profile!.PaymentMethod is null)
        {
            AccountDecider.Emit(account, facts, new AccountFact.AccountCancelled(due, "The trial ended and the account has no payment method."));
            return;
        }

        AccountDecider.Emit(account, facts, new AccountFact.PaidSubscriptionBegan(due));
        AccountDecider.Emit(account, facts, new AccountFact.InvoiceFinalized(InvoiceBuilder.First(account, due)));
    }
}
