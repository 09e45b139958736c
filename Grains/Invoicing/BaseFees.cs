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
        var anchor = account.Calendar.Anchor ?? period.Start;
        var month = BillingCalendar.MonthsTo(anchor, period.Start);
        foreach (var (subscription, plan, _) in InvoiceBuilder.Subscribed(account))
        {
            if (plan.Interval == PlanInterval.Month) yield return Line(account, subscription, plan, period);
            else if (month % BillingCalendar.PeriodsPerYear == 0) yield return Line(account, subscription, plan, BillingCalendar.YearAt(anchor, month));
        }
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
