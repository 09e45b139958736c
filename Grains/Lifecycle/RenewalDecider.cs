using System.Collections.Immutable;
using Billing.Accounts;
using Billing.Http;
using Billing.Invoicing;
using Billing.Plans;
using Billing.Rating;

namespace Billing.Lifecycle;

/// <summary>
/// Tells, 30 and 7 days before, that a plan by the year renews, and at what price. A year that is not to go on is not told of: the account is
/// cancelled or suspended, or moves to a plan by the month by then. When a year is to go on after all, the newest notice that was left out is told at once. Pure.
/// </summary>
internal static class RenewalDecider
{
    private static readonly ImmutableArray<int> NoticeDays = [30, 7];

    /// <summary>When the next notice is due; null for none.</summary>
    public static DateTimeOffset? DueAt(AccountState account) => Next(account)?.At;

    /// <summary>When a plan by the year renews; null where it is not by the year, or is not to go on.</summary>
    public static DateTimeOffset? RenewsAt(AccountState account, Subscription subscription)
    {
        if (account.Status is not (AccountStatus.Active or AccountStatus.PastDue) || account.Calendar.PausedAt is not null || account.Suspension is not null) return null;
        if (account.BegunPeriod is null || subscription.EndedAt is not null) return null;
        if (account.PlanOf(subscription.Plan, subscription.CatalogVersion).Interval != PlanInterval.Year) return null;
        var renews = BaseFees.YearOf(account, subscription).End;
        return account.Cancellation?.EffectiveAt <= renews || RenewingPlan(account, subscription, renews).Plan.Interval != PlanInterval.Year ? null : renews;
    }

    /// <summary>Writes the notice that is due.</summary>
    public static void Tell(AccountState account, DateTimeOffset due, FactWriter facts)
    {
        var (subscription, renewsAt, days, _) = Next(account)!.Value;
        var (plan, version) = RenewingPlan(account, subscription, renewsAt);
        var price = Currencies.Format(plan.BasePriceMinor, account.Profile!.Currency);
        AccountDecider.Emit(account, facts, new AccountFact.RenewalNoticed(
            subscription.Product, plan.Id, version, renewsAt, days, plan.BasePriceMinor,
            $"The plan {plan.Id} renews {TimeLeft(renewsAt - due)}, at {UtcJsonConverter.ToText(renewsAt)}, for another year at {price}. To stop it, cancel or choose another plan before.", due));
    }

    // The plan that the next year is paid for: the one that is scheduled by then, or the one it is on.
    private static (Plan Plan, string CatalogVersion) RenewingPlan(AccountState account, Subscription subscription, DateTimeOffset renewsAt)
    {
        var (plan, version) = subscription.Scheduled is { } change && change.At <= renewsAt ? (change.Plan, change.CatalogVersion) : (subscription.Plan, subscription.CatalogVersion);
        return (account.PlanOf(plan, version), version);
    }

    // Of notices of the same instant, that of the product first in order.
    private static (Subscription Subscription, DateTimeOffset RenewsAt, int Days, DateTimeOffset At)? Next(AccountState account)
    {
        (Subscription Subscription, DateTimeOffset RenewsAt, int Days, DateTimeOffset At)? next = null;
        foreach (var subscription in account.Subscriptions)
        {
            if (RenewsAt(account, subscription) is not { } renewsAt) continue;
            foreach (var days in NoticeDays)
            {
                if (IsTold(subscription, renewsAt, days) || IsOvertaken(account, renewsAt, days)) continue;
                var at = renewsAt.AddDays(-days);
                if (at < account.RenewsSince) at = account.RenewsSince.Value;
                if (next is not { } other || at < other.At || (at == other.At && string.CompareOrdinal(subscription.Product, other.Subscription.Product) < 0))
                    next = (subscription, renewsAt, days, at);
            }
        }

        return next;
    }

    private static bool IsTold(Subscription subscription, DateTimeOffset renewsAt, int days) =>
        subscription.Renewal is { } told && told.RenewsAt == renewsAt && told.Days <= days;

    // A notice that was left out, as was one nearer to the renewal: that one is told.
    private static bool IsOvertaken(AccountState account, DateTimeOffset renewsAt, int days) =>
        NoticeDays.Any(nearer => nearer < days && renewsAt.AddDays(-nearer) <= account.RenewsSince);

    private static string TimeLeft(TimeSpan left)
    {
        var days = (left.Ticks + TimeSpan.TicksPerDay - 1) / TimeSpan.TicksPerDay;
        return $"{(left.Ticks % TimeSpan.TicksPerDay == 0 ? "in" : "within")} {days} {(days == 1 ? "day" : "days")}";
    }
}
