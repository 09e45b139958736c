using Billing.Accounts;
using Billing.Journal;
using Microsoft.Data.Sqlite;

namespace Billing.Silo.Storage.Sqlite;

/// <summary>
/// The entries in the order of their commits. Of each commit that holds facts other than usage, where those entries lie is noted with it, so that
/// commits of usage alone are passed over.
/// </summary>
internal sealed partial class SqliteStore
{
    // The places are as CommitHeads has them; empty where the commit is of a release without a feed, and has to be looked through.
    private const string FeedTable = "CREATE TABLE feed (commit_id INTEGER PRIMARY KEY, places BLOB NOT NULL);";

    /// <summary>A read stops behind so many bytes of frames: commits wait for it.</summary>
    private const long FeedBytes = 256 << 10;

    /// <inheritdoc/>
    public Task<FeedEntries?> ReadFeed(FeedPlace? from, int limit, CancellationToken cancellation) => Run(() =>
    {
        try
        {
            return ReadFeedFrom(from, limit);
        }
        catch (SqliteException unreadable) when (IsDamage(unreadable))
        {
            throw new JournalDamagedException(Sentence($"{File}, the feed: {unreadable.Message}"), unreadable);
        }
    });

    private FeedEntries? ReadFeedFrom(FeedPlace? from, int limit)
    {
        var (entries, bytes, isThere) = (new List<FeedEntry>(), 0L, from is null);
        using var command = Command(
            "SELECT commit_id, places FROM feed WHERE commit_id BETWEEN $first AND $last ORDER BY commit_id", ("$first", from?.Commit ?? 1), ("$last", _lastCommit));
        using var reader = command.ExecuteReader();
        while (reader.Read())
        {
            var commit = reader.GetInt64(0);
            var noted = reader.GetFieldValue<byte[]>(1);
            var places = PlacesIn(commit, noted);
            bytes += places.Length;
            for (var offset = CommitHeads.CrcBytes; offset < places.Length;)
            {
                var (account, sequence, position) = CommitHeads.Read(places, commit, ref offset);
                var place = new FeedPlace(commit, account, sequence);
                isThere |= place == from;
                if (!isThere) continue;
                if (entries.Count > limit || (bytes > FeedBytes && entries.Count > 1)) return new(entries, IsEnd: false);
                bytes += position.Length;
                var entry = EntryAt(place, position);

                // Those of usage alone stand for nothing but how far a commit of an older release was looked through.
                if (noted.Length == 0 || entry.Damage is not null || FeedFacts.MayBeIn(entry.Facts.Span)) entries.Add(entry);
            }

            if (!isThere) return null;
        }

        return isThere ? new(entries, IsEnd: true) : null;
    }

    private FeedEntry EntryAt(FeedPlace place, Position position)
    {
        try
        {
            return new(place, ReadEntries(place.Account, place.Sequence, [position])[0], null);
        }
        catch (JournalDamagedException damaged)
        {
            return new(place, default, damaged.Message);
        }
    }

    /// <summary>Where the entries of a commit lie: those that are noted, or all where that is not there or damaged.</summary>
    private byte[] PlacesIn(long commit, byte[] noted)
    {
        if (CommitHeads.Hold(noted)) return noted;
        using var command = Command("SELECT heads FROM commits WHERE id = $id", ("$id", commit));
        if (command.ExecuteScalar() is not byte[] heads) throw new JournalDamagedException(Sentence($"{File}, commit {commit}: it is missing"));
        try
        {
            return CommitHeads.Hold(heads) ? heads : HeadsOf(commit);
        }
        catch (InvalidDataException unclear)
        {
            throw new JournalDamagedException(unclear.Message, unclear);
        }
    }

    /// <summary>Compares what is noted for the feed with a commit whose frames are well, and notes it anew where it has to be.</summary>
    private void CheckFeed(long commit, byte[] heads, byte[] frames, CheckFindings found)
    {
        using var select = Command("SELECT places FROM feed WHERE commit_id = $id", ("$id", commit));
        var noted = select.ExecuteScalar() as byte[];
        if (noted is { Length: 0 } || (noted is not null && CommitHeads.Hold(noted))) return;
        var places = new byte[heads.Length];
        var length = CommitHeads.CrcBytes;
        for (var offset = CommitHeads.CrcBytes; offset < heads.Length;)
        {
            var (account, sequence, position) = CommitHeads.Read(heads, commit, ref offset);
            if (!CommitFrames.TryRead(frames.AsSpan(position.Offset, position.Length), out _, out _, out var facts, out _)) return;
            if (FeedFacts.MayBeIn(frames.AsSpan(position.Offset + facts, position.Length - facts))) length += CommitHeads.Write(account, sequence, position.Offset, position.Length, places.AsSpan(length));
        }

        if (length == CommitHeads.CrcBytes && noted is null) return;
        CommitHeads.Seal(places.AsSpan(0, length));
        Guarded(() =>
        {
            using var note = Command("INSERT OR REPLACE INTO feed (commit_id, places) VALUES ($id, $places)", ("$id", commit), ("$places", places[..length]));
            return note.ExecuteNonQuery();
        });
        found.Add(noted is null
            ? $"What is noted for the feed of {File}, commit {commit}, is missing. It is made anew from the commit; who follows the feed and was past it has to read on from before it."
            : $"A check sum does not hold at {File}, feed, commit {commit}. Nothing is lost: it is made anew from the commit.");
    }
}
