using System.Collections.Immutable;
using Billing.Accounts;
using Billing.Http;
using Billing.Invoices;
using Billing.Invoicing;
using Billing.Lifecycle;
using Billing.Rating;

namespace Billing.Plans;

/// <summary>
/// Decides by hand which plans an account is on. Upwards a plan holds at once: a new stretch of the period begins, and what is left of the old
/// base price and the new one are on an invoice of its own. All else holds from the start of a period. Pure.
/// </summary>
internal static class PlanChangeDecider
{
    /// <summary>Changes plans and adds products; all that a command names, or nothing.</summary>
    public static AccountChangeAnswer Decide(AccountState account, ChangePlans command, ICatalogs catalogs, DateTimeOffset now, FactWriter facts)
    {
        if (Repeated(account, command) is { } known) return new(null, known);
        if (AccountDecider.ReasonRefused(command.Reason, needed: true) is { } noReason) return new(noReason, null);
        var (changes, refusal) = PlanChangeRules.Judge(account, command, catalogs, AccountDecider.WholeSecond(now));
        return refusal is not null ? new(refusal, null) : new(null, Carry(account, changes, command, now, facts));
    }

    /// <summary>Takes a change back that is to come.</summary>
    public static AccountChangeAnswer Undo(AccountState account, UndoPlanChange command, DateTimeOffset now, FactWriter facts)
    {
        if (AccountDecider.ReasonRefused(command.Reason, needed: false) is { } refusal) return new(refusal, null);
        if (account.ScheduledFor(command.Product) is not { } scheduled)
            return new(new(RefusalKind.Conflict, $"No change of the plan of {command.Product} is scheduled for the account {account.Id}. Nothing was changed.", "product"), null);

        AccountDecider.Emit(account, facts, new AccountFact.PlanChangeUndone(command.Product, now, command.Reason));
        var stays = account.Subscriptions.FirstOrDefault(s => s.Product == command.Product) is { } subscription ? $" It stays on {subscription.Plan} of the catalogue {subscription.CatalogVersion}." : " The account does not subscribe to it.";
        return new(null, new(
            account.Id, $"{command.Product} does not move to {scheduled.Plan} at {Text(scheduled.At)}: the change is undone.{stays}", now, false, account.Profile!.Currency, 0, [], null));
    }

    /// <summary>Lets the changes hold that are due, before the period begins that they are for.</summary>
    public static void TakeEffect(AccountState account, DateTimeOffset due, FactWriter facts)
    {
        foreach (var subscription in account.Subscriptions.Where(s => s.Scheduled?.At <= due).ToList())
        {
            var change = subscription.Scheduled!;
            AccountDecider.Emit(account, facts, new AccountFact.PlanChanged(subscription.Product, change.Plan, change.CatalogVersion, change.Reason, due, change.CommandId));
        }
    }

    /// <summary>Lets the changes hold when periods begin anew: also those that wait for the end of a paid year, which is given back.</summary>
    public static void TakeEffectAnew(AccountState account, DateTimeOffset anchor, DateTimeOffset now, FactWriter facts)
    {
        foreach (var subscription in account.Subscriptions.Where(s => s.Scheduled?.At > anchor).ToList()) Redate(account, subscription.Product, anchor, now, facts);
        TakeEffect(account, anchor, facts);
    }

    /// <summary>Adds the products that are due, when the period has begun that they are for.</summary>
    public static void BeginAdded(AccountState account, DateTimeOffset due, FactWriter facts)
    {
        foreach (var (product, change) in account.Additions.Where(a => a.Value.At <= due).ToList())
            AccountDecider.Emit(account, facts, new AccountFact.SubscriptionStarted(product, change.Plan, change.CatalogVersion, due, due, change.Reason, change.CommandId));
    }

    private static AccountChange Carry(AccountState account, ImmutableArray<PlannedChange> changes, ChangePlans command, DateTimeOffset now, FactWriter facts)
    {
        var at = AccountDecider.WholeSecond(now);
        var lines = changes.Where(c => c.At == at).OrderBy(c => c.Plan.Product, StringComparer.Ordinal).SelectMany(c => Lines(account, c)).ToImmutableArray();
        var due = lines.IsEmpty ? null : InvoiceFinalizer.Draft(account, new(at, account.BegunPeriod!.Value.End), at, lines);
        foreach (var change in changes)
        {
            AccountDecider.Emit(account, facts, FactOf(account, change, command, now));
            if (change.PaidPeriod is { } year && account.ScheduledFor(change.Plan.Product)?.At < year.End) Redate(account, change.Plan.Product, year.End, now, facts);
        }

        if (due is null) return Change(account, changes, null, at);
        var invoice = InvoiceFinalizer.Finalize(account, due, at);
        AccountDecider.Emit(account, facts, new AccountFact.InvoiceFinalized(invoice));
        return Change(account, changes, invoice, at);
    }

