using System.Collections.Immutable;
using Orleans;

namespace Billing.Charging;

/// <summary>One call to Stripe that an account asks for. It is in the account's journal before it is handed out, and handed out once.</summary>
/// <param name="N">1, 2, 3 … within the account: the answer names it.</param>
/// <param name="Kind">What is to be done.</param>
/// <param name="Key">The idempotency key; null on a call that only reads.</param>
/// <param name="Account">The account id; kept as <c>metadata[account]</c> of what is made.</param>
/// <param name="Intent">The charge intent, <c>account/invoice/revision</c>; kept as <c>metadata[intent]</c>. Null on a call about the customer.</param>
/// <param name="Customer">The customer's id at Stripe; null as long as there is none.</param>
/// <param name="Invoice">The invoice's id at Stripe; null where the call is about none.</param>
/// <param name="Number">The number of the invoice within the account; 0 where the call is about none.</param>
/// <param name="PaymentMethod">A payment method's id at Stripe; null where the call needs none.</param>
/// <param name="Name">The merchant's name, for a customer that is to be made.</param>
/// <param name="Email">Where the merchant is written to, for a customer that is to be made or found.</param>
/// <param name="Currency">ISO 4217, upper case, for an invoice that is to be made.</param>
/// <param name="Lines">The lines to be added.</param>
[GenerateSerializer, Immutable, Alias("billing.stripe-call")]
public sealed record StripeCall(
    [property: Id(0)] long N,
    [property: Id(1)] StripeCallKind Kind,
    [property: Id(2)] string? Key,
    [property: Id(3)] string Account,
    [property: Id(4)] string? Intent,
    [property: Id(5)] string? Customer,
    [property: Id(6)] string? Invoice,
    [property: Id(7)] int Number,
    [property: Id(8)] string? PaymentMethod,
    [property: Id(9)] string? Name,
    [property: Id(10)] string? Email,
    [property: Id(11)] string? Currency,
    [property: Id(12)] ImmutableArray<StripeLine> Lines);

/// <summary>What is to be done at Stripe. The numbers are stored: add at the end, reuse none.</summary>
public enum StripeCallKind
{
    /// <summary>Makes the customer: <c>POST /v1/customers</c>.</summary>
    CreateCustomer = 1,

    /// <summary>Looks for the customer by e-mail and <c>metadata[account]</c>: <c>GET /v1/customers</c>, all pages.</summary>
    FindCustomer = 2,

    /// <summary>Attaches a payment method to the customer: <c>POST /v1/payment_methods/{id}/attach</c>.</summary>
    AttachPaymentMethod = 3,

    /// <summary>Makes the payment method the customer's default: <c>POST /v1/customers/{id}</c>.</summary>
    SetDefaultPaymentMethod = 4,

    /// <summary>Makes an invoice that stays a draft: <c>POST /v1/invoices</c>.</summary>
    CreateInvoice = 5,

    /// <summary>Adds lines to the draft: <c>POST /v1/invoices/{id}/add_lines</c>.</summary>
    AddLines = 6,

    /// <summary>Reads an invoice with its lines and its payment: <c>GET /v1/invoices/{id}</c>.</summary>
    ReadInvoice = 7,

    /// <summary>Finalises the draft: <c>POST /v1/invoices/{id}/finalize</c>.</summary>
    FinalizeInvoice = 8,

    /// <summary>Pays the invoice: <c>POST /v1/invoices/{id}/pay</c>.</summary>
    PayInvoice = 9,

    /// <summary>Looks for the invoices of an intent: <c>GET /v1/invoices</c> of the customer, all pages, those whose <c>metadata[intent]</c> is the intent.</summary>
    FindInvoices = 10,

    /// <summary>Deletes a draft: <c>DELETE /v1/invoices/{id}</c>.</summary>
    DeleteDraft = 11,

    /// <summary>Voids an open invoice: <c>POST /v1/invoices/{id}/void</c>.</summary>
    VoidInvoice = 12,

    /// <summary>Reads what went back of the invoice's payments: <c>GET /v1/refunds</c> and <c>GET /v1/disputes</c> of each, all pages.</summary>
    ReadReversals = 13,
}

/// <summary>A line of an invoice as it is sent to Stripe.</summary>
/// <param name="N">Its place on our invoice, from 1; kept as <c>metadata[line]</c>.</param>
/// <param name="Amount">In minor units; may be negative.</param>
/// <param name="Description">What it is for, in words.</param>
/// <param name="Period">The period it is about.</param>
[GenerateSerializer, Immutable, Alias("billing.stripe-line")]
public sealed record StripeLine(
    [property: Id(0)] int N,
    [property: Id(1)] long Amount,
    [property: Id(2)] string Description,
    [property: Id(3)] BillingPeriod Period);
