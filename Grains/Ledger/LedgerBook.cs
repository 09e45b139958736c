using System.Collections.Immutable;
using System.Globalization;
using Billing.Charging;
using Billing.Invoices;
using Billing.Rating;

namespace Billing.Ledger;

/// <summary>Takes what happens to an account's money in its order and keeps the entries it makes. Amounts are minor units.</summary>
/// <param name="currency">ISO 4217.</param>
internal sealed class LedgerBook(string currency)
{
    private readonly ImmutableArray<LedgerEntry>.Builder _entries = ImmutableArray.CreateBuilder<LedgerEntry>();
    private readonly List<Fee> _unearned = [];
    private DateTimeOffset _recognizedAt = DateTimeOffset.MinValue;
    private bool _ended;

    public ImmutableArray<LedgerEntry> Entries => _entries.ToImmutable();

    /// <summary>An invoice became final: fees for time still to come are deferred, all else is revenue.</summary>
    public void Finalize(InvoiceView invoice)
    {
        var number = invoice.Number!.Value;
        var (deferred, revenue, spent) = (0L, 0L, 0L);
        foreach (var line in invoice.Lines)
        {
            switch (line.Kind)
            {
                case InvoiceLineKind.Base or InvoiceLineKind.Proration or InvoiceLineKind.Upgrade:
                    // What had accrued when revenue was last recognised would never be recognised again.
                    var fee = new Fee(number, line.Amount, line.Period);
                    revenue += Earned(fee);
                    deferred += fee.Amount - Earned(fee);
                    if (Earned(fee) != fee.Amount) _unearned.Add(fee);
                    break;
                case InvoiceLineKind.Credit:
                    spent -= line.Amount;
                    break;
                default:
                    revenue += line.Amount;
                    break;
            }
        }

        var parts = new List<string>();
        var carried = invoice.Status == InvoiceStatus.Paid ? long.Max(invoice.Total, 0) : 0;
        var owed = long.Max(invoice.Total, 0) - carried;
        Say(owed, "receivable");
        Say(carried, "carried over to the next invoice");
        Say(long.Max(spent, 0), "account credit spent");
        Say(long.Max(-spent, 0), "carried over from earlier invoices");
        Say(long.Max(-invoice.Total, 0), "account credit given");
        Say(deferred, "for time still to come");
        Say(revenue, "revenue");
        Post(
            invoice.FinalizedAt!.Value, LedgerEntryKind.InvoiceFinalized, number, $"Invoice {number} became final: {string.Join(", ", parts)}.",
            (LedgerAccount.Receivable, owed),
            (LedgerAccount.Revenue, -revenue),
            (LedgerAccount.DeferredRevenue, -deferred),
            (LedgerAccount.Credits, spent + carried - long.Max(-invoice.Total, 0)));

        void Say(long amount, string what)
        {
            if (amount != 0) parts.Add($"{Currencies.Format(amount, currency)} {what}");
        }
    }

    /// <summary>A charge was made: what was owed for an invoice is cash.</summary>
    public void Settle(LedgerEntries.Settlement settled) => Post(
        settled.At, LedgerEntryKind.ChargeSettled, settled.Invoice, $"{Currencies.Format(settled.Amount, currency)} was charged for invoice {settled.Invoice}.",
        (LedgerAccount.Cash, settled.Amount),
        (LedgerAccount.Receivable, -settled.Amount));

    /// <summary>What was charged went back at Stripe, or came again. What is owed stays as it is: it was paid.</summary>
    public void Return(Return moved)
    {
        var amount = Currencies.Format(long.Abs(moved.Amount), currency);
        var (kind, text) = moved.Kind == ReversalKind.Refund
            ? (LedgerEntryKind.Refund, moved.Amount > 0 ? $"{amount} of invoice {moved.Invoice} went back by the refund {moved.Id} at Stripe." : $"{amount} of invoice {moved.Invoice} came again: the refund {moved.Id} at Stripe failed.")
            : (LedgerEntryKind.Dispute, moved.Amount > 0 ? $"{amount} of invoice {moved.Invoice} went back by the dispute {moved.Id}." : $"{amount} of invoice {moved.Invoice} came again from the dispute {moved.Id}.");
        Post(moved.At, kind, moved.Invoice, text, (LedgerAccount.WriteOff, moved.Amount), (LedgerAccount.Cash, -moved.Amount));
    }

    /// <summary>A period ended: what of the fees has accrued since the period before is earned.</summary>
    /// <param name="at">When it ended.</param>
    /// <param name="accountEnded">Whether the account ended with it: then everything is earned, also by invoices that follow.</param>
    public void EndPeriod(DateTimeOffset at, bool accountEnded)
    {
        var before = _unearned.ConvertAll(Earned);
        (_recognizedAt, _ended) = (at, accountEnded);
        foreach (var invoice in _unearned.Select((fee, i) => (fee.Invoice, Amount: Earned(fee) - before[i])).GroupBy(f => f.Invoice, f => f.Amount))
        {
            var earned = invoice.Sum();
            Post(
                at, LedgerEntryKind.RevenueRecognized, invoice.Key,
                $"{Currencies.Format(earned, currency)} of invoice {invoice.Key} was earned by {at.UtcDateTime.ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture)} UTC.",
                (LedgerAccount.Revenue, -earned),
                (LedgerAccount.DeferredRevenue, earned));
        }

        _unearned.RemoveAll(fee => Earned(fee) == fee.Amount);
    }

    private long Earned(Fee fee) =>
        _ended || fee.Period.End <= _recognizedAt ? fee.Amount
        : _recognizedAt <= fee.Period.Start ? 0
        : Proration.Accrued(fee.Amount, fee.Period, _recognizedAt);

    // A positive amount is a debit, a negative one a credit.
    private void Post(DateTimeOffset at, LedgerEntryKind kind, int invoice, string text, params ReadOnlySpan<(LedgerAccount Account, long Amount)> amounts)
    {
        var postings = ImmutableArray.CreateBuilder<LedgerPosting>();
        foreach (var (account, amount) in amounts)
            if (amount != 0) postings.Add(new(account, long.Max(amount, 0), long.Max(-amount, 0)));
        if (postings.Count > 0) _entries.Add(new(_entries.Count + 1, at, kind, invoice, postings.ToImmutable(), text));
    }

    /// <summary>What a line asks for a stretch of time.</summary>
    private readonly record struct Fee(int Invoice, long Amount, BillingPeriod Period);
}
