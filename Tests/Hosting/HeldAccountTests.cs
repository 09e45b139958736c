using System.Globalization;
using Billing.Tests.Faults;
using Billing.Tests.Support;
using Microsoft.Data.Sqlite;

namespace Billing.Tests.Hosting;

/// <summary>An account whose journal is damaged, on the whole platform: it delays nobody, and gets what came for it once it is whole again.</summary>
public sealed class HeldAccountTests
{
    public static TheoryData<string> Stores => FaultStore.All;

    // The period of the events ends and its invoice becomes final while the account is held; 2 tickets are included, each other costs 0.50.
    [Theory]
    [MemberData(nameof(Stores))]
    public async Task EventsThatComeMeanwhile_AreCountedAsIfTheAccountHadNotBeenHeld(string kind)
    {
        await using var store = await FaultStore.New(kind);
        await using (var platform = await store.Open())
            foreach (var account in new[] { "acme", "other" }) await platform.Api.Open(account, "desk-basic");
        await Flip(store, "acme");
        var events = Enumerable.Range(0, 6).Select(i => ApiCaller.Event(i % 2 == 0 ? "acme" : "other", $"e{i}", FaultStore.Start)).ToList();

        await using (var platform = await store.Open())
        {
            var answer = await platform.Api.Events(ApiCaller.Lines, events);
            Assert.True(answer.Status == 200, answer.Text);
            Assert.Equal(["quarantined", "accepted", "quarantined", "accepted", "quarantined", "accepted"], answer.Outcomes);
            Assert.Equal((3, 3), (answer.Count("quarantined"), answer.Count("accepted")));
            Assert.Equal("account_held", answer.Json.GetProperty("receipts")[0].GetProperty("reason").GetString());
            (await platform.Api.Get("/v1/accounts/acme")).IsProblem(503);

            var moved = await platform.Api.Post("/v1/sandbox/clock", """{"advance":"P34D"}""");
            Assert.Equal("""{"now":"2026-02-04T00:00:00Z","held":["acme"]}""", moved.Text);
            Assert.Equal([10_00, 10_50], await Totals(platform.Api, "other"));
        }

        await Flip(store, "acme");
        await using (var platform = await store.Open())
        {
            await Eventually.True(async () => (await Totals(platform.Api, "acme")).Count == 2, "the account has done what was due");
            Assert.Equal([10_00, 10_50], await Totals(platform.Api, "acme"));
            Assert.Equal(6, (await platform.Api.Events(ApiCaller.Lines, events)).Count("duplicate"));
            Assert.Equal("""{"now":"2026-02-04T00:00:00Z"}""", (await platform.Api.Post("/v1/sandbox/clock", """{"advance":"PT0S"}""")).Text);
        }

        await using var alone = await store.OpenAlone();
        Assert.Empty(await ((Silo.Storage.IWaitingEvents)alone).Accounts());
    }

    // Its id would be forgotten by now, had the event come before: counting it could be counting it twice.
    [Fact]
    public async Task EventThatIsOutOfTheWindowWhenTheHoldIsOver_IsADeadLetterAndNotLost()
    {
        await using var store = await FaultStore.New(FaultStore.Sqlite);
        await using (var platform = await store.Open()) await platform.Api.Open("acme", "desk-basic");
        await Flip(store, "acme");
        var sent = ApiCaller.Event("acme", "e1", FaultStore.Start);
        await using (var platform = await store.Open())
        {
            Assert.Equal(["quarantined"], (await platform.Api.Events(ApiCaller.Single, sent)).Outcomes);
            await platform.Api.MoveClock("P36D");
        }

        await Flip(store, "acme");
        await using var again = await store.Open();

        await Eventually.True(async () => (await Totals(again.Api, "acme")).Count == 2, "the account has done what was due");
        var shown = (await again.Api.Get("/v1/accounts/acme/events/shop/e1")).Json;
        Assert.Equal("quarantined", shown.GetProperty("outcome").GetString());
        Assert.Contains("35 days", shown.GetProperty("reason").GetString(), StringComparison.Ordinal);
        Assert.Equal([10_00, 10_00], await Totals(again.Api, "acme"));
    }

    private static async Task<List<int>> Totals(ApiCaller api, string account)
    {
        var answer = await api.Get($"/v1/accounts/{account}/invoices");
        return answer.Status != 200 ? [] :
        [
            .. answer.Json.GetProperty("items").EnumerateArray().Where(i => i.TryGetProperty("number", out var number) && number.ValueKind == System.Text.Json.JsonValueKind.Number)
                .Select(i => i.GetProperty("total").GetInt32()),
        ];
    }

    // Turned once, the first entry of the account is damaged; turned again, it is whole.
    private static async Task Flip(FaultStore store, string account)
    {
        if (store.Database is { } database)
        {
            await PostgresServer.Execute(database, $"UPDATE billing.entries SET facts = set_byte(facts, 20, get_byte(facts, 20) # 4) WHERE account = '{account}' AND sequence = 1");
            return;
        }

        using var journal = new SqliteConnection($"Data Source={Path.Combine(store.DataFolder, "journal.db")};Pooling=False");
        journal.Open();
        using var find = journal.CreateCommand();
        find.CommandText = "SELECT id, frames FROM commits WHERE instr(frames, $account) > 0 ORDER BY id LIMIT 1";
        find.Parameters.AddWithValue("$account", System.Text.Encoding.UTF8.GetBytes(account));
        long commit;
        byte[] frames;
        using (var reader = find.ExecuteReader())
        {
            Assert.True(reader.Read(), string.Create(CultureInfo.InvariantCulture, $"No entry of {account} is stored."));
            (commit, frames) = (reader.GetInt64(0), reader.GetFieldValue<byte[]>(1));
        }

        frames[^1] ^= 4;
        using var write = journal.CreateCommand();
        write.CommandText = "UPDATE commits SET frames = $frames WHERE id = $commit";
        write.Parameters.AddWithValue("$frames", frames);
        write.Parameters.AddWithValue("$commit", commit);
        Assert.Equal(1, write.ExecuteNonQuery());
    }
}
