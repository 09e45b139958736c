using System.Collections.Frozen;
using System.Text.Json.Serialization;
using Billing.Rating;

namespace Billing.Charging;

/// <summary>A refund or a dispute of a charge, as Stripe had it when it was read last.</summary>
/// <param name="Kind">Which of the two.</param>
/// <param name="Id">Its id at Stripe.</param>
/// <param name="Amount">What it is about, in minor units of its currency.</param>
/// <param name="Currency">ISO 4217, upper case.</param>
/// <param name="Reason">Stripe's word; null when it gives none.</param>
/// <param name="Status">Stripe's word.</param>
/// <param name="Taken">What of it has left us, in minor units of its currency.</param>
/// <param name="At">When this became known.</param>
/// <param name="Seen">Whether a person has seen it as it is.</param>
internal sealed record Reversal(ReversalKind Kind, string Id, long Amount, string Currency, string? Reason, string Status, long Taken, DateTimeOffset At, bool Seen)
{
    private static readonly FrozenSet<string> Ends = new[] { "won", "lost", "warning_closed", "prevented" }.ToFrozenSet(StringComparer.Ordinal);

    /// <summary>Whether it is a dispute that has not come to its end: it waits for an answer to the bank, or for the bank.</summary>
    [JsonIgnore]
    public bool IsOpenDispute => Kind == ReversalKind.Dispute && !IsEnd(Status);

    /// <summary>Whether it waits for a person.</summary>
    [JsonIgnore]
    public bool Waits => IsOpenDispute || !Seen;

    /// <summary>Whether a dispute ends with a status.</summary>
    public static bool IsEnd(string status) => Ends.Contains(status);

    /// <summary>What a person is told who has to look at it.</summary>
    public string Text(int invoice)
    {
        var amount = Currencies.Format(Amount, Currency);
        var taken = Taken == 0 ? "nothing of it has gone back" : $"{Currencies.Format(Taken, Currency)} went back";
        return Kind == ReversalKind.Refund
            ? $"The charge of invoice {invoice} was refunded at Stripe: {Id}, {amount}, {Status}; {taken}."
            : $"The charge of invoice {invoice} {(IsOpenDispute ? "is" : "was")} disputed: {Id}, {amount}{(Reason is null ? "" : $", {Reason}")}, {Status}; {taken}.";
    }
}

/// <summary>Money of a charge that went back, or came again.</summary>
/// <param name="Kind">How.</param>
/// <param name="Id">The id of the refund or dispute at Stripe.</param>
/// <param name="Invoice">The invoice that was charged.</param>
/// <param name="Amount">In minor units of the account's currency; below zero it came again.</param>
/// <param name="At">When this became known.</param>
/// <param name="AfterInvoice">How many invoices were final by then.</param>
internal sealed record Return(ReversalKind Kind, string Id, int Invoice, long Amount, DateTimeOffset At, int AfterInvoice);
