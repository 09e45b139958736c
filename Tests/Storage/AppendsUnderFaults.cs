using System.Text;
using Billing.Journal;
using Billing.Silo.Storage;

namespace Billing.Tests.Storage;

/// <summary>
/// Accounts that append as a grain does while the store suffers: an entry whose outcome is unknown is never appended again
/// blindly, but what is stored is read first. Each attempt bears a name of its own, so that a doubled one is seen.
/// </summary>
internal sealed class AppendsUnderFaults(IStore store, int accounts, int entries)
{
    private readonly Account[] _accounts = [.. Enumerable.Range(0, accounts).Select(a => new Account($"account {a}"))];

    /// <summary>Appends of which it was not known whether they are stored.</summary>
    public int Unknown => _accounts.Sum(a => a.Unknown.Count);

    /// <summary>Appends all entries, and lets the fault happen again and again until that is done.</summary>
    public async Task Run(Func<Task> fault)
    {
        var appending = Task.WhenAll(_accounts.Select(a => Task.Run(() => Append(a))));
        while (!appending.IsCompleted)
        {
            // After each a stretch of work, so that the faults fall among commits.
            var until = _accounts.Sum(a => a.Answered.Count) + accounts;
            while (!appending.IsCompleted && _accounts.Sum(a => a.Answered.Count) < until) await Task.Yield();
            if (!appending.IsCompleted) await fault();
        }

        await appending;
    }

    /// <summary>Holds that everything answered is in a store, in its place and once, and nothing that was never sent.</summary>
    public async Task HoldsIn(IStore other)
    {
        foreach (var account in _accounts)
        {
            var read = (await other.ReadAll(account.Id, default)).Entries.Select(e => Encoding.UTF8.GetString(e.Span)).ToList();
            Assert.Equal(read.Count, read.Distinct().Count());
            Assert.Equal(entries, read.Count);
            Assert.All(account.Answered, answered => Assert.Equal(answered.Value, read[answered.Key - 1]));
            Assert.All(read, fact => Assert.True(account.Answered.ContainsValue(fact) || account.Unknown.Contains(fact), fact));
        }
    }

    private async Task Append(Account account)
    {
        var attempt = 0;
        for (var stored = 0; stored < entries;)
        {
            var fact = $"{account.Id}, attempt {++attempt}";
            try
            {
                Assert.Equal(Appended.Yes, await store.Append(new(account.Id, stored + 1, DateTimeOffset.UnixEpoch, Encoding.UTF8.GetBytes(fact), default, null, null)));
                lock (_accounts) account.Answered.Add(++stored, fact);
            }
            catch (Exception unknown) when (unknown is StoreUnavailableException)
            {
                account.Unknown.Add(fact);
                stored = await ReadBack(account.Id);
            }
        }
    }

    private async Task<int> ReadBack(string account)
    {
        while (true)
        {
            try
            {
                return (await store.Read(account, default)).Entries.Count;
            }
            catch (Exception unreachable) when (unreachable is StoreUnavailableException)
            {
                await Task.Yield();
            }
        }
    }

    private sealed record Account(string Id)
    {
        public Dictionary<int, string> Answered { get; } = [];

        public HashSet<string> Unknown { get; } = [];
    }
}
