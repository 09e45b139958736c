using Billing.Accounts;
using Billing.Invoices;
using Billing.Usage;

namespace Billing.History;

/// <summary>
/// Finds the events behind an invoice line: the account is folded together again up to the instant at which the invoice
/// became final, and each event of the line's period is asked what it added. An adjustment is the difference between
/// that and what the events had added when the period was billed before.
/// </summary>
internal static class LineEvents
{
    /// <summary>The events behind a line, or why there are none to show.</summary>
    /// <param name="state">An empty state of the account that forgets nothing.</param>
    /// <param name="entries">All journal entries of the account.</param>
    /// <param name="number">The invoice.</param>
    /// <param name="n">The line.</param>
    public static (Refusal? Refusal, IReadOnlyList<LineEvent> Events) Of(
        AccountState state, IReadOnlyList<ReadOnlyMemory<byte>> entries, int number, int n)
    {
        var invoices = InvoicesIn(entries);
        if (number < 1 || number > invoices.Count)
            return Missing($"The account {state.Id} has no invoice {number}; it has {invoices.Count}.", "number");
        var invoice = invoices[number - 1];
        if (n < 1 || n > invoice.Lines.Length)
            return Missing($"The invoice {number} of the account {state.Id} has no line {n}; it has {invoice.Lines.Length}.", "n");
        var line = invoice.Lines[n - 1];
        if (line.Meter is not { } meter) return (null, []);

        var earlier = invoices.Take(number - 1).LastOrDefault(i => i.Lines.Any(l => l.Meter == meter && l.Period == line.Period));
        var events = new EventsOfPeriod(state, meter, line.Period);
        IReadOnlyList<EventShare> before = [];
        foreach (var entry in entries)
        {
            var reader = new FactReader(entry.Span);
            while (reader.TryRead(out var kind, out var content))
            {
                if (kind == FactKind.Json && FactReader.ReadJson(content) is AccountFact.InvoiceFinalized { Invoice: var final })
                {
                    if (final.Number == number) return (null, events.Difference(before, events.SharesAt(invoice.FinalizedAt!.Value)));
                    if (final.Number == earlier?.Number)
                    {
                        before = events.SharesAt(final.FinalizedAt!.Value);
                        events.LeaveOutRefused();
                    }
                }

                state.ApplyFact(kind, content, reader.ReceivedAt, null);
                events.Take(kind, content, reader.ReceivedAt);
            }
        }

        throw new InvalidDataException($"The journal of account {state.Id} has lost invoice {number} while it was read.");
    }

    private static (Refusal? Refusal, IReadOnlyList<LineEvent> Events) Missing(string detail, string field) =>
        (new(RefusalKind.NotFound, detail, field), []);

    private static List<InvoiceView> InvoicesIn(IReadOnlyList<ReadOnlyMemory<byte>> entries)
    {
        var invoices = new List<InvoiceView>();
        foreach (var entry in entries)
        {
            var reader = new FactReader(entry.Span);
            while (reader.TryRead(out var kind, out var content))
                if (kind == FactKind.Json && FactReader.ReadJson(content) is AccountFact.InvoiceFinalized finalized) invoices.Add(finalized.Invoice);
        }

        return invoices;
    }
}
