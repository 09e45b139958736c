using System.Collections.Immutable;

namespace Billing.Accounts;

/// <summary>What happens to the plans of an account.</summary>
internal abstract partial record AccountFact
{
    /// <summary>A higher plan costs less for the usage so far: the period, or its last stretch, is on it from its beginning. Its difference in base price is on an invoice of its own.</summary>
    public sealed record PlanUpgraded(string Product, string Plan, PlanDecision Decision, DateTimeOffset At) : AccountFact;

    /// <summary>Usage was looked at, as some of it was pending until then, and is at <c>NextAt</c> without an event; null for not at all.</summary>
    public sealed record UsageLookedAt(DateTimeOffset At, DateTimeOffset? NextAt = null) : AccountFact;

    /// <summary>A period that is over settled on another plan than it was on. The running period is on it from its start, unless a person has chosen its plan.</summary>
    public sealed record PeriodSettled(string Product, BillingPeriod Period, string Plan, PlanDecision Decision, DateTimeOffset At) : AccountFact;

    /// <summary>A period that was billed settled on another plan, as its usage has changed since. Its difference is on the next invoice; later periods keep their plan.</summary>
    public sealed record PeriodSettledAgain(string Product, BillingPeriod Period, string Plan, PlanDecision Decision, DateTimeOffset At) : AccountFact;

    /// <summary>The next lower plan would have cost less: the period that began at <c>EffectiveAt</c> is on it from its start.</summary>
    public sealed record PlanDowngraded(string Product, string Plan, DateTimeOffset EffectiveAt, PlanDecision Decision, DateTimeOffset At) : AccountFact;

    /// <summary>A plan that a person has chosen holds from <c>At</c> on: at once, as a new stretch of the running period, or from the period that begins then.</summary>
    public sealed record PlanChanged(string Product, string Plan, string CatalogVersion, string Reason, DateTimeOffset At, string? CommandId = null) : AccountFact;

    /// <summary>A person has chosen a plan that holds from <c>EffectiveAt</c> on, the start of a period.</summary>
    public sealed record PlanChangeScheduled(
        string Product, string Plan, string CatalogVersion, DateTimeOffset EffectiveAt, string Reason, DateTimeOffset At, string? CommandId = null) : AccountFact;

    /// <summary>A scheduled change of plan was taken back.</summary>
    public sealed record PlanChangeUndone(string Product, DateTimeOffset At, string? Reason = null) : AccountFact;

    /// <summary>A plan by the year renews in so many days, for <c>Amount</c> minor units.</summary>
    public sealed record RenewalNoticed(string Product, string Plan, string CatalogVersion, DateTimeOffset RenewsAt, int Days, long Amount, string Text, DateTimeOffset At) : AccountFact;

    /// <summary>What the merchant wants of the platform was changed; null members stay as they were.</summary>
    public sealed record SettingsChanged(
        string Reason,
        DateTimeOffset At,
        bool? AutomaticPlanChanges = null,
        string? CommandId = null,
        ImmutableArray<UsageAlert>? Alerts = null,
        SpendCap? SpendCap = null,
        bool? SpendCapRemoved = null) : AccountFact;
}
