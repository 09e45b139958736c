using System.Collections.Immutable;
using Billing.Accounts;
using Billing.Http;
using Billing.Invoicing;
using Billing.Metering;

namespace Billing.Plans;

/// <summary>A change that is allowed.</summary>
/// <param name="Subscription">What is changed; null for a product that is added.</param>
/// <param name="Plan">The plan it is to be on.</param>
/// <param name="CatalogVersion">Its catalogue version.</param>
/// <param name="At">From when on.</param>
/// <param name="PaidPeriod">What the base price that runs pays for; null for the running period.</param>
/// <param name="PaidTo">The end of the paid year that it waits for; null when it waits for none.</param>
internal sealed record PlannedChange(Subscription? Subscription, Plan Plan, string CatalogVersion, DateTimeOffset At, BillingPeriod? PaidPeriod, DateTimeOffset? PaidTo = null);

/// <summary>Which changes of plan by hand are allowed, and from when on they hold. Pure.</summary>
internal static class PlanChangeRules
{
    /// <summary>Judges all changes of a command.</summary>
    /// <param name="account">The account, caught up to now.</param>
    /// <param name="command">The command.</param>
    /// <param name="catalogs">The published catalogue versions.</param>
    /// <param name="at">Now, a whole second.</param>
    /// <returns>The changes, or why none of them is made.</returns>
    public static (ImmutableArray<PlannedChange> Changes, Refusal? Refusal) Judge(AccountState account, ChangePlans command, ICatalogs catalogs, DateTimeOffset at)
    {
        if (account.Cancelled is { } cancelled) return Wrong(RefusalKind.Conflict, $"The account {account.Id} was cancelled at {Text(cancelled.At)}. Nothing was changed.");
        if (account.Status == AccountStatus.Pending)
            return Wrong(RefusalKind.Conflict, account.Profile!.Plans is not { IsEmpty: false }
                ? $"The account {account.Id} was opened without a plan, and has no subscription that another product could join. Nothing was changed; open an account with its plans."
                : $"The account {account.Id} is pending: it waits for a payment method, and its subscriptions begin with it. Nothing was changed; give it one first.");
        if (account.Calendar.PausedAt is not null)
            return Wrong(RefusalKind.Conflict, $"The account {account.Id} is suspended and no billing period runs. Nothing was changed; resume it first.");
        if (command.CatalogVersion is { } named && Published(named) is { } refused) return ([], refused);
        if (command.Changes.IsEmpty) return Wrong(RefusalKind.Invalid, "There is no change to make. Nothing was changed; name a product and its plan.", "changes");

        var changes = ImmutableArray.CreateBuilder<PlannedChange>();
        for (var i = 0; i < command.Changes.Length; i++)
        {
            var (product, id) = command.Changes[i];
            var field = $"changes[{i}]";
            if (product is null) return Wrong(RefusalKind.Invalid, "A change names its product. Nothing was changed.", $"{field}.product");
            if (id is null) return Wrong(RefusalKind.Invalid, "A change names its plan. Nothing was changed.", $"{field}.plan");
            var subscription = account.Subscriptions.FirstOrDefault(s => s.Product == product);
            if ((command.CatalogVersion ?? subscription?.CatalogVersion ?? catalogs.LatestIn(account.Profile!.Currency)?.Catalog.Version) is not { } version || catalogs.Find(version)?.Catalog is not { } catalog)
                return Wrong(RefusalKind.Conflict, $"No catalogue in {account.Profile!.Currency} is published yet, the currency of the account {account.Id}. Nothing was changed.");
            if (Published(version) is { } other) return ([], other);
            if (catalog.FindPlan(id) is not { } plan) return Wrong(RefusalKind.Invalid, $"The catalogue {version} has no plan {id}. Nothing was changed.", $"{field}.plan");
            if (plan.Product != product) return Wrong(RefusalKind.Invalid, $"The plan {id} is of the product {plan.Product}, not of {product}. Nothing was changed.", $"{field}.product");
            if (changes.Any(c => c.Plan.Product == product))
                return Wrong(RefusalKind.Invalid, $"The product {product} is named twice; an account has one plan of each. Nothing was changed.", $"{field}.product");
            var (change, refusal) = subscription is null ? Added(account, plan, version, command.When, at, field) : Changed(account, subscription, plan, catalog, command.When, at, field);
            if (change is null) return ([], refusal);
            changes.Add(change);
        }

        return (changes.ToImmutable(), null);

        Refusal? Published(string version) =>
            catalogs.Find(version)?.Catalog is not { } catalog ? new(RefusalKind.Invalid, $"No catalogue version {version} is published. Nothing was changed.", "catalog_version")
            : catalog.Currency != account.Profile!.Currency ? new(RefusalKind.Invalid, $"The catalogue {version} is priced in {catalog.Currency}, the account {account.Id} in {account.Profile.Currency}. Nothing was changed.", "catalog_version")
            : null;

        static (ImmutableArray<PlannedChange>, Refusal?) Wrong(RefusalKind kind, string detail, string? field = null) => ([], new(kind, detail, field));
    }

