using System.Collections.Immutable;
using System.Globalization;
using Billing.Accounts;
using Billing.Http;
using Billing.Invoices;
using Billing.Lifecycle;
using Billing.Plans;
using Billing.Rating;

namespace Billing.Invoicing;

/// <summary>The base prices that are due in advance: each period for a plan by the month, each twelfth for a plan by the year.</summary>
internal static class BaseFees
{
    /// <summary>The base fees on the invoice of a period, by product. The line of a yearly plan is for the year that begins with the period.</summary>
    /// <param name="account">The account.</param>
    /// <param name="period">The period.</param>
    /// <param name="at">As of when the plans of the period are known.</param>
    public static IEnumerable<InvoiceLine> Lines(AccountState account, BillingPeriod period, DateTimeOffset at)
    {
        if (account.EndsAt <= period.Start) yield break;
        var anchor = account.Calendar.AnchorAt(period.Start) ?? period.Start;
        var month = BillingCalendar.MonthsTo(anchor, period.Start);
        foreach (var subscription in account.Subscriptions.OrderBy(s => s.Product, StringComparer.Ordinal))
        {
            if (subscription.BaseFeesFrom > period.Start) continue;
            var plan = SettlingDecider.BasePlan(account, subscription, period, at);
            if (plan.Interval == PlanInterval.Month) yield return Line(account, subscription, plan, period);
            else if ((month - BillingCalendar.MonthsTo(anchor, YearBegan(account, subscription, period.Start))) % BillingCalendar.PeriodsPerYear == 0) yield return Line(account, subscription, plan, BillingCalendar.YearAt(anchor, month));
        }
    }

    /// <summary>The base price of a plan for the time from an instant to the end of what it pays for; null for nothing.</summary>
    /// <param name="account">The account.</param>
    /// <param name="plan">The plan.</param>
    /// <param name="version">Its catalogue version.</param>
    /// <param name="period">What the whole base price pays for.</param>
    /// <param name="from">When the part begins.</param>
    /// <param name="priceMinor">The base price in minor units; below zero when the part is given back.</param>
    public static InvoiceLine? Part(AccountState account, Plan plan, string version, BillingPeriod period, DateTimeOffset from, long priceMinor)
    {
        var amount = Proration.Of(priceMinor, period, from, period.End);
        return amount == 0 ? null : new(
            0, InvoiceLineKind.Proration, plan.Product, plan.Id, version, null, new(from, period.End),
            Quantity.One, amount, Proration.Steps(priceMinor, period, from, period.End, account.Profile!.Currency), 0);
    }

    /// <summary>The twelve periods that a yearly plan is paid for now: counted from the period that it began with, or in which periods began anew.</summary>
    public static BillingPeriod YearOf(AccountState account, Subscription subscription)
    {
        var running = account.BegunPeriod!.Value;
        var anchor = account.Calendar.Anchor!.Value;
        var begun = YearBegan(account, subscription, running.Start);
        var months = BillingCalendar.MonthsTo(anchor, running.Start);
        var since = months - BillingCalendar.MonthsTo(anchor, begun);
        return BillingCalendar.YearAt(anchor, months - (since % BillingCalendar.PeriodsPerYear));
    }

    /// <summary>
    /// What is given back of a paid year from an instant on, below zero: at the price it was paid at, which a move to another catalogue version
    /// within the year does not change. Null for nothing.
    /// </summary>
    public static InvoiceLine? Rest(AccountState account, Subscription subscription, BillingPeriod year, DateTimeOffset from)
    {
        var paid = subscription.Periods[^1].Last;
        foreach (var stretch in subscription.Periods.Where(p => p.Period.Start >= year.Start).SelectMany(p => p.Stretches).Reverse().TakeWhile(s => s.Plan == paid.Plan)) paid = stretch;
        var plan = account.PlanOf(paid.Plan, paid.CatalogVersion);
        return Part(account, plan, paid.CatalogVersion, year, from, -plan.BasePriceMinor);
    }

    /// <summary>What is given back, by product, of the years that are paid beyond an instant, when periods begin anew there.</summary>
    public static ImmutableArray<InvoiceLine> PaidBeyond(AccountState account, DateTimeOffset from)
    {
        var lines = ImmutableArray.CreateBuilder<InvoiceLine>();
        foreach (var subscription in account.Subscriptions.OrderBy(s => s.Product, StringComparer.Ordinal))
        {
            if (subscription.Periods is not [.., var last] || last.Period != account.BegunPeriod || account.PlanOf(last.Last.Plan, last.Last.CatalogVersion).Interval != PlanInterval.Year) continue;
            if (YearOf(account, subscription) is var year && year.End <= from) continue;
            if (Rest(account, subscription, year, from) is { } rest) lines.Add(rest);
        }

        return lines.ToImmutable();
    }

