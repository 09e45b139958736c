using System.Collections.Immutable;
using System.Text.Json.Serialization;
using Billing.Accounts;

namespace Billing.Charging;

/// <summary>A call to Stripe whose answer has not come.</summary>
internal sealed record CallUnderWay(long N, StripeCallKind Kind, string? Key, string? Intent, DateTimeOffset SentAt);

/// <summary>A payment method of the merchant.</summary>
/// <param name="Given">What the merchant gave.</param>
/// <param name="Attached">Its id at Stripe once it is the customer's; null before.</param>
/// <param name="Type">Stripe's word: card …; null before it is attached.</param>
/// <param name="Brand">The card's brand; null when there is none.</param>
/// <param name="LastFour">The last four digits; null when there are none.</param>
/// <param name="RefusedCode">Why it could not be attached; null when it could or is still to be.</param>
internal sealed record PaymentMethod(string Given, string? Attached, string? Type, string? Brand, string? LastFour, string? RefusedCode);

/// <summary>What an account must remember of its charges. Immutable; changed by facts only.</summary>
internal sealed record ChargingState
{
    /// <summary>How long an answer may take by the billing clock before nobody knows what was done: far longer than a call is given.</summary>
    public static readonly TimeSpan AnswerWithin = TimeSpan.FromMinutes(5);

    public ImmutableArray<Charge> Charges { get; init; } = [];

    /// <summary>Whether a charge was declined and is not over.</summary>
    [JsonIgnore]
    public bool HasUnpaidDeclined => Charges.Any(c => !c.IsOver && c.FirstDeclinedAt is not null);

    /// <summary>How many calls to Stripe were handed out.</summary>
    public long Calls { get; init; }

    public CallUnderWay? UnderWay { get; init; }

    /// <summary>Each time that money of a charge went back, or came again, in order.</summary>
    public ImmutableArray<Return> Returns
    {
        get => field.IsDefault ? [] : field;
        init;
    }

    /// <summary>The customer at Stripe; null before there is one.</summary>
    public string? Customer { get; init; }

    /// <summary>What is to be done about the customer; null when nothing is.</summary>
    public CustomerStep? CustomerStep { get; init; }

    /// <summary>Which try of that step it is, from 1.</summary>
    public int CustomerTry { get; init; } = 1;

    /// <summary>How many payment methods were given: each has a key of its own.</summary>
    public int MethodsGiven { get; init; }

    public DateTimeOffset? CustomerNextAt { get; init; }

    /// <summary>When the newest customer was asked for.</summary>
    public DateTimeOffset? CustomerSentAt { get; init; }

    /// <summary>When look-ups of it were answered, by Stripe's clock.</summary>
    public SeenAtStripe? CustomerSeen { get; init; }

    /// <summary>The payment method that was given last; null before the first.</summary>
    public PaymentMethod? Method { get; init; }

    /// <summary>The payment method that is charged: the last that could be attached; null when there is none.</summary>
    public string? ChargedMethod { get; init; }

    /// <summary>Names the command that gave the payment method; null for none.</summary>
    public string? MethodCommand { get; init; }

    /// <summary>Names the command that released charges last; null for none.</summary>
    public string? ReleaseCommand { get; init; }

    /// <summary>How often in a row a call about the customer did not come to an end.</summary>
    public int CustomerNotDone { get; init; }

    /// <summary>Whether all charges wait for a person.</summary>
    public bool Held { get; init; }

    /// <summary>When the next call may be sent, or the answer to the one under way is overdue; null when nothing is to be sent.</summary>
    [JsonIgnore]
    public DateTimeOffset? NextAt
    {
        get
        {
            if (UnderWay is { } call) return call.SentAt + AnswerWithin;
            var next = CustomerStep is null ? null : CustomerNextAt;
            foreach (var charge in Charges)
            {
                if (charge.NextAt is { } at && !Waits(charge) && (next is null || at < next)) next = at;
                if (charge.NextReversalsAt is { } readAt && (next is null || readAt < next)) next = readAt;
            }

            return next;
        }
    }

    /// <summary>Whether there is a payment method, or one that may still be attached.</summary>
    [JsonIgnore]
    public bool HasMethod => ChargedMethod is not null || IsAttaching;

    /// <summary>Whether a payment method is still to be attached.</summary>
    [JsonIgnore]
    public bool IsAttaching => Method is { Attached: null, RefusedCode: null };

