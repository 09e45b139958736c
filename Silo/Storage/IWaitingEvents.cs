using Billing.Usage;

namespace Billing.Silo.Storage;

/// <summary>Events whose account takes none at the moment, in the order in which they came. Nothing bounds them but the disk.</summary>
internal interface IWaitingEvents
{
    /// <summary>Keeps events behind those that wait already. Durable when the task completes; the bytes are read before the task is returned.</summary>
    Task Add(WaitingEvents events);

    /// <summary>The accounts that events wait for.</summary>
    Task<IReadOnlyList<string>> Accounts();

    /// <summary>The first that wait for an account behind a number; null when there are none.</summary>
    /// <param name="account">The account.</param>
    /// <param name="after">The number of those before; 0 for the first of all.</param>
    Task<StoredEvents?> Next(string account, long after);

    /// <summary>Lets events go that their account has stored. Durable when the task completes.</summary>
    Task Remove(string account, long number);
}

/// <summary>Events of one account that came in one body.</summary>
/// <param name="Account">The account.</param>
/// <param name="ReceivedAt">The billing clock at their receipt.</param>
/// <param name="Reason">Why they wait, as their receipts said.</param>
/// <param name="Batch">The events.</param>
internal sealed record WaitingEvents(string Account, DateTimeOffset ReceivedAt, string Reason, UsageBatch Batch)
{
    /// <summary>The check sum of the row.</summary>
    public int Crc => RowCrc.Of(Account, ReceivedAt.UtcTicks, Batch.Count, Batch.Records.Span);

    /// <summary>The row that was read, or null when its check sum does not hold.</summary>
    public static WaitingEvents? Of(string account, long receivedAtTicks, string reason, bool keepBodies, int count, int crc, byte[] records)
    {
        if (receivedAtTicks < 0 || receivedAtTicks > DateTimeOffset.MaxValue.UtcTicks) return null;
        var receivedAt = new DateTimeOffset(receivedAtTicks, TimeSpan.Zero);
        var events = new WaitingEvents(account, receivedAt, reason, new(records, count, keepBodies, WantReceipts: false, receivedAt, Waited: true));
        return events.Crc == crc ? events : null;
    }
}

/// <summary>Events that wait, under their number.</summary>
/// <param name="Number">Ascends within an account.</param>
/// <param name="Events">The events; null when what is stored of them is damaged.</param>
internal sealed record StoredEvents(long Number, WaitingEvents? Events);
