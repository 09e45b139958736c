using Billing.Accounts;
using Billing.Invoices;

namespace Billing.Charging;

/// <summary>
/// Decides what is charged, and which call to Stripe is next. Pure. One call of an account is under way at a time; it is a fact before it
/// is handed out, and what came back is a fact before the next one.
/// </summary>
internal static class ChargingDecider
{
    /// <summary>When something about charges is due that sends nothing: an intent to be noted, an account to be suspended; null when nothing is.</summary>
    public static DateTimeOffset? DueAt(AccountState account)
    {
        var due = Unrequested(account)?.FinalizedAt;
        return SuspendAt(account) is { } suspend && (due is null || suspend < due) ? suspend : due;
    }

    /// <summary>Does what <see cref="DueAt"/> told.</summary>
    public static void Advance(AccountState account, DateTimeOffset due, FactWriter facts)
    {
        if (Unrequested(account) is { } invoice && invoice.FinalizedAt <= due) Request(account, invoice, due, facts);
        else Suspend(account, due, facts);
    }

    /// <summary>Chooses the next call that may be sent now and writes that it is.</summary>
    /// <returns>The call, to be handed out once the facts are durable; null when none may be sent now.</returns>
    public static StripeCall? Send(AccountState account, DateTimeOffset now, FactWriter facts)
    {
        if (account.Charging.UnderWay is { } overdue)
        {
            if (now < overdue.SentAt + ChargingState.AnswerWithin) return null;
            Take(account, new(overdue.N, StripeOutcome.Unknown, null, "No answer came in time.", null, null, [], null), now, facts);
        }

        if (account.Charging is { CustomerStep: { } step, CustomerNextAt: { } at } && at <= now)
            return Sent(account, CustomerCalls.Next(account, step), now, facts);

        while (account.Charging.Charges.FirstOrDefault(c => c.NextAt <= now && !account.Charging.Waits(c)) is { } charge)
        {
            if (ReadBeforeSending(charge, now) is { } why) AccountDecider.Emit(account, facts, new AccountFact.ChargeUnknown(charge.Intent, 0, now, why, now));
            else if (charge.Step == ChargeStep.Pay && account.Charging.ChargedMethod is null) DeclineWithoutMethod(account, charge, now, facts);
            else return Sent(account, CallOf(account, charge), now, facts);
        }

        return account.Charging.Charges.FirstOrDefault(c => c.NextReversalsAt <= now) is { } reversed
            ? Sent(account, ReversalDecider.CallOf(account, reversed), now, facts)
            : null;
    }

    /// <summary>Takes what came of the call under way. An answer to another call changes nothing: it came too late and is looked up.</summary>
    public static void Take(AccountState account, StripeAnswer answer, DateTimeOffset now, FactWriter facts)
    {
        if (account.Charging.UnderWay is not { } call || call.N != answer.N) return;
        AccountDecider.Emit(account, facts, new AccountFact.StripeCallEnded(
            answer.N, answer.Outcome, answer.Code, answer.Message, now, answer.Outcome == StripeOutcome.Done && LookUps.IsOne(call.Kind) ? answer.StripeAt : null));
        if (call.Intent is null) CustomerCalls.Take(account, call, answer, now, facts);
        else if (call.Kind == StripeCallKind.ReadReversals) ReversalDecider.Take(account, call.Intent, answer, now, facts);
        else ChargeProgress.Take(account, call, answer, now, facts);
        if (call.Intent is { } intent && account.Charging.Find(intent) is { Noticed: true } charge) ReadNow(account, charge, now, facts);
    }

    /// <summary>
    /// Stripe told that something happened to an invoice: it is read now, if we wait for something there, and if a call of it is under way,
    /// when that has ended.
    /// </summary>
    public static void Notice(AccountState account, string stripeInvoice, string? intent, DateTimeOffset now, FactWriter facts)
    {
        var charge = account.Charging.Find(stripeInvoice, intent);
        if (charge is null || charge.IsOver) return;
        if (account.Charging.UnderWay?.Intent != charge.Intent) ReadNow(account, charge, now, facts);
        else if (!charge.Noticed) AccountDecider.Emit(account, facts, new AccountFact.ChargeNoticed(charge.Intent, now));
    }

    // Unless a step is due, which shows what there is to see, or the charge is over or left to a person.
    private static void ReadNow(AccountState account, Charge charge, DateTimeOffset now, FactWriter facts)
    {
        if (charge.IsOver || charge.Parked is not null || charge.NextAt <= now) return;
        if (charge.Question is { } question) AccountDecider.Emit(account, facts, new AccountFact.ChargeUnknown(charge.Intent, question.LookUps, now, question.Why, now));
        else if (charge.StripeInvoice is not null) AccountDecider.Emit(account, facts, new AccountFact.ChargeStepPut(charge.Intent, ChargeStep.Read, 1, now, now));
    }

    /// <summary>The charge was declined: it is tried again by the rules of dunning, and the account is past due.</summary>
    public static void Decline(AccountState account, Charge charge, string code, string? message, string? stripeCharge, DateTimeOffset now, FactWriter facts)
    {
        var next = charge.MethodIsNew ? now : Dunning.NextAttempt(code, charge.FirstDeclinedAt ?? now, now);
        AccountDecider.Emit(account, facts, new AccountFact.ChargeDeclined(charge.Intent, code, message, stripeCharge, next, now));
        NotePastDue(account, charge, code, now, facts);
    }

