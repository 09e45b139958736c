using System.Collections.Immutable;
using Billing.Invoices;
using Billing.Plans;

namespace Billing.Accounts;

/// <summary>The plans of an account: what each subscription was on in each period, and when usage may move it.</summary>
internal sealed partial class AccountState
{
    private static readonly ImmutableSortedDictionary<string, ScheduledPlan> NoAdditions = ImmutableSortedDictionary.Create<string, ScheduledPlan>(StringComparer.Ordinal);

    private AccountFact.SettingsChanged? _settings;
    private DateTimeOffset? _upgradeAt;
    private bool _upgradesToLookAt;

    /// <summary>What the merchant wants of the platform; null while it is as when the account was made.</summary>
    public AccountFact.SettingsChanged? Settings => _settings;

    /// <summary>Products that are to be added, by product.</summary>
    public ImmutableSortedDictionary<string, ScheduledPlan> Additions { get; private set; } = NoAdditions;

    /// <summary>The change of plan of a product that is to come; null without one.</summary>
    public ScheduledPlan? ScheduledFor(string product) => Additions.GetValueOrDefault(product) ?? _subscriptions.Find(s => s.Product == product)?.Scheduled;

    /// <summary>Whether usage may move plans.</summary>
    public bool AutomaticPlanChanges => _settings?.AutomaticPlanChanges ?? Profile!.AutomaticPlanChanges;

    /// <summary>Whether the usage of a running period has come to where a higher plan may cost less.</summary>
    public bool HasUpgradesToLookAt => _upgradesToLookAt;

    /// <summary>When plans are to be compared without an event, because what was pending stands then; null when not.</summary>
    public DateTimeOffset? UpgradeAt => _upgradeAt;

    /// <summary>A plan of a published catalogue version.</summary>
    public Plan PlanOf(string plan, string version) => CatalogOf(version).Catalog.FindPlan(plan)!;

    /// <summary>The plans of a product, by rising rank.</summary>
    public IEnumerable<Plan> LadderOf(string product, string version) => CatalogOf(version).Catalog.FindProduct(product)!.Plans.OrderBy(p => p.Rank);

    /// <summary>The billing period that ended when another begins, or would begin; null when none did.</summary>
    public BillingPeriod? PeriodBefore(BillingPeriod period) =>
        Calendar.TryPeriodOf(period.Start.UtcTicks - 1, out var before) && !Calendar.IsTrial(before) ? before : null;

    /// <summary>Notes that plans were compared, and when that is to be done again without an event; null for not at all.</summary>
    public void LookAtUpgradesAgain(DateTimeOffset? at) => (_upgradesToLookAt, _upgradeAt) = (false, at);

    /// <summary>Notes that what was pending stands by now.</summary>
    public void LookAtUpgradesNow() => _upgradesToLookAt = true;

    private void ApplyToPlans(AccountFact fact)
    {
        switch (fact)
        {
            case AccountFact.PlanUpgraded upgraded:
                Change(upgraded.Product, s => s.Changed(s.Periods[^1].On(upgraded.Plan)) with { AutomaticAt = upgraded.Decision.EffectiveAt, Decision = upgraded.Decision });
                break;

            case AccountFact.PeriodSettled settled:
                Change(settled.Product, s => Settled(s, settled));
                break;

            case AccountFact.PlanDowngraded downgraded:
                Change(downgraded.Product, s => s.Changed(s.Periods[^1].BegunOn(downgraded.Plan)) with { AutomaticAt = downgraded.EffectiveAt, Decision = downgraded.Decision });
                break;

            case AccountFact.PlanChanged changed:
                Change(changed.Product, s => Changed(s, changed));
                Bind();
                break;

            case AccountFact.PlanChangeScheduled scheduled:
                var coming = new ScheduledPlan(scheduled.Plan, scheduled.CatalogVersion, scheduled.EffectiveAt, scheduled.Reason, scheduled.CommandId);
                if (_subscriptions.Exists(s => s.Product == scheduled.Product)) Change(scheduled.Product, s => s with { Scheduled = coming });
                else Additions = Additions.SetItem(scheduled.Product, coming);
                break;

            case AccountFact.PlanChangeUndone undone:
                Additions = Additions.Remove(undone.Product);
                Change(undone.Product, s => s with { Scheduled = null });
                break;

            case AccountFact.SettingsChanged settings:
                _settings = settings with { AutomaticPlanChanges = settings.AutomaticPlanChanges ?? _settings?.AutomaticPlanChanges };
                break;

            case AccountFact.SubscriptionStarted started:
                Additions = Additions.Remove(started.Product);
                if (BegunPeriod is { } running) Change(started.Product, s => s.Begun(running, started.At, byHand: false));
                break;

            case AccountFact.PaidSubscriptionBegan or AccountFact.AccountReactivated { Anchor: not null }:
                Begin(BegunPeriod!.Value);
                break;

            case AccountFact.InvoiceDrafted drafted when BegunPeriod == drafted.Period:
                Begin(drafted.Period);
                break;

            case AccountFact.InvoiceFinalized finalized:
                foreach (var line in finalized.Invoice.Lines) Invoiced(line);
                break;

            case AccountFact.AccountCancelled:
                Additions = NoAdditions;
                for (var i = 0; i < _subscriptions.Count; i++) _subscriptions[i] = _subscriptions[i] with { Scheduled = null };
                break;

            default:
                return;
        }

        WatchUsage();
    }