    private static (PlannedChange?, Refusal?) Added(AccountState account, Plan plan, string version, PlanChangeTime when, DateTimeOffset at, string field)
    {
        if (when == PlanChangeTime.PeriodEnd) return AtPeriodEnd(account, null, plan, version, PeriodEnd(account));
        return plan.Interval == PlanInterval.Year && account.Status != AccountStatus.Trialing
            ? Wrong($"The plan {plan.Id} is paid by the year and so begins at a period start. Nothing was changed; ask for it at period_end.", $"{field}.plan")
            : (new(null, plan, version, at, null), null);
    }

    private static (PlannedChange?, Refusal?) Changed(AccountState account, Subscription subscription, Plan plan, Catalog catalog, PlanChangeTime when, DateTimeOffset at, string field)
    {
        var present = account.PlanOf(subscription.Plan, subscription.CatalogVersion);
        var moves = catalog.Version != subscription.CatalogVersion;
        if (!moves && plan.Id == present.Id)
        {
            var undo = subscription.Scheduled is null ? "" : " To stay on it, undo the change that is scheduled.";
            return (null, new(RefusalKind.Conflict, $"The account {account.Id} is on {plan.Id} already. Nothing was changed.{undo}", $"{field}.plan"));
        }

        if (moves && DroppedMeter(account, subscription.Product, catalog) is { } dropped) return (null, new(RefusalKind.Invalid, dropped, "catalog_version"));
        if (when == PlanChangeTime.PeriodEnd)
        {
            // A year that is paid for is a commitment: another plan begins when it is over. The same plan by the year of another version goes on in it.
            var goesOn = plan.Id == present.Id && plan.Interval == present.Interval;
            DateTimeOffset? paidTo = present.Interval == PlanInterval.Year && !goesOn && account.Status != AccountStatus.Trialing ? BaseFees.YearOf(account, subscription).End : null;
            var (change, refusal) = AtPeriodEnd(account, subscription, plan, catalog.Version, paidTo ?? PeriodEnd(account));
            return (paidTo > PeriodEnd(account) && change is not null ? change with { PaidTo = paidTo } : change, refusal);
        }

        if (moves) return Wrong("A catalogue version takes effect at a period start. Nothing was changed; ask for it at period_end.", "when");
        if (account.Status == AccountStatus.Trialing) return (new(subscription, plan, catalog.Version, at, null), null);
        if (plan.Interval != present.Interval)
            return Wrong($"{present.Id} and {plan.Id} are paid by different intervals, and such a change takes effect at a period start. Nothing was changed; ask for it at period_end.", "when");
        return plan.Rank < present.Rank
            ? Wrong($"{plan.Id} is below {present.Id}, and a change downwards takes effect at a period's end. Nothing was changed; ask for it at period_end.", "when")
            : (new(subscription, plan, catalog.Version, at, plan.Interval == PlanInterval.Year ? BaseFees.YearOf(account, subscription) : null), null);
    }

    private static (PlannedChange?, Refusal?) AtPeriodEnd(AccountState account, Subscription? subscription, Plan plan, string version, DateTimeOffset at) =>
        account.Cancellation is { } cancellation
            ? (null, new(RefusalKind.Conflict, $"The account {account.Id} is to be cancelled at {Text(cancellation.EffectiveAt)}: no period follows that a plan could hold for. Nothing was changed; undo the cancellation first.", "when"))
            : account.ScheduledFor(plan.Product) is { } known && known.Plan == plan.Id && known.CatalogVersion == version && known.At == at
            ? (null, new(RefusalKind.Conflict, $"{plan.Product} is to move to {plan.Id} of the catalogue {version} at {Text(at)} already. Nothing was changed.", "changes"))
            : (new(subscription, plan, version, at, null), null);

    private static DateTimeOffset PeriodEnd(AccountState account) => account.Status == AccountStatus.Trialing ? account.Profile!.TrialEndsAt!.Value : account.BegunPeriod!.Value.End;

    // Events that were counted by one definition cannot go on by another.
    private static string? DroppedMeter(AccountState account, string product, Catalog catalog)
    {
        foreach (var meter in account.Meters.Select(m => m.Meter).Where(m => m.Product == product))
        {
            if (catalog.Meters.FirstOrDefault(m => m.Id == meter.Id) is not { } other)
                return $"The catalogue {catalog.Version} has no meter {meter.Id}, by which the usage of {product} is counted. Nothing was changed; publish a version that keeps the meter as it is.";
            if (!MeterDefinitions.AreSame(meter, other))
                return $"The catalogue {catalog.Version} counts the meter {meter.Id} in another way: it differs in {string.Join(", ", MeterDefinitions.Differences(meter, other))}. What is counted cannot be counted anew. Nothing was changed; publish a version that keeps {meter.Id} as it is, with a new meter beside it.";
        }

        return null;
    }

    private static (PlannedChange?, Refusal?) Wrong(string detail, string field) => (null, new(RefusalKind.Invalid, detail, field));

    private static string Text(DateTimeOffset instant) => UtcJsonConverter.ToText(instant);
}
