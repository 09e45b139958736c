using Billing.Invoices;
using Billing.Rating;

namespace Billing.Charging;

/// <summary>Looks at an invoice before anything of it is sent: what is out of the ordinary waits for a person.</summary>
internal static class CircuitBreakers
{
    private const int PaidInvoicesSeen = 6;
    private const int PaidInvoicesNeeded = 3;
    private const int TimesTheMedian = 10;
    private const int InvoicesADay = 10;
    private const decimal UnusualFromMajor = 1_000m;

    /// <summary>Whether a charge that is parked so was stopped before anything of it was sent.</summary>
    public static bool IsOne(ParkReason reason) => reason is ParkReason.UnusualTotal or ParkReason.TooManyInvoices or ParkReason.TotalDiffersFromLines;

    /// <summary>Why the charge of an invoice waits, with what a person is to look at; null when it goes on.</summary>
    /// <param name="invoice">The invoice, final.</param>
    /// <param name="earlier">The account's invoices that became final before, by number.</param>
    /// <param name="isPaid">Whether an invoice is paid by now.</param>
    public static (ParkReason Reason, string Evidence)? Trip(InvoiceView invoice, IReadOnlyList<InvoiceView> earlier, Func<InvoiceView, bool> isPaid)
    {
        var sum = Sum(invoice.Lines);
        if (sum != invoice.Total)
            return (ParkReason.TotalDiffersFromLines, $"Invoice {invoice.Number} asks for {Text(invoice.Total)}, and its lines come to {sum} in minor units.");

        var sinceYesterday = earlier.Count(i => i.FinalizedAt > invoice.FinalizedAt!.Value.AddDays(-1)) + 1;
        if (sinceYesterday > InvoicesADay)
            return (ParkReason.TooManyInvoices, $"{sinceYesterday} invoices of the account became final within a day; {InvoicesADay} are ordinary.");

        var paid = earlier.Where(i => i.Total > 0 && isPaid(i)).TakeLast(PaidInvoicesSeen).Select(i => i.Total).Order().ToList();
        if (paid.Count < PaidInvoicesNeeded) return null;
        var usual = Sum(invoice.Lines.Where(l => l.Kind != InvoiceLineKind.Upgrade));
        if (!Currencies.TryToMinor(UnusualFromMajor, invoice.Currency, out var unusualFrom) || usual <= unusualFrom) return null;
        var twiceMedian = (Int128)paid[(paid.Count - 1) / 2] + paid[paid.Count / 2];
        return 2 * usual > TimesTheMedian * twiceMedian
            ? (ParkReason.UnusualTotal, $"Invoice {invoice.Number} asks for {Text(invoice.Total)}; the median of the last {paid.Count} paid invoices is {Text((long)(twiceMedian / 2))}, and more than {TimesTheMedian} times as much waits for a person.")
            : null;

        string Text(long minor) => Currencies.Format(minor, invoice.Currency);

        static Int128 Sum(IEnumerable<InvoiceLine> lines) => lines.Aggregate(Int128.Zero, (sum, line) => sum + line.Amount);
    }
}
