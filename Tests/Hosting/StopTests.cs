using System.Text;
using Billing.Journal;
using Billing.Silo.Storage.Sqlite;
using Billing.Tests.Support;

namespace Billing.Tests.Hosting;

/// <summary>A platform that is told to stop in the middle of its work.</summary>
public class StopTests
{
    [Fact]
    public async Task StoppedWhileAccountsAreCharged_NoChargeIsLeftUnknown()
    {
        using var folder = new TemporaryFolder();
        var accounts = Enumerable.Range(1, 20).Select(i => $"shop-{i}").ToList();

        await using (var stopped = await TestPlatform.Open(folder))
        {
            await Task.WhenAll(accounts.Select(a => stopped.Api.Open(a, "desk-basic")));
            await Eventually.True(async () => (await FactsOf(stopped.Store, accounts)).Any(f => f.Contains("stripe_call_sent", StringComparison.Ordinal)), "a call to Stripe was sent");
        }

        await using (var store = await SqliteStore.Open(folder.File("data")))
        {
            var facts = await FactsOf(store, accounts);
            Assert.Equal(facts.Count(f => f.Contains("stripe_call_sent", StringComparison.Ordinal)), facts.Count(f => f.Contains("stripe_call_ended", StringComparison.Ordinal)));
            Assert.DoesNotContain(facts, f => f.Contains("\"outcome\":\"Unknown\"", StringComparison.Ordinal));
        }

        // What was not sent is sent after the wait that follows it.
        await using var again = await TestPlatform.Open(folder);
        await again.Api.MoveClock("PT1M");
        foreach (var account in accounts)
        {
            var charge = Assert.Single((await again.Api.Get($"/v1/accounts/{account}/charges")).Json.GetProperty("items").EnumerateArray());
            Assert.Equal("settled", charge.GetProperty("state").GetString());
        }
    }

    private static async Task<IReadOnlyList<string>> FactsOf(IJournal journal, IEnumerable<string> accounts)
    {
        var facts = new List<string>();
        foreach (var account in accounts)
            facts.AddRange((await journal.ReadAll(account, default)).Entries.SelectMany(e => Encoding.UTF8.GetString(e.Span).Split("{\"fact\":")));
        return facts;
    }
}