    // What was to hold in a year that is another now waits for the end of that; what waited for a year that is over, no more.
    private static void Redate(AccountState account, string product, DateTimeOffset at, DateTimeOffset now, FactWriter facts)
    {
        var change = account.ScheduledFor(product)!;
        AccountDecider.Emit(account, facts, new AccountFact.PlanChangeScheduled(product, change.Plan, change.CatalogVersion, at, change.Reason, now, change.CommandId));
    }

    private static AccountFact FactOf(AccountState account, PlannedChange change, ChangePlans command, DateTimeOffset now)
    {
        var (product, plan, version, at) = (change.Plan.Product, change.Plan.Id, change.CatalogVersion, change.At);
        if (at > now) return new AccountFact.PlanChangeScheduled(product, plan, version, at, command.Reason!, now, command.CommandId);
        if (change.Subscription is not null) return new AccountFact.PlanChanged(product, plan, version, command.Reason!, at, command.CommandId);
        var baseFeesFrom = account.Status == AccountStatus.Trialing ? (DateTimeOffset?)null : account.BegunPeriod!.Value.End;
        return new AccountFact.SubscriptionStarted(product, plan, version, at, baseFeesFrom, command.Reason, command.CommandId);
    }

    /// <summary>The lines of a change that holds at once, before it holds: the rest of the old base price is given back, that of the new one asked for. In a trial nothing is paid.</summary>
    public static IEnumerable<InvoiceLine> Lines(AccountState account, PlannedChange change)
    {
        if (account.Status == AccountStatus.Trialing) yield break;
        var period = change.PaidPeriod ?? account.BegunPeriod!.Value;
        if (change.Subscription is { } subscription)
        {
            var before = account.PlanOf(subscription.Plan, subscription.CatalogVersion);
            var rest = change.PaidPeriod is { } year
                ? BaseFees.Rest(account, subscription, year, change.At)
                : BaseFees.Part(account, before, subscription.CatalogVersion, period, change.At, -before.BasePriceMinor);
            if (rest is not null) yield return rest;
        }

        if (BaseFees.Part(account, change.Plan, change.CatalogVersion, period, change.At, change.Plan.BasePriceMinor) is { } part) yield return part;
    }

    private static AccountChange? Repeated(AccountState account, ChangePlans command)
    {
        if (command.CommandId is not { } id || command.DryRun) return null;
        var changes = ImmutableArray.CreateBuilder<PlannedChange>();
        foreach (var subscription in account.Subscriptions)
        {
            if (subscription.Scheduled is { } scheduled && scheduled.CommandId == id) Add(subscription, scheduled.Plan, scheduled.CatalogVersion, scheduled.At, scheduled.At > account.BegunPeriod?.End ? scheduled.At : null);
            else if (subscription.ChangeCommand == id) Add(subscription, subscription.Plan, subscription.CatalogVersion, subscription.ChangedAt!.Value);
            else if (subscription.CommandId == id) Add(null, subscription.Plan, subscription.CatalogVersion, subscription.StartedAt);
        }

        foreach (var (_, addition) in account.Additions.Where(a => a.Value.CommandId == id)) Add(null, addition.Plan, addition.CatalogVersion, addition.At);
        if (changes.Count == 0) return null;
        // Of invoices of one instant, the newest: a change before it is not the last one, and not known any more. A product is added before all.
        var made = account.Invoices.Where(i => i.Lines.Any(l => l.Kind == InvoiceLineKind.Proration && changes.Any(c => c.At == i.FinalizedAt && c.Plan.Product == l.Product)));
        var invoice = changes.Any(c => c.Subscription is not null) ? made.LastOrDefault() : made.FirstOrDefault();
        return Change(account, changes.ToImmutable(), invoice, account.LastEntryAt);

        void Add(Subscription? subscription, string plan, string version, DateTimeOffset at, DateTimeOffset? paidTo = null) =>
            changes.Add(new(subscription, account.PlanOf(plan, version), version, at, null, paidTo));
    }

