using System.Collections.Immutable;
using Billing.Accounts;
using Billing.Http;
using Billing.Invoicing;
using Billing.Plans;
using Billing.Rating;

namespace Billing.Lifecycle;

/// <summary>
/// Tells, 30 and 7 days before, that a plan by the year renews. A year that is not to go on is not told of: the account is cancelled or
/// suspended, or the plan changes by then. Pure.
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
        return account.Cancellation?.EffectiveAt <= renews || subscription.Scheduled?.At <= renews ? null : renews;
    }

    /// <summary>Writes the notice that is due.</summary>
    public static void Tell(AccountState account, DateTimeOffset due, FactWriter facts)
    {
        var (subscription, renewsAt, days, _) = Next(account)!.Value;
        var plan = account.PlanOf(subscription.Plan, subscription.CatalogVersion);
        var price = Currencies.Format(plan.BasePriceMinor, account.Profile!.Currency);
        AccountDecider.Emit(account, facts, new AccountFact.RenewalNoticed(
            subscription.Product, plan.Id, subscription.CatalogVersion, renewsAt, days, plan.BasePriceMinor,
            $"The plan {plan.Id} renews in {days} days, at {UtcJsonConverter.ToText(renewsAt)}, for another year at {price}. To stop it, cancel or choose another plan before.", due));
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
                var at = renewsAt.AddDays(-days);
                if (IsTold(subscription, renewsAt, days) || at <= account.RenewsSince) continue;
                if (next is not { } other || at < other.At || (at == other.At && string.CompareOrdinal(subscription.Product, other.Subscription.Product) < 0))
                    next = (subscription, renewsAt, days, at);
            }
        }

        return next;
    }

    private static bool IsTold(Subscription subscription, DateTimeOffset renewsAt, int days) =>
        subscription.Renewal is { } told && told.RenewsAt == renewsAt && told.Days <= days;
}