    private static void NotePastDue(AccountState account, Charge charge, string code, DateTimeOffset now, FactWriter facts)
    {
        if (account.Status == AccountStatus.Active)
            AccountDecider.Emit(account, facts, new AccountFact.AccountPastDue($"The charge of invoice {charge.Invoice} was declined: {code}.", now));
    }

    // Nothing is sent, and nothing is tried again before another payment method is given.
    private static void DeclineWithoutMethod(AccountState account, Charge charge, DateTimeOffset now, FactWriter facts)
    {
        var code = account.Charging.Method?.RefusedCode ?? Dunning.NoPaymentMethod;
        AccountDecider.Emit(account, facts, new AccountFact.ChargeDeclined(charge.Intent, code, "The account has no payment method that could be attached.", null, null, now));
        NotePastDue(account, charge, code, now, facts);
    }

    private static StripeCall Sent(AccountState account, StripeCall call, DateTimeOffset now, FactWriter facts)
    {
        AccountDecider.Emit(account, facts, new AccountFact.StripeCallSent(call.N, call.Kind, call.Key, call.Intent, now));
        return call;
    }

    private static StripeCall CallOf(AccountState account, Charge charge)
    {
        var invoice = account.Invoices[charge.Invoice - 1];
        var bare = new StripeCall(
            account.Charging.Calls + 1, KindOf(charge), null, account.Id, charge.Intent, account.Charging.Customer, charge.StripeInvoice, charge.Invoice, null, null, null, null, []);
        return charge.Step switch
        {
            ChargeStep.Draft => bare with { Key = charge.Key, Currency = charge.Currency },
            ChargeStep.Lines => bare with { Key = charge.Key, Lines = ChargeLines.Of(invoice, charge.MissingLines) },
            ChargeStep.Finalize => bare with { Key = charge.Key },
            ChargeStep.Pay => bare with { Key = charge.Key, PaymentMethod = account.Charging.ChargedMethod },
            ChargeStep.DeleteDraft => bare with { Invoice = charge.ExtraDraft },
            _ => bare,
        };
    }

    private static StripeCallKind KindOf(Charge charge) => charge.Step switch
    {
        ChargeStep.Draft => StripeCallKind.CreateInvoice,
        ChargeStep.Lines => StripeCallKind.AddLines,
        ChargeStep.Read => StripeCallKind.ReadInvoice,
        ChargeStep.Finalize => StripeCallKind.FinalizeInvoice,
        ChargeStep.Pay => StripeCallKind.PayInvoice,
        ChargeStep.LookUp => StripeCallKind.FindInvoices,
        _ => StripeCallKind.DeleteDraft,
    };

    private static string? ReadBeforeSending(Charge charge, DateTimeOffset now) =>
        charge.KeySentAt is { } first && now - first >= LookUps.KeyLife ? "The key of this step is too old to be sent again without looking." : null;

    private static InvoiceView? Unrequested(AccountState account)
    {
        // Charges are requested in the order of the invoices, so those without one are behind the last that has one.
        var last = account.Charging.Charges is [.., var newest] ? newest.Invoice : 0;
        for (var i = last; i < account.Invoices.Count; i++)
            if (account.Invoices[i] is { Status: InvoiceStatus.Finalized } invoice && invoice.Number > last) return invoice;
        return null;
    }

    private static void Request(AccountState account, InvoiceView invoice, DateTimeOffset due, FactWriter facts)
    {
        var intent = $"{account.Id}/{invoice.Number}/1";
        AccountDecider.Emit(account, facts, new AccountFact.ChargeRequested(intent, invoice.Number!.Value, 1, invoice.Total, invoice.Currency, ChargeLines.Hash(invoice), due));
        if (account.Charging.Held)
            AccountDecider.Emit(account, facts, new AccountFact.ChargeParked(intent, ParkReason.AccountHeld, "Another charge of the account waits for a person, and all wait with it.", due));
        else if (CircuitBreakers.Trip(invoice, [.. account.Invoices.Take(invoice.Number.Value - 1)], account.IsPaid) is { } tripped)
            AccountDecider.Emit(account, facts, new AccountFact.ChargeParked(intent, tripped.Reason, tripped.Evidence, due, HoldsAccount: true));
    }

    private static DateTimeOffset? SuspendAt(AccountState account)
    {
        if (account.Status is not (AccountStatus.Active or AccountStatus.PastDue)) return null;
        DateTimeOffset? suspend = null;
        foreach (var charge in account.Charging.Charges)
        {
            if (charge is not { State: ChargeState.Declined, NextAt: null, FirstDeclinedAt: { } first, DeclinedAt: { } known }) continue;
            var at = first + Dunning.SuspendAfter is var over && over > known ? over : known;

            // Who resumed the account gave it as long again.
            if (account.Reactivation?.At is { } resumed && resumed > first && resumed + Dunning.SuspendAfter is var again && again > at) at = again;
            if (suspend is null || at < suspend) suspend = at;
        }

        return suspend;
    }

    private static void Suspend(AccountState account, DateTimeOffset due, FactWriter facts) =>
        AccountDecider.Emit(account, facts, new AccountFact.AccountSuspended("A charge was declined and not paid within seven days.", ByOperator: false, due));
}