    private static AccountChange Change(AccountState account, ImmutableArray<PlannedChange> changes, InvoiceView? invoice, DateTimeOffset now)
    {
        var currency = account.Profile!.Currency;
        var parts = (invoice?.Lines ?? []).Where(l => l.Kind == InvoiceLineKind.Proration).Sum(l => l.Amount);
        var sentences = changes.Select(c => c.Subscription is null
            ? $"The account subscribes to {c.Plan.Product} on {c.Plan.Id} from {Text(c.At)} on."
            : $"{c.Plan.Product} is on {c.Plan.Id} of the catalogue {c.CatalogVersion} from {Text(c.At)} on.");
        var coming = invoice is null ? Coming(account, changes.Where(c => c.At > now || account.Status == AccountStatus.Trialing)) : [];
        var later = string.Concat(coming.GroupBy(l => l.Period.Start).OrderBy(g => g.Key)
            .Select(g => $" {Currencies.Format(g.Sum(l => l.Amount), currency)} of base price is on the invoice for the period from {Text(g.Key)}."));
        var held = string.Concat(changes.Where(c => c.PaidTo is not null).Select(c => $" The year of {c.Subscription!.Plan} is paid to {Text(c.PaidTo!.Value)}, so the change waits for its end."));
        var cost = invoice is not null ? $" {Currencies.Format(parts, currency)} of base price is due at once, for the time to {Text(invoice.Lines[0].Period.End)}; from then on it is paid with the others."
            : account.Status == AccountStatus.Trialing ? $" In the trial nothing is due; it is paid with the others from {Text(account.Profile.TrialEndsAt!.Value)} on."
            : " Nothing is due at once.";
        var scheduled = string.Concat(changes
            .Where(c => account.ScheduledFor(c.Plan.Product) is { } other && other.At > c.At)
            .Select(c => account.ScheduledFor(c.Plan.Product)!)
            .Select(c => $" At {Text(c.At)} it moves to {c.Plan} of the catalogue {c.CatalogVersion}, as scheduled before; undo that to stay."));
        var waits = account.Suspension is not null && changes.Any(c => c.At > now) ? " The account is suspended: unless it is resumed before, that holds when billing periods begin anew." : "";
        var ends = account.Cancellation is { } cancellation ? $" The account is cancelled at {Text(cancellation.EffectiveAt)}, as before." : "";
        return new(
            account.Id, string.Join(" ", sentences) + held + cost + later + waits + scheduled + ends, changes.Min(c => c.At), false, currency,
            invoice?.Total ?? coming.Sum(l => l.Amount), invoice?.Lines ?? coming, invoice?.Number);
    }

    // The base prices that the changed plans bring when they begin; a year that is paid goes on without one, and no period begins suspended.
    private static ImmutableArray<InvoiceLine> Coming(AccountState account, IEnumerable<PlannedChange> changes)
    {
        var lines = ImmutableArray.CreateBuilder<InvoiceLine>();
        foreach (var change in changes.OrderBy(c => c.Plan.Product, StringComparer.Ordinal))
        {
            var begins = account.Status == AccountStatus.Trialing ? account.Profile!.TrialEndsAt!.Value : change.At;
            var anchor = account.Calendar.Anchor ?? begins;
            if (account.Cancellation?.EffectiveAt <= begins || account.Suspension is not null) continue;
            if (change is { Subscription: { } subscription, Plan.Interval: PlanInterval.Year }
                && account.PlanOf(subscription.Plan, subscription.CatalogVersion).Interval == PlanInterval.Year
                && account.BegunPeriod is not null && begins < BaseFees.YearOf(account, subscription).End) continue;
            var period = change.Plan.Interval == PlanInterval.Year
                ? BillingCalendar.YearAt(anchor, BillingCalendar.MonthsTo(anchor, begins))
                : BillingCalendar.PeriodContaining(anchor, begins);
            if (change.Plan.BasePriceMinor != 0) lines.Add(BaseFees.Line(account, change.Plan, change.CatalogVersion, period) with { N = lines.Count + 1 });
        }

        return lines.ToImmutable();
    }

    private static string Text(DateTimeOffset instant) => UtcJsonConverter.ToText(instant);
}
