using System.Collections.Immutable;
using System.Text.Json.Serialization;
using Orleans;

namespace Billing.Ledger;

/// <summary>A page of an account's ledger, the oldest entry first.</summary>
/// <param name="Refusal">Set when there is nothing to show.</param>
/// <param name="Currency">ISO 4217, upper case; every amount is in its minor unit. Null with a refusal.</param>
/// <param name="Balances">What all entries together come to, those of other pages included. Null with a refusal.</param>
/// <param name="Items">The entries of this page.</param>
/// <param name="Next">Where the next page begins; null on the last.</param>
[GenerateSerializer, Immutable, Alias("billing.ledger-page")]
public sealed record LedgerPage(
    [property: Id(0)] Refusal? Refusal,
    [property: Id(1)] string? Currency,
    [property: Id(2)] LedgerBalances? Balances,
    [property: Id(3)] ImmutableArray<LedgerEntry> Items,
    [property: Id(4)] int? Next);

/// <summary>What a ledger's entries come to, in minor units, each account on the side where it grows.</summary>
/// <param name="Receivable">Debits less credits: finalised and not yet settled.</param>
/// <param name="Revenue">Credits less debits: earned.</param>
/// <param name="DeferredRevenue">Credits less debits: invoiced for time that had not passed when revenue was last recognised.</param>
/// <param name="Cash">Debits less credits: received and not gone back.</param>
/// <param name="Credits">Credits less debits: account credit that later invoices will spend.</param>
/// <param name="Tax">Credits less debits: owed to tax authorities.</param>
/// <param name="WriteOff">Debits less credits: given up, and what went back at Stripe.</param>
[GenerateSerializer, Immutable, Alias("billing.ledger-balances")]
public sealed record LedgerBalances(
    [property: Id(0)] long Receivable,
    [property: Id(1)] long Revenue,
    [property: Id(2)] long DeferredRevenue,
    [property: Id(3)] long Cash,
    [property: Id(4)] long Credits,
    [property: Id(5)] long Tax,
    [property: Id(6)] long WriteOff);

/// <summary>One thing that happened to money: a double entry, its debits equal to its credits.</summary>
/// <param name="N">1, 2, 3 … without gaps within the account; an entry keeps its number.</param>
/// <param name="At">When it happened: the due instant, not when the work was done.</param>
/// <param name="Kind">What happened.</param>
/// <param name="Invoice">The number of the invoice that it is about; null when it is about none.</param>
/// <param name="Postings">At least two, by account, at most one of each.</param>
/// <param name="Text">What happened, in a sentence.</param>
[GenerateSerializer, Immutable, Alias("billing.ledger-entry")]
public sealed record LedgerEntry(
    [property: Id(0)] int N,
    [property: Id(1)] DateTimeOffset At,
    [property: Id(2)] LedgerEntryKind Kind,
    [property: Id(3), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] int? Invoice,
    [property: Id(4)] ImmutableArray<LedgerPosting> Postings,
    [property: Id(5)] string Text);

/// <summary>What an entry does to one account of the ledger. One of the two amounts is zero, the other is above it.</summary>
/// <param name="Account">The account.</param>
/// <param name="Debit">Minor units.</param>
/// <param name="Credit">Minor units.</param>
[GenerateSerializer, Immutable, Alias("billing.ledger-posting")]
public sealed record LedgerPosting(
    [property: Id(0)] LedgerAccount Account,
    [property: Id(1)] long Debit,
    [property: Id(2)] long Credit);

/// <summary>What happened to money. The numbers are stored: add at the end, reuse none.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<LedgerEntryKind>))]
public enum LedgerEntryKind
{
    /// <summary>An invoice became final.</summary>
    [JsonStringEnumMemberName("invoice_finalized")]
    InvoiceFinalized = 1,

    /// <summary>Time passed that an invoice had been paid for in advance.</summary>
    [JsonStringEnumMemberName("revenue_recognized")]
    RevenueRecognized = 2,

    /// <summary>An invoice was paid by a charge.</summary>
    [JsonStringEnumMemberName("charge_settled")]
    ChargeSettled = 3,

    /// <summary>What was charged was refunded at Stripe, or the refund failed.</summary>
    [JsonStringEnumMemberName("refund")]
    Refund = 4,

    /// <summary>A dispute took back what was charged, or gave it again.</summary>
    [JsonStringEnumMemberName("dispute")]
    Dispute = 5,
}

/// <summary>The accounts of a ledger. The numbers are stored: add at the end, reuse none.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<LedgerAccount>))]
public enum LedgerAccount
{
    /// <summary>What the merchant owes.</summary>
    [JsonStringEnumMemberName("receivable")]
    Receivable = 1,

    /// <summary>What was earned.</summary>
    [JsonStringEnumMemberName("revenue")]
    Revenue = 2,

    /// <summary>What was invoiced for time still to come.</summary>
    [JsonStringEnumMemberName("deferred_revenue")]
    DeferredRevenue = 3,

    /// <summary>What was received.</summary>
    [JsonStringEnumMemberName("cash")]
    Cash = 4,

    /// <summary>What is owed to the merchant as account credit.</summary>
    [JsonStringEnumMemberName("credits")]
    Credits = 5,

    /// <summary>What was invoiced as tax.</summary>
    [JsonStringEnumMemberName("tax")]
    Tax = 6,

    /// <summary>What was given up, and what went back at Stripe.</summary>
    [JsonStringEnumMemberName("write_off")]
    WriteOff = 7,
}
