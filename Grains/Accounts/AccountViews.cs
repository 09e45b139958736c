using System.Numerics;
using Billing.Charging;
using Billing.Invoices;
using Billing.Invoicing;
using Billing.Lifecycle;
using Billing.Metering;
using Billing.Plans;
using Billing.Rating;
using Billing.Usage;

namespace Billing.Accounts;

/// <summary>Shows an account to those who ask. Pure: told the time, changes nothing.</summary>
internal static class AccountViews
{
    public static AccountView Account(AccountState account, DateTimeOffset now)
    {
        var profile = account.Profile!;
        var running = Running(account, now) ?? account.BegunPeriod;
        return new(
            account.Id,
            profile.Name,
            profile.Email,
            profile.Country,
            account.Status,
            profile.Currency,
            profile.At,
            account.AutomaticPlanChanges,
            [.. account.Subscriptions.Where(s => s.EndedAt is null).Select(s => new SubscriptionView(
                s.Product, s.Plan, s.CatalogVersion, running!.Value, Scheduled(account, s), s.Decision, RenewalDecider.RenewsAt(account, s)))
                .Concat(account.Additions.Select(a => new SubscriptionView(
                    a.Key, a.Value.Plan, a.Value.CatalogVersion, BillingCalendar.PeriodAt(a.Value.At, 0), new(ScheduledChangeKind.Plan, a.Value.Plan, a.Value.At, a.Value.Reason, a.Value.CatalogVersion))))],
            [.. from meter in account.Meters
                from subscription in account.Subscriptions
                where subscription.Product == meter.Meter.Product && subscription.EndedAt is null
                select Meter(account, meter, subscription, running!.Value, now)],
            account.Balance,
            ChargeViews.Holds(account),
            account.Alerts,
            account.SpendCap,
            ChargeViews.Open(account));
    }

    public static AccountSummary Summary(AccountState account)
    {
        var profile = account.Profile!;
        return new(
            account.Id, profile.Name, profile.Email, account.Status, profile.Currency, profile.At,
            [.. account.Subscriptions.Where(s => s.EndedAt is null).Select(s => s.Plan).Order(StringComparer.Ordinal)],
            ChargeViews.Holds(account));
    }

    /// <summary>The usage of a meter in every period so far that touches [from, to), without a gap; null for an unknown meter.</summary>
    public static UsageView? Usage(AccountState account, string meter, DateTimeOffset? from, DateTimeOffset? to, DateTimeOffset now)
    {
        if (account.Meters.FirstOrDefault(m => m.Meter.Id == meter && IsSubscribed(account, m)) is not { } state) return null;
        var last = state.Periods.Count > 0 && state.Periods[^1].Period.Start > now ? state.Periods[^1].Period.Start : now;
        var periods = new List<PeriodUsageView>();
        var next = Running(account, account.Calendar.Start!.Value);
        while (next is { } period && period.Start <= last && !(account.Cancelled?.At <= period.Start))
        {
            next = account.Calendar.NextServed(period.End) is { } served ? Running(account, served) : null;
            if (period.End <= from || period.Start >= to) continue;
            var usage = state.UsageAt(period, now);
            periods.Add(new(period, usage.Quantity, usage.Pending));
        }

        return new(meter, [.. periods]);
    }

    /// <summary>Finalised invoices, then drafts, from the one after <paramref name="skip"/> on.</summary>
    public static InvoicePage Invoices(AccountState account, int skip, int take, DateTimeOffset now)
    {
        var all = account.Invoices.Select(account.Shown).Concat(account.Drafts.Select(d => InvoiceBuilder.Draft(account, d, now)));
        var page = all.Skip(skip).Take(take + 1).ToList();
        return new(null, [.. page.Take(take)], page.Count > take ? skip + take : null);
    }

