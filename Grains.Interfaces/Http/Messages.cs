using System.Collections.Immutable;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using Billing.Accounts;
using Billing.Charging;
using Billing.Invoices;
using Billing.Ledger;
using Billing.Usage;

namespace Billing.Http;

/// <summary>The body of <c>POST /v1/accounts</c>.</summary>
/// <param name="Id">The account id: the <c>subject</c> of its events. 1 to 128 letters, digits and <c>. _ : @ -</c>.</param>
/// <param name="Name">The merchant's name; 1 to 200 characters.</param>
/// <param name="Email">Where the merchant is written to; need not be unique.</param>
/// <param name="Currency">ISO 4217; that of the catalogue version published first when left out.</param>
/// <param name="Country">ISO 3166-1 alpha-2.</param>
/// <param name="Plans">The plans, at most one of each product.</param>
/// <param name="PaymentMethod">The payment method's id at Stripe.</param>
/// <param name="AutomaticPlanChanges">Whether usage may move its plans; true when left out.</param>
public sealed record OpenAccountRequest(
    string? Id,
    string? Name,
    string? Email,
    string? Currency,
    string? Country,
    ImmutableArray<string> Plans,
    string? PaymentMethod,
    bool? AutomaticPlanChanges);

/// <summary>The body of <c>POST /v1/accounts/{id}/plans</c>.</summary>
/// <param name="Changes">The products and their plans, each product once.</param>
/// <param name="CatalogVersion">The published catalogue version the plans come from; the newest when left out.</param>
/// <param name="When"><c>now</c> or <c>period_end</c>.</param>
/// <param name="Reason">Why, in words; 1 to 500 characters.</param>
/// <param name="DryRun">Whether only to say what would change; false when left out.</param>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
public sealed record ChangePlansRequest(
    ImmutableArray<PlanChange> Changes, string? CatalogVersion = null, string? When = null, string? Reason = null, bool? DryRun = null);

/// <summary>The body of <c>POST /v1/accounts/{id}/cancel</c>.</summary>
/// <param name="Reason">Why, in words; 1 to 500 characters.</param>
/// <param name="DryRun">Whether only to say what would change; false when left out.</param>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
public sealed record CancelRequest(string? Reason, bool? DryRun = null);

/// <summary>The body of <c>POST /v1/accounts/{id}/settings</c>. What is left out stays.</summary>
/// <param name="AutomaticPlanChanges">Whether usage may move the account's plans.</param>
/// <param name="Reason">Why, in words; 1 to 500 characters.</param>
/// <param name="DryRun">Whether only to say what would change; false when left out.</param>
/// <param name="Alerts">Thresholds beside the usual ones, in place of those set before.</param>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
public sealed record SettingsRequest(bool? AutomaticPlanChanges = null, string? Reason = null, bool? DryRun = null, ImmutableArray<UsageAlert>? Alerts = null)
{
    /// <summary>What a period may cost: <c>{"amount":50000,"kind":"soft"}</c> or <c>"hard"</c>; null removes the cap.</summary>
    public JsonElement SpendCap { get; init; }
}

/// <summary>The body of <c>DELETE /v1/accounts/{id}/cancel</c> and <c>…/plans/scheduled/{product}</c>, which may be left out.</summary>
/// <param name="Reason">Why, in words; at most 500 characters.</param>
/// <param name="DryRun">Whether only to say what would change; false when left out.</param>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
public sealed record UndoCancelRequest(string? Reason = null, bool? DryRun = null);

/// <summary>The body of <c>POST /v1/accounts/{id}/payment-method</c>.</summary>
/// <param name="PaymentMethod">Its id at Stripe.</param>
/// <param name="Reason">Why, in words; 1 to 500 characters.</param>
/// <param name="DryRun">Whether only to say what would change; false when left out.</param>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
public sealed record PaymentMethodRequest(string? PaymentMethod, string? Reason, bool? DryRun = null);

/// <summary>The body of <c>POST /v1/accounts/{id}/suspend</c>, <c>/resume</c> and <c>/release</c>.</summary>
/// <param name="Reason">Why, in words; 1 to 500 characters.</param>
/// <param name="DryRun">Whether only to say what would change; false when left out.</param>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
public sealed record ActRequest(string? Reason, bool? DryRun = null);

