using Billing.Accounts;
using Billing.Invoices;
using Billing.Lifecycle;
using Billing.Metering;
using Billing.Plans;
using Billing.Rating;

namespace Billing.Invoicing;

/// <summary>
/// Builds the period invoice of an account from its state: base fees of the new period, usage of the one before, and what
/// late events changed in periods already billed.
/// </summary>
internal static class InvoiceBuilder
{
    /// <summary>The very first invoice: the base fees of the first period, final at once.</summary>
    public static InvoiceView First(AccountState account, DateTimeOffset at) => InvoiceFinalizer.Finalize(account, ComingFirst(account, at), at);

    /// <summary>The very first invoice as it will be when the billing periods begin at an anchor.</summary>
    public static InvoiceView ComingFirst(AccountState account, DateTimeOffset anchor)
    {
        var period = BillingCalendar.PeriodAt(anchor, 0);
        return InvoiceFinalizer.Draft(account, period, anchor, BaseFees.Lines(account, period));
    }

    /// <summary>A period invoice as the usage known now makes it.</summary>
    /// <param name="account">The account.</param>
    /// <param name="draft">What is built.</param>
    /// <param name="at">The instant as of which it is built: its due instant at finalising, now when it is shown. Usage still pending then is not on it.</param>
    public static InvoiceView Draft(AccountState account, InvoiceDraft draft, DateTimeOffset at) =>
        draft.WithoutBaseFees
            ? Last(account, draft, at)
            : InvoiceFinalizer.Draft(account, draft.Period, draft.DraftedAt, BaseFees.Lines(account, draft.Period).Concat(Arrears(account, draft, at)));

    /// <summary>A period invoice without base fees: the last one of an account that ends when the period would begin.</summary>
    /// <param name="account">The account.</param>
    /// <param name="draft">What is built.</param>
    /// <param name="at">The instant as of which it is built.</param>
    public static InvoiceView Last(AccountState account, InvoiceDraft draft, DateTimeOffset at) =>
        InvoiceFinalizer.Draft(account, draft.Period, draft.DraftedAt, Arrears(account, draft, at));

    /// <summary>What is left to bill to an account that has ended, final at once; it may have no line.</summary>
    public static InvoiceView Closing(AccountState account, DateTimeOffset at) => InvoiceFinalizer.Finalize(account, ComingClosing(account, at), at);

    /// <summary>The closing invoice of an account that has ended, with what is known now.</summary>
    /// <param name="account">The account.</param>
    /// <param name="at">The instant as of which it is built.</param>
    public static InvoiceView ComingClosing(AccountState account, DateTimeOffset at)
    {
        var closing = account.NextClosing;
        return InvoiceFinalizer.Draft(account, closing, closing.End, AdjustmentLines(account, at));
    }

    /// <summary>A draft made final with the usage known then.</summary>
    public static InvoiceView Finalize(AccountState account, InvoiceDraft draft, DateTimeOffset at) =>
        InvoiceFinalizer.Finalize(account, Draft(account, draft, at), at);

    private static IEnumerable<InvoiceLine> Arrears(AccountState account, InvoiceDraft draft, DateTimeOffset at)
    {
        var used = account.Calendar.TryPeriodOf(draft.Period.Start.UtcTicks - 1, out var before) ? before : default;
        return UsageLines(account, used, at).Concat(AdjustmentLines(account, at));
    }

    private static IEnumerable<InvoiceLine> UsageLines(AccountState account, BillingPeriod period, DateTimeOffset at)
    {
        foreach (var (subscription, plan, catalog) in Subscribed(account).Where(s => s.Subscription.StartedAt < period.End))
        {
            foreach (var meter in catalog.MetersOf(plan.Product).Where(m => plan.Prices.ContainsKey(m.Id)))
            {
                if (account.MeterOf(meter.Id).Find(period)?.BilledPlan is not null) continue;
                var usage = account.MeterOf(meter.Id).UsageAt(period, at);
                var rated = Rate(usage.Quantity, Included(subscription, plan, meter.Id, period), meter, plan, account.Profile!.Currency);
                yield return new(
                    0, InvoiceLineKind.Usage, plan.Product, plan.Id, subscription.CatalogVersion, meter.Id, period, usage.Quantity,
                    rated.AmountMinor, rated.Steps, usage.EventCount);
            }
        }
    }

