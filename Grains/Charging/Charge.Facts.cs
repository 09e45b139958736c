using Billing.Accounts;

namespace Billing.Charging;

/// <summary>A charge after each fact about it.</summary>
internal sealed partial record Charge
{
    public Charge With(AccountFact.StripeCallSent sent)
    {
        if (sent.Kind == StripeCallKind.ReadReversals) return this with { ReversalsAt = null };
        if (sent.Key is null) return this with { Noticed = false };
        var used = this with
        {
            Noticed = false,
            State = ChargeState.Sent,
            KeysSent = KeysSent.SetItem(Step, Try),
            KeySentAt = KeySentAt ?? sent.At,
            LastSentAt = sent.At,
            LastStep = Step,
            MethodIsNew = MethodIsNew && Step != ChargeStep.Pay,
        };
        return Step == ChargeStep.Pay && (Attempts.IsEmpty || Attempts[^1].N != Try)
            ? used with { Attempts = Attempts.Add(new(Try, sent.Key, sent.At, StripeOutcome.Unknown, null)) }
            : used;
    }

    public Charge With(AccountFact.StripeCallEnded ended, CallUnderWay call)
    {
        var counted = this with
        {
            NotDone = ended.Outcome == StripeOutcome.NotDone ? NotDone + 1 : 0,
            Question = Question is { } asked ? asked with { Seen = SeenAtStripe.With(asked.Seen, ended.StripeAt) } : null,
        };
        return call.Kind == StripeCallKind.PayInvoice ? counted.WithAttempt(ended.Outcome, ended.Code) : counted;
    }

    public Charge With(AccountFact.ChargeStepPut put)
    {
        var sameKey = put.Step == Step && put.Try == Try;
        var provenNotDone = put.Step == ChargeStep.Pay && HasOpenAttempt && put.Try > Attempts[^1].N;
        var paying = provenNotDone ? WithAttempt(StripeOutcome.NotDone, null) : this;
        return paying with
        {
            State = State is ChargeState.Declined or ChargeState.Requested ? State
                : Question is not null && put.Step is ChargeStep.Read or ChargeStep.DeleteDraft ? State
                : ChargeState.Sent,
            Step = put.Step,
            Try = put.Try,
            NextAt = put.NextAt,
            KeySentAt = sameKey ? KeySentAt : null,
            StripeInvoice = put.StripeInvoice ?? StripeInvoice,
            MissingLines = put.MissingLines,
            ExtraDraft = put.ExtraDraft,
            Question = put.Step is ChargeStep.Read or ChargeStep.DeleteDraft ? Question : null,
        };
    }

    public Charge With(AccountFact.ChargeUnknown unknown) => this with
    {
        State = ChargeState.Unknown,
        Question = Question is { } asked
            ? asked with { LookUps = unknown.LookUps, Why = unknown.Why, Refused = asked.Refused || unknown.Refused }
            : new(LastStep ?? Step, LastSentAt ?? unknown.At, unknown.At, unknown.LookUps, unknown.Why, unknown.Refused),
        Step = ChargeStep.LookUp,
        NextAt = unknown.NextAt,
        KeySentAt = null,
    };

    public Charge With(AccountFact.ChargeNoticed noticed) => noticed.ReversalsAt is { } at ? this with { ReversalsAt = at } : this with { Noticed = true };

    public Charge With(AccountFact.ChargeSettled settled, int invoices, int returns) => (HasOpenAttempt ? WithAttempt(StripeOutcome.Done, null) : this) with
    {
        State = ChargeState.Settled,
        NextAt = null,
        DunningAt = null,
        Question = null,
        StripeInvoice = settled.StripeInvoice,
        PaymentIntent = settled.PaymentIntent,
        StripeCharge = settled.Charge,
        SettledAt = settled.At,
        SettledAfterInvoice = invoices,
        SettledAfterReturns = returns,
        Evidence = null,
    };

    // A debit that Stripe took can fail days later.
    public Charge With(AccountFact.ChargeDeclined declined) => (HasOpenAttempt || Attempts is [.., { Outcome: StripeOutcome.Done }] ? WithAttempt(StripeOutcome.Declined, declined.Code) : this) with
    {
        State = ChargeState.Declined,
        Step = ChargeStep.Pay,
        Try = Attempts.Length + 1,
        NextAt = declined.NextAt,
        DunningAt = declined.NextAt,
        KeySentAt = null,
        Question = null,
        FirstDeclinedAt = FirstDeclinedAt ?? declined.At,
        DeclinedAt = declined.At,
        DeclineCode = declined.Code,
        StripeCharge = declined.Charge ?? StripeCharge,
    };

    public Charge With(AccountFact.ChargeParked parked) => this with
    {
        State = ChargeState.Parked,
        NextAt = null,
        DunningAt = null,
        Parked = parked.Reason,
        Evidence = parked.Evidence,
    };

    /// <summary>A person let it go on. What may have been sent is looked up first.</summary>
    public Charge Released(DateTimeOffset at)
    {
        var everSent = LastSentAt is not null;
        return this with
        {
            State = everSent ? ChargeState.Unknown : ChargeState.Requested,
            Parked = null,
            Evidence = null,
            Step = everSent ? ChargeStep.LookUp : ChargeStep.Draft,
            Question = everSent ? new(LastStep ?? Step, LastSentAt!.Value, at, 0, "The charge was parked and is released.", false) : null,
            NextAt = at,
            KeySentAt = null,
        };
    }

    private bool HasOpenAttempt => !Attempts.IsEmpty && Attempts[^1].Outcome is not (StripeOutcome.Done or StripeOutcome.Declined or StripeOutcome.RequiresAction);

    private Charge WithAttempt(StripeOutcome outcome, string? code) =>
        this with { Attempts = Attempts.SetItem(Attempts.Length - 1, Attempts[^1] with { Outcome = outcome, Code = code }) };
}
