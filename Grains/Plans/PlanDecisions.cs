using System.Collections.Immutable;
using System.Globalization;
using Billing.Accounts;
using Billing.Http;
using Billing.Rating;

namespace Billing.Plans;

/// <summary>Puts a decision about a plan down: its figures, and a sentence that support can read out.</summary>
internal static class PlanDecisions
{
    public static PlanDecision Upgrade(AccountState account, Subscription subscription, PeriodPlan period, Plan present, Plan to, long due, DateTimeOffset at)
    {
        var plans = account.LadderOf(subscription.Product, period.Last.CatalogVersion).Where(p => p.Interval == PlanInterval.Month && p.Rank >= present.Rank);
        var (usage, costs) = Figures(account, period, plans, at);
        var text = $"Usage reached {InWords(usage)}. {Compared(account, costs, "would cost")} this period. {subscription.Product} moves from {present.Id} to {to.Id}, from {Text(period.Last.From)} on"
            + (due > 0 ? $"; the difference in base price, {Currencies.Format(due, account.Profile!.Currency)}, is due at once." : ".");
        return new(PlanRule.Upgrade, subscription.Product, present.Id, to.Id, period.Period, period.Last.From, usage, costs, text);
    }

    public static PlanDecision Settling(AccountState account, Subscription subscription, PeriodPlan period, Plan to, DateTimeOffset at)
    {
        var (usage, costs) = Figures(account, period, Plans.Settling.Choice(account, subscription, period), at);
        var text = $"The period to {Text(period.Period.End)} came to {InWords(usage)}. It began on {period.Last.Began}. {Compared(account, costs, "costs")} for it. It settles on {to.Id}.";
        return new(PlanRule.Settling, subscription.Product, period.Last.Plan, to.Id, period.Period, period.Last.From, usage, costs, text);
    }

    public static PlanDecision SettlingAgain(AccountState account, Subscription subscription, PeriodPlan period, Plan to, DateTimeOffset at)
    {
        var decided = Settling(account, subscription, period, to, at);
        return decided with
        {
            Text = $"The period to {Text(period.Period.End)}, billed on {decided.From}, came to {InWords(decided.Usage)} since. It began on {period.Last.Began}. "
                + $"{Compared(account, decided.Alternatives, "costs")} for it. It settles on {to.Id}, and the difference is on the next invoice; later periods keep their plan.",
        };
    }

    public static PlanDecision Downgrade(AccountState account, Subscription subscription, PeriodPlan period, Plan present, Plan lower, DateTimeOffset at)
    {
        var rule = account.CatalogOf(period.Last.CatalogVersion).Catalog.FindProduct(subscription.Product)!.Transitions!.Downgrade!;
        var (usage, costs) = Figures(account, period, [lower, present], at);
        var periods = rule.Periods == 1 ? "The last finalised period" : $"Each of the last {rule.Periods} finalised periods";
        var text = $"{periods} would have cost less on {lower.Id} and used less than {(rule.Headroom * 100).ToString("0.##", CultureInfo.InvariantCulture)} % of its allowance. "
            + $"In the newest, usage came to {InWords(usage)}: {Compared(account, costs, "costs")}. {subscription.Product} moves from {present.Id} to {lower.Id}, from {Text(period.Period.End)} on.";
        return new(PlanRule.Downgrade, subscription.Product, present.Id, lower.Id, period.Period, period.Period.End, usage, costs, text);
    }

    private static (ImmutableArray<MeterQuantity> Usage, ImmutableArray<PlanAlternative> Costs) Figures(
        AccountState account, PeriodPlan period, IEnumerable<Plan> plans, DateTimeOffset at)
    {
        var compared = plans.ToImmutableArray();
        var meters = compared.SelectMany(p => p.Prices.Keys).Distinct().Order(StringComparer.Ordinal);
        return (
            [.. meters.Select(m => new MeterQuantity(m, account.MeterOf(m).UsageAt(period.Period, at).Quantity))],
            [.. compared.Select(p => PlanCosts.Of(account, period, p, at)).Select(c => new PlanAlternative(c.Plan.Id, c.Base, c.Overage, c.Base + c.Overage))]);
    }

    private static string Compared(AccountState account, ImmutableArray<PlanAlternative> costs, string verb) =>
        string.Join(", ", costs.Select((c, i) => $"{c.Plan}{(i == 0 ? " " + verb : "")} {Currencies.Format(c.Total, account.Profile!.Currency)}"));

    private static string InWords(ImmutableArray<MeterQuantity> usage) => string.Join(" and ", usage.Select(u => $"{InWords(u.Quantity)} {u.Meter}"));

    private static string InWords(Quantity quantity)
    {
        var text = quantity.ToString();
        var point = text.IndexOf('.', StringComparison.Ordinal);
        var whole = quantity.Whole.ToString("#,##0", CultureInfo.InvariantCulture);
        return point < 0 ? whole : whole + text[point..];
    }

    private static string Text(DateTimeOffset instant) => UtcJsonConverter.ToText(instant);
}