    /// <summary>What of base prices by the month is invoiced for a period, or stands on its draft; minor units.</summary>
    public static long Invoiced(AccountState account, Subscription subscription, PeriodPlan period)
    {
        var first = account.PlanOf(period.Stretches[0].Began, period.Stretches[0].CatalogVersion);
        var isDrafted = account.Drafts.Any(d => d.Period == period.Period && !d.WithoutBaseFees) && !(subscription.BaseFeesFrom > period.Period.Start);
        return period.InvoicedBase + (isDrafted && first.Interval == PlanInterval.Month ? first.BasePriceMinor : 0);
    }

    /// <summary>The line that brings what was invoiced of base prices for a period to what its plan asks for.</summary>
    /// <param name="account">The account.</param>
    /// <param name="subscription">The subscription.</param>
    /// <param name="period">The period.</param>
    /// <param name="plan">The plan of its last stretch.</param>
    /// <param name="difference">Minor units; negative when too much was invoiced.</param>
    /// <param name="kind">What the line is for.</param>
    public static InvoiceLine Difference(AccountState account, Subscription subscription, PeriodPlan period, Plan plan, long difference, InvoiceLineKind kind)
    {
        var currency = account.Profile!.Currency;
        var asked = PlanCosts.BaseOf(account, period, plan);
        return new(
            0, kind, plan.Product, plan.Id, period.Last.CatalogVersion, null, period.Period, Quantity.One, difference,
            [
                .. period.Stretches.Length == 1
                    ? [Step(asked, $"{plan.Id}: {Currencies.Format(asked, currency)} of base price for the period")]
                    : PlanCosts.BaseParts(account, period, plan).Select(p => Step(
                        p.Amount,
                        $"{p.Plan.Id}: {Currencies.Format(p.Amount, currency)} of base price from {UtcJsonConverter.ToText(p.Time.Start)} to {UtcJsonConverter.ToText(p.Time.End)}")),
                Step(difference - asked, $"less {Currencies.Format(asked - difference, currency)} of base price already invoiced for it"),
            ],
            0);

        ArithmeticStep Step(long amount, string text) =>
            new("1", Currencies.ToMajor(amount, currency).ToString("0.####", CultureInfo.InvariantCulture), amount.ToString(CultureInfo.InvariantCulture), text);
    }

    // The first of the periods up to one that follow each other on a plan by the year.
    private static DateTimeOffset YearBegan(AccountState account, Subscription subscription, DateTimeOffset periodStart)
    {
        var began = periodStart;
        var anchor = account.Calendar.AnchorAt(periodStart) ?? periodStart;
        for (var i = subscription.Periods.Length - 1; i >= 0; i--)
        {
            var period = subscription.Periods[i];
            if (period.Period.Start >= periodStart) continue;
            if (period.Period.Start < anchor || account.PlanOf(period.Last.Plan, period.Last.CatalogVersion).Interval != PlanInterval.Year) break;
            began = period.Period.Start;
        }

        return began;
    }

    private static InvoiceLine Line(AccountState account, Subscription subscription, Plan plan, BillingPeriod period) => Line(
        account, plan,
        subscription.Find(period)?.Stretches[0].CatalogVersion ?? (subscription.Scheduled is { } scheduled && scheduled.At <= period.Start ? scheduled.CatalogVersion : subscription.CatalogVersion),
        period);

    /// <summary>The whole base price of a plan.</summary>
    /// <param name="account">The account.</param>
    /// <param name="plan">The plan.</param>
    /// <param name="version">Its catalogue version.</param>
    /// <param name="period">What it pays for: a month, or a year of a plan by the year.</param>
    public static InvoiceLine Line(AccountState account, Plan plan, string version, BillingPeriod period)
    {
        var amount = Currencies.Format(plan.BasePriceMinor, account.Profile!.Currency);
        var unit = Currencies.ToMajor(plan.BasePriceMinor, account.Profile.Currency);
        return new(
            0, InvoiceLineKind.Base, plan.Product, plan.Id, version, null, period, Quantity.One, plan.BasePriceMinor,
            [new("1", unit.ToString("0.####", CultureInfo.InvariantCulture), plan.BasePriceMinor.ToString(CultureInfo.InvariantCulture), $"{plan.Id}: {amount} per {(plan.Interval == PlanInterval.Month ? "month" : "year")}, in advance")],
            0);
    }
}
