using Billing.Accounts;
using Billing.Deduplication;

namespace Billing.Journal;

/// <summary>
/// The durable record of what happened to each account: a sequence of entries per account, without gaps. The layout is the
/// adapter's; entries of many accounts share a commit.
/// </summary>
public interface IJournal
{
    /// <summary>The key of all keyed hashes; made once with the store and kept in it.</summary>
    SipKey HashKey { get; }

    /// <summary>
    /// Appends one entry to an account. When the task completes with <see cref="Appended.Yes"/>, the entry and everything in it
    /// is durable; it is one atomic write.
    /// </summary>
    /// <param name="entry">The entry; its bytes are read before the task is returned, so the caller may use its buffers again.</param>
    /// <remarks>An exception, also <see cref="JournalUnavailableException"/>, says that the outcome is unknown: read back before going on, never append again blindly.</remarks>
    Task<Appended> Append(JournalEntry entry);

    /// <summary>The newest snapshot of an account with the ids sealed until then, and all entries behind it, in order.</summary>
    /// <exception cref="JournalDamagedException">What is stored of the account cannot be trusted. A retry does not help.</exception>
    /// <exception cref="JournalUnavailableException">It cannot be read now.</exception>
    Task<JournalTail> Read(string account, CancellationToken cancellation);

    /// <summary>All entries of an account from its first on, in order, without a snapshot.</summary>
    /// <exception cref="JournalDamagedException">What is stored of the account cannot be trusted. A retry does not help.</exception>
    Task<JournalTail> ReadAll(string account, CancellationToken cancellation);

    /// <summary>
    /// The bodies of one entry as they were handed in; empty when none were kept. For support and replays: it may read much of the
    /// journal.
    /// </summary>
    /// <exception cref="JournalDamagedException">The bodies are damaged; the message names the place.</exception>
    Task<ReadOnlyMemory<byte>> ReadBodies(string account, long sequence, CancellationToken cancellation);

    /// <summary>
    /// Replaces the snapshot of an account and adds the ids it seals, in one atomic write. Entries stay; losing the snapshot loses
    /// nothing. A snapshot older than the stored one is left out, with what it seals.
    /// </summary>
    Task SaveSnapshot(JournalSnapshot snapshot);

    /// <summary>
    /// Reads all entries of an account again that was found damaged. When they are well now, as after the store was repaired, the account can
    /// be read and appended to as before.
    /// </summary>
    /// <exception cref="JournalDamagedException">They are still damaged.</exception>
    /// <exception cref="JournalUnavailableException">They cannot be read now.</exception>
    Task ReadAgain(string account, CancellationToken cancellation) => ReadAll(account, cancellation);
}

/// <summary>One atomic write for one account.</summary>
/// <param name="Account">The account.</param>
/// <param name="Sequence">The number of this entry: one above the account's last. 1 is the first.</param>
/// <param name="At">The billing time of the entry: bodies are kept for a time from then on.</param>
/// <param name="Facts">The facts, in the journal's own codec.</param>
/// <param name="Bodies">The events' full bodies, if they are kept; empty otherwise.</param>
/// <param name="DueAt">When the account has something to do next; written with the entry.</param>
/// <param name="Summary">The account's row for lists and search, if the entry changes it; written with the entry.</param>
public readonly record struct JournalEntry(
    string Account,
    long Sequence,
    DateTimeOffset At,
    ReadOnlyMemory<byte> Facts,
    ReadOnlyMemory<byte> Bodies,
    DateTimeOffset? DueAt,
    AccountSummary? Summary);

/// <summary>Whether an entry was appended.</summary>
public enum Appended
{
    /// <summary>The entry is durable.</summary>
    Yes = 1,

    /// <summary>Another activation has appended under that number: the caller's state is stale, nothing was written.</summary>
    Fenced = 2,
}

/// <summary>The state of an account up to an entry.</summary>
/// <param name="Account">The account.</param>
/// <param name="Sequence">The last entry that the snapshot holds.</param>
/// <param name="State">The state without the ids that are sealed.</param>
/// <param name="Sealed">The segments of ids sealed since the snapshot before; those sealed earlier stay as they are.</param>
public readonly record struct JournalSnapshot(string Account, long Sequence, ReadOnlyMemory<byte> State, IReadOnlyList<IdSegment> Sealed);

/// <summary>
/// The ids of one account that are forgotten on the same day, written once and dropped as a whole: so remembered ids are never
/// written twice, and nobody is woken to forget them.
/// </summary>
/// <param name="ForgetDay">The first day, counted from 1970-01-01 UTC, on which nobody asks for them. One segment per account and day.</param>
/// <param name="Ids">The ids, as <see cref="RememberedIds"/> writes them.</param>
public readonly record struct IdSegment(int ForgetDay, ReadOnlyMemory<byte> Ids);

/// <summary>What the journal holds of an account.</summary>
/// <param name="SnapshotSequence">The last entry inside the snapshot; 0 without one.</param>
/// <param name="Snapshot">The snapshot; null without one.</param>
/// <param name="Segments">The ids sealed by this snapshot and those before it, in ascending order of their days; those dropped are missing.</param>
/// <param name="Entries">The facts of the entries behind it, in order; the first has the number after the snapshot's.</param>
public sealed record JournalTail(
    long SnapshotSequence, ReadOnlyMemory<byte>? Snapshot, IReadOnlyList<IdSegment> Segments, IReadOnlyList<ReadOnlyMemory<byte>> Entries)
{
    /// <summary>Entries from the first on.</summary>
    public static JournalTail Of(IReadOnlyList<ReadOnlyMemory<byte>> entries) => new(0, null, [], entries);
}

/// <summary>What is stored of an account, or of its events, is damaged. The message names the place and says what to do.</summary>
public sealed class JournalDamagedException(string message, Exception? inner = null) : Exception(message, inner);

/// <summary>The journal cannot be used now, as when its database cannot be reached; it said so in the log already, once for all calls.</summary>
public class JournalUnavailableException(string message, Exception inner) : Exception(message, inner);
