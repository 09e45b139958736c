using System.Collections.Immutable;
using Billing.Accounts;
using Billing.Ledger;

namespace Billing.Charging;

/// <summary>Shows the charges of an account. Pure.</summary>
internal static class ChargeViews
{
    /// <summary>The charges from the one after <paramref name="skip"/> on, by invoice.</summary>
    public static ChargePage Page(AccountState account, int skip, int take)
    {
        var charges = account.Charging.Charges;
        var entries = LedgerEntries.Of(account);
        return new(null, [.. charges.Skip(skip).Take(take).Select(c => View(account, c, entries))], charges.Length - skip > take ? skip + take : null);
    }

    /// <summary>The payment method that was given last; null when none was.</summary>
    public static PaymentMethodView? Method(AccountState account) => account.Charging.Method is not { } method ? null : new(
        method.Given,
        method.Attached is not null ? PaymentMethodState.Attached : method.RefusedCode is not null ? PaymentMethodState.Refused : PaymentMethodState.Attaching,
        method.Type,
        method.Brand,
        method.LastFour,
        method.RefusedCode);

    /// <summary>What waits for a person, in words: charges that are parked, and what went back at Stripe.</summary>
    public static ImmutableArray<string> Holds(AccountState account) =>
        [.. account.Charging.Charges.SelectMany(Holds)];

    private static IEnumerable<string> Holds(Charge charge)
    {
        if (charge.State == ChargeState.Parked) yield return $"The charge of invoice {charge.Invoice} is parked: {charge.Evidence}";
        foreach (var reversal in charge.Reversals)
            if (reversal.Waits) yield return reversal.Text(charge.Invoice);
    }

    private static ChargeView View(AccountState account, Charge charge, ImmutableArray<LedgerEntry> entries) => new(
        charge.Intent,
        charge.Invoice,
        charge.Currency,
        charge.Amount,
        charge.State,
        Verdict(charge),
        [.. charge.Attempts.Select(a => new ChargeAttempt(a.N, a.Key, a.SentAt, Word(a.Outcome), a.Code))],
        new(charge.StripeInvoice, charge.PaymentIntent, charge.StripeCharge),
        [.. entries.Where(e => e.Kind is LedgerEntryKind.ChargeSettled or LedgerEntryKind.Refund or LedgerEntryKind.Dispute && e.Invoice == charge.Invoice)],
        account.Charging.Waits(charge) ? null : charge.NextAt,
        charge.Evidence ?? charge.Question?.Why ?? charge.DeclineCode,
        charge.Reversals.IsEmpty ? null : [.. charge.Reversals.Select(r => new ChargeReversal(r.Kind, r.Id, r.Amount, r.Currency, r.Reason, r.Status, r.Taken, r.At, r.Waits))]);

    private static ChargeVerdict Verdict(Charge charge) => charge.State switch
    {
        ChargeState.Settled => ChargeVerdict.Proven,
        ChargeState.Unknown => ChargeVerdict.Unknown,
        ChargeState.Parked when charge.Parked is ParkReason.Mismatch => ChargeVerdict.Mismatch,
        ChargeState.Parked when charge.Parked is ParkReason.Undecided => ChargeVerdict.Unknown,
        _ => ChargeVerdict.Pending,
    };

    private static string Word(StripeOutcome outcome) => outcome switch
    {
        StripeOutcome.Done => "settled",
        StripeOutcome.Declined => "declined",
        StripeOutcome.RequiresAction => "requires_action",
        StripeOutcome.Refused => "refused",
        StripeOutcome.NotDone => "not_done",
        _ => "unknown",
    };
}