    /// <summary>The next period invoice with the usage known now; null when none will come.</summary>
    public static InvoiceView? Preview(AccountState account, DateTimeOffset now)
    {
        if (account.Drafts.Count > 0) return InvoiceBuilder.Draft(account, account.Drafts[0], now);
        if (account is { Status: AccountStatus.Trialing, Cancellation: null, Charging.HasMethod: true, Profile.TrialEndsAt: { } trialEnd })
            return InvoiceBuilder.ComingFirst(WithAdditions(account, trialEnd, new AccountFact.PaidSubscriptionBegan(trialEnd), now), trialEnd);
        if (account is { Status: AccountStatus.Cancelled, IsClosed: false, Calendar.Anchor: not null })
            return InvoiceBuilder.ComingClosing(account, now) is { Lines.IsEmpty: false } closing ? closing : null;
        if (account.Status is not (AccountStatus.Active or AccountStatus.PastDue or AccountStatus.Suspended) || account.Calendar.PausedAt is not null) return null;
        if (account.BegunPeriod is not { } begun || Running(account, begun.End) is not { } coming) return null;
        return account.Suspension is null
            ? InvoiceBuilder.Draft(WithAdditions(account, coming.Start, new AccountFact.InvoiceDrafted(coming, begun.End), now), new(coming, begun.End), now)
            : InvoiceBuilder.Draft(account, new(coming, begun.End, WithoutBaseFees: true), now);
    }

    // A copy on which the next period has begun, if products are added then; nothing of it is kept, and the usage is that of now.
    private static AccountState WithAdditions(AccountState account, DateTimeOffset at, AccountFact begins, DateTimeOffset now)
    {
        if (account.Cancellation is not null || !account.Additions.Any(a => a.Value.At <= at)) return account;
        var (copy, facts) = AccountDecider.Unkept(account, now);
        PlanChangeDecider.TakeEffect(copy, at, facts);
        AccountDecider.Emit(copy, facts, begins);
        PlanChangeDecider.BeginAdded(copy, at, facts);
        return copy;
    }

    private static ScheduledChangeView? Scheduled(AccountState account, Subscription subscription) => account.Cancellation is { } cancellation
        ? new(ScheduledChangeKind.Cancellation, null, cancellation.EffectiveAt, cancellation.Reason)
        : subscription.Scheduled is { } change ? new(ScheduledChangeKind.Plan, change.Plan, change.At, change.Reason, change.CatalogVersion)
        : null;

    private static BillingPeriod? Running(AccountState account, DateTimeOffset at) =>
        account.Calendar.TryPeriodOf(at.UtcTicks, out var period) ? period : null;

    private static MeterUsageView Meter(AccountState account, MeterState meter, Subscription subscription, BillingPeriod period, DateTimeOffset now)
    {
        var usage = meter.UsageAt(period, now);
        var plan = account.PlanOf(subscription.Plan, subscription.CatalogVersion);
        return new(
            meter.Meter.Id,
            usage.Quantity,
            usage.Pending,
            Included(account, subscription, plan, meter.Meter.Id, period),
            Forecast(account, meter, usage.Quantity + usage.Pending, subscription, period, now));
    }

    private static bool IsSubscribed(AccountState account, MeterState meter) => account.Subscriptions.Any(s => s.Product == meter.Meter.Product);

    /// <summary>The allowance of a meter in a period. A prorated one may have no decimal end; it is billed unrounded.</summary>
    public static Quantity Included(AccountState account, Subscription subscription, Plan plan, string meter, BillingPeriod period)
    {
        var allowance = subscription.Find(period) is { } plans ? PlanCosts.Included(account, plans, plan, meter) : Allowance.Of(plan.Included.GetValueOrDefault(meter));
        return Quantity.TryParse(allowance.Units.ToString(), out var units) ? units : Quantity.Zero;
    }

    // What is pending counts as usage of its day: most of it comes to stand.
    private static Quantity Forecast(AccountState account, MeterState meter, Quantity quantity, Subscription subscription, BillingPeriod period, DateTimeOffset now)
    {
        var from = subscription.StartedAt > period.Start ? subscription.StartedAt : period.Start;
        if (now <= from || now >= period.End || meter.Meter.Aggregate is Aggregate.Max or Aggregate.Latest) return quantity;
        var since = account.Calendar.Start is { } begun && begun > subscription.StartedAt ? begun : subscription.StartedAt;
        if (meter.Daily.Expected(since, now, period.End) is { } expected) return quantity + expected;
        var whole = quantity.ToUnscaled() * (period.End - from).Ticks / (now - from).Ticks / BigInteger.Pow(10, Quantity.MaxPlaces);
        return whole < long.MaxValue ? Quantity.Of((long)whole) : quantity;
    }
}
