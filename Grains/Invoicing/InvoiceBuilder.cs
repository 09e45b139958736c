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
    /// <summary>The first invoice of billing periods that begin: the base fees of the first period, final at once.</summary>
    /// <param name="account">The account.</param>
    /// <param name="at">When they begin.</param>
    /// <param name="back">What is given back of base fees that were paid beyond that; none when left out.</param>
    public static InvoiceView First(AccountState account, DateTimeOffset at, IEnumerable<InvoiceLine>? back = null) =>
        InvoiceFinalizer.Finalize(account, ComingFirst(account, at, back), at);

    /// <summary>The first invoice as it will be when the billing periods begin at an anchor.</summary>
    public static InvoiceView ComingFirst(AccountState account, DateTimeOffset anchor, IEnumerable<InvoiceLine>? back = null)
    {
        var period = BillingCalendar.PeriodAt(anchor, 0);
        return InvoiceFinalizer.Draft(account, period, anchor, (back ?? []).Concat(BaseFees.Lines(account, period, anchor)));
    }

    /// <summary>A period invoice as the usage known now makes it.</summary>
    /// <param name="account">The account.</param>
    /// <param name="draft">What is built.</param>
    /// <param name="at">The instant as of which it is built: its due instant at finalising, now when it is shown. Usage still pending then is not on it.</param>
    public static InvoiceView Draft(AccountState account, InvoiceDraft draft, DateTimeOffset at) =>
        draft.WithoutBaseFees
            ? Last(account, draft, at)
            : InvoiceFinalizer.Draft(account, draft.Period, draft.DraftedAt, BaseFees.Lines(account, draft.Period, at).Concat(Arrears(account, draft, at)));

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

    // The usage of a closed period on the plan it settles on, and what its base price comes to by that.
    private static IEnumerable<InvoiceLine> UsageLines(AccountState account, BillingPeriod closed, DateTimeOffset at)
    {
        foreach (var subscription in account.Subscriptions.OrderBy(s => s.Product, StringComparer.Ordinal))
        {
            if (subscription.Find(closed) is not { Settled: null } period) continue;
            var plan = Settling.PlanOf(account, subscription, period, at);
            foreach (var meter in account.CatalogOf(period.Last.CatalogVersion).Catalog.MetersOf(plan.Product).Where(m => plan.Prices.ContainsKey(m.Id)))
            {
                var usage = account.MeterOf(meter.Id).UsageAt(closed, at);
                var rated = Rate(usage.Quantity, PlanCosts.Included(account, period, plan, meter.Id), meter.Id, plan, account.Profile!.Currency);
                yield return new(
                    0, InvoiceLineKind.Usage, plan.Product, plan.Id, period.Last.CatalogVersion, meter.Id, closed, usage.Quantity,
                    rated.AmountMinor, rated.Steps, usage.EventCount);
            }

            var difference = PlanCosts.BaseOf(account, period, plan) - BaseFees.Invoiced(account, subscription, period);
            if (difference != 0) yield return BaseFees.Difference(account, subscription, period, plan, difference, InvoiceLineKind.Upgrade);
        }
    }

    private static IEnumerable<InvoiceLine> AdjustmentLines(AccountState account, DateTimeOffset at) =>
        account.Subscriptions.SelectMany(s => s.Periods.Where(p => p.Settled is not null).SelectMany(p => Adjustments(account, s, p, at)))
            .OrderBy(l => l.Period.Start).ThenBy(l => l.Product, StringComparer.Ordinal).ThenBy(l => l.Meter, StringComparer.Ordinal);

    // A period whose usage changed settles again by the same rule, on a plan that may ask for what the one before gave away. Its lines do not
    // tell whether it changed: those of zero are left out.
    private static IEnumerable<InvoiceLine> Adjustments(AccountState account, Subscription subscription, PeriodPlan period, DateTimeOffset at)
    {
        var billed = account.Meters.Where(m => m.Meter.Product == subscription.Product).Select(m => (Meter: m, Usage: m.Find(period.Period))).Where(m => m.Usage is not null).ToList();
        if (billed.Count == 0) yield break;
        var plan = Settling.PlanOf(account, subscription, period, at);
        foreach (var (meter, usage) in billed)
        {
            if (AdjustmentLine(account, meter, period, usage!, plan, at) is { Amount: not 0 } line) yield return line;
        }

        var difference = PlanCosts.BaseOf(account, period, plan) - period.InvoicedBase;
        if (difference != 0) yield return BaseFees.Difference(account, subscription, period, plan, difference, InvoiceLineKind.Adjustment);
    }

    private static InvoiceLine AdjustmentLine(AccountState account, MeterState meter, PeriodPlan period, PeriodUsage billed, Plan plan, DateTimeOffset at)
    {
        var currency = account.Profile!.Currency;
        var usage = meter.UsageAt(period.Period, at);
        var rated = Rate(usage.Quantity, PlanCosts.Included(account, period, plan, meter.Meter.Id), meter.Meter.Id, plan, currency);
        var rounding = Exact.Of(rated.AmountMinor) - rated.ExactMinor;
        var steps = rounding.IsZero ? rated.Steps : rated.Steps.Add(Once(rounding, $"rounded to {Currencies.Format(rated.AmountMinor, currency)}"));
        var before = billed.BilledPlan is not { } other || other == plan.Id ? "" : $" on {other}";
        steps = steps.Add(Once(
            Exact.Of(-billed.BilledAmount),
            $"less {Currencies.Format(billed.BilledAmount, currency)} already billed for {billed.BilledQuantity}{before}; the period now comes to {Currencies.Format(rated.AmountMinor, currency)}"));
        return new(
            0, InvoiceLineKind.Adjustment, plan.Product, plan.Id, period.Last.CatalogVersion, meter.Meter.Id, billed.Period,
            usage.Quantity - billed.BilledQuantity, rated.AmountMinor - billed.BilledAmount, steps, usage.EventCount - billed.BilledEventCount);

        ArithmeticStep Once(Exact minor, string text) => new("1", (minor * Exact.Of(Currencies.ToMajor(1, currency))).ToString(), minor.ToString(), text);
    }

    // A plan without a price for a meter gives it away.
    private static RatedUsage Rate(Quantity quantity, Allowance included, string meter, Plan plan, string currency) =>
        plan.Prices.TryGetValue(meter, out var price) ? Rater.Rate(quantity, included, price, currency) : new(0, [], Exact.Zero);
}