    /// <summary>Whether a charge that has something to send waits for the customer, a payment method or a person.</summary>
    public bool Waits(Charge charge) =>
        (Held && !GoesOnWhileHeld(charge)) || Customer is null || (charge.Step == ChargeStep.Pay && IsAttaching);

    // Reading charges nobody. A circuit breaker looks before anything is sent: what was begun before it tripped is brought to its end.
    private bool GoesOnWhileHeld(Charge charge) =>
        charge.Parked is null
        && (charge.Step is ChargeStep.Read or ChargeStep.LookUp || (charge.State is ChargeState.Sent or ChargeState.Unknown && Charges.All(c => c.Parked is not { } reason || reason == ParkReason.AccountHeld || CircuitBreakers.IsOne(reason))));

    public Charge? Find(string intent) => Charges.FirstOrDefault(c => c.Intent == intent);

    /// <summary>The charge of an invoice at Stripe; null when it is none of this account's.</summary>
    /// <param name="stripeInvoice">The invoice's id at Stripe.</param>
    /// <param name="intent">Its <c>metadata[intent]</c>; null when it has none.</param>
    public Charge? Find(string stripeInvoice, string? intent) =>
        Charges.FirstOrDefault(c => c.StripeInvoice == stripeInvoice) ?? (intent is null ? null : Find(intent));

    /// <summary>The state after a fact. Facts that say nothing about charges change nothing.</summary>
    /// <param name="fact">The fact.</param>
    /// <param name="invoices">How many invoices are final.</param>
    public ChargingState With(AccountFact fact, int invoices) => fact switch
    {
        AccountFact.AccountOpened { PaymentMethod: { } method } opened => WithMethod(method, opened.At, null),
        AccountFact.PaymentMethodGiven given => WithMethod(given.PaymentMethod, given.At, given.CommandId),
        AccountFact.ChargeRequested requested => WithRequested(requested),
        AccountFact.StripeCallSent sent => WithSent(sent),
        AccountFact.StripeCallEnded ended => WithEnded(ended),
        AccountFact.CustomerStepPut put => this with { CustomerStep = put.Step, CustomerTry = put.Try, CustomerNextAt = put.NextAt },
        AccountFact.CustomerCreated created => WithCustomer(created),
        AccountFact.PaymentMethodAttached attached => WithAttached(attached),
        AccountFact.PaymentMethodRefused refused => this with
        {
            Method = Method! with { RefusedCode = refused.Code }, CustomerStep = null, CustomerNextAt = null, CustomerTry = 1,
        },
        AccountFact.PaymentMethodSet => this with { CustomerStep = null, CustomerNextAt = null, CustomerTry = 1 },
        AccountFact.ChargeStepPut put => Change(put.Intent, c => c.With(put)),
        AccountFact.ChargeUnknown unknown => Change(unknown.Intent, c => c.With(unknown)),
        AccountFact.ChargeSettled settled => Change(settled.Intent, c => c.With(settled, invoices, Returns.Length)),
        AccountFact.ChargeDeclined declined => Change(declined.Intent, c => c.With(declined)),
        AccountFact.ChargeParked parked => Change(parked.Intent, c => c.With(parked)) with { Held = Held || parked.HoldsAccount },
        AccountFact.ChargeNoticed noticed => Change(noticed.Intent, c => c.With(noticed)),
        AccountFact.RefundNoticed refund => WithReversal(
            refund.Intent, new(ReversalKind.Refund, refund.Refund, refund.Amount, refund.Currency, refund.Reason, refund.Status, refund.Taken, refund.At, Seen: false), invoices),
        AccountFact.ChargeDisputed open => WithReversal(
            open.Intent, new(ReversalKind.Dispute, open.Dispute, open.Amount, open.Currency, open.Reason, open.Status, open.Taken, open.At, Seen: false), invoices),
        AccountFact.ChargeDisputeClosed closed => WithReversal(
            closed.Intent, new(ReversalKind.Dispute, closed.Dispute, closed.Amount, closed.Currency, closed.Reason, closed.Status, closed.Taken, closed.At, Seen: false), invoices),
        AccountFact.ChargesReleased released => WithReleased(released),
        _ => this,
    };