    // A draft that became final, or nothing: the usage of the period before is billed.
    private void Closed(InvoiceDraft draft)
    {
        if (PeriodBefore(draft.Period) is not { } closed) return;
        for (var i = 0; i < _subscriptions.Count; i++)
            if (_subscriptions[i].Find(closed) is { } period) _subscriptions[i] = _subscriptions[i].Replaced(period with { Settled = AutomaticPlanChanges });
    }

    private void Begin(BillingPeriod period)
    {
        for (var i = 0; i < _subscriptions.Count; i++)
            if (_subscriptions[i].EndedAt is null) _subscriptions[i] = _subscriptions[i].Begun(period, period.Start, _subscriptions[i].ChangedAt == period.Start);
    }

    private static Subscription Settled(Subscription subscription, AccountFact.PeriodSettled settled)
    {
        var replaced = subscription.Find(settled.Period) is { } period ? subscription.Replaced(period.On(settled.Plan)) : subscription;
        if (replaced.Periods[^1].Period == settled.Period) return replaced.Changed(replaced.Periods[^1]) with { Decision = settled.Decision };
        return (replaced.Periods[^1].FollowsTheOneBefore ? replaced.Changed(replaced.Periods[^1].BegunOn(settled.Plan)) : replaced) with { Decision = settled.Decision };
    }

    private Subscription Changed(Subscription subscription, AccountFact.PlanChanged changed)
    {
        var on = subscription with { Plan = changed.Plan, CatalogVersion = changed.CatalogVersion, ChangedAt = changed.At, ChangeCommand = changed.CommandId };
        if (subscription.Scheduled is { } scheduled && scheduled.At <= changed.At) on = on with { Scheduled = null };
        return BegunPeriod is { } running && changed.At < running.End && on.Periods is [.., var last] && last.Period == running
            ? on.Replaced(last with { Stretches = last.Stretches.Add(new(changed.At, changed.Plan, changed.Plan, changed.CatalogVersion, ByHand: true)) })
            : on;
    }

    // The fee of a year is for no single period.
    private void Invoiced(InvoiceLine line)
    {
        if (line is not { Meter: null, Product: { } product, Plan: { } plan, CatalogVersion: { } version } || PlanOf(plan, version).Interval == PlanInterval.Year) return;
        Change(product, s => s.Periods.FirstOrDefault(p => p.Period.Contains(line.Period.Start)) is { } period
            ? s.Replaced(period with { InvoicedBase = period.InvoicedBase + line.Amount })
            : s);
    }

    private void Change(string product, Func<Subscription, Subscription> change)
    {
        for (var i = 0; i < _subscriptions.Count; i++)
            if (_subscriptions[i].Product == product) _subscriptions[i] = change(_subscriptions[i]);
    }

    private void WatchUsage()
    {
        foreach (var meter in _meters) meter.WatchedFrom = null;
        foreach (var subscription in _subscriptions)
        {
            if (UsageWatch.Running(this, subscription) is not { } period || UsageWatch.HigherPlans(this, subscription, period) is not { IsEmpty: false } higher) continue;
            foreach (var meter in PlanOf(period.Last.Plan, period.Last.CatalogVersion).Prices.Keys)
            {
                if (MeterOf(meter) is not { } state || UsageWatch.From(this, period, higher, meter) is not { } from) continue;
                state.WatchedFrom = (period.Period.Start, from);
                if (state.Find(period.Period)?.Quantity >= from) _upgradesToLookAt = true;
            }
        }
    }
}
