using System.Text;

namespace Billing.Silo.Storage;

/// <summary>The events that Stripe has told in webhooks: each is noted once, and waits until it is processed.</summary>
internal interface IStripeEvents
{
    /// <summary>Notes an event; it is pending. Durable when the task completes, also where the event was known before.</summary>
    /// <returns>Whether it is news: Stripe repeats its events, and may tell one fact in two of them.</returns>
    Task<StripeEventNews> Add(StripeEvent told);

    /// <summary>Events that are not processed, in the order of their ids.</summary>
    /// <param name="after">The id of the last that is left out; empty to begin with the first.</param>
    /// <param name="limit">How many at the most.</param>
    Task<IReadOnlyList<StripeEvent>> Pending(string after, int limit);

    /// <summary>Notes that events are processed; durable when the task completes.</summary>
    Task Processed(IReadOnlyList<string> events);

    /// <summary>Drops processed events that were received before a billing time. Runs in small steps; commits go on between them.</summary>
    /// <returns>How many.</returns>
    Task<long> Drop(DateTimeOffset before, CancellationToken cancellation);
}

/// <summary>Whether an event is news.</summary>
internal enum StripeEventNews
{
    /// <summary>It was not known.</summary>
    New = 0,

    /// <summary>Its id was known, or another event of the same type, object and second.</summary>
    Duplicate = 1,
}

/// <summary>What is kept of an event: what it is about, not what it says. What is so is read at Stripe.</summary>
/// <param name="Id">Its id at Stripe.</param>
/// <param name="Type">Its type, such as <c>invoice.paid</c>.</param>
/// <param name="Created">Stripe's time of it, in seconds since 1970-01-01 UTC.</param>
/// <param name="ReceivedAt">The billing clock at its receipt.</param>
/// <param name="ObjectId">The id of the object it is about; null when that has none.</param>
/// <param name="Invoice">The invoice at Stripe that it concerns; null when it concerns none.</param>
/// <param name="Account">The account that the invoice names; null when it names none, or the event does not show it.</param>
/// <param name="Intent">The intent that the invoice names; null as <paramref name="Account"/>.</param>
internal sealed record StripeEvent(
    string Id, string Type, long Created, DateTimeOffset ReceivedAt, string? ObjectId, string? Invoice, string? Account, string? Intent)
{
    /// <summary>How long an event is remembered after its receipt. Stripe repeats one for three days.</summary>
    public static readonly TimeSpan KeptFor = TimeSpan.FromDays(30);

    /// <summary>The time in a row; one that a damaged row says may be none.</summary>
    public static DateTimeOffset TimeOf(long ticks) => new(long.Clamp(ticks, 0, DateTimeOffset.MaxValue.UtcTicks), TimeSpan.Zero);

    /// <summary>Whether it tells that money of a charge went back, may do so, or came again.</summary>
    public bool IsReversal => ObjectId is not null && (Type is "charge.refunded" or "charge.refund.updated" || Type.StartsWith("charge.dispute.", StringComparison.Ordinal) || Type.StartsWith("refund.", StringComparison.Ordinal));

    /// <summary>What it concerns: an invoice at Stripe, or the object that tells of one; null when it concerns none.</summary>
    public string? Concerns => Invoice ?? (IsReversal ? ObjectId : null);

    /// <summary>The check sum of its row, over all that Stripe has told.</summary>
    public int Crc => RowCrc.Of(Id, Created, ReceivedAt.UtcTicks, Encoding.UTF8.GetBytes(string.Join('\0', Type, ObjectId ?? "\u0001", Invoice ?? "\u0001", Account ?? "\u0001", Intent ?? "\u0001")));
}
