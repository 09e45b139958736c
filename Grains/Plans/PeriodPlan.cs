using System.Collections.Immutable;

namespace Billing.Plans;

/// <summary>A part of a billing period on one plan, up to the next part or the period's end.</summary>
/// <param name="From">When it begins, UTC, a whole second.</param>
/// <param name="Began">The plan it began with: what usage makes of it never costs more than this one.</param>
/// <param name="Plan">The plan it is on now.</param>
/// <param name="CatalogVersion">The catalogue version of both.</param>
/// <param name="ByHand">Whether a person chose the plan it began with.</param>
/// <param name="Highest">The highest plan that usage moved it to before its end; null when it moved it to none.</param>
internal sealed record Stretch(DateTimeOffset From, string Began, string Plan, string CatalogVersion, bool ByHand = false, string? Highest = null);

/// <summary>What plans a subscription was on in one billing period, and what of their base prices is invoiced.</summary>
/// <param name="Period">The billing period.</param>
/// <param name="Stretches">Its parts in order of time; at least one. The first begins later than the period for a product added in it.</param>
/// <param name="InvoicedBase">What final invoices bear of base prices by the month for the period, minor units.</param>
/// <param name="Settled">Null while no final invoice bears the period's usage; then whether usage could move its plan.</param>
internal sealed record PeriodPlan(BillingPeriod Period, ImmutableArray<Stretch> Stretches, long InvoicedBase = 0, bool? Settled = null)
{
    public Stretch Last => Stretches[^1];

    /// <summary>Whether it is one stretch that no person has chosen: what the period before settles on can still replace it.</summary>
    public bool FollowsTheOneBefore => Stretches is [{ ByHand: false } only] && only.From == Period.Start;

    /// <summary>The same with the last stretch on another plan.</summary>
    public PeriodPlan On(string plan) => this with { Stretches = Stretches.SetItem(Stretches.Length - 1, Last with { Plan = plan }) };

    /// <summary>The same with the last stretch moved to a higher plan.</summary>
    public PeriodPlan UpgradedTo(string plan) => this with { Stretches = Stretches.SetItem(Stretches.Length - 1, Last with { Plan = plan, Highest = plan }) };

    /// <summary>The same, begun with another plan.</summary>
    public PeriodPlan BegunOn(string plan) => this with { Stretches = [Last with { Began = plan, Plan = plan, Highest = null }] };

    /// <summary>When a stretch ends.</summary>
    public DateTimeOffset EndOf(int stretch) => stretch + 1 < Stretches.Length ? Stretches[stretch + 1].From : Period.End;
}

/// <summary>A change of plan that a person has asked for and that is to come.</summary>
/// <param name="Plan">The plan.</param>
/// <param name="CatalogVersion">Its catalogue version.</param>
/// <param name="At">When: the start of a period.</param>
/// <param name="Reason">Why, in words.</param>
/// <param name="CommandId">Names the command; null for none.</param>
internal sealed record ScheduledPlan(string Plan, string CatalogVersion, DateTimeOffset At, string Reason, string? CommandId);
