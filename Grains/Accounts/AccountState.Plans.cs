using System.Collections.Immutable;
using Billing.Alerts;
using Billing.Invoices;
using Billing.Metering;
using Billing.Plans;

namespace Billing.Accounts;

/// <summary>The plans of an account: what each subscription was on in each period, and when usage may move it.</summary>
internal sealed partial class AccountState
{
    private static readonly ImmutableSortedSet<string> NothingTold = ImmutableSortedSet.Create<string>(StringComparer.Ordinal);
    private static readonly ImmutableSortedDictionary<string, ScheduledPlan> NoAdditions = ImmutableSortedDictionary.Create<string, ScheduledPlan>(StringComparer.Ordinal);

    private AccountFact.SettingsChanged? _settings;
    private ImmutableSortedSet<string> _told = NothingTold;
    private DateTimeOffset? _looksAgainAt;
    private bool _usageToLookAt;
    private bool _spendIsWatched;

    /// <summary>What the merchant wants of the platform; null while it is as when the account was made.</summary>
    public AccountFact.SettingsChanged? Settings => _settings;

    /// <summary>Products that are to be added, by product.</summary>
    public ImmutableSortedDictionary<string, ScheduledPlan> Additions { get; private set; } = NoAdditions;

    /// <summary>The change of plan of a product that is to come; null without one.</summary>
    public ScheduledPlan? ScheduledFor(string product) => Additions.GetValueOrDefault(product) ?? _subscriptions.Find(s => s.Product == product)?.Scheduled;

    /// <summary>How often a subscription has come on another plan since the state was read.</summary>
    public int PlanMoves { get; private set; }

    /// <summary>Whether usage may move plans.</summary>
    public bool AutomaticPlanChanges => _settings?.AutomaticPlanChanges ?? Profile!.AutomaticPlanChanges;

    /// <summary>The thresholds that the merchant has set beside the usual ones.</summary>
    public ImmutableArray<UsageAlert> Alerts => _settings?.Alerts ?? [];

    /// <summary>What the merchant wants to spend at most in a period; null for no bound.</summary>
    public SpendCap? SpendCap => _settings?.SpendCap;

    /// <summary>The billing period that runs; null in a trial, and when none runs.</summary>
    public BillingPeriod? RunningPeriod =>
        Status is AccountStatus.Active or AccountStatus.PastDue or AccountStatus.Suspended && Calendar.PausedAt is null ? BegunPeriod : null;

    /// <summary>Whether usage has come to where something may follow from it.</summary>
    public bool HasUsageToLookAt => _usageToLookAt;

    /// <summary>When usage is to be looked at without an event, because what was pending stands then; null when not.</summary>
    public DateTimeOffset? LooksAgainAt => _looksAgainAt;

    /// <summary>The subscriptions with their plans in the running period.</summary>
    public IEnumerable<(Subscription Subscription, PeriodPlan Period)> RunningPlans()
    {
        foreach (var subscription in _subscriptions)
            if (RunningPeriod is { } running && subscription.Periods is [.., var last] && last.Period == running) yield return (subscription, last);
    }

    /// <summary>The meters of a subscription that its plan prices or gives an allowance of.</summary>
    public IEnumerable<string> MeteredBy(Subscription subscription, PeriodPlan period)
    {
        var plan = PlanOf(period.Last.Plan, period.Last.CatalogVersion);
        return plan.Prices.Keys.Union(plan.Included.Keys).Where(m => MeterOf(m) is not null);
    }

    /// <summary>Whether a threshold was told of in the running period.</summary>
    public bool WasTold(UsageAlert alert, string? meter) => _told.Contains(KeyOf(alert, meter));

    /// <summary>Since when years that were not to go on may be to go on again, because a person took that back or chose another plan; null for always.</summary>
    public DateTimeOffset? RenewsSince { get; private set; }

    /// <summary>Whether a spend cap was told of in the running period.</summary>
    public bool WasTold(SpendCap cap) => _told.Contains(KeyOf(cap));

    /// <summary>Notes that usage was looked at. A turn does not end before: what is in the journal was looked at.</summary>
    public void LookedAtUsage() => _usageToLookAt = false;

    /// <summary>Notes that what was pending stands by now.</summary>
    public void LookAtUsageNow() => _usageToLookAt = true;

    /// <summary>A plan of a published catalogue version.</summary>
    public Plan PlanOf(string plan, string version) => CatalogOf(version).Catalog.FindPlan(plan)!;

    /// <summary>The plans of a product, by rising rank.</summary>
    public IEnumerable<Plan> LadderOf(string product, string version) => CatalogOf(version).Catalog.FindProduct(product)!.Plans.OrderBy(p => p.Rank);

