using System.Globalization;
using Billing.Accounts;
using Billing.Invoices;
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
    public static InvoiceView First(AccountState account, DateTimeOffset at)
    {
        var period = account.BegunPeriod!.Value;
        return InvoiceFinalizer.Finalize(account, InvoiceFinalizer.Draft(account, period, at, BaseLines(account, period)), at);
    }

    /// <summary>A period invoice as the usage known now makes it.</summary>
    /// <param name="account">The account.</param>
    /// <param name="draft">What is built.</param>
    /// <param name="at">The instant as of which it is built: its due instant at finalising, now when it is shown. Usage still pending then is not on it.</param>
    public static InvoiceView Draft(AccountState account, InvoiceDraft draft, DateTimeOffset at)
    {
        var used = account.Calendar.TryPeriodOf(draft.Period.Start.UtcTicks - 1, out var before) ? before : default;
        var lines = BaseLines(account, draft.Period).Concat(UsageLines(account, used, at)).Concat(AdjustmentLines(account, at));
        return InvoiceFinalizer.Draft(account, draft.Period, draft.DraftedAt, lines);
    }

    /// <summary>A draft made final with the usage known now.</summary>
    public static InvoiceView Finalize(AccountState account, InvoiceDraft draft, DateTimeOffset at) =>
        InvoiceFinalizer.Finalize(account, Draft(account, draft, at), at);

    private static IEnumerable<InvoiceLine> BaseLines(AccountState account, BillingPeriod period)
    {
        foreach (var (subscription, plan, _) in Subscribed(account))
        {
            var amount = Currencies.Format(plan.BasePriceMinor, account.Profile!.Currency);
            var unit = Currencies.ToMajor(plan.BasePriceMinor, account.Profile.Currency);
            yield return new(
                0, InvoiceLineKind.Base, plan.Product, plan.Id, subscription.CatalogVersion, null, period, Quantity.One, plan.BasePriceMinor,
                [new("1", unit.ToString("0.####", CultureInfo.InvariantCulture), plan.BasePriceMinor.ToString(CultureInfo.InvariantCulture), $"{plan.Id}: {amount} per {(plan.Interval == PlanInterval.Month ? "month" : "year")}, in advance")],
                0);
        }
    }

    private static IEnumerable<InvoiceLine> UsageLines(AccountState account, BillingPeriod period, DateTimeOffset at)
    {
        foreach (var (subscription, plan, catalog) in Subscribed(account))
        {
            foreach (var meter in catalog.MetersOf(plan.Product).Where(m => plan.Prices.ContainsKey(m.Id)))
            {
                var usage = account.MeterOf(meter.Id).Find(period);
                if (usage?.BilledPlan is not null) continue;
                var quantity = usage?.Quantity ?? Quantity.Zero;
                var rated = Rate(quantity, meter, plan, account.Profile!.Currency);
                yield return new(
                    0, InvoiceLineKind.Usage, plan.Product, plan.Id, subscription.CatalogVersion, meter.Id, period, quantity,
                    rated.AmountMinor, rated.Steps, usage?.EventCount ?? 0);
            }
        }
    }

    private static IEnumerable<InvoiceLine> AdjustmentLines(AccountState account, DateTimeOffset at) =>
        Adjustments(account, at)
            .OrderBy(l => l.Period.Start).ThenBy(l => l.Product, StringComparer.Ordinal).ThenBy(l => l.Meter, StringComparer.Ordinal);

    private static IEnumerable<InvoiceLine> Adjustments(AccountState account, DateTimeOffset at) =>
        from meter in account.Meters
        from usage in meter.Periods
        where usage.BilledPlan is not null && usage.Quantity != usage.BilledQuantity
        let line = AdjustmentLine(account, meter.Meter, usage)
        where line.Amount != 0
        select line;

    private static InvoiceLine AdjustmentLine(AccountState account, Meter meter, PeriodUsage usage)
    {
        var currency = account.Profile!.Currency;
        var plan = account.CatalogOf(usage.BilledCatalogVersion!).Catalog.FindPlan(usage.BilledPlan!)!;
        var rated = Rate(usage.Quantity, meter, plan, currency);
        var billed = -usage.BilledAmount;
        var steps = rated.Steps.Add(new(
            "1",
            "0",
            billed.ToString(CultureInfo.InvariantCulture),
            $"less {Currencies.Format(usage.BilledAmount, currency)} already billed for {usage.BilledQuantity}; the period now comes to {Currencies.Format(rated.AmountMinor, currency)}"));
        return new(
            0, InvoiceLineKind.Adjustment, plan.Product, plan.Id, usage.BilledCatalogVersion!, meter.Id, usage.Period,
            usage.Quantity - usage.BilledQuantity, rated.AmountMinor - usage.BilledAmount, steps, usage.EventCount - usage.BilledEventCount);
    }

    private static RatedUsage Rate(Quantity quantity, Meter meter, Plan plan, string currency) =>
        Rater.Rate(quantity, plan.Included.GetValueOrDefault(meter.Id), plan.Prices[meter.Id], currency);

    private static IEnumerable<(Subscription Subscription, Plan Plan, Catalog Catalog)> Subscribed(AccountState account) =>
        from subscription in account.Subscriptions.OrderBy(s => s.Product, StringComparer.Ordinal)
        let catalog = account.CatalogOf(subscription.CatalogVersion).Catalog
        select (subscription, catalog.FindPlan(subscription.Plan)!, catalog);
}
