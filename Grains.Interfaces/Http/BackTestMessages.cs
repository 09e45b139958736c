using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Serialization;
using Billing.Accounts;

namespace Billing.Http;

/// <summary>The body of <c>POST /v1/catalogs/{version}/backtest</c> and <c>/simulate</c>, which may be left out.</summary>
/// <param name="Accounts">A list of 1 to 100 account ids, answered at once, or <c>all</c>, as a job; <c>all</c> when left out.</param>
/// <param name="Transitions">Rules in the place of those of the catalogue: by product what the catalogue has under <c>transitions</c>, or null for none.</param>
/// <param name="From">RFC 3339; counts billing periods that begin then or later.</param>
/// <param name="To">RFC 3339; counts billing periods that begin before.</param>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
public sealed record BackTestRequest(JsonElement? Accounts = null, JsonElement? Transitions = null, string? From = null, string? To = null);

/// <summary>What is other in a history that is run again.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<BackTestKind>))]
public enum BackTestKind
{
    /// <summary>The rules by which usage moves plans.</summary>
    [JsonStringEnumMemberName("backtest")]
    BackTest = 1,

    /// <summary>Plans and prices too.</summary>
    [JsonStringEnumMemberName("simulate")]
    Simulate = 2,
}

/// <summary>What accounts would have paid and been moved to, or how far the job is that finds out.</summary>
/// <param name="Id">The job; left out when the answer was given at once.</param>
/// <param name="Kind">What was other.</param>
/// <param name="Version">The catalogue version whose rules, or plans and rules, were taken.</param>
/// <param name="Status">How far it is.</param>
/// <param name="StartedAt">When the job was asked for, by the machine's clock.</param>
/// <param name="FinishedAt">When it ended, by the machine's clock; left out while it runs.</param>
/// <param name="Accounts">How many accounts were run so far.</param>
/// <param name="Moved">How many of them usage would have moved.</param>
/// <param name="Failed">How many of them could not be run; they have a problem.</param>
/// <param name="Totals">What they paid and would have paid, by currency, those on other pages included.</param>
/// <param name="Items">Accounts: in the order asked for, or, for all, by id; of a job the first 50,000.</param>
/// <param name="Next">The cursor of the next page; left out on the last.</param>
public sealed record BackTestView(
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Id,
    BackTestKind Kind,
    string Version,
    JobStatus Status,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] DateTimeOffset? StartedAt,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] DateTimeOffset? FinishedAt,
    int Accounts,
    int Moved,
    int Failed,
    ImmutableArray<BackTestTotal> Totals,
    ImmutableArray<AccountBackTest> Items,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Next);

/// <summary>A sum over accounts of one currency, in its minor units.</summary>
/// <param name="Currency">ISO 4217.</param>
/// <param name="Paid">What was invoiced.</param>
/// <param name="WouldPay">What would have been.</param>
/// <param name="Difference">How much more that is; below zero when less.</param>
public sealed record BackTestTotal(string Currency, long Paid, long WouldPay, long Difference);