    private static IEnumerable<InvoiceLine> AdjustmentLines(AccountState account, DateTimeOffset at) =>
        Adjustments(account, at)
            .OrderBy(l => l.Period.Start).ThenBy(l => l.Product, StringComparer.Ordinal).ThenBy(l => l.Meter, StringComparer.Ordinal);

    private static IEnumerable<InvoiceLine> Adjustments(AccountState account, DateTimeOffset at) =>
        from meter in account.Meters
        from billed in meter.Periods
        where billed.BilledPlan is not null
        let usage = meter.UsageAt(billed.Period, at)
        where usage.Quantity != billed.BilledQuantity
        let line = AdjustmentLine(account, meter.Meter, billed, usage)
        where line.Amount != 0
        select line;

    private static InvoiceLine AdjustmentLine(AccountState account, Meter meter, PeriodUsage billed, MeteredUsage usage)
    {
        var currency = account.Profile!.Currency;
        var plan = account.CatalogOf(billed.BilledCatalogVersion!).Catalog.FindPlan(billed.BilledPlan!)!;
        var subscription = account.Subscriptions.First(s => s.Product == plan.Product);
        var rated = Rate(usage.Quantity, Included(subscription, plan, meter.Id, billed.Period), meter, plan, currency);
        var rounding = Exact.Of(rated.AmountMinor) - rated.ExactMinor;
        var steps = rounding.IsZero ? rated.Steps : rated.Steps.Add(Once(rounding, $"rounded to {Currencies.Format(rated.AmountMinor, currency)}"));
        steps = steps.Add(Once(
            Exact.Of(-billed.BilledAmount),
            $"less {Currencies.Format(billed.BilledAmount, currency)} already billed for {billed.BilledQuantity}; the period now comes to {Currencies.Format(rated.AmountMinor, currency)}"));
        return new(
            0, InvoiceLineKind.Adjustment, plan.Product, plan.Id, billed.BilledCatalogVersion!, meter.Id, billed.Period,
            usage.Quantity - billed.BilledQuantity, rated.AmountMinor - billed.BilledAmount, steps, usage.EventCount - billed.BilledEventCount);

        ArithmeticStep Once(Exact minor, string text) => new("1", (minor * Exact.Of(Currencies.ToMajor(1, currency))).ToString(), minor.ToString(), text);
    }

    /// <summary>The allowance of a meter in a period: the plan's, prorated and not rounded in the period that the product was added in.</summary>
    public static Allowance Included(Subscription subscription, Plan plan, string meter, BillingPeriod period)
    {
        var included = plan.Included.GetValueOrDefault(meter);
        return subscription.IsPartOf(period) ? Proration.Included(included, period, subscription.StartedAt, period.End) : Allowance.Of(included);
    }

    private static RatedUsage Rate(Quantity quantity, Allowance included, Meter meter, Plan plan, string currency) =>
        Rater.Rate(quantity, included, plan.Prices[meter.Id], currency);

    /// <summary>The subscriptions of an account with their plans, by product.</summary>
    public static IEnumerable<(Subscription Subscription, Plan Plan, Catalog Catalog)> Subscribed(AccountState account) =>
        from subscription in account.Subscriptions.OrderBy(s => s.Product, StringComparer.Ordinal)
        let catalog = account.CatalogOf(subscription.CatalogVersion).Catalog
        select (subscription, catalog.FindPlan(subscription.Plan)!, catalog);
}
