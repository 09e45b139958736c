using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Serialization;
using Orleans;

namespace Billing.Invoices;

/// <summary>An invoice: what is owed for which period, and how each amount came about.</summary>
/// <param name="Number">1, 2, 3 … without gaps within the account; null while it is a draft.</param>
/// <param name="Status">Where it stands.</param>
/// <param name="Currency">ISO 4217, upper case; every amount is in its minor unit.</param>
/// <param name="Total">The sum of the lines, in minor units. Negative is a credit to the account.</param>
/// <param name="Period">The period that its base fees pay for; usage lines carry their own.</param>
/// <param name="DraftedAt">When it was drafted.</param>
/// <param name="FinalizedAt">When it became final; a final invoice never changes.</param>
/// <param name="PaidAt">When it was settled.</param>
/// <param name="Lines">The lines, numbered from 1.</param>
[GenerateSerializer, Immutable, Alias("billing.invoice")]
public sealed record InvoiceView(
    [property: Id(0)] int? Number,
    [property: Id(1)] InvoiceStatus Status,
    [property: Id(2)] string Currency,
    [property: Id(3)] long Total,
    [property: Id(4)] BillingPeriod Period,
    [property: Id(5)] DateTimeOffset DraftedAt,
    [property: Id(6), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] DateTimeOffset? FinalizedAt,
    [property: Id(7), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] DateTimeOffset? PaidAt,
    [property: Id(8)] ImmutableArray<InvoiceLine> Lines);

/// <summary>Where an invoice stands. The numbers are stored: add at the end, reuse none.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<InvoiceStatus>))]
public enum InvoiceStatus
{
    /// <summary>Still follows usage; has no number.</summary>
    [JsonStringEnumMemberName("draft")]
    Draft = 1,

    /// <summary>Final and owed.</summary>
    [JsonStringEnumMemberName("finalized")]
    Finalized = 2,

    /// <summary>Final and settled, or nothing was owed.</summary>
    [JsonStringEnumMemberName("paid")]
    Paid = 3,

    /// <summary>Withdrawn as a whole.</summary>
    [JsonStringEnumMemberName("void")]
    Void = 4,

    /// <summary>Given up.</summary>
    [JsonStringEnumMemberName("uncollectible")]
    Uncollectible = 5,
}

/// <summary>One priced thing on an invoice.</summary>
/// <param name="N">Its place on the invoice, from 1.</param>
/// <param name="Kind">What it is for.</param>
/// <param name="Product">The product; null on a credit.</param>
/// <param name="Plan">The plan whose prices hold; null on a credit.</param>
/// <param name="CatalogVersion">The catalogue version of those prices; null on a credit.</param>
/// <param name="Meter">The meter of a usage line or an adjustment; null on a base fee and on a credit.</param>
/// <param name="Period">The period the line is about.</param>
/// <param name="Quantity">What is priced, in the meter's unit; for a base fee and for a credit 1.</param>
/// <param name="Amount">The amount in minor units: the exact sum of the steps, rounded once, half to even.</param>
/// <param name="Arithmetic">The steps that lead to the amount.</param>
/// <param name="EventCount">
/// How many accepted events stand behind the line, those that are cancelled or pending left out; on an adjustment by how many more or fewer.
/// </param>
[GenerateSerializer, Immutable, Alias("billing.invoice-line")]
public sealed record InvoiceLine(
    [property: Id(0)] int N,
    [property: Id(1)] InvoiceLineKind Kind,
    [property: Id(2), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Product,
    [property: Id(3), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Plan,
    [property: Id(4), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? CatalogVersion,
    [property: Id(5), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Meter,
    [property: Id(6)] BillingPeriod Period,
    [property: Id(7)] Quantity Quantity,
    [property: Id(8)] long Amount,
    [property: Id(9)] ImmutableArray<ArithmeticStep> Arithmetic,
    [property: Id(10)] long EventCount);

/// <summary>What an invoice line is for. The numbers are stored: add at the end, reuse none.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<InvoiceLineKind>))]
public enum InvoiceLineKind
{
    /// <summary>A plan's base price, in advance.</summary>
    [JsonStringEnumMemberName("base")]
    Base = 1,

    /// <summary>Usage over the allowance, in arrears.</summary>
    [JsonStringEnumMemberName("usage")]
    Usage = 2,

    /// <summary>The difference that late events make to a period already billed.</summary>
    [JsonStringEnumMemberName("adjustment")]
    Adjustment = 3,

    /// <summary>A part of a base price.</summary>
    [JsonStringEnumMemberName("proration")]
    Proration = 4,

    /// <summary>The difference in base price after an automatic upgrade.</summary>
    [JsonStringEnumMemberName("upgrade")]
    Upgrade = 5,

    /// <summary>Account credit that is spent.</summary>
    [JsonStringEnumMemberName("credit")]
    Credit = 6,

    /// <summary>A reduction.</summary>
    [JsonStringEnumMemberName("discount")]
    Discount = 7,
}

/// <summary>One step of a line's arithmetic, for a person to follow.</summary>
/// <param name="Quantity">The units or blocks of this step, a decimal string.</param>
/// <param name="UnitPrice">The price of one of them in major units, a decimal string.</param>
/// <param name="Amount">Their product in minor units, exact: it may have a fraction, since only the line is rounded.</param>
/// <param name="Text">The step in words.</param>
[GenerateSerializer, Immutable, Alias("billing.arithmetic-step")]
public sealed record ArithmeticStep(
    [property: Id(0)] string Quantity,
    [property: Id(1)] string UnitPrice,
    [property: Id(2), JsonConverter(typeof(ExactNumberJsonConverter))] string Amount,
    [property: Id(3)] string Text);

/// <summary>Writes an exact decimal, kept as text, as a JSON number with all its digits.</summary>
public sealed class ExactNumberJsonConverter : JsonConverter<string>
{
    /// <inheritdoc/>
    public override string Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        reader.TokenType == JsonTokenType.Number
            ? System.Text.Encoding.UTF8.GetString(reader.ValueSpan)
            : throw new JsonException("An amount is a JSON number in minor units.");

    /// <inheritdoc/>
    public override void Write(Utf8JsonWriter writer, string value, JsonSerializerOptions options) => writer.WriteRawValue(value);
}

/// <summary>A page of invoices, in the order of their drafting; drafts last.</summary>
/// <param name="Refusal">Set when there is nothing to show.</param>
/// <param name="Items">The invoices of this page.</param>
/// <param name="Next">Where the next page begins; null on the last.</param>
[GenerateSerializer, Immutable, Alias("billing.invoice-page")]
public sealed record InvoicePage(
    [property: Id(0)] Refusal? Refusal,
    [property: Id(1)] ImmutableArray<InvoiceView> Items,
    [property: Id(2)] int? Next);

/// <summary>An invoice, or why there is none to show.</summary>
/// <param name="Refusal">Set when there is nothing to show.</param>
/// <param name="Invoice">The invoice, when there is no refusal.</param>
[GenerateSerializer, Immutable, Alias("billing.invoice-answer")]
public sealed record InvoiceAnswer([property: Id(0)] Refusal? Refusal, [property: Id(1)] InvoiceView? Invoice);
