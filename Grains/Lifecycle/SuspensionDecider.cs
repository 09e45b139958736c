using Billing.Accounts;
using Billing.Charging;
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
            return !command.DryRun && IsRepeated(suspension.CommandId, command.CommandId)
                ? new(null, Suspended(account, suspension.At))
                : Refused($"The account {account.Id} is suspended since {Text(suspension.At)}. Nothing was changed.");
        }

        if (AccountDecider.ReasonRefused(command.Reason, needed: true) is { } refusal) return new(refusal, null);
        if (account.Status is not (AccountStatus.Active or AccountStatus.PastDue))
            return Refused($"The account {account.Id} is {Word(account.Status)}; only one that is active or past due can be suspended. Nothing was changed.");
        var change = Suspended(account, now);
        AccountDecider.Emit(account, facts, new AccountFact.AccountSuspended(command.Reason!, ByOperator: true, now, command.CommandId));
        return new(null, change);
    }

    public static AccountChangeAnswer Resume(AccountState account, ResumeAccount command, DateTimeOffset now, FactWriter facts)
    {
        if (account.Suspension is null)
        {
            return account.Reactivation is { } done && !command.DryRun && IsRepeated(done.CommandId, command.CommandId)
                ? new(null, ResumedBefore(account, done.Anchor, done.At))
                : Refused($"The account {account.Id} is {Word(account.Status)}, not suspended. Nothing was changed.");
        }

        if (AccountDecider.ReasonRefused(command.Reason, needed: true) is { } refusal) return new(refusal, null);
        var anchor = AnchorOf(account, now);
        var change = Resumed(account, anchor, now);
        Reactivate(account, command.Reason!, anchor, now, command.CommandId, facts);
        return new(null, change);
    }

    /// <summary>An invoice was paid. When nothing else was declined, the account is in good standing again.</summary>
    public static void Paid(AccountState account, int invoice, DateTimeOffset now, FactWriter facts)
    {
        if (account.Charging.HasUnpaidDeclined) return;
        if (account.Status != AccountStatus.PastDue && account.Suspension is not { ByOperator: false }) return;
        Reactivate(account, $"Invoice {invoice} was paid, and no other charge was declined.", account.Suspension is null ? null : AnchorOf(account, now), now, null, facts);
    }

    private static void Reactivate(AccountState account, string reason, DateTimeOffset? anchor, DateTimeOffset now, string? commandId, FactWriter facts)
    {
        bool? pastDue = account.Charging.HasUnpaidDeclined ? true : null;
        if (anchor is not { } begins)
        {
            AccountDecider.Emit(account, facts, new AccountFact.AccountReactivated(reason, null, now, commandId, pastDue));
            return;
        }

        // The years that are paid beyond it begin anew with the periods: what is left of them is given back.
        var paid = BaseFees.PaidBeyond(account, begins);
        PlanChangeDecider.TakeEffectAnew(account, begins, now, facts);
        AccountDecider.Emit(account, facts, new AccountFact.AccountReactivated(reason, anchor, now, commandId, pastDue));
        PlanChangeDecider.BeginAdded(account, begins, facts);
        var first = InvoiceBuilder.First(account, begins, paid);
        if (!first.Lines.IsEmpty) AccountDecider.Emit(account, facts, new AccountFact.InvoiceFinalized(first));
    }

    // New periods begin in a whole second, and never before the old ones ended.
    private static DateTimeOffset? AnchorOf(AccountState account, DateTimeOffset now) => account.Calendar.PausedAt is not { } paused ? null
        : AccountDecider.WholeSecond(now) is var second && second >= paused ? second : paused;

    private static AccountChange Suspended(AccountState account, DateTimeOffset at)
    {
        var end = account.BegunPeriod!.Value.End;
        var years = BaseFees.PaidBeyond(account, end).Select(l =>
            $" {l.Plan} is paid to {Text(l.Period.End)}: what is left of that when the account is resumed is given back then, and {(account.ScheduledFor(l.Product!) is { } change ? $"{change.Plan} begins" : "a year begins anew")}.");
        return Change(
            account,
            $"The account is suspended. Its running period goes on to {Text(end)} and its usage is invoiced; after that no base fee is invoiced and nothing is counted until it is resumed.{string.Concat(years)}",
            at, null);
    }

    private static AccountChange Resumed(AccountState account, DateTimeOffset? anchor, DateTimeOffset at)
    {
        var due = account.Charging.HasUnpaidDeclined ? $" It is past due: a charge was declined and is not paid. Unless it is paid, the account is suspended again at {Text(at + Dunning.SuspendAfter)}." : "";
        if (anchor is not { } begins) return Change(account, $"The account is resumed in its running period. Nothing is invoiced for that.{due}", at, null);
        var back = BaseFees.PaidBeyond(account, begins).Select(l => $" What is left of the paid year of {l.Plan}, to {Text(l.Period.End)}, is given back.");
        var moves = account.Subscriptions.Where(s => s.Scheduled?.At > begins).Select(s => $" {s.Product} is on {s.Scheduled!.Plan} of the catalogue {s.Scheduled.CatalogVersion} from then on: it waited for the end of that year.");
        return Change(account, $"The account is resumed. New billing periods begin at {Text(begins)}, and the first base fees are invoiced at once.{string.Concat(back)}{string.Concat(moves)}{due}", begins, null);
    }

    private static AccountChange ResumedBefore(AccountState account, DateTimeOffset? anchor, DateTimeOffset at) =>
        Change(account, "The account is resumed.", anchor ?? at, anchor is null ? null : account.Invoices.FirstOrDefault(i => i.FinalizedAt == anchor && i.Period.Start == anchor));

    private static AccountChange Change(AccountState account, string description, DateTimeOffset at, InvoiceView? made) =>
        new(account.Id, description, at, false, account.Profile!.Currency, made?.Total ?? 0, made?.Lines ?? [], made?.Number);

    private static bool IsRepeated(string? stored, string? given) => given is not null && stored == given;

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
