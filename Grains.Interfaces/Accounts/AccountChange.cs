using System.Collections.Immutable;
using System.Text.Json.Serialization;
using Billing.Invoices;
using Orleans;

namespace Billing.Accounts;

/// <summary>What an act of an operator changes, or would change.</summary>
/// <param name="Account">The account id.</param>
/// <param name="Description">What changes, in words.</param>
/// <param name="EffectiveAt">From when on.</param>
/// <param name="DryRun">Whether this was asked for only, and nothing is stored.</param>
/// <param name="Currency">ISO 4217, upper case; every amount is in its minor unit.</param>
/// <param name="Total">The sum of the lines, in minor units.</param>
/// <param name="Lines">The lines that the act makes, or would make: at once, or, where it holds from a later period on, those of base prices on the invoice for that period. Of usage as far as it is known now.</param>
/// <param name="Invoice">The number of the invoice that bears them; left out while there is none with a number.</param>
[GenerateSerializer, Immutable, Alias("billing.account-change")]
public sealed record AccountChange(
    [property: Id(0)] string Account,
    [property: Id(1)] string Description,
    [property: Id(2)] DateTimeOffset EffectiveAt,
    [property: Id(3)] bool DryRun,
    [property: Id(4)] string Currency,
    [property: Id(5)] long Total,
    [property: Id(6)] ImmutableArray<InvoiceLine> Lines,
    [property: Id(7), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] int? Invoice);

/// <summary>What an act changes, or why it was refused.</summary>
/// <param name="Refusal">Set when the act was refused: nothing was changed.</param>
/// <param name="Change">The change, when there is no refusal.</param>
[GenerateSerializer, Immutable, Alias("billing.account-change-answer")]
public sealed record AccountChangeAnswer([property: Id(0)] Refusal? Refusal, [property: Id(1)] AccountChange? Change);
