using System.Collections.Immutable;
using System.Text.Json.Serialization;
using Orleans;

namespace Billing.Accounts;

/// <summary>By which other rules or prices the history of an account is to be run again.</summary>
/// <param name="Catalog">The catalogue version whose rules, or whose plans and rules, take the place of those the account was on; JSON.</param>
/// <param name="Transitions">Rules of ladders in the place of those of the catalogue, by product; JSON, null for none.</param>
/// <param name="WithPlans">Whether plans and prices are taken from the catalogue too, plan by plan of the same id; else its rules alone.</param>
/// <param name="From">Counts billing periods that begin then or later; null for all.</param>
/// <param name="To">Counts billing periods that begin before; null for all.</param>
[GenerateSerializer, Immutable, Alias("billing.back-test-question")]
public sealed record BackTestQuestion(
    [property: Id(0)] string Catalog,
    [property: Id(1)] string? Transitions,
    [property: Id(2)] bool WithPlans,
    [property: Id(3)] DateTimeOffset? From,
    [property: Id(4)] DateTimeOffset? To);

/// <summary>What an account would have paid by other rules or prices, beside what it was invoiced. Amounts are minor units of its currency.</summary>
/// <param name="Account">The account.</param>
/// <param name="Currency">ISO 4217; left out where the history could not be run.</param>
/// <param name="Paid">What its final invoices bear of base prices, usage, upgrades, prorations and adjustments.</param>
/// <param name="WouldPay">What they would have borne of the same.</param>
/// <param name="Difference">How much more it would have paid; below zero when less.</param>
/// <param name="Moves">The changes of plan that usage would have made, in order.</param>
/// <param name="RealMoves">Those that it made.</param>
/// <param name="Notes">What the figures leave out, a sentence each.</param>
/// <param name="Problem">Why its history could not be run, in a sentence; all figures are 0 then. Left out where it was.</param>
[GenerateSerializer, Immutable, Alias("billing.account-back-test")]
public sealed record AccountBackTest(
    [property: Id(0)] string Account,
    [property: Id(1), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Currency,
    [property: Id(2)] long Paid,
    [property: Id(3)] long WouldPay,
    [property: Id(4)] long Difference,
    [property: Id(5)] ImmutableArray<PlanMove> Moves,
    [property: Id(6)] ImmutableArray<PlanMove> RealMoves,
    [property: Id(7)] ImmutableArray<string> Notes,
    [property: Id(8), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Problem = null);

/// <summary>A change of plan by usage.</summary>
/// <param name="At">When it was decided.</param>
/// <param name="EffectiveAt">From when on the plan holds.</param>
/// <param name="Product">The product.</param>
/// <param name="From">The plan before.</param>
/// <param name="To">The plan from then on.</param>
/// <param name="Rule">Which rule decided.</param>
/// <param name="Text">The decision in words.</param>
[GenerateSerializer, Immutable, Alias("billing.plan-move")]
public sealed record PlanMove(
    [property: Id(0)] DateTimeOffset At,
    [property: Id(1)] DateTimeOffset EffectiveAt,
    [property: Id(2)] string Product,
    [property: Id(3)] string From,
    [property: Id(4)] string To,
    [property: Id(5)] PlanRule Rule,
    [property: Id(6)] string Text);
