using System.Numerics;
using Billing.Invoices;
using Billing.Invoicing;
using Billing.Metering;
using Billing.Usage;

namespace Billing.Accounts;

/// <summary>Shows an account to those who ask. Pure: told the time, changes nothing.</summary>
internal static class AccountViews
{
    public static AccountView Account(AccountState account, DateTimeOffset now)
    {
        var profile = account.Profile!;
        var running = Running(account, now);
        return new(
            account.Id,
            profile.Name,
            profile.Email,
            profile.Country,
            account.Status,
            profile.Currency,
            profile.At,
            profile.AutomaticPlanChanges,
            [.. account.Subscriptions.Select(s => new SubscriptionView(s.Product, s.Plan, s.CatalogVersion, running!.Value))],
            running is { } period ? [.. account.Meters.Select(m => Meter(account, m, period, now))] : [],
            account.Balance,
            []);
    }

    public static AccountSummary Summary(AccountState account)
    {
        var profile = account.Profile!;
        return new(
            account.Id, profile.Name, profile.Email, account.Status, profile.Currency, profile.At,
            [.. account.Subscriptions.Select(s => s.Plan).Order(StringComparer.Ordinal)]);
    }

    /// <summary>The usage of a meter in every period so far that touches [from, to), without a gap; null for an unknown meter.</summary>
    public static UsageView? Usage(AccountState account, string meter, DateTimeOffset? from, DateTimeOffset? to, DateTimeOffset now)
    {
        if (account.Meters.FirstOrDefault(m => m.Meter.Id == meter) is not { } state) return null;
        var last = state.Periods.Count > 0 && state.Periods[^1].Period.Start > now ? state.Periods[^1].Period.Start : now;
        var periods = new List<PeriodUsageView>();
        for (var next = Running(account, account.Calendar.Anchor!.Value)!.Value; next.Start <= last; next = Running(account, next.End)!.Value)
        {
            if (next.End <= from || next.Start >= to) continue;
            periods.Add(new(next, state.Find(next)?.Quantity ?? Quantity.Zero, Quantity.Zero));
        }

        return new(meter, [.. periods]);
    }

    /// <summary>Finalised invoices, then drafts, from the one after <paramref name="skip"/> on.</summary>
    public static InvoicePage Invoices(AccountState account, int skip, int take, DateTimeOffset now)
    {
        var all = account.Invoices.Concat(account.Drafts.Select(d => InvoiceBuilder.Draft(account, d, now)));
        var page = all.Skip(skip).Take(take + 1).ToList();
        return new(null, [.. page.Take(take)], page.Count > take ? skip + take : null);
    }

    /// <summary>The next period invoice with the usage known now; null when none will come.</summary>
    public static InvoiceView? Preview(AccountState account, DateTimeOffset now)
    {
        if (account.Drafts.Count > 0) return InvoiceBuilder.Draft(account, account.Drafts[0], now);
        if (account.BegunPeriod is not { } begun || Running(account, begun.End) is not { } coming) return null;
        return InvoiceBuilder.Draft(account, new(coming, begun.End), now);
    }

    private static BillingPeriod? Running(AccountState account, DateTimeOffset at) =>
        account.Calendar.TryPeriodOf(at.UtcTicks, out var period) ? period : null;

    private static MeterUsageView Meter(AccountState account, MeterState meter, BillingPeriod period, DateTimeOffset now)
    {
        var subscription = account.Subscriptions.First(s => s.Product == meter.Meter.Product);
        var plan = account.CatalogOf(subscription.CatalogVersion).Catalog.FindPlan(subscription.Plan)!;
        var quantity = meter.Find(period)?.Quantity ?? Quantity.Zero;
        return new(
            meter.Meter.Id, quantity, Quantity.Zero, plan.Included.GetValueOrDefault(meter.Meter.Id), Forecast(meter, quantity, period, now));
    }

    private static Quantity Forecast(MeterState meter, Quantity quantity, BillingPeriod period, DateTimeOffset now)
    {
        var elapsed = (now - period.Start).Ticks;
        if (elapsed <= 0 || meter.Meter.Aggregate is Aggregate.Max or Aggregate.Latest) return quantity;
        var whole = quantity.ToUnscaled() * period.Length.Ticks / elapsed / BigInteger.Pow(10, Quantity.MaxPlaces);
        return whole < long.MaxValue ? Quantity.Of((long)whole) : quantity;
    }
}
