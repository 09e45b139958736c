using System.Collections.Immutable;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Billing.Invoices;

namespace Billing.Charging;

/// <summary>What an invoice asks for, as it is sent to Stripe.</summary>
internal static class ChargeLines
{
    /// <summary>The lines of an invoice, all or those asked for.</summary>
    public static ImmutableArray<StripeLine> Of(InvoiceView invoice, ImmutableArray<int>? only) =>
        [.. invoice.Lines.Where(l => only is not { } numbers || numbers.Contains(l.N)).Select(l => new StripeLine(l.N, l.Amount, Description(l), l.Period))];

    /// <summary>A hash of currency, number and amount of every line: the same intent always asks for the same.</summary>
    public static string Hash(InvoiceView invoice)
    {
        var text = new StringBuilder(invoice.Currency);
        foreach (var line in invoice.Lines) text.Append(CultureInfo.InvariantCulture, $"\n{line.N} {line.Amount}");
        return Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text.ToString())));
    }

    private static string Description(InvoiceLine line)
    {
        var what = line.Kind switch
        {
            InvoiceLineKind.Base => $"{line.Plan}: base price",
            InvoiceLineKind.Usage => $"{line.Plan}: {line.Meter}, {line.Quantity}",
            InvoiceLineKind.Adjustment => $"{line.Plan}: {line.Meter}, change of an earlier period by {line.Quantity}",
            InvoiceLineKind.Proration => $"{line.Plan}: base price, in part",
            InvoiceLineKind.Upgrade => $"{line.Plan}: difference in base price",
            InvoiceLineKind.Credit => line.Amount < 0 ? "Account credit" : "Carried over from earlier invoices",
            _ => $"{line.Plan}: discount",
        };
        return what;
    }
}
