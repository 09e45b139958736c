using Billing.Accounts;
using Billing.Rating;

namespace Billing.Plans;

/// <summary>What a billing period costs on a plan. Amounts are minor units.</summary>
/// <param name="Plan">The plan of its last stretch.</param>
/// <param name="Base">The base prices of all its stretches, each rounded half to even.</param>
/// <param name="Overage">What its usage costs over the allowance, each meter rounded half to even.</param>
internal readonly record struct PlanCost(Plan Plan, long Base, long Overage)
{
    public Int128 Total => (Int128)Base + Overage;
}

/// <summary>Works out what a period of a subscription costs if its last stretch is on a plan. Pure.</summary>
internal static class PlanCosts
{
    /// <summary>The costs of a period for the usage as it is billed at an instant.</summary>
    public static PlanCost Of(AccountState account, PeriodPlan period, Plan plan, DateTimeOffset at)
    {
        var overage = 0L;
        foreach (var (meter, price) in plan.Prices)
        {
            if (account.MeterOf(meter) is not { } state) continue;
            overage += Rater.AmountOf(state.UsageAt(period.Period, at).Quantity, Included(account, period, plan, meter), price, account.Profile!.Currency);
        }

        return new(plan, BaseOf(account, period, plan), overage);
    }

    /// <summary>The base prices by the month of all stretches of a period, the last one on a plan.</summary>
    public static long BaseOf(AccountState account, PeriodPlan period, Plan plan)
    {
        var sum = 0L;
        for (var i = 0; i < period.Stretches.Length; i++) sum += BaseOf(account, period, plan, i);
        return sum;
    }

    /// <summary>The part of that for each stretch, with its plan and its time.</summary>
    public static IEnumerable<(Plan Plan, BillingPeriod Time, long Amount)> BaseParts(AccountState account, PeriodPlan period, Plan plan) =>
        from i in Enumerable.Range(0, period.Stretches.Length)
        select (PlanOf(account, period, i, plan), new BillingPeriod(period.Stretches[i].From, period.EndOf(i)), BaseOf(account, period, plan, i));

    private static long BaseOf(AccountState account, PeriodPlan period, Plan plan, int stretch) =>
        PlanOf(account, period, stretch, plan) is { Interval: PlanInterval.Month } of
            ? Proration.Of(of.BasePriceMinor, period.Period, period.Stretches[stretch].From, period.EndOf(stretch))
            : 0;

    /// <summary>The allowance of a meter in a period, the last stretch on a plan: what each stretch gives, not rounded, summed.</summary>
    public static Allowance Included(AccountState account, PeriodPlan period, Plan plan, string meter)
    {
        var sum = Allowance.None;
        for (var i = 0; i < period.Stretches.Length; i++)
            sum += Proration.Included(PlanOf(account, period, i, plan).Included.GetValueOrDefault(meter), period.Period, period.Stretches[i].From, period.EndOf(i));
        return sum;
    }

    private static Plan PlanOf(AccountState account, PeriodPlan period, int stretch, Plan last) =>
        stretch == period.Stretches.Length - 1 ? last : account.PlanOf(period.Stretches[stretch].Plan, period.Stretches[stretch].CatalogVersion);
}