/// <summary>A page of an account's charges.</summary>
/// <param name="Items">Charges by invoice.</param>
/// <param name="Next">The cursor of the next page; left out on the last.</param>
public sealed record ChargeList(
    ImmutableArray<ChargeView> Items, [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Next);

/// <summary>The answer of <c>POST /v1/events</c>. Every outcome in it is durable.</summary>
/// <param name="Accepted">Events counted for the first time.</param>
/// <param name="Duplicate">Events that were accepted before.</param>
/// <param name="Conflict">Events whose key was accepted before with other content.</param>
/// <param name="Quarantined">Events that wait in the dead letters.</param>
/// <param name="Rejected">Events that cannot be counted as they are.</param>
/// <param name="Receipts">One per event in the order of the body; empty with <c>receipts=none</c>.</param>
public sealed record EventsAnswer(
    int Accepted, int Duplicate, int Conflict, int Quarantined, int Rejected, ImmutableArray<EventReceiptView> Receipts);

/// <summary>What became of one event of a body.</summary>
/// <param name="Source">The CloudEvents <c>source</c>, if it could be read.</param>
/// <param name="Id">The CloudEvents <c>id</c>, if it could be read.</param>
/// <param name="Outcome">What became of it.</param>
/// <param name="Reason">Why, where the outcome alone does not say it; <c>account_held</c> or <c>account_failed</c> when it waits for its account.</param>
/// <param name="Meters">What it changed.</param>
/// <param name="BilledOn">The invoice that bills it.</param>
public sealed record EventReceiptView(
    string? Source,
    string? Id,
    UsageOutcome Outcome,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Reason,
    ImmutableArray<MeterReceipt> Meters,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] BilledOn? BilledOn);

/// <summary>A page of accounts.</summary>
/// <param name="Items">The accounts, in the order of their ids.</param>
/// <param name="Next">The cursor of the next page; left out on the last.</param>
/// <param name="Damaged">The accounts of this page, by id, of which nothing can be shown: their rows for lists are damaged, and they cannot be read now. Left out when there are none.</param>
public sealed record AccountList(
    ImmutableArray<AccountSummary> Items,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Next,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] ImmutableArray<string>? Damaged = null);

/// <summary>A page of invoices.</summary>
/// <param name="Items">Finalised invoices by number, then drafts.</param>
/// <param name="Next">The cursor of the next page; left out on the last.</param>
public sealed record InvoiceList(
    ImmutableArray<InvoiceView> Items, [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Next);

/// <summary>A page of the events behind an invoice line.</summary>
/// <param name="Items">Accepted events by time, source and id, then those that were refused.</param>
/// <param name="Next">The cursor of the next page; left out on the last.</param>
public sealed record LineEventList(
    ImmutableArray<LineEvent> Items, [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Next);

/// <summary>A page of an account's ledger.</summary>
/// <param name="Currency">ISO 4217; every amount is in its minor unit.</param>
/// <param name="Balances">What all entries together come to, those of other pages included.</param>
/// <param name="Items">Entries, the oldest first.</param>
/// <param name="Next">The cursor of the next page; left out on the last.</param>
public sealed record LedgerList(
    string Currency,
    LedgerBalances Balances,
    ImmutableArray<LedgerEntry> Items,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Next);

/// <summary>A page of a meter's usage.</summary>
/// <param name="Meter">The meter.</param>
/// <param name="Items">Billing periods in order of time.</param>
/// <param name="Next">The cursor of the next page; left out on the last.</param>
public sealed record UsageSeries(
    string Meter,
    ImmutableArray<PeriodUsageView> Items,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Next);

/// <summary>The body of <c>POST /v1/sandbox/clock</c>: one of the two.</summary>
/// <param name="Advance">By how much, an ISO 8601 duration such as <c>P1D</c> or <c>P1M</c>.</param>
/// <param name="Now">To which instant, RFC 3339.</param>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
public sealed record MoveClockRequest(string? Advance, string? Now);

/// <summary>Where the billing clock stands.</summary>
/// <param name="Now">The billing time.</param>
/// <param name="Held">
/// The accounts that are due by then and could not do it, because they are held or fail, by id; left out when there are none.
/// </param>
public sealed record ClockView(
    DateTimeOffset Now, [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] ImmutableArray<string>? Held = null);

/// <summary>The answer of <c>POST</c> and <c>GET /v1/check</c>: the check of all that is stored against its check sums.</summary>
/// <param name="Status">How far it is.</param>
/// <param name="StartedAt">When it began, by the machine's clock; left out when there was none yet.</param>
/// <param name="FinishedAt">When it ended, by the machine's clock; left out while it runs.</param>
/// <param name="Read">How many rows of the store it has read.</param>
/// <param name="DamageFound">How much damage it has found.</param>
/// <param name="Damage">A sentence for each, the first 1,000.</param>
/// <param name="Held">The accounts that are held now, by id, as far as the silo that answers knows.</param>
/// <param name="LetGo">The accounts that were held and that it found well, by id.</param>
public sealed record CheckView(
    CheckStatus Status,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] DateTimeOffset? StartedAt,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] DateTimeOffset? FinishedAt,
    long Read,
    int DamageFound,
    ImmutableArray<string> Damage,
    ImmutableArray<string> Held,
    ImmutableArray<string> LetGo);

/// <summary>A page of the feed.</summary>
/// <param name="Items">Facts in the order in which they were stored. There may be none, or fewer than asked for, before the end.</param>
/// <param name="Next">The cursor to ask with again; there is always one.</param>
public sealed record FeedList(ImmutableArray<FeedItem> Items, string Next);