    private ChargingState WithMethod(string method, DateTimeOffset at, string? commandId) => this with
    {
        MethodCommand = commandId,
        Method = new(method, null, null, null, null, null),
        MethodsGiven = MethodsGiven + 1,
        CustomerStep = Customer is null ? CustomerStep ?? Charging.CustomerStep.Create : Charging.CustomerStep.Attach,
        CustomerTry = Customer is null ? CustomerTry : 1,
        CustomerNextAt = Customer is null ? CustomerNextAt ?? at : at,
    };

    private ChargingState WithRequested(AccountFact.ChargeRequested requested)
    {
        var charge = new Charge
        {
            Intent = requested.Intent,
            Invoice = requested.Invoice,
            Amount = requested.Amount,
            Currency = requested.Currency,
            LinesHash = requested.LinesHash,
            RequestedAt = requested.At,
            NextAt = requested.At,
        };
        return NeedingCustomer(requested.At) with { Charges = Charges.Add(charge) };
    }

    private ChargingState NeedingCustomer(DateTimeOffset at) => Customer is not null || CustomerNextAt is not null
        ? this
        : this with { CustomerStep = CustomerStep ?? Charging.CustomerStep.Create, CustomerNextAt = at };

    private ChargingState WithSent(AccountFact.StripeCallSent sent)
    {
        var under = this with { Calls = sent.N, UnderWay = new(sent.N, sent.Kind, sent.Key, sent.Intent, sent.At) };
        if (sent.Intent is { } intent) return under.Change(intent, c => c.With(sent));
        return sent.Kind == StripeCallKind.CreateCustomer ? under with { CustomerSentAt = sent.At, CustomerSeen = null } : under;
    }

    private ChargingState WithEnded(AccountFact.StripeCallEnded ended)
    {
        var call = UnderWay!;
        var free = this with { UnderWay = null };
        return call.Intent is { } intent
            ? free.Change(intent, c => c.With(ended, call))
            : free with { CustomerSeen = SeenAtStripe.With(CustomerSeen, ended.StripeAt), CustomerNotDone = ended.Outcome is StripeOutcome.NotDone or StripeOutcome.Unknown ? CustomerNotDone + 1 : 0 };
    }

    private ChargingState WithCustomer(AccountFact.CustomerCreated created) => this with
    {
        Customer = created.Customer,
        CustomerStep = IsAttaching ? Charging.CustomerStep.Attach : null,
        CustomerNextAt = IsAttaching ? created.At : null,
        CustomerTry = 1,
    };

    private ChargingState WithAttached(AccountFact.PaymentMethodAttached attached) => this with
    {
        Method = Method! with { Attached = attached.PaymentMethod, Type = attached.Type, Brand = attached.Brand, LastFour = attached.LastFour },
        ChargedMethod = attached.PaymentMethod,
        CustomerStep = Charging.CustomerStep.SetDefault,
        CustomerNextAt = attached.At,
        CustomerTry = 1,
        Charges =
        [
            .. Charges.Select(c => c.State == ChargeState.Declined ? c with { Step = ChargeStep.Pay, Try = c.Attempts.Length + 1, NextAt = attached.At, KeySentAt = null }
                : c.IsOver || c.Attempts.IsEmpty ? c : c with { MethodIsNew = true }),
        ],
    };

    private ChargingState WithReleased(AccountFact.ChargesReleased released) => NeedingCustomer(released.At) with
    {
        Held = false,
        ReleaseCommand = released.CommandId,
        Charges = [.. Charges.Select(c => c.State == ChargeState.Parked ? c.Released(released.At) : c.Reversals.IsEmpty ? c : c with { Reversals = [.. c.Reversals.Select(r => r with { Seen = true })] })],
    };

    // What is in another currency than the account's is shown, and is no money of the ledger.
    private ChargingState WithReversal(string intent, Reversal now, int invoices)
    {
        var charge = Find(intent)!;
        var before = charge.Reversals.FirstOrDefault(r => r.Id == now.Id);
        var moved = MoneyOf(now) - (before is null ? 0 : MoneyOf(before));
        var changed = Change(intent, c => c with { Reversals = before is null ? c.Reversals.Add(now) : c.Reversals.Replace(before, now) });
        return moved == 0 ? changed : changed with { Returns = Returns.Add(new(now.Kind, now.Id, charge.Invoice, moved, now.At, invoices)) };

        long MoneyOf(Reversal reversal) => reversal.Currency == charge.Currency ? reversal.Taken : 0;
    }

    private ChargingState Change(string intent, Func<Charge, Charge> change) =>
        this with { Charges = [.. Charges.Select(c => c.Intent == intent ? change(c) : c)] };
}
