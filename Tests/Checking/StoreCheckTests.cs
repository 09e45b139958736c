using System.Text;
using System.Text.Json;
using Billing.Silo.Storage;
using Billing.Tests.Faults;
using Billing.Tests.Support;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.DependencyInjection;

namespace Billing.Tests.Checking;

/// <summary>The check of everything over HTTP, on the whole platform: what it finds, what it makes anew, and which accounts it lets go.</summary>
public sealed class StoreCheckTests
{
    public static TheoryData<string> Stores => FaultStore.All;

    [Theory]
    [MemberData(nameof(Stores))]
    public async Task CheckThatIsAskedFor_TellsWhenItRanAndWhatItRead(string kind)
    {
        await using var store = await FaultStore.New(kind);
        long read;
        await using (var platform = await store.Open())
        {
            await platform.Api.Open("acme", "desk-basic");
            Assert.Equal("""{"status":"never","read":0,"damage_found":0,"damage":[],"held":[],"let_go":[]}""", (await platform.Api.Get("/v1/check")).Text);

            var done = await Checked(platform.Api);

            read = done.GetProperty("read").GetInt64();
            Assert.True(read >= 3, $"{read} rows");
            Assert.Equal(0, done.GetProperty("damage_found").GetInt32());
            Assert.True(done.GetProperty("started_at").GetDateTimeOffset() <= done.GetProperty("finished_at").GetDateTimeOffset());
        }

        await using var again = await store.Open();
        var stored = (await again.Api.Get("/v1/check")).Json;
        Assert.Equal(("done", read), (stored.GetProperty("status").GetString(), stored.GetProperty("read").GetInt64()));
    }

    [Theory]
    [MemberData(nameof(Stores))]
    public async Task DamagedRowForLists_IsMadeAnewFromItsAccountWhenItIsListed(string kind)
    {
        await using var store = await FaultStore.New(kind);
        await using (var platform = await store.Open())
            foreach (var account in new[] { "acme", "other" }) await platform.Api.Open(account, "desk-basic");
        await Execute(store, "UPDATE {0}accounts SET status = 5, summary = substr(summary, 1, 30) WHERE account = 'acme'");

        await using (var platform = await store.Open())
        {
            // Its row says suspended; it is active.
            Assert.Empty(Ids(await platform.Api.Get("/v1/accounts?status=suspended")));
            Assert.Equal(["acme", "other"], Ids(await platform.Api.Get("/v1/accounts?plan=desk-basic&status=active")));
        }

        await using var alone = await store.OpenAlone();
        Assert.Empty(await alone.Check(default));
    }

    [Theory]
    [MemberData(nameof(Stores))]
    public async Task DamagedRowsAndDueTimes_AreFoundByTheCheckAndMadeAnew(string kind)
    {
        await using var store = await FaultStore.New(kind);
        await using (var platform = await store.Open())
            foreach (var account in new[] { "acme", "other" }) await platform.Api.Open(account, "desk-basic");
        await Execute(store, "DELETE FROM {0}accounts WHERE account = 'acme'");
        await Execute(store, store.Database is null ? "UPDATE due SET at = at + 4503599627370496 WHERE account = 'other'" : "UPDATE billing.heads SET due_at = due_at + 4503599627370496 WHERE account = 'other'");

        await using var again = await store.Open();
        var done = await Checked(again.Api);

        Assert.Contains("row for lists of account acme is missing", done.GetProperty("damage").GetRawText(), StringComparison.Ordinal);
        Assert.Equal(["acme", "other"], Ids(await again.Api.Get("/v1/accounts")));
        Assert.Equal("""{"now":"2026-02-04T00:00:00Z"}""", (await again.Api.Post("/v1/sandbox/clock", """{"advance":"P34D"}""")).Text);

        // Before anyone asks for the accounts: their next periods end on the first of March.
        Assert.Equal(["acme", "other"], (await again.Services.GetRequiredService<IDueTimes>().DueAt(FaultStore.Start.AddDays(70), 10)).Order(StringComparer.Ordinal));
        foreach (var account in new[] { "acme", "other" })
            Assert.Equal(2, (await again.Api.Get($"/v1/accounts/{account}/invoices")).Json.GetProperty("items").EnumerateArray().Count(i => i.GetProperty("status").GetString() is "finalized" or "paid"));
        Assert.Equal(0, (await Checked(again.Api)).GetProperty("damage_found").GetInt32());
    }

    [Theory]
    [MemberData(nameof(Stores))]
    public async Task HeldAccountThatIsRepaired_IsLetGoByTheCheckAndGetsWhatWaited(string kind)
    {
        await using var store = await FaultStore.New(kind);
        await using (var platform = await store.Open())
        {
            foreach (var account in new[] { "acme", "other" }) await platform.Api.Open(account, "desk-basic");
            // Both are charged: an entry written while bits are turned back would bring what they were into the file again.
            await platform.Api.MoveClock("PT1S");
        }

        var flip = await Flip.Of(store, "acme");
        await using var again = await store.Open();
        (await again.Api.Get("/v1/accounts/acme")).IsProblem(503);
        Assert.Equal(["quarantined"], (await again.Api.Events(ApiCaller.Single, ApiCaller.Event("acme", "e1", FaultStore.Start))).Outcomes);

        var still = await Checked(again.Api);
        Assert.Equal(["acme"], Strings(still, "held"));
        Assert.Empty(Strings(still, "let_go"));
        Assert.NotEqual(0, still.GetProperty("damage_found").GetInt32());
        var items = (await again.Api.Get("/v1/accounts")).Json.GetProperty("items").EnumerateArray().ToDictionary(i => i.GetProperty("id").GetString()!, i => Strings(i, "holds"));
        Assert.Contains("The account acme is held", Assert.Single(items["acme"]), StringComparison.Ordinal);
        Assert.Empty(items["other"]);

        await flip.Back();
        var done = await Checked(again.Api);

        Assert.Equal(["acme"], Strings(done, "let_go"));
        Assert.Empty(Strings(done, "held"));
        Assert.Equal(200, (await again.Api.Get("/v1/accounts/acme")).Status);
        Assert.Equal("1", (await again.Api.Get("/v1/accounts/acme/usage?meter=desk.tickets&granularity=period")).Json.GetProperty("items")[0].GetProperty("quantity").GetString());
        Assert.Equal(["duplicate"], (await again.Api.Events(ApiCaller.Single, ApiCaller.Event("acme", "e1", FaultStore.Start))).Outcomes);
        Assert.Empty((await again.Api.Get("/v1/accounts")).Json.GetProperty("items").EnumerateArray().SelectMany(i => Strings(i, "holds")));
    }

