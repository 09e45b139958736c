using System.Collections.Immutable;
using System.Globalization;
using Billing.Accounts;
using Billing.Invoices;
using Billing.Lifecycle;
using Billing.Plans;
using Billing.Rating;

namespace Billing.Invoicing;

/// <summary>The base prices that are due in advance: each period for a plan by the month, each twelfth for a plan by the year.</summary>
internal static class BaseFees
{
    /// <summary>The base fees on the invoice of a period, by product. The line of a yearly plan is for the year that begins with the period.</summary>
    public static IEnumerable<InvoiceLine> Lines(AccountState account, BillingPeriod period)
    {
        if (account.EndsAt <= period.Start) yield break;
        var anchor = account.Calendar.Anchor is { } begun && begun <= period.Start ? begun : period.Start;
        var month = BillingCalendar.MonthsTo(anchor, period.Start);
        foreach (var (subscription, plan, _) in InvoiceBuilder.Subscribed(account))
        {
            if (subscription.BaseFeesFrom > period.Start) continue;
            if (plan.Interval == PlanInterval.Month) yield return Line(account, subscription, plan, period);
            else if (month % BillingCalendar.PeriodsPerYear == 0) yield return Line(account, subscription, plan, BillingCalendar.YearAt(anchor, month));
        }
    }

    /// <summary>What products added while a period runs cost up to its end, by product; none for what costs nothing, and none in a trial.</summary>
    public static ImmutableArray<InvoiceLine> Added(AccountState account, IEnumerable<Subscription> added)
    {
        var currency = account.Profile!.Currency;
        return
        [
            .. from subscription in added.OrderBy(s => s.Product, StringComparer.Ordinal)
               where subscription.BaseFeesFrom is not null
               let plan = account.CatalogOf(subscription.CatalogVersion).Catalog.FindPlan(subscription.Plan)!
               let running = account.BegunPeriod!.Value
               let amount = Proration.Of(plan.BasePriceMinor, running, subscription.StartedAt, running.End)
               where amount != 0
               select new InvoiceLine(
                   0, InvoiceLineKind.Proration, plan.Product, plan.Id, subscription.CatalogVersion, null, new(subscription.StartedAt, running.End),
                   Quantity.One, amount, Proration.Steps(plan.BasePriceMinor, running, subscription.StartedAt, running.End, currency), 0),
        ];
    }

    private static InvoiceLine Line(AccountState account, Subscription subscription, Plan plan, BillingPeriod period)
    {
        var amount = Currencies.Format(plan.BasePriceMinor, account.Profile!.Currency);
        var unit = Currencies.ToMajor(plan.BasePriceMinor, account.Profile.Currency);
        return new(
            0, InvoiceLineKind.Base, plan.Product, plan.Id, subscription.CatalogVersion, null, period, Quantity.One, plan.BasePriceMinor,
            [new("1", unit.ToString("0.####", CultureInfo.InvariantCulture), plan.BasePriceMinor.ToString(CultureInfo.InvariantCulture), $"{plan.Id}: {amount} per {(plan.Interval == PlanInterval.Month ? "month" : "year")}, in advance")],
            0);
    }
}
