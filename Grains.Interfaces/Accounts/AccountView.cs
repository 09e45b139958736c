using System.Collections.Immutable;
using System.Text.Json.Serialization;
using Billing.Charging;
using Orleans;

namespace Billing.Accounts;

/// <summary>A merchant account as of now.</summary>
/// <param name="Id">The account id: the <c>subject</c> of its events.</param>
/// <param name="Name">The merchant's name.</param>
/// <param name="Email">Where the merchant is written to; need not be unique.</param>
/// <param name="Country">ISO 3166-1 alpha-2, if known.</param>
/// <param name="Status">Where the account stands in its life.</param>
/// <param name="Currency">ISO 4217, upper case; every amount is in its minor unit.</param>
/// <param name="CreatedAt">When the account was made.</param>
/// <param name="AutomaticPlanChanges">Whether usage may move its plans.</param>
/// <param name="Subscriptions">One per product.</param>
/// <param name="Usage">The usage of the running period, a row per meter it subscribes to.</param>
/// <param name="Balance">Account credit in minor units, spent on the next invoices.</param>
/// <param name="Holds">What waits for a person, in words: what keeps the account from being charged or counted, and what went back at Stripe; empty when nothing does.</param>
/// <param name="Alerts">The thresholds that it has set beside 50, 80 and 100 % of each allowance.</param>
/// <param name="SpendCap">What it wants to spend at most in a period; left out without a bound.</param>
/// <param name="Charges">Its charges that are declined, unknown or parked, by invoice, the first 50; empty when all are settled or on their way.</param>
[GenerateSerializer, Immutable, Alias("billing.account")]
public sealed record AccountView(
    [property: Id(0)] string Id,
    [property: Id(1)] string Name,
    [property: Id(2)] string Email,
    [property: Id(3), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Country,
    [property: Id(4)] AccountStatus Status,
    [property: Id(5)] string Currency,
    [property: Id(6)] DateTimeOffset CreatedAt,
    [property: Id(7)] bool AutomaticPlanChanges,
    [property: Id(8)] ImmutableArray<SubscriptionView> Subscriptions,
    [property: Id(9)] ImmutableArray<MeterUsageView> Usage,
    [property: Id(10)] long Balance,
    [property: Id(11)] ImmutableArray<string> Holds,
    [property: Id(12)] ImmutableArray<UsageAlert> Alerts,
    [property: Id(13), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] SpendCap? SpendCap,
    [property: Id(14)] ImmutableArray<OpenCharge> Charges);

/// <summary>Where an account stands in its life. The numbers are stored: add at the end, reuse none.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<AccountStatus>))]
public enum AccountStatus
{
    /// <summary>Has no subscription yet: it lacks a payment method.</summary>
    [JsonStringEnumMemberName("pending")]
    Pending = 1,

    /// <summary>In its trial: usage is shown, never billed.</summary>
    [JsonStringEnumMemberName("trialing")]
    Trialing = 2,

    /// <summary>Subscribed and in good standing.</summary>
    [JsonStringEnumMemberName("active")]
    Active = 3,

    /// <summary>A charge was declined and is being asked for again.</summary>
    [JsonStringEnumMemberName("past_due")]
    PastDue = 4,

    /// <summary>Service is withheld.</summary>
    [JsonStringEnumMemberName("suspended")]
    Suspended = 5,

    /// <summary>Ended.</summary>
    [JsonStringEnumMemberName("cancelled")]
    Cancelled = 6,
}

/// <summary>One product that an account subscribes to.</summary>
/// <param name="Product">The product.</param>
/// <param name="Plan">The plan it is on.</param>
/// <param name="CatalogVersion">The catalogue version its prices come from.</param>
/// <param name="Period">The running billing period, or the trial.</param>
/// <param name="ScheduledChange">What is to become of it; left out when nothing is scheduled.</param>
/// <param name="Decision">The newest automatic decision about its plan; left out before the first.</param>
/// <param name="RenewsAt">When a plan by the year renews; left out for a plan by the month, and when the year is not to go on.</param>
[GenerateSerializer, Immutable, Alias("billing.subscription")]
public sealed record SubscriptionView(
    [property: Id(0)] string Product,
    [property: Id(1)] string Plan,
    [property: Id(2)] string CatalogVersion,
    [property: Id(3)] BillingPeriod Period,
    [property: Id(4), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] ScheduledChangeView? ScheduledChange = null,
    [property: Id(5), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] PlanDecision? Decision = null,
    [property: Id(6), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] DateTimeOffset? RenewsAt = null);

/// <summary>What is to become of a subscription.</summary>
/// <param name="Kind">What sort of change.</param>
/// <param name="Plan">The plan it is to be on; left out when it is to end.</param>
/// <param name="At">When.</param>
/// <param name="Reason">Why, in words.</param>
/// <param name="CatalogVersion">The catalogue version of that plan; left out when it is to end.</param>
[GenerateSerializer, Immutable, Alias("billing.scheduled-change")]
public sealed record ScheduledChangeView(
    [property: Id(0)] ScheduledChangeKind Kind,
    [property: Id(1), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Plan,
    [property: Id(2)] DateTimeOffset At,
    [property: Id(3)] string Reason,
    [property: Id(4), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? CatalogVersion = null);

/// <summary>What sort of change is scheduled. The numbers are part of the wire: add at the end, reuse none.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<ScheduledChangeKind>))]
public enum ScheduledChangeKind
{
    /// <summary>The subscription ends.</summary>
    [JsonStringEnumMemberName("cancellation")]
    Cancellation = 1,

    /// <summary>Another plan.</summary>
    [JsonStringEnumMemberName("plan")]
    Plan = 2,
}

/// <summary>The usage of one meter in the running period.</summary>
/// <param name="Meter">The meter.</param>
/// <param name="Quantity">What counts so far, in the meter's unit.</param>
/// <param name="Pending">What may still be cancelled; not part of <paramref name="Quantity"/>.</param>
/// <param name="Included">The plan's allowance for the period, in the meter's unit; a prorated one without a decimal end is shown to 12 places.</param>
/// <param name="Forecast">What the quantity comes to by the end of the period: each day to come is like the same days of the week in the last four weeks; with less than a week behind, like the period so far. What is pending counts as usage of its day. What is added is rounded down to whole units. Of a meter that takes the highest or the latest value it is the quantity.</param>
[GenerateSerializer, Immutable, Alias("billing.meter-usage")]
public sealed record MeterUsageView(
    [property: Id(0)] string Meter,
    [property: Id(1)] Quantity Quantity,
    [property: Id(2)] Quantity Pending,
    [property: Id(3)] Quantity Included,
    [property: Id(4)] Quantity Forecast);

/// <summary>An account, or why there is none to show.</summary>
/// <param name="Refusal">Set when there is nothing to show or the command was refused.</param>
/// <param name="Account">The account, when there is no refusal.</param>
[GenerateSerializer, Immutable, Alias("billing.account-answer")]
public sealed record AccountAnswer([property: Id(0)] Refusal? Refusal, [property: Id(1)] AccountView? Account);

/// <summary>An account as lists and search show it.</summary>
/// <param name="Id">The account id.</param>
/// <param name="Name">The merchant's name.</param>
/// <param name="Email">Where the merchant is written to.</param>
/// <param name="Status">Where the account stands in its life.</param>
/// <param name="Currency">ISO 4217, upper case.</param>
/// <param name="CreatedAt">When the account was made.</param>
/// <param name="Plans">The plans it is on.</param>
/// <param name="Holds">What waits for a person, in words: what keeps the account from being charged or counted, and what went back at Stripe; empty when nothing does.</param>
[GenerateSerializer, Immutable, Alias("billing.account-summary")]
public sealed record AccountSummary(
    [property: Id(0)] string Id,
    [property: Id(1)] string Name,
    [property: Id(2)] string Email,
    [property: Id(3)] AccountStatus Status,
    [property: Id(4)] string Currency,
    [property: Id(5)] DateTimeOffset CreatedAt,
    [property: Id(6)] ImmutableArray<string> Plans,
    ImmutableArray<string> Holds)
{
    /// <summary>What keeps the account from being charged or counted, in words; empty when nothing does, and where an older release wrote it.</summary>
    [Id(7)]
    public ImmutableArray<string> Holds { get; init; } = Holds.IsDefault ? [] : Holds;
}