    /// <summary>The billing period that ended when another begins, or would begin; null when none did.</summary>
    public BillingPeriod? PeriodBefore(BillingPeriod period) =>
        Calendar.TryPeriodOf(period.Start.UtcTicks - 1, out var before) && !Calendar.IsTrial(before) ? before : null;

    private void ApplyToPlans(AccountFact fact)
    {
        switch (fact)
        {
            case AccountFact.PlanUpgraded upgraded:
                Change(upgraded.Product, s => s.Changed(s.Periods[^1].UpgradedTo(upgraded.Plan)) with { AutomaticAt = upgraded.Decision.EffectiveAt, Decision = upgraded.Decision });
                break;

            case AccountFact.PeriodSettled settled:
                Change(settled.Product, s => Settled(s, settled));
                break;

            case AccountFact.PeriodSettledAgain again:
                Change(again.Product, s => s.Find(again.Period) is { } period ? s.Replaced(period.On(again.Plan)) : s);
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
                RenewsSince = scheduled.At;
                break;

            case AccountFact.PlanChangeUndone undone:
                Additions = Additions.Remove(undone.Product);
                Change(undone.Product, s => s with { Scheduled = null });
                RenewsSince = undone.At;
                break;

            case AccountFact.SettingsChanged settings:
                _settings = settings with
                {
                    AutomaticPlanChanges = settings.AutomaticPlanChanges ?? _settings?.AutomaticPlanChanges,
                    Alerts = settings.Alerts ?? _settings?.Alerts,
                    SpendCap = settings.SpendCap ?? (settings.SpendCapRemoved == true ? null : _settings?.SpendCap),
                    SpendCapRemoved = null,
                };
                break;

            case AccountFact.UsageLookedAt looked:
                (_usageToLookAt, _looksAgainAt) = (false, looked.NextAt);
                return;

            case AccountFact.RenewalNoticed noticed:
                Change(noticed.Product, s => s with { Renewal = new(noticed.RenewsAt, noticed.Days) });
                break;

            case AccountFact.UsageAlertReached reached:
                _told = _told.Add(KeyOf(reached.Alert, reached.Meter));
                break;

            case AccountFact.SpendCapReached reached:
                _told = _told.Add(KeyOf(reached.Cap));
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

    private static string KeyOf(UsageAlert alert, string? meter) => FormattableString.Invariant($"{meter}|{alert.Percent}|{alert.Amount}");

    private static string KeyOf(SpendCap cap) => FormattableString.Invariant($"cap|{cap.Amount}|{cap.Kind}");

    private void Begin(BillingPeriod period)
    {
        _told = NothingTold;
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
        {
            if (_subscriptions[i].Product != product) continue;
            var changed = change(_subscriptions[i]);
            if (changed.Plan != _subscriptions[i].Plan) PlanMoves++;
            _subscriptions[i] = changed;
        }
    }

    // Something may follow when the usage of a meter comes to the lowest of what a higher plan and the next threshold ask for, and from then
    // on with any other that is compared or summed up with it.
    private void WatchUsage()
    {
        _spendIsWatched = AlertDecider.WatchesSpend(this);
        foreach (var meter in _meters) meter.WatchedFrom = null;
        foreach (var (subscription, period) in RunningPlans())
        {
            var higher = UsageWatch.Running(this, subscription) is null ? [] : UsageWatch.HigherPlans(this, subscription, period);
            foreach (var meter in _meters)
            {
                if (meter.Meter.Product != subscription.Product) continue;
                var from = higher.IsEmpty ? null : UsageWatch.From(this, period, higher, meter.Meter.Id);
                if (AlertDecider.NextFrom(this, period, meter.Meter.Id) is { } threshold && !(from <= threshold)) from = threshold;
                if (from is null && higher.IsEmpty && !_spendIsWatched) continue;
                meter.WatchedFrom = (period.Period, from);
                if (meter.IsWatchedUsageReached) _usageToLookAt = true;
            }
        }
    }

    // An event that can still be taken back is looked at when it stands.
    private void Watch(MeterState meter, long timeTicks, DateTimeOffset receivedAt)
    {
        if (!AreToBeCompared(meter)) return;
        if (meter.PendingUntil(timeTicks) is not { } pendingUntil || pendingUntil < receivedAt) _usageToLookAt = true;
        else if (!(_looksAgainAt <= pendingUntil) && pendingUntil.AddTicks(1) < meter.WatchedFrom!.Value.Period.End) _looksAgainAt = pendingUntil.AddTicks(1);
    }

    private bool AreToBeCompared(MeterState changed)
    {
        if (!changed.IsWatched(_changes)) return false;
        foreach (var meter in _meters)
            if (meter.IsWatchedUsageReached && (_spendIsWatched || meter.Meter.Product == changed.Meter.Product)) return true;
        return false;
    }
}
