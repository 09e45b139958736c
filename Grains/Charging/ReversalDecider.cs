using Billing.Accounts;

namespace Billing.Charging;

/// <summary>
/// Learns what went back of charges that were made: refunds made at Stripe, and disputes. All of a charge is read at once, in a call of the
/// account, so that what is read later is newer; what is known already makes no fact. Nothing is charged for it, and the invoice stays paid. Pure.
/// </summary>
internal static class ReversalDecider
{
    private static readonly TimeSpan RefusedWait = TimeSpan.FromDays(1);

    /// <summary>Stripe told of a refund or a dispute of an invoice. Of one that is not known to be paid, the invoice is read first.</summary>
    public static void Notice(AccountState account, string stripeInvoice, string? intent, DateTimeOffset now, FactWriter facts)
    {
        if (account.Charging.Find(stripeInvoice, intent) is not { } charge) return;
        if (charge.ReversalsAt is not { } at || at > now) AccountDecider.Emit(account, facts, new AccountFact.ChargeNoticed(charge.Intent, now, now));
        ChargingDecider.Notice(account, stripeInvoice, intent, now, facts);
    }

    /// <summary>The call that reads what went back of a charge.</summary>
    public static StripeCall CallOf(AccountState account, Charge charge) => new(
        account.Charging.Calls + 1, StripeCallKind.ReadReversals, null, account.Id, charge.Intent, account.Charging.Customer, charge.StripeInvoice, charge.Invoice, null, null, null, null, []);

    /// <summary>Takes what came of that call.</summary>
    public static void Take(AccountState account, string intent, StripeAnswer answer, DateTimeOffset now, FactWriter facts)
    {
        var charge = account.Charging.Find(intent)!;
        if (answer is { Outcome: StripeOutcome.Done, Reversals: { } read })
        {
            foreach (var seen in read)
                if (charge.Reversals.FirstOrDefault(r => r.Id == seen.Id) is not { } known || known.Status != seen.Status || known.Amount != seen.Amount || known.Taken != seen.Taken)
                    AccountDecider.Emit(account, facts, FactOf(intent, seen, now));
        }
        else if (charge.ReversalsAt is null)
        {
            var wait = answer.Outcome == StripeOutcome.Refused ? RefusedWait : LookUps.WaitAfterNotDone(answer.RetryAfter, charge.NotDone);
            AccountDecider.Emit(account, facts, new AccountFact.ChargeNoticed(intent, now, now + wait));
        }
    }

    private static AccountFact FactOf(string intent, StripeReversal seen, DateTimeOffset now) => seen.Kind switch
    {
        ReversalKind.Refund => new AccountFact.RefundNoticed(intent, seen.Id, seen.Amount, seen.Currency, seen.Reason, seen.Status, seen.Taken, now),
        _ when Reversal.IsEnd(seen.Status) => new AccountFact.ChargeDisputeClosed(intent, seen.Id, seen.Amount, seen.Currency, seen.Reason, seen.Status, seen.Taken, now),
        _ => new AccountFact.ChargeDisputed(intent, seen.Id, seen.Amount, seen.Currency, seen.Reason, seen.Status, seen.Taken, now),
    };
}
