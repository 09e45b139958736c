using System.Collections.Immutable;
using System.Globalization;
using Billing.Accounts;
using Billing.Charging;
using Billing.Invoices;
using Billing.Rating;

namespace Billing.Invoicing;

/// <summary>Makes an invoice of lines. Every invoice of an account goes through here, whatever it bears.</summary>
internal static class InvoiceFinalizer
{
    /// <summary>An invoice without a number, as it would be if it were the next to become final.</summary>
    /// <param name="account">Its credit is spent where the lines come to more than zero.</param>
    /// <param name="period">The period that the invoice is for.</param>
    /// <param name="draftedAt">When it was drafted.</param>
    /// <param name="lines">The lines in their order, but for the credit; their numbers are given here.</param>
    public static InvoiceView Draft(AccountState account, BillingPeriod period, DateTimeOffset draftedAt, IEnumerable<InvoiceLine> lines)
    {
        var charged = lines.ToImmutableArray();
        var owed = Sum(charged);
        var named = PeriodOfCredit(period, charged);
        if (owed > 0 && account.Balance > 0) charged = charged.Add(CreditLine(account, named, long.Min(account.Balance, owed)));
        else if (account.Balance < 0 && !charged.IsEmpty) charged = charged.Add(CarriedLine(account, named));
        var numbered = charged.Select((line, index) => line with { N = index + 1 }).ToImmutableArray();
        return new(null, InvoiceStatus.Draft, account.Profile!.Currency, Sum(numbered), period, draftedAt, null, null, numbered);
    }

    /// <summary>A draft made final: it takes the next number and never changes again. With nothing to pay, or too little to be charged, it is paid.</summary>
    /// <param name="account">The account as it stands; the draft was made from it.</param>
    /// <param name="draft">The invoice without a number.</param>
    /// <param name="at">When it becomes final.</param>
    public static InvoiceView Finalize(AccountState account, InvoiceView draft, DateTimeOffset at)
    {
        var paid = draft.Total <= 0 || SmallestCharges.IsTooSmall(draft.Total, draft.Currency);
        return draft with
        {
            Number = account.Invoices.Count + 1,
            Status = paid ? InvoiceStatus.Paid : InvoiceStatus.Finalized,
            FinalizedAt = at,
            PaidAt = paid ? at : null,
        };
    }

    // An invoice of arrears alone has a period that may lie after the account's end; its credit is for what it bears.
    private static BillingPeriod PeriodOfCredit(BillingPeriod invoice, ImmutableArray<InvoiceLine> lines) =>
        lines.IsEmpty || lines.Any(l => l.Period.Start >= invoice.Start) ? invoice : lines.MaxBy(l => l.Period.End)!.Period;

    private static InvoiceLine CreditLine(AccountState account, BillingPeriod period, long spent)
    {
        var currency = account.Profile!.Currency;
        var step = new ArithmeticStep(
            "1",
            Currencies.ToMajor(-spent, currency).ToString("0.####", CultureInfo.InvariantCulture),
            (-spent).ToString(CultureInfo.InvariantCulture),
            $"{Currencies.Format(spent, currency)} of {Currencies.Format(account.Balance, currency)} account credit");
        return new(0, InvoiceLineKind.Credit, null, null, null, null, period, Quantity.One, -spent, [step], 0);
    }

    private static InvoiceLine CarriedLine(AccountState account, BillingPeriod period)
    {
        var currency = account.Profile!.Currency;
        var owed = -account.Balance;
        var step = new ArithmeticStep(
            "1",
            Currencies.ToMajor(owed, currency).ToString("0.####", CultureInfo.InvariantCulture),
            owed.ToString(CultureInfo.InvariantCulture),
            $"{Currencies.Format(owed, currency)} carried over from invoices too small to be charged");
        return new(0, InvoiceLineKind.Credit, null, null, null, null, period, Quantity.One, owed, [step], 0);
    }

    private static long Sum(ImmutableArray<InvoiceLine> lines) => lines.Aggregate(0L, (sum, line) => sum + line.Amount);
}
