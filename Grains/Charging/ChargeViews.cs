using System.Collections.Immutable;
using Billing.Accounts;
using Billing.Ledger;

namespace Billing.Charging;

/// <summary>Shows the charges of an account. Pure.</summary>
internal static class ChargeViews
{
    private const int OpenShown = 50;

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

    /// <summary>The charges that are neither settled nor on their way to it.</summary>
    public static ImmutableArray<OpenCharge> Open(AccountState account) =>
    [
        .. account.Charging.Charges.Where(c => c.State is ChargeState.Declined or ChargeState.Unknown or ChargeState.Parked).Take(OpenShown)
            .Select(c => new OpenCharge(c.Invoice, c.Amount, c.State, Verdict(c), NextAt(account, c), Evidence(c))),
    ];

    private static ChargeView View(AccountState account, Charge charge, ImmutableArray<LedgerEntry> entries) => new(
        charge.Intent,
        charge.Invoice,
        charge.Currency,
        charge.Amount,
        charge.State,
        Verdict(charge),
        [.. charge.Attempts.Select(a => new ChargeAttempt(a.N, a.Key, a.SentAt, Word(charge, a), a.Code))],
        new(charge.StripeInvoice, charge.PaymentIntent, charge.StripeCharge),
        [.. entries.Where(e => e.Kind is LedgerEntryKind.ChargeSettled or LedgerEntryKind.Refund or LedgerEntryKind.Dispute && e.Invoice == charge.Invoice)],
        NextAt(account, charge),
        Evidence(charge),
        charge.Reversals.IsEmpty ? null : [.. charge.Reversals.Select(r => new ChargeReversal(r.Kind, r.Id, r.Amount, r.Currency, r.Reason, r.Status, r.Taken, r.At, r.Waits))]);

    private static DateTimeOffset? NextAt(AccountState account, Charge charge) => account.Charging.Waits(charge) ? null : charge.NextAt;

    private static string? Evidence(Charge charge) => charge.Evidence ?? charge.Question?.Why ?? (charge.State == ChargeState.Settled ? null : charge.DeclineCode);

    private static ChargeVerdict Verdict(Charge charge) => charge.State switch
    {
        ChargeState.Settled => ChargeVerdict.Proven,
        ChargeState.Unknown => ChargeVerdict.Unknown,
        ChargeState.Parked when charge.Parked is ParkReason.Mismatch => ChargeVerdict.Mismatch,
        ChargeState.Parked when charge.Parked is ParkReason.Undecided => ChargeVerdict.Unknown,
        _ => ChargeVerdict.Pending,
    };

    // What Stripe has taken is settled when the charge is: a bank debit takes days.
    private static string Word(Charge charge, PayAttempt attempt) => attempt.Outcome switch
    {
        StripeOutcome.Done when charge.State != ChargeState.Settled => "processing",
        StripeOutcome.Done => "settled",
        StripeOutcome.Declined => "declined",
        StripeOutcome.RequiresAction => "requires_action",
        StripeOutcome.Refused => "refused",
        StripeOutcome.NotDone => "not_done",
        _ => "unknown",
    };
}
