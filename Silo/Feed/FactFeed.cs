using System.Collections.Frozen;
using System.Text.Json.Nodes;
using Billing.Accounts;
using Billing.Http;
using Billing.Silo.Api;
using Billing.Silo.Storage;

namespace Billing.Silo.Feed;

/// <summary>Which facts a follower wants; null wants all.</summary>
internal sealed record FeedFilter(FrozenSet<string>? Accounts, FrozenSet<string>? Types);

/// <summary>A page of the feed.</summary>
/// <param name="Items">The facts, in their order.</param>
/// <param name="Next">What the next page comes behind; null for the beginning.</param>
/// <param name="IsEnd">Whether there was no more.</param>
internal sealed record FeedPage(IReadOnlyList<FeedItem> Items, FeedCursor? Next, bool IsEnd);

/// <summary>The facts of all accounts in one order, without a gap and without a repetition.</summary>
internal sealed class FactFeed(IFeedEntries store)
{
    /// <summary>The type that stands for an entry that cannot be read, whichever facts it holds.</summary>
    public const string Unreadable = "entry_unreadable";

    private const int EntriesPerRead = 200;

    /// <summary>So often the store is read for one page. A page that found little by then is short, with a cursor that has moved on.</summary>
    private const int ReadsPerPage = 20;

    /// <summary>Reads the facts behind a cursor.</summary>
    /// <param name="after">The cursor; null for the beginning.</param>
    /// <param name="filter">Which of them. An entry that cannot be read is told whichever types are wanted: it may hold one of them.</param>
    /// <param name="limit">How many at the most.</param>
    /// <param name="cancellation">Gives up.</param>
    /// <returns>Null when the store does not hold what the cursor names.</returns>
    public async Task<FeedPage?> Read(FeedCursor? after, FeedFilter filter, int limit, CancellationToken cancellation)
    {
        var items = new List<FeedItem>();
        for (var read = 0; read < ReadsPerPage; read++)
        {
            var from = after;
            if (await store.ReadFeed(from?.Place, EntriesPerRead, cancellation) is not { } found) return null;
            foreach (var entry in found.Entries)
            {
                after = new(entry.Place, Take(entry, entry.Place == from?.Place ? from.Value.Facts : 0, filter, limit, items));
                if (items.Count == limit) return new(items, after, IsEnd: false);
            }

            if (found.IsEnd) return new(items, after, IsEnd: true);
        }

        return new(items, after, IsEnd: false);
    }

    // Returns how many facts of the entry are behind the follower then.
    private static int Take(FeedEntry entry, int behind, FeedFilter filter, int limit, List<FeedItem> items)
    {
        if (behind == FeedCursor.Whole || !(filter.Accounts?.Contains(entry.Place.Account) ?? true)) return FeedCursor.Whole;
        if (entry.Damage is { } damage) return TakeUnreadable(entry.Place, damage, behind, items);
        var facts = new List<FeedFact>();
        int read;
        try
        {
            read = FeedFacts.Read(entry.Facts.Span, behind, limit - items.Count, filter.Types, facts);
        }
        catch (InvalidDataException newer)
        {
            return TakeUnreadable(entry.Place, newer.Message, behind, items);
        }

        items.AddRange(facts.Select(f => new FeedItem(Position(entry.Place, f.Number), entry.Place.Account, f.Type, f.At, f.Data)));
        return read;
    }

    private static int TakeUnreadable(FeedPlace place, string why, int behind, List<FeedItem> items)
    {
        var data = new JsonObject { ["entry"] = place.Sequence, ["detail"] = why, ["again"] = Position(place, behind) };
        items.Add(new(Position(place, FeedCursor.Whole), place.Account, Unreadable, null, data));
        return FeedCursor.Whole;
    }

    private static string Position(FeedPlace place, int facts) => RequestReading.ToCursor(FeedCursor.ToText(new FeedCursor(place, facts)));
}
