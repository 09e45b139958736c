using Billing.Accounts;
using Billing.Http;
using Billing.Invoices;
using Billing.Invoicing;
using Billing.Plans;

namespace Billing.Lifecycle;

/// <summary>Decides whether an account is cancelled, and whether that is taken back. Pure.</summary>
internal static class CancellationDecider
{
    /// <summary>Cancels an account that exists: at the end of its running period or trial, at once when it has no subscription.</summary>
    public static AccountChangeAnswer Cancel(AccountState account, CancelAccount command, DateTimeOffset now, FactWriter facts)
    {
        var repeated = !command.DryRun && command.CommandId is not null;
        if (account.Cancelled is { } done)
        {
            return repeated && done.CommandId == command.CommandId
                ? new(null, account.Calendar.Start is null || account.Calendar.PausedAt is not null ? AtOnce(account, done.At) : AtPeriodEnd(account, done.At, now))
                : Refused($"The account {account.Id} was cancelled at {Text(done.At)}. Nothing was changed.");
        }

        if (account.Cancellation is { } scheduled)
        {
            return repeated && scheduled.CommandId == command.CommandId
                ? new(null, AtPeriodEnd(account, scheduled.EffectiveAt, now))
                : Refused($"The account {account.Id} is to be cancelled at {Text(scheduled.EffectiveAt)} already. Nothing was changed; undo that first to give another reason.");
        }

        if (AccountDecider.ReasonRefused(command.Reason, needed: true) is { } refusal) return new(refusal, null);
        if (account.Status == AccountStatus.Pending || account.Calendar.PausedAt is not null)
        {
            AccountDecider.Emit(account, facts, new AccountFact.AccountCancelled(now, command.Reason!, command.CommandId));
            return new(null, AtOnce(account, now));
        }

        var end = account.Status == AccountStatus.Trialing ? account.Profile!.TrialEndsAt!.Value : account.BegunPeriod!.Value.End;
        AccountDecider.Emit(account, facts, new AccountFact.CancellationScheduled(end, command.Reason!, now, command.CommandId));
        return new(null, AtPeriodEnd(account, end, now));
    }

    /// <summary>Takes a scheduled cancellation back, before its end has come.</summary>
    public static AccountChangeAnswer Undo(AccountState account, UndoCancellation command, DateTimeOffset now, FactWriter facts)
    {
        if (AccountDecider.ReasonRefused(command.Reason, needed: false) is { } refusal) return new(refusal, null);
        if (account.Cancelled is { } done)
            return Refused($"The account {account.Id} was cancelled at {Text(done.At)}, which cannot be undone. Nothing was changed.");
        if (account.Cancellation is not { } scheduled)
            return Refused($"No cancellation of the account {account.Id} is scheduled. Nothing was changed.");

        AccountDecider.Emit(account, facts, new AccountFact.CancellationUndone(now, command.Reason));
        return new(null, Change(account, $"The account goes on: its cancellation at {Text(scheduled.EffectiveAt)} is undone.{Next(account)}", now, null));
    }

    private static AccountChange AtOnce(AccountState account, DateTimeOffset at) =>
        Change(account, "The account is cancelled at once: no billing period of it runs.", at, null);

    private static AccountChange AtPeriodEnd(AccountState account, DateTimeOffset end, DateTimeOffset now)
    {
        if (account.Calendar.Anchor is not { } anchor)
            return Change(account, $"The account is cancelled at {Text(end)}, the end of its trial. Nothing is invoiced.", end, null);

        var last = new InvoiceDraft(BillingCalendar.PeriodContaining(anchor, end), end);
        return Change(
            account,
            $"The account is cancelled at {Text(end)}, the end of its running period. The usage up to then is invoiced at {Text(account.FinalizeAt(last))}, without new base fees; what late events change after that goes on a closing invoice at {Text(account.ClosingAt(end))}.{PaidYears(account, end)}",
            end,
            InvoiceBuilder.Last(account, last, now));
    }

    private static string PaidYears(AccountState account, DateTimeOffset end) => string.Concat(
        from subscription in account.Subscriptions
        where subscription.EndedAt is null && account.PlanOf(subscription.Plan, subscription.CatalogVersion).Interval == PlanInterval.Year
        let paidTo = BaseFees.YearOf(account, subscription).End
        where paidTo > end
        select $" The base price of {subscription.Plan} is paid to {Text(paidTo)}; nothing of it is given back.");

    private static string Next(AccountState account) => account.Status == AccountStatus.Trialing
        ? $" It becomes paid at {Text(account.Profile!.TrialEndsAt!.Value)}, the end of its trial, if it has a payment method then."
        : account.RunningPeriod is { } running ? $" Its next period begins at {Text(running.End)}, with its base prices." : "";

    private static AccountChange Change(AccountState account, string description, DateTimeOffset at, InvoiceView? coming) =>
        new(account.Id, description, at, false, account.Profile!.Currency, coming?.Total ?? 0, coming?.Lines ?? [], null);

    private static AccountChangeAnswer Refused(string detail) => new(new(RefusalKind.Conflict, detail), null);

    private static string Text(DateTimeOffset instant) => UtcJsonConverter.ToText(instant);
}
