using Billing.Accounts;
using Billing.Http;
using Billing.Rating;

namespace Billing.Plans;

/// <summary>What an account may use: what its plans give, while its state lets it. Pure.</summary>
internal static class Entitlements
{
    /// <summary>Whether a feature of the catalogue, or a meter, may be used now: the most that any plan of the account gives.</summary>
    public static EntitlementAnswer Of(AccountState account, string feature, DateTimeOffset now)
    {
        if (Blocked(account) is { } why) return IsKnown(account, feature) ? new(null, new(feature, false, null, null, why)) : Unknown(account, feature);
        EntitlementView? most = null;
        foreach (var subscription in account.Subscriptions.Where(s => s.Covers(now.UtcTicks)))
        {
            var plan = account.PlanOf(subscription.Plan, subscription.CatalogVersion);
            var metered = account.MeterOf(feature)?.Meter.Product == subscription.Product ? Metered(account, subscription, plan, feature, now) : null;

            // No feature of the same name leads past the cap.
            if (metered is { Allowed: false }) return new(null, metered);
            var view = plan.Features.TryGetValue(feature, out var given) ? Given(feature, given, plan) : metered;
            if (view is not null && (most is null || IsMore(view, most))) most = view;
        }

        if (most is not null) return new(null, most);
        return IsKnown(account, feature)
            ? new(null, new(feature, false, null, null, $"No plan of the account gives {feature}."))
            : Unknown(account, feature);
    }

    private static bool IsMore(EntitlementView view, EntitlementView than) =>
        view.Allowed && (!than.Allowed || (than.Limit is { } limit && (view.Limit is not { } own || own > limit)));

    private static EntitlementView Given(string feature, Feature given, Plan plan) => new(
        feature, given.Allowed, given.Limit, null,
        !given.Allowed ? $"The plan {plan.Id} does not give {feature}."
        : given.Limit is { } limit ? $"The plan {plan.Id} gives {feature} up to {limit}."
        : $"The plan {plan.Id} gives {feature}.");

    private static EntitlementView Metered(AccountState account, Subscription subscription, Plan plan, string meter, DateTimeOffset now)
    {
        var capped = account.SpendCap is { Kind: SpendCapKind.Hard } cap && account.WasTold(cap);
        if (!account.Calendar.TryPeriodOf(now.UtcTicks, out var period)) return new(meter, true, null, null, $"The plan {plan.Id} counts {meter}.");
        var used = account.MeterOf(meter).UsageAt(period, now).Quantity;
        var included = AccountViews.Included(account, subscription, plan, meter, period);
        var over = account.Status != AccountStatus.Trialing && used > included && plan.Prices.ContainsKey(meter) ? "; what is used beyond it is charged as overage" : "";
        if (capped)
            return new(meter, false, included, used, $"The spend cap of {Currencies.Format(account.SpendCap!.Amount, account.Profile!.Currency)} is reached in the period to {UtcJsonConverter.ToText(period.End)}; raise or remove it to go on.");
        return new(meter, true, included, used, $"The plan {plan.Id} includes {included} {meter} in the period, {used} are used{over}.");
    }

    private static string? Blocked(AccountState account) => account.Status switch
    {
        AccountStatus.Pending => "The account is pending: it has no payment method and no subscription.",
        AccountStatus.Suspended => $"The account is suspended: {account.Suspension!.Reason}",
        AccountStatus.Cancelled => $"The account is cancelled: {account.Cancelled!.Reason}",
        _ => null,
    };

    private static bool IsKnown(AccountState account, string feature)
    {
        var versions = account.Subscriptions.Select(s => s.CatalogVersion).Append(account.Profile!.CatalogVersion).Distinct();
        return versions.Select(v => account.CatalogOf(v).Catalog).Any(c => c.Meters.Any(m => m.Id == feature) || c.Plans.Any(p => p.Features.ContainsKey(feature)));
    }

    private static EntitlementAnswer Unknown(AccountState account, string feature)
    {
        var catalog = account.Catalog!;
        var near = NearName.Of(feature, [.. catalog.Plans.SelectMany(p => p.Features.Keys).Concat(catalog.Meters.Select(m => m.Id)).Distinct()]);
        return new(new(RefusalKind.NotFound, $"The catalogue has no feature and no meter {feature}.{(near is null ? "" : $" Is {near} meant?")}", "feature"), null);
    }
}