    [Theory]
    [MemberData(nameof(Stores))]
    public async Task HeldAccountWhoseRowIsDamagedToo_IsNamedAndTheListAnswers(string kind)
    {
        await using var store = await FaultStore.New(kind);
        await using (var platform = await store.Open())
            foreach (var account in new[] { "acme", "other", "third" }) await platform.Api.Open(account, "desk-basic");
        await Flip.Of(store, "acme");
        await Execute(store, "UPDATE {0}accounts SET summary = 'damaged' WHERE account = 'acme'");

        await using var again = await store.Open();
        var list = await again.Api.Get("/v1/accounts");
        var first = (await again.Api.Get("/v1/accounts?limit=2")).Json;

        Assert.Equal(200, list.Status);
        Assert.Equal(["other", "third"], Ids(list));
        Assert.Equal(["acme"], Strings(list.Json, "damaged"));
        Assert.Equal(["third"], Ids(await again.Api.Get($"/v1/accounts?limit=2&cursor={first.GetProperty("next").GetString()}")));
    }

    private static List<string> Ids(ApiAnswer answer) => [.. answer.Json.GetProperty("items").EnumerateArray().Select(i => i.GetProperty("id").GetString()!)];

    private static List<string> Strings(JsonElement json, string name) => [.. json.GetProperty(name).EnumerateArray().Select(i => i.GetString()!)];

    private static async Task<JsonElement> Checked(ApiCaller api)
    {
        var asked = await api.Post("/v1/check", "");
        Assert.Equal((202, "running"), (asked.Status, asked.Json.GetProperty("status").GetString()));
        JsonElement shown = default;
        await Eventually.True(
            async () =>
            {
                shown = (await api.Get("/v1/check")).Json;
                return shown.GetProperty("status").GetString() != "running";
            },
            "the check is through");
        Assert.Equal("done", shown.GetProperty("status").GetString());
        return shown;
    }

    private static async Task Execute(FaultStore store, string sql)
    {
        if (store.Database is { } database)
        {
            await PostgresServer.Execute(database, string.Format(null, sql, "billing."));
            return;
        }

        await using var connection = new SqliteConnection($"Data Source={Path.Combine(store.DataFolder, "journal.db")};Pooling=False");
        connection.Open();
        await using var command = connection.CreateCommand();
        command.CommandText = string.Format(null, sql, "");
        Assert.NotEqual(0, command.ExecuteNonQuery());
    }

    /// <summary>A bit of an account's first entry, changed on the disk or in the database, that can be changed back while a silo runs on it.</summary>
    private sealed record Flip(FaultStore Store, string Account, string Frame)
    {
        private const string Find = "SELECT hex(frames) FROM commits WHERE instr(frames, CAST('{0}' AS BLOB)) > 0 ORDER BY id LIMIT 1";

        public static async Task<Flip> Of(FaultStore store, string account)
        {
            var frame = "";
            if (store.Database is null)
            {
                using var journal = new SqliteConnection($"Data Source={Path.Combine(store.DataFolder, "journal.db")};Pooling=False");
                journal.Open();
                using var find = journal.CreateCommand();
                find.CommandText = string.Format(null, Find, account);
                frame = (string)find.ExecuteScalar()!;
            }

            var flip = new Flip(store, account, frame);
            await flip.Turn();
            return flip;
        }

        public Task Back() => Turn();

        private async Task Turn()
        {
            if (Store.Database is { } database)
            {
                await PostgresServer.Execute(database, $"UPDATE billing.entries SET facts = set_byte(facts, 20, get_byte(facts, 20) # 4) WHERE account = '{Account}' AND sequence = 1");
                return;
            }

            // Under the database, which has it locked: its first bytes say where the frame lies, the one that is turned lies behind them.
            var frame = Convert.FromHexString(Frame);
            var mark = frame.AsSpan(0, frame.AsSpan().IndexOf(Encoding.UTF8.GetBytes(Account)) + Account.Length).ToArray();
            var turned = 0;
            foreach (var name in new[] { "journal.db", "journal.db-wal" }.Select(f => Path.Combine(Store.DataFolder, f)).Where(File.Exists))
            {
                await using var file = new FileStream(name, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite);
                var bytes = new byte[file.Length];
                await file.ReadExactlyAsync(bytes);
                for (var at = bytes.AsSpan().IndexOf(mark); at >= 0; turned++)
                {
                    var place = at + mark.Length + 30;
                    file.Position = place;
                    file.WriteByte((byte)(bytes[place] ^ 4));
                    var next = bytes.AsSpan(place).IndexOf(mark);
                    at = next < 0 ? -1 : place + next;
                }
            }

            Assert.NotEqual(0, turned);
        }
    }
}
