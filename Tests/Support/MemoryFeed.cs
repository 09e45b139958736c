using Billing.Silo.Storage;

namespace Billing.Tests.Support;

/// <summary>Entries of all accounts in memory, each in a commit of its own.</summary>
internal sealed class MemoryFeed : IFeedEntries
{
    public List<FeedEntry> Entries { get; } = [];

    public void Add(string account, ReadOnlyMemory<byte> facts, string? damage = null) =>
        Entries.Add(new(new(Entries.Count + 1, account, Entries.Count(e => e.Place.Account == account) + 1), facts, damage));

    public Task<FeedEntries?> ReadFeed(FeedPlace? from, int limit, CancellationToken cancellation)
    {
        var first = from is { } wanted ? Entries.FindIndex(e => e.Place == wanted) : 0;
        if (first < 0) return Task.FromResult<FeedEntries?>(null);
        var read = Entries.Skip(first).Take(limit + 1).ToList();
        return Task.FromResult<FeedEntries?>(new(read, first + read.Count == Entries.Count));
    }
}
