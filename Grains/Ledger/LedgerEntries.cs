using System.Collections.Immutable;
using Billing.Accounts;
using Billing.Charging;
using Billing.Invoices;

namespace Billing.Ledger;

/// <summary>The entries of an account, from the invoices it holds. They are never stored: the same facts give the same entries.</summary>
internal static class LedgerEntries
{
    /// <summary>All entries, the oldest first. What was an entry once stays one, with its number.</summary>
    public static ImmutableArray<LedgerEntry> Of(AccountState account) => Of(
        account.Invoices,
        PeriodEnds(account),
        account.Cancelled?.At,
        [.. account.Charging.Charges.Where(c => c.SettledAt is not null).Select(c => new Settlement(c.SettledAt!.Value, c.SettledAfterInvoice, c.Invoice, c.Amount, c.SettledAfterReturns))],
        account.Charging.Returns);

    /// <summary>All entries, the oldest first.</summary>
    /// <param name="invoices">The finalised invoices, by number.</param>
    /// <param name="periodEnds">When billing periods ended, in order.</param>
    /// <param name="endedAt">When the account ended, so that nothing was left to serve; null while it goes on.</param>
    /// <param name="settlements">The charges that were made.</param>
    /// <param name="returns">What of them went back or came again, in order.</param>
    public static ImmutableArray<LedgerEntry> Of(
        IReadOnlyList<InvoiceView> invoices, IEnumerable<DateTimeOffset> periodEnds, DateTimeOffset? endedAt, ImmutableArray<Settlement> settlements, ImmutableArray<Return>? returns = null)
    {
        if (invoices.Count == 0) return [];
        var book = new LedgerBook(invoices[0].Currency);
        var ends = new Queue<DateTimeOffset>(endedAt is { } ended ? periodEnds.Where(e => e < ended).Append(ended) : periodEnds);
        foreach (var invoice in invoices)
        {
            while (ends.TryPeek(out var end) && !IsBefore(invoice, end)) book.EndPeriod(ends.Dequeue(), end == endedAt);
            book.Finalize(invoice);
            foreach (var (at, _, post) in Moves(invoice.Number!.Value, settlements, returns ?? []))
            {
                while (ends.TryPeek(out var end) && end <= at) book.EndPeriod(ends.Dequeue(), end == endedAt);
                post(book);
            }
        }

        while (ends.TryDequeue(out var end)) book.EndPeriod(end, end == endedAt);
        return book.Entries;
    }

    /// <summary>A charge that was made.</summary>
    /// <param name="At">When.</param>
    /// <param name="AfterInvoice">How many invoices were final by then.</param>
    /// <param name="Invoice">The invoice that it paid.</param>
    /// <param name="Amount">In minor units.</param>
    /// <param name="AfterReturns">How many times money had gone back, or come again, by then.</param>
    public readonly record struct Settlement(DateTimeOffset At, int AfterInvoice, int Invoice, long Amount, int AfterReturns);

    /// <summary>What the entries come to.</summary>
    public static LedgerBalances Balances(IReadOnlyList<LedgerEntry> entries)
    {
        return new(
            Debited(LedgerAccount.Receivable),
            -Debited(LedgerAccount.Revenue),
            -Debited(LedgerAccount.DeferredRevenue),
            Debited(LedgerAccount.Cash),
            -Debited(LedgerAccount.Credits),
            -Debited(LedgerAccount.Tax),
            Debited(LedgerAccount.WriteOff));

        long Debited(LedgerAccount account) => entries.SelectMany(e => e.Postings).Where(p => p.Account == account).Sum(p => p.Debit - p.Credit);
    }

    /// <summary>The entries from the one after <paramref name="skip"/> on, and the balances of all.</summary>
    public static LedgerPage Page(AccountState account, int skip, int take)
    {
        var entries = Of(account);
        return new(
            null, account.Profile!.Currency, Balances(entries), [.. entries.Skip(skip).Take(take)],
            entries.Length - skip > take ? skip + take : null);
    }

    // What happened to cash between an invoice and the next. Of what has one instant, a charge comes before the returns that it did not come after.
    private static IEnumerable<(DateTimeOffset At, int Place, Action<LedgerBook> Post)> Moves(int invoice, ImmutableArray<Settlement> settlements, ImmutableArray<Return> returns) =>
        settlements.Where(s => s.AfterInvoice == invoice).Select(s => (s.At, 2 * s.AfterReturns, (Action<LedgerBook>)(book => book.Settle(s))))
            .Concat(returns.Select((r, i) => (Return: r, Place: (2 * i) + 1)).Where(r => r.Return.AfterInvoice == invoice).Select(r => (r.Return.At, r.Place, (Action<LedgerBook>)(book => book.Return(r.Return)))))
            .OrderBy(m => m.At).ThenBy(m => m.Item2);

    private static IEnumerable<DateTimeOffset> PeriodEnds(AccountState account) =>
        account.BegunPeriod is { } begun ? account.Calendar.PeriodEndsBy(account.Calendar.PausedAt ?? begun.Start) : [];

    // Of what falls on one instant, drafts that were due come first, then the period's end, then what was invoiced at once.
    private static bool IsBefore(InvoiceView invoice, DateTimeOffset periodEnd) =>
        invoice.FinalizedAt < periodEnd || (invoice.FinalizedAt == periodEnd && invoice.DraftedAt < periodEnd);
}
