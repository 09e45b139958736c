using System.Collections.Immutable;
using Orleans;

namespace Billing.Charging;

/// <summary>What came of a call to Stripe.</summary>
/// <param name="N">The call.</param>
/// <param name="Outcome">What is known of it.</param>
/// <param name="Code">Stripe's error code or decline code, where it gave one.</param>
/// <param name="Message">Stripe's sentence, or what happened on the way, for people; no secret in it.</param>
/// <param name="RetryAfter">How long Stripe asks to wait; null when it does not say.</param>
/// <param name="Id">The id of what was made, found or changed; null when there is none.</param>
/// <param name="Invoices">The invoices that were read or found, or the one that was changed.</param>
/// <param name="Card">The payment method that was attached; null on other calls.</param>
/// <param name="Reversals">All refunds and disputes of the invoice's payments, as they are now; null on other calls.</param>
/// <param name="StripeAt">When Stripe answered, by its own clock, in whole seconds; null when it does not say.</param>
[GenerateSerializer, Immutable, Alias("billing.stripe-answer")]
public sealed record StripeAnswer(
    [property: Id(0)] long N,
    [property: Id(1)] StripeOutcome Outcome,
    [property: Id(2)] string? Code,
    [property: Id(3)] string? Message,
    [property: Id(4)] TimeSpan? RetryAfter,
    [property: Id(5)] string? Id,
    [property: Id(6)] ImmutableArray<StripeInvoice> Invoices,
    [property: Id(7)] StripeCard? Card,
    [property: Id(8)] ImmutableArray<StripeReversal>? Reversals = null,
    [property: Id(9)] DateTimeOffset? StripeAt = null);

/// <summary>What is known of a call to Stripe. The numbers are stored: add at the end, reuse none.</summary>
public enum StripeOutcome
{
    /// <summary>Done; what it answered is here.</summary>
    Done = 1,

    /// <summary>The payment was declined: nothing was charged. The code is Stripe's decline code.</summary>
    Declined = 2,

    /// <summary>The customer has to act before it can be paid: nothing was charged yet.</summary>
    RequiresAction = 3,

    /// <summary>Refused for good: not done, and the same call would be refused again.</summary>
    Refused = 4,

    /// <summary>Not done, and nothing is saved under the key: the same call may be sent again with the same key.</summary>
    NotDone = 5,

    /// <summary>Whether it was done is not known: no answer, or one that does not say.</summary>
    Unknown = 6,
}

/// <summary>An invoice as Stripe has it.</summary>
/// <param name="Id">Its id at Stripe.</param>
/// <param name="Customer">Its customer.</param>
/// <param name="Intent">Its <c>metadata[intent]</c>; null when it has none.</param>
/// <param name="Status">Stripe's word: draft, open, paid, void or uncollectible.</param>
/// <param name="Currency">ISO 4217, upper case.</param>
/// <param name="Total">In minor units.</param>
/// <param name="AmountDue">What is asked for, in minor units: the total and what a customer balance changed.</param>
/// <param name="AmountPaid">What was paid, in minor units.</param>
/// <param name="Lines">All its lines.</param>
/// <param name="Payment">Its newest payment; null before the first attempt or where it was not read.</param>
/// <param name="StartingBalance">Of a draft the customer's balance now, of another what it was at finalising; minor units, below zero what the customer has.</param>
[GenerateSerializer, Immutable, Alias("billing.stripe-invoice")]
public sealed record StripeInvoice(
    [property: Id(0)] string Id,
    [property: Id(1)] string Customer,
    [property: Id(2)] string? Intent,
    [property: Id(3)] string Status,
    [property: Id(4)] string Currency,
    [property: Id(5)] long Total,
    [property: Id(6)] long AmountDue,
    [property: Id(7)] long AmountPaid,
    [property: Id(8)] ImmutableArray<StripeInvoiceLine> Lines,
    [property: Id(9)] StripePayment? Payment,
    [property: Id(10)] long StartingBalance = 0);

/// <summary>A line as Stripe has it.</summary>
/// <param name="Id">Its id at Stripe.</param>
/// <param name="N">Its <c>metadata[line]</c>; null when it has none that can be read.</param>
/// <param name="Amount">In minor units.</param>
[GenerateSerializer, Immutable, Alias("billing.stripe-invoice-line")]
public sealed record StripeInvoiceLine([property: Id(0)] string Id, [property: Id(1)] int? N, [property: Id(2)] long Amount);

/// <summary>The payment of an invoice as Stripe has it.</summary>
/// <param name="Intent">The payment intent's id.</param>
/// <param name="Status">Stripe's word: requires_payment_method, requires_action, processing, succeeded, canceled ….</param>
/// <param name="Charge">The id of the newest charge; null before the first.</param>
/// <param name="ChargedAt">When that charge was tried, by Stripe's clock.</param>
/// <param name="Failed">Whether that charge failed.</param>
/// <param name="Code">Its decline code or error code; null when it has none.</param>
[GenerateSerializer, Immutable, Alias("billing.stripe-payment")]
public sealed record StripePayment(
    [property: Id(0)] string Intent,
    [property: Id(1)] string Status,
    [property: Id(2)] string? Charge,
    [property: Id(3)] DateTimeOffset? ChargedAt,
    [property: Id(4)] bool Failed,
    [property: Id(5)] string? Code);

/// <summary>A payment method, as far as support may see it.</summary>
/// <param name="Id">Its id at Stripe.</param>
/// <param name="Type">Stripe's word: card, us_bank_account ….</param>
/// <param name="Brand">The card's brand or the bank's name; null when there is none.</param>
/// <param name="LastFour">The last four digits; null when there are none.</param>
[GenerateSerializer, Immutable, Alias("billing.stripe-card")]
public sealed record StripeCard(
    [property: Id(0)] string Id,
    [property: Id(1)] string Type,
    [property: Id(2)] string? Brand,
    [property: Id(3)] string? LastFour);

/// <summary>A refund or a dispute as Stripe has it.</summary>
/// <param name="Kind">Which of the two.</param>
/// <param name="Id">Its id at Stripe.</param>
/// <param name="Amount">What it is about, in minor units of its currency.</param>
/// <param name="Currency">ISO 4217, upper case.</param>
/// <param name="Reason">Stripe's word for the reason; null when it gives none.</param>
/// <param name="Status">Stripe's word: of a refund pending, requires_action, succeeded, failed or canceled; of a dispute needs_response, under_review, won, lost ….</param>
/// <param name="Taken">What of it has left us by now, in minor units of its currency; 0 to the amount.</param>
[GenerateSerializer, Immutable, Alias("billing.stripe-reversal")]
public sealed record StripeReversal(
    [property: Id(0)] ReversalKind Kind,
    [property: Id(1)] string Id,
    [property: Id(2)] long Amount,
    [property: Id(3)] string Currency,
    [property: Id(4)] string? Reason,
    [property: Id(5)] string Status,
    [property: Id(6)] long Taken);