/// <summary>A fact in the feed.</summary>
/// <param name="Position">Where it stands; the feed goes on behind it when it is asked for after it.</param>
/// <param name="Account">The account.</param>
/// <param name="Type">What happened. A type keeps its meaning and its members; members may be added.</param>
/// <param name="At">When it happened, by the billing clock; left out for an entry that cannot be read.</param>
/// <param name="Data">The fact as it is stored; amounts are minor units of the account's currency, times RFC 3339 in UTC.</param>
public sealed record FeedItem(
    string Position,
    string Account,
    string Type,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] DateTimeOffset? At,
    JsonObject Data);

/// <summary>How far a check of everything is.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<CheckStatus>))]
public enum CheckStatus
{
    /// <summary>There was none yet.</summary>
    [JsonStringEnumMemberName("never")]
    Never = 0,

    /// <summary>It runs, or is about to.</summary>
    [JsonStringEnumMemberName("running")]
    Running = 1,

    /// <summary>It has read everything.</summary>
    [JsonStringEnumMemberName("done")]
    Done = 2,

    /// <summary>It did not come to its end: the store could not be reached, or the silo stopped.</summary>
    [JsonStringEnumMemberName("stopped")]
    Stopped = 3,
}

/// <summary>The body of <c>POST /v1/sandbox/faults</c>, and its answer: which faults the sandbox Stripe puts in from now on.</summary>
/// <param name="Kinds">The kinds to draw from, evenly among those that fit; none ends it.</param>
/// <param name="Probability">How likely each request and each webhook meets one, from 0 to 1; may be left out when there are no kinds.</param>
/// <param name="Seed">The same seed and the same calls meet the same faults; 0 when left out.</param>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
public sealed record SandboxFaults(ImmutableArray<string> Kinds, double? Probability, long? Seed);

/// <summary>Whether the platform is alive or ready.</summary>
/// <param name="Status"><c>ok</c>, or what is amiss.</param>
public sealed record HealthView(string Status);

/// <summary>Problem details, RFC 9457.</summary>
/// <param name="Type">Names the sort of problem; stable.</param>
/// <param name="Title">The sort of problem in words.</param>
/// <param name="Status">The HTTP status.</param>
/// <param name="Detail">One sentence: what was wrong, what was and was not stored, what to do.</param>
/// <param name="Field">The offending field, if there is one.</param>
public sealed record Problem(
    string Type,
    string Title,
    int Status,
    string Detail,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Field);

/// <summary>The JSON of the HTTP contract.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    Converters = [typeof(UtcJsonConverter)])]
[JsonSerializable(typeof(OpenAccountRequest))]
[JsonSerializable(typeof(ChangePlansRequest))]
[JsonSerializable(typeof(CancelRequest))]
[JsonSerializable(typeof(SettingsRequest))]
[JsonSerializable(typeof(SpendCap))]
[JsonSerializable(typeof(EntitlementView))]
[JsonSerializable(typeof(PaymentMethodRequest))]
[JsonSerializable(typeof(ActRequest))]
[JsonSerializable(typeof(ChargeList))]
[JsonSerializable(typeof(UndoCancelRequest))]
[JsonSerializable(typeof(AccountChange))]
[JsonSerializable(typeof(EventsAnswer))]
[JsonSerializable(typeof(AccountView))]
[JsonSerializable(typeof(AccountList))]
[JsonSerializable(typeof(InvoiceView))]
[JsonSerializable(typeof(InvoiceList))]
[JsonSerializable(typeof(LineEventList))]
[JsonSerializable(typeof(EventView))]
[JsonSerializable(typeof(LedgerList))]
[JsonSerializable(typeof(FeedList))]
[JsonSerializable(typeof(UsageSeries))]
[JsonSerializable(typeof(CatalogList))]
[JsonSerializable(typeof(CatalogSummary))]
[JsonSerializable(typeof(CatalogView))]
[JsonSerializable(typeof(BackTestRequest))]
[JsonSerializable(typeof(BackTestView))]
[JsonSerializable(typeof(CatalogMoveRequest))]
[JsonSerializable(typeof(CatalogMoveView))]
[JsonSerializable(typeof(MoveClockRequest))]
[JsonSerializable(typeof(ClockView))]
[JsonSerializable(typeof(CheckView))]
[JsonSerializable(typeof(SandboxFaults))]
[JsonSerializable(typeof(HealthView))]
[JsonSerializable(typeof(Problem))]
public sealed partial class BillingJson : JsonSerializerContext
{
    /// <summary>The contract's JSON as it goes over the wire: text is escaped only where JSON needs it.</summary>
    public static BillingJson Web { get; } = new(new JsonSerializerOptions
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        Converters = { new UtcJsonConverter() },
        AllowDuplicateProperties = false,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    });
}
