using System.Collections.Immutable;
using Billing.Accounts;
using Billing.Http;
using Billing.Invoices;
using Billing.Invoicing;
using Billing.Rating;

namespace Billing.Plans;

/// <summary>
/// Decides by hand which plans an account is on. A product added later begins at once: its base price, prorated to the period's end, is
/// on an invoice of its own. Pure.
/// </summary>
internal static class PlanChangeDecider
{
    /// <summary>Adds products to an account that exists.</summary>
    public static AccountChangeAnswer Decide(AccountState account, ChangePlans command, ICatalogs catalogs, DateTimeOffset now, FactWriter facts)
    {
        if (Repeated(account, command) is { } known) return new(null, known);
        if (AccountDecider.ReasonRefused(command.Reason, needed: true) is { } noReason) return new(noReason, null);
        if (account.Cancelled is { } cancelled)
            return Refused(RefusalKind.Conflict, $"The account {account.Id} was cancelled at {UtcJsonConverter.ToText(cancelled.At)}. Nothing was changed.");
        if (account.Status == AccountStatus.Pending)
            return Refused(RefusalKind.Conflict, $"The account {account.Id} is pending: it has no subscription that another product could join. Nothing was changed.");
        if (catalogs.Find(command.CatalogVersion)?.Catalog is not { } catalog)
            return Refused(RefusalKind.Invalid, $"No catalogue version {command.CatalogVersion} is published. Nothing was changed.", "catalog_version");
        if (catalog.Currency != account.Profile!.Currency)
            return Refused(RefusalKind.Invalid, $"The catalogue {catalog.Version} is priced in {catalog.Currency}, the account {account.Id} in {account.Profile.Currency}. Nothing was changed.", "catalog_version");

        var (plans, refusal) = Choose(account, command, catalog);
        return refusal is not null ? new(refusal, null) : new(null, Add(account, plans, command, now, facts));
    }

    private static AccountChange Add(AccountState account, ImmutableArray<Plan> plans, ChangePlans command, DateTimeOffset now, FactWriter facts)
    {
        var at = AccountDecider.WholeSecond(now);
        var paidUntil = account.Status == AccountStatus.Trialing ? (DateTimeOffset?)null : account.BegunPeriod!.Value.End;
        var added = plans.Select(p => new Subscription(p.Product, p.Id, command.CatalogVersion, at, null, paidUntil, command.CommandId)).ToList();
        var lines = BaseFees.Added(account, added);
        var due = lines.IsEmpty ? null : InvoiceFinalizer.Draft(account, new(at, paidUntil!.Value), at, lines);
        if (command.DryRun) return Change(account, added, due, dryRun: true);

        foreach (var subscription in added)
        {
            AccountDecider.Emit(account, facts, new AccountFact.SubscriptionStarted(
                subscription.Product, subscription.Plan, subscription.CatalogVersion, at, paidUntil, command.Reason, command.CommandId));
        }

        if (due is null) return Change(account, added, null, dryRun: false);
        var invoice = InvoiceFinalizer.Finalize(account, due, at);
        AccountDecider.Emit(account, facts, new AccountFact.InvoiceFinalized(invoice));
        return Change(account, added, invoice, dryRun: false);
    }

    private static AccountChange? Repeated(AccountState account, ChangePlans command)
    {
        if (command.CommandId is null || command.DryRun) return null;
        var added = account.Subscriptions.Where(s => s.CommandId == command.CommandId).ToList();
        if (added.Count == 0) return null;
        var invoice = account.Invoices.FirstOrDefault(
            i => i.FinalizedAt == added[0].StartedAt && i.Lines.Any(l => l.Kind == InvoiceLineKind.Proration && added.Exists(s => s.Product == l.Product)));
        return Change(account, added, invoice, dryRun: false);
    }

    private static AccountChange Change(AccountState account, List<Subscription> added, InvoiceView? invoice, bool dryRun)
    {
        var currency = account.Profile!.Currency;
        var lines = invoice?.Lines ?? [];
        var parts = lines.Where(l => l.Kind == InvoiceLineKind.Proration).Sum(l => l.Amount);
        var names = string.Join(", ", added.Select(s => $"{s.Product} on {s.Plan}"));
        var cost = added[0].BaseFeesFrom is { } end
            ? $"{Currencies.Format(parts, currency)} of base price is due at once, for the time to {UtcJsonConverter.ToText(end)}; from then on it is paid with the others"
            : $"it joins the trial and is paid with the others from {UtcJsonConverter.ToText(account.Profile.TrialEndsAt!.Value)} on";
        return new(
            account.Id, $"The account subscribes to {names} from {UtcJsonConverter.ToText(added[0].StartedAt)} on: {cost}.",
            added[0].StartedAt, dryRun, currency, invoice?.Total ?? 0, lines, invoice?.Number);
    }

    private static (ImmutableArray<Plan> Plans, Refusal? Refusal) Choose(AccountState account, ChangePlans command, Catalog catalog)
    {
        if (command.Changes.IsEmpty) return Wrong(RefusalKind.Invalid, "There is no change to make. Nothing was changed; name a product and its plan.", "changes");
        var plans = ImmutableArray.CreateBuilder<Plan>();
        for (var i = 0; i < command.Changes.Length; i++)
        {
            var (product, id) = command.Changes[i];
            var field = $"changes[{i}]";
            if (product is null) return Wrong(RefusalKind.Invalid, "A change names its product. Nothing was changed.", $"{field}.product");
            if (id is null) return Wrong(RefusalKind.Invalid, "A change names its plan. Nothing was changed.", $"{field}.plan");
            if (catalog.FindPlan(id) is not { } plan)
                return Wrong(RefusalKind.Invalid, $"The catalogue {catalog.Version} has no plan {id}. Nothing was changed.", $"{field}.plan");
            if (plan.Product != product)
                return Wrong(RefusalKind.Invalid, $"The plan {id} is of the product {plan.Product}, not of {product}. Nothing was changed.", $"{field}.product");
            if (plans.Any(p => p.Product == product))
                return Wrong(RefusalKind.Invalid, $"The product {product} is named twice; an account has one plan of each. Nothing was changed.", $"{field}.product");
            if (account.Subscriptions.Any(s => s.Product == product))
                return Wrong(RefusalKind.NotBuilt, $"The account {account.Id} subscribes to {product} already, and changes of plan are not built yet. Nothing was changed.", $"{field}.product");
            if (plan.Interval == PlanInterval.Year && account.Status != AccountStatus.Trialing)
                return Wrong(RefusalKind.NotBuilt, $"The plan {id} is paid by the year and so begins at a period start, and changes at a period's end are not built yet. Nothing was changed.", $"{field}.plan");
            plans.Add(plan);
        }

        return command.When == PlanChangeTime.PeriodEnd
            ? Wrong(RefusalKind.NotBuilt, "Changes at the period's end are not built yet. Nothing was changed; a product can be added now.", "when")
            : (plans.ToImmutable(), null);

        static (ImmutableArray<Plan>, Refusal?) Wrong(RefusalKind kind, string detail, string field) => ([], new(kind, detail, field));
    }

    private static AccountChangeAnswer Refused(RefusalKind kind, string detail, string? field = null) => new(new(kind, detail, field), null);
}
