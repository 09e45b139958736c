namespace Billing.Silo.Storage;

/// <summary>
/// The entries of all accounts in one order, which never changes: that of their commits. Only those that hold facts other than usage. An entry
/// appears when nothing can appear before it any more.
/// </summary>
internal interface IFeedEntries
{
    /// <summary>Reads some of them. Short: commits go on meanwhile.</summary>
    /// <param name="from">The entry to begin with, which is among those that are read; null for the first.</param>
    /// <param name="limit">How many more than that one at the most; 1 or more. There may be fewer, where they are large, but one if there is one.</param>
    /// <param name="cancellation">Gives up.</param>
    /// <returns>Null when the store has no entry <paramref name="from"/>.</returns>
    /// <exception cref="Journal.JournalDamagedException">Whose entries come next cannot be told. One that is damaged alone is among those that are read.</exception>
    Task<FeedEntries?> ReadFeed(FeedPlace? from, int limit, CancellationToken cancellation);
}

/// <summary>Names an entry, and where it stands among those of all accounts.</summary>
/// <param name="Commit">Counts up in the order of the commits, with gaps; several entries share one.</param>
/// <param name="Account">The account.</param>
/// <param name="Sequence">Its number in the account.</param>
internal readonly record struct FeedPlace(long Commit, string Account, long Sequence);

/// <summary>An entry with its facts.</summary>
/// <param name="Place">Which one it is.</param>
/// <param name="Facts">The facts, in the journal's own codec; nothing where it is damaged.</param>
/// <param name="Damage">What is wrong with it, in words; null when it is well.</param>
internal sealed record FeedEntry(FeedPlace Place, ReadOnlyMemory<byte> Facts, string? Damage);

/// <summary>Some entries in their order.</summary>
/// <param name="Entries">The entries.</param>
/// <param name="IsEnd">Whether there were no more.</param>
internal sealed record FeedEntries(IReadOnlyList<FeedEntry> Entries, bool IsEnd);
