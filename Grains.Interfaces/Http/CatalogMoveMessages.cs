using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Serialization;
using Billing.Accounts;

namespace Billing.Http;

/// <summary>The body of <c>POST /v1/catalogs/{version}/move</c>.</summary>
/// <param name="From">The published catalogue version that is left.</param>
/// <param name="DryRun">Whether only to say what would change; has to be said.</param>
/// <param name="Plan">Moves only subscriptions on this plan; all when left out.</param>
/// <param name="Plans">The same for several plans, 1 to 100, in place of <paramref name="Plan"/>.</param>
/// <param name="When"><c>period_end</c>, also when left out: a catalogue version takes effect at a period start.</param>
/// <param name="Accounts">A list of 1 to 1,000 account ids, or <c>all</c>, also when left out.</param>
/// <param name="Reason">Why, in words; 1 to 500 characters. When left out, that they were moved.</param>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
public sealed record CatalogMoveRequest(
    string? From,
    bool? DryRun,
    string? Plan = null,
    ImmutableArray<string>? Plans = null,
    string? When = null,
    JsonElement? Accounts = null,
    string? Reason = null);

/// <summary>How far a move of accounts to another catalogue version is, and what came of it.</summary>
/// <param name="Id">The job.</param>
/// <param name="From">The catalogue version that is left.</param>
/// <param name="Version">The catalogue version that is moved to.</param>
/// <param name="DryRun">Whether nothing is changed.</param>
/// <param name="Status">How far it is.</param>
/// <param name="StartedAt">When it was asked for, by the machine's clock.</param>
/// <param name="FinishedAt">When it ended, by the machine's clock; left out while it runs.</param>
/// <param name="Accounts">How many accounts it has been at that it concerns.</param>
/// <param name="Moved">How many of them move, or would.</param>
/// <param name="Unchanged">How many of them have nothing to change.</param>
/// <param name="Refused">How many of them were refused.</param>
/// <param name="Totals">What the base prices of those that move come to, those on other pages included.</param>
/// <param name="Items">Accounts: in the order asked for, or, for all, by id; the first 50,000.</param>
/// <param name="Next">The cursor of the next page; left out on the last.</param>
public sealed record CatalogMoveView(
    string Id,
    string From,
    string Version,
    bool DryRun,
    JobStatus Status,
    DateTimeOffset StartedAt,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] DateTimeOffset? FinishedAt,
    int Accounts,
    int Moved,
    int Unchanged,
    int Refused,
    ImmutableArray<CatalogMoveTotal> Totals,
    ImmutableArray<AccountMove> Items,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Next);

/// <summary>Base prices over accounts of one currency that are paid by the same interval, in minor units.</summary>
/// <param name="Currency">ISO 4217.</param>
/// <param name="Interval"><c>month</c> or <c>year</c>: what one base price pays for.</param>
/// <param name="BasePrice">What they come to on the version that is left.</param>
/// <param name="NewBasePrice">What they come to on the other.</param>
/// <param name="Difference">How much more that is; below zero when less.</param>
public sealed record CatalogMoveTotal(string Currency, string Interval, long BasePrice, long NewBasePrice, long Difference);

/// <summary>What a move does to one account.</summary>
/// <param name="Account">The account.</param>
/// <param name="Outcome">What came of it.</param>
/// <param name="Text">What changes, why nothing is to change, or why it was refused and what to do.</param>
/// <param name="Products">The subscriptions that move, with their base prices; empty when none does.</param>
/// <param name="Change">What the account answered, with its lines; left out when it does not move.</param>
public sealed record AccountMove(
    string Account,
    AccountMoveOutcome Outcome,
    string Text,
    ImmutableArray<ProductMove> Products,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] AccountChange? Change = null);

/// <summary>What came of the move of an account.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<AccountMoveOutcome>))]
public enum AccountMoveOutcome
{
    /// <summary>It moves from <c>change.effective_at</c> on.</summary>
    [JsonStringEnumMemberName("moved")]
    Moved = 1,

    /// <summary>It would move; nothing was changed.</summary>
    [JsonStringEnumMemberName("would_move")]
    WouldMove = 2,

    /// <summary>There is nothing to change.</summary>
    [JsonStringEnumMemberName("unchanged")]
    Unchanged = 3,

    /// <summary>It was refused, whole.</summary>
    [JsonStringEnumMemberName("refused")]
    Refused = 4,
}

/// <summary>A subscription that moves to another catalogue version.</summary>
/// <param name="Product">The product.</param>
/// <param name="Plan">The plan it is on from then on: the one of the same id, or of the id of a change that was scheduled.</param>
/// <param name="Interval"><c>month</c> or <c>year</c>: what the base price pays for.</param>
/// <param name="BasePrice">The base price of the plan on the version that is left, in minor units.</param>
/// <param name="NewInterval">What the base price on the other version pays for.</param>
/// <param name="NewBasePrice">That base price, in minor units.</param>
public sealed record ProductMove(string Product, string Plan, string Interval, long BasePrice, string NewInterval, long NewBasePrice);
