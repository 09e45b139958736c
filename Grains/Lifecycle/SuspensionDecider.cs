using Billing.Accounts;
using Billing.Http;
using Billing.Invoices;
using Billing.Invoicing;
using Billing.Plans;

namespace Billing.Lifecycle;

/// <summary>
/// Decides whether an account is suspended and resumed, by its charges or by an operator. Pure. Its running period goes on and is invoiced;
/// no period begins while it is suspended, and resuming after that begins new periods.
/// </summary>
internal static class SuspensionDecider
{
    public static AccountChangeAnswer Suspend(AccountState account, SuspendAccount command, DateTimeOffset now, FactWriter facts)
    {
        if (account.Suspension is { } suspension)
        {
            return IsRepeated(suspension.CommandId, command.CommandId, command.DryRun)
                ? new(null, Suspended(account, suspension.At, dryRun: false))
                : Refused($"The account {account.Id} is suspended since {Text(suspension.At)}. Nothing was changed.");
        }

        if (AccountDecider.ReasonRefused(command.Reason, needed: true) is { } refusal) return new(refusal, null);
        if (account.Status is not (AccountStatus.Active or AccountStatus.PastDue))
            return Refused($"The account {account.Id} is {Word(account.Status)}; only one that is active or past due can be suspended. Nothing was changed.");
        var change = Suspended(account, now, command.DryRun);
        if (!command.DryRun) AccountDecider.Emit(account, facts, new AccountFact.AccountSuspended(command.Reason!, ByOperator: true, now, command.CommandId));
        return new(null, change);
    }

    public static AccountChangeAnswer Resume(AccountState account, ResumeAccount command, DateTimeOffset now, FactWriter facts)
    {
        if (account.Suspension is null)
        {
            return account.Reactivation is { } done && IsRepeated(done.CommandId, command.CommandId, command.DryRun)
                ? new(null, Resumed(account, done.Anchor, done.At, dryRun: false))
                : Refused($"The account {account.Id} is {Word(account.Status)}, not suspended. Nothing was changed.");
        }

        if (AccountDecider.ReasonRefused(command.Reason, needed: true) is { } refusal) return new(refusal, null);
        var anchor = AnchorOf(account, now);
        var change = Resumed(account, anchor, now, command.DryRun);
        if (command.DryRun) return new(null, change);
        Reactivate(account, command.Reason!, anchor, now, command.CommandId, facts);
        return new(null, anchor is null ? change : change with { Invoice = account.Invoices.Count });
    }

    /// <summary>An invoice was paid. When nothing else was declined, the account is in good standing again.</summary>
    public static void Paid(AccountState account, int invoice, DateTimeOffset now, FactWriter facts)
    {
        if (account.Charging.Charges.Any(c => !c.IsOver && c.FirstDeclinedAt is not null)) return;
        if (account.Status != AccountStatus.PastDue && account.Suspension is not { ByOperator: false }) return;
        Reactivate(account, $"Invoice {invoice} was paid, and no other charge was declined.", account.Suspension is null ? null : AnchorOf(account, now), now, null, facts);
    }

    private static void Reactivate(AccountState account, string reason, DateTimeOffset? anchor, DateTimeOffset now, string? commandId, FactWriter facts)
    {
        if (anchor is { } effect) PlanChangeDecider.TakeEffect(account, effect, facts);
        AccountDecider.Emit(account, facts, new AccountFact.AccountReactivated(reason, anchor, now, commandId));
        if (anchor is not { } begins) return;
        PlanChangeDecider.BeginAdded(account, begins, facts);
        var first = InvoiceBuilder.First(account, begins);
        if (!first.Lines.IsEmpty) AccountDecider.Emit(account, facts, new AccountFact.InvoiceFinalized(first));
    }

    // New periods begin in a whole second, and never before the old ones ended.
    private static DateTimeOffset? AnchorOf(AccountState account, DateTimeOffset now) => account.Calendar.PausedAt is not { } paused ? null
        : AccountDecider.WholeSecond(now) is var second && second >= paused ? second : paused;

    private static AccountChange Suspended(AccountState account, DateTimeOffset at, bool dryRun) => Change(
        account,
        $"The account is suspended. Its running period goes on to {Text(account.BegunPeriod!.Value.End)} and its usage is invoiced; after that no base fee is invoiced and nothing is counted until it is resumed.",
        at, dryRun, null);

    private static AccountChange Resumed(AccountState account, DateTimeOffset? anchor, DateTimeOffset at, bool dryRun) => anchor is { } begins
        ? Change(account, $"The account is resumed. New billing periods begin at {Text(begins)}, and the first base fees are invoiced at once.", begins, dryRun, InvoiceBuilder.ComingFirst(account, begins))
        : Change(account, "The account is resumed in its running period. Nothing is invoiced for that.", at, dryRun, null);

    private static AccountChange Change(AccountState account, string description, DateTimeOffset at, bool dryRun, InvoiceView? coming) =>
        new(account.Id, description, at, dryRun, account.Profile!.Currency, coming?.Total ?? 0, coming?.Lines ?? [], null);

    private static bool IsRepeated(string? stored, string? given, bool dryRun) => !dryRun && given is not null && stored == given;

    private static AccountChangeAnswer Refused(string detail) => new(new(RefusalKind.Conflict, detail), null);

    private static string Word(AccountStatus status) => status switch
    {
        AccountStatus.Pending => "pending",
        AccountStatus.Trialing => "in its trial",
        AccountStatus.Active => "active",
        AccountStatus.PastDue => "past due",
        AccountStatus.Suspended => "suspended",
        _ => "cancelled",
    };

    private static string Text(DateTimeOffset instant) => UtcJsonConverter.ToText(instant);
}
