using Billing.Accounts;
using Billing.Plans;
using Billing.Rating;

namespace Billing.Alerts;

/// <summary>Tells when the running period's usage comes to a part of its allowance, or its cost to an amount; each threshold once in a period. Pure.</summary>
internal static class AlertDecider
{
    /// <summary>What is told of every allowance, in percent.</summary>
    public static readonly int[] UsualPercents = [50, 80, 100];

    /// <summary>Tells what the usage has come to.</summary>
    /// <param name="account">The account.</param>
    /// <param name="at">The billing clock; what is pending then does not count.</param>
    /// <param name="facts">Takes the facts.</param>
    public static void Decide(AccountState account, DateTimeOffset at, FactWriter facts)
    {
        foreach (var reached in Reached(account, at).ToList()) AccountDecider.Emit(account, facts, reached);
    }

    /// <summary>Whether anything would be told at an instant with the usage known now.</summary>
    public static bool WouldTell(AccountState account, DateTimeOffset at) => Reached(account, at).Any();

    /// <summary>Whether an amount, or a cap, is left that was not told of in the running period.</summary>
    public static bool WatchesSpend(AccountState account) =>
        Amounts(account).Any(a => !account.WasTold(a, null)) || (account.SpendCap is { } cap && !account.WasTold(cap));

    /// <summary>The usage of a meter from which on the next threshold may be reached; null when none is left.</summary>
    public static Quantity? NextFrom(AccountState account, PeriodPlan period, string meter)
    {
        Quantity? next = null;
        foreach (var alert in Percents(account, meter))
            if (!account.WasTold(alert, meter) && From(account, period, meter, alert.Percent!.Value) is { } from && !(next <= from)) next = from;
        foreach (var amount in Amounts(account).Where(a => !account.WasTold(a, null)).Select(a => a.Amount!.Value).Concat(account.SpendCap is { } cap && !account.WasTold(cap) ? [cap.Amount] : []))
            if (Spend.From(account, period, meter, amount) is { } from && !(next <= from)) next = from;
        return next;
    }

    // A part of an allowance need be no whole number: the first quantity that is not below it.
    private static Quantity? From(AccountState account, PeriodPlan period, string meter, int percent)
    {
        var units = PlanCosts.Included(account, period, account.PlanOf(period.Last.Plan, period.Last.CatalogVersion), meter).Units;
        if (!units.IsPositive) return null;
        var whole = (units * Exact.Fraction(percent, 100)).StartedBlocksOf(Exact.Of(1));
        return whole > long.MaxValue ? null : Quantity.Of((long)whole);
    }

    private static IEnumerable<AccountFact> Reached(AccountState account, DateTimeOffset at)
    {
        if (account.RunningPeriod is not { } running) yield break;
        foreach (var (subscription, period) in account.RunningPlans())
        {
            foreach (var meter in account.MeteredBy(subscription, period))
            {
                foreach (var alert in Percents(account, meter).Where(a => !account.WasTold(a, meter)))
                {
                    var used = account.MeterOf(meter).UsageAt(period.Period, at).Quantity;
                    if (!(used >= From(account, period, meter, alert.Percent!.Value))) continue;
                    var included = PlanCosts.Included(account, period, account.PlanOf(period.Last.Plan, period.Last.CatalogVersion), meter).Units;
                    yield return new AccountFact.UsageAlertReached(
                        alert, meter, period.Period, $"{used} {meter} are used in the period to {Text(period.Period.End)}: {alert.Percent} % of the {included} included are reached.", at);
                }
            }
        }

        if (!WatchesSpend(account)) yield break;
        var spent = Spend.Of(account, at);
        foreach (var alert in Amounts(account).Where(a => !account.WasTold(a, null) && spent >= a.Amount))
            yield return new AccountFact.UsageAlertReached(alert, null, running, $"The period to {Text(running.End)} costs {Money(account, spent)} so far; the threshold is {Money(account, alert.Amount!.Value)}.", at);
        if (account.SpendCap is { } cap && !account.WasTold(cap) && spent >= cap.Amount)
        {
            var off = cap.Kind == SpendCapKind.Hard ? " Entitlements to all meters are off until it ends or the cap is raised." : "";
            yield return new AccountFact.SpendCapReached(cap, running, $"The period to {Text(running.End)} costs {Money(account, spent)} so far, and the cap is {Money(account, cap.Amount)}.{off}", at);
        }
    }

    private static IEnumerable<UsageAlert> Percents(AccountState account, string meter) =>
        UsualPercents.Select(p => new UsageAlert(null, p, null)).Concat(account.Alerts.Where(a => a.Percent is not null && (a.Meter is null || a.Meter == meter))).DistinctBy(a => a.Percent).OrderBy(a => a.Percent);

    private static IEnumerable<UsageAlert> Amounts(AccountState account) => account.Alerts.Where(a => a.Amount is not null);

    private static string Money(AccountState account, Int128 minor) => Currencies.Format((long)Int128.Min(minor, long.MaxValue), account.Profile!.Currency);

    private static string Text(DateTimeOffset instant) => Http.UtcJsonConverter.ToText(instant);
}
