using System.Collections.Immutable;
using Billing.Plans;

namespace Billing.Accounts;

/// <summary>One product that an account subscribes to.</summary>
/// <param name="Product">The product.</param>
/// <param name="Plan">The plan it is on.</param>
/// <param name="CatalogVersion">The catalogue version of the plan.</param>
/// <param name="StartedAt">The first instant that is subscribed to.</param>
/// <param name="EndedAt">The first instant that is not any more; null while it runs.</param>
/// <param name="BaseFeesFrom">
/// For a product added while a period ran, the end of that period: from then on its base fees are on the period invoices. Null for the
/// first products.
/// </param>
/// <param name="CommandId">Names the command that added it; null for none.</param>
internal sealed record Subscription(
    string Product, string Plan, string CatalogVersion, DateTimeOffset StartedAt, DateTimeOffset? EndedAt = null, DateTimeOffset? BaseFeesFrom = null, string? CommandId = null)
{
    /// <summary>Its plans in each billing period, in order of time; none in a trial.</summary>
    public ImmutableArray<PeriodPlan> Periods { get; init; } = [];

    /// <summary>A change of plan that is to come; null without one.</summary>
    public ScheduledPlan? Scheduled { get; init; }

    /// <summary>From when on the plan holds that a person has chosen last; null before the first.</summary>
    public DateTimeOffset? ChangedAt { get; init; }

    /// <summary>Names the command of that change; null for none.</summary>
    public string? ChangeCommand { get; init; }

    /// <summary>When the last automatic change took effect; null before the first.</summary>
    public DateTimeOffset? AutomaticAt { get; init; }

    /// <summary>The newest decision by usage; null before the first.</summary>
    public PlanDecision? Decision { get; init; }

    /// <summary>The newest notice that a year of it renews; null before the first.</summary>
    public RenewalNotice? Renewal { get; init; }

    /// <summary>Its plans in one billing period; null when it had none.</summary>
    public PeriodPlan? Find(BillingPeriod period)
    {
        for (var i = Periods.Length - 1; i >= 0; i--)
            if (Periods[i].Period.Start == period.Start) return Periods[i];
        return null;
    }

    /// <summary>The same with other plans in a period it had.</summary>
    public Subscription Replaced(PeriodPlan period) => this with { Periods = [.. Periods.Select(p => p.Period.Start == period.Period.Start ? period : p)] };

    /// <summary>The same with other plans in its newest period, whose last plan is the one it is on.</summary>
    public Subscription Changed(PeriodPlan newest) => Replaced(newest) with { Plan = newest.Last.Plan };

    /// <summary>The same with a period that begins on the plan it is on.</summary>
    public Subscription Begun(BillingPeriod period, DateTimeOffset from, bool byHand) =>
        this with { Periods = Periods.Add(new(period, [new(from, Plan, Plan, CatalogVersion, byHand)])) };

    /// <summary>Whether the product was subscribed to at an instant.</summary>
    public bool Covers(long ticks) => ticks >= StartedAt.UtcTicks && (EndedAt is not { } end || ticks < end.UtcTicks);
}

/// <summary>That a year renews was told.</summary>
/// <param name="RenewsAt">The end of the year.</param>
/// <param name="Days">How many days before.</param>
internal sealed record RenewalNotice(DateTimeOffset RenewsAt, int Days);

/// <summary>An invoice that still follows usage: it is built anew whenever it is read, and becomes final after the grace.</summary>
/// <param name="Period">The period that its base fees pay for; the one before it is the period whose usage it bears.</param>
/// <param name="DraftedAt">When the period before ended.</param>
/// <param name="WithoutBaseFees">Whether it bears arrears only, because the account was suspended when the period before ended.</param>
internal sealed record InvoiceDraft(BillingPeriod Period, DateTimeOffset DraftedAt, bool WithoutBaseFees = false);
