using Billing.Accounts;
using Billing.Journal;

namespace Billing.Silo.Storage.Postgres;

/// <summary>An entry on its way, with bytes of its own.</summary>
internal sealed class WaitingEntry
{
    public WaitingEntry(JournalEntry entry)
    {
        Account = entry.Account;
        Sequence = entry.Sequence;
        AtTicks = entry.At.UtcTicks;
        DueTicks = entry.DueAt?.UtcTicks;
        Summary = entry.Summary;
        Facts = entry.Facts.ToArray();
        Crc = RowCrc.Of(Account, Sequence, AtTicks, Facts);
        IsInFeed = FeedFacts.MayBeIn(Facts);
        BodiesLength = entry.Bodies.Length;
        Bodies = entry.Bodies.IsEmpty ? null : StoredBodies.Compress(entry.Bodies.Span);
    }

    public string Account { get; }

    public long Sequence { get; }

    public long AtTicks { get; }

    public long? DueTicks { get; }

    public AccountSummary? Summary { get; }

    public byte[] Facts { get; }

    public int Crc { get; }

    /// <summary>Whether it holds facts other than usage.</summary>
    public bool IsInFeed { get; }

    /// <summary>The bodies as they are stored; null without any.</summary>
    public byte[]? Bodies { get; }

    /// <summary>Bytes of the bodies as they were handed in.</summary>
    public int BodiesLength { get; }

    /// <summary>Bytes that go to the database.</summary>
    public long Length => (long)Facts.Length + (Bodies?.Length ?? 0);

    public TaskCompletionSource<Appended> Done { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
}
