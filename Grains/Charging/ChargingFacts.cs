using System.Collections.Immutable;
using Billing.Charging;

namespace Billing.Accounts;

/// <summary>What happens to the charges of an account. Amounts are minor units of the account's currency.</summary>
internal abstract partial record AccountFact
{
    /// <summary>The intent to charge a finalised invoice, before anything of it is sent. <c>LinesHash</c> is what the invoice asks for, hashed.</summary>
    public sealed record ChargeRequested(
        string Intent, int Invoice, int Revision, long Amount, string Currency, string LinesHash, DateTimeOffset At) : AccountFact;

    /// <summary>A call to Stripe is handed out once this is durable. One at a time is under way.</summary>
    public sealed record StripeCallSent(long N, StripeCallKind Kind, string? Key, string? Intent, DateTimeOffset At) : AccountFact;

    /// <summary>The call under way came to an end; <c>Unknown</c> also when no answer came in time. <c>StripeAt</c> is Stripe's own time of a look-up.</summary>
    public sealed record StripeCallEnded(long N, StripeOutcome Outcome, string? Code, string? Message, DateTimeOffset At, DateTimeOffset? StripeAt = null) : AccountFact;

    /// <summary>A call about the customer is to be made at <c>NextAt</c>; null when it was refused and a person has to act first.</summary>
    public sealed record CustomerStepPut(CustomerStep Step, int Try, DateTimeOffset? NextAt, DateTimeOffset At) : AccountFact;

    /// <summary>The account has a customer at Stripe.</summary>
    public sealed record CustomerCreated(string Customer, DateTimeOffset At) : AccountFact;

    /// <summary>The merchant gave a payment method; it is not attached yet.</summary>
    public sealed record PaymentMethodGiven(string PaymentMethod, string? Reason, DateTimeOffset At, string? CommandId = null) : AccountFact;

    /// <summary>The payment method is the customer's. From now on it is charged.</summary>
    public sealed record PaymentMethodAttached(string PaymentMethod, string Type, string? Brand, string? LastFour, DateTimeOffset At) : AccountFact;

    /// <summary>The payment method was declined or refused when it was to be attached.</summary>
    public sealed record PaymentMethodRefused(string PaymentMethod, string Code, string? Message, DateTimeOffset At) : AccountFact;

    /// <summary>The payment method is the customer's default at Stripe, as far as Stripe lets it be.</summary>
    public sealed record PaymentMethodSet(DateTimeOffset At) : AccountFact;

    /// <summary>A charge goes on with a step at <c>NextAt</c>, null when it waits for something from outside, and what is known of it at Stripe by then.</summary>
    public sealed record ChargeStepPut(
        string Intent,
        ChargeStep Step,
        int Try,
        DateTimeOffset? NextAt,
        DateTimeOffset At,
        string? StripeInvoice = null,
        ImmutableArray<int>? MissingLines = null,
        string? ExtraDraft = null) : AccountFact;

    /// <summary>Whether a step was done is not known. The charge is looked up at <c>NextAt</c>.</summary>
    public sealed record ChargeUnknown(string Intent, int LookUps, DateTimeOffset NextAt, string Why, DateTimeOffset At, bool Refused = false) : AccountFact;

    /// <summary>The charge was made, for the amount of the invoice.</summary>
    public sealed record ChargeSettled(string Intent, string StripeInvoice, string? PaymentIntent, string? Charge, long Amount, DateTimeOffset At) : AccountFact;

    /// <summary>The charge was declined. It is tried again at <c>NextAt</c>; null when it waits for a new payment method.</summary>
    public sealed record ChargeDeclined(string Intent, string Code, string? Message, string? Charge, DateTimeOffset? NextAt, DateTimeOffset At) : AccountFact;

    /// <summary>The charge waits for a person. <c>HoldsAccount</c>: all charges of the account wait with it.</summary>
    public sealed record ChargeParked(string Intent, ParkReason Reason, string Evidence, DateTimeOffset At, bool HoldsAccount = false) : AccountFact;

    /// <summary>
    /// Stripe told of the charge's invoice while a call of it was under way, whose answer may be older than what was told. With
    /// <c>ReversalsAt</c> it told of a refund or a dispute: what went back is read then, once the charge is known to be made.
    /// </summary>
    public sealed record ChargeNoticed(string Intent, DateTimeOffset At, DateTimeOffset? ReversalsAt = null) : AccountFact;

    /// <summary>
    /// A charge is disputed, or its dispute has changed. <c>Amount</c> and <c>Taken</c>, what the bank has taken back by now, are minor units of
    /// <c>Currency</c>, which is the dispute's own.
    /// </summary>
    public sealed record ChargeDisputed(
        string Intent, string Dispute, long Amount, string Currency, string? Reason, string Status, long Taken, DateTimeOffset At) : AccountFact;

    /// <summary>A dispute has come to its end: <c>Status</c> is <c>won</c>, <c>lost</c>, <c>warning_closed</c> or <c>prevented</c>. Amounts as in <see cref="ChargeDisputed"/>.</summary>
    public sealed record ChargeDisputeClosed(
        string Intent, string Dispute, long Amount, string Currency, string? Reason, string Status, long Taken, DateTimeOffset At) : AccountFact;

    /// <summary>A charge was refunded at Stripe, or such a refund has changed. <c>Taken</c> is what has gone back by now: 0 of one that failed. Both amounts are minor units of <c>Currency</c>.</summary>
    public sealed record RefundNoticed(
        string Intent, string Refund, long Amount, string Currency, string? Reason, string Status, long Taken, DateTimeOffset At) : AccountFact;

    /// <summary>A person released all charges that were parked, and has seen what went back at Stripe.</summary>
    public sealed record ChargesReleased(string Reason, DateTimeOffset At, string? CommandId = null) : AccountFact;

    /// <summary>A charge of the account was declined and is asked for again.</summary>
    public sealed record AccountPastDue(string Reason, DateTimeOffset At) : AccountFact;

    /// <summary>Service is withheld: nothing was paid in time, or an operator decided so.</summary>
    public sealed record AccountSuspended(string Reason, bool ByOperator, DateTimeOffset At, string? CommandId = null) : AccountFact;

    /// <summary>The last period of a suspended account ended at <c>At</c>: no period runs until it is resumed.</summary>
    public sealed record PeriodsPaused(DateTimeOffset At) : AccountFact;

    /// <summary>
    /// The account is suspended or past due no more; with <c>PastDue</c> it is resumed while a charge is still unpaid. <c>Anchor</c> is set when
    /// its periods had stopped: they are counted from it.
    /// </summary>
    public sealed record AccountReactivated(string Reason, DateTimeOffset? Anchor, DateTimeOffset At, string? CommandId = null, bool? PastDue = null) : AccountFact;
}
