using System.Text;
using Billing.Silo.Storage;
using Billing.Tests.Support;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.DependencyInjection;

namespace Billing.Tests.Faults;

/// <summary>F5 on the real process: a bit of an old file is flipped. It is found, its account is held, the others go on; never a silent undercount.</summary>
[Trait("Suite", "Faults")]
public class F05_FlippedByteTests
{
    private static readonly CrashRun Month = new(Script.Month);
    private static readonly CrashRun Snapshots = new(Script.Snapshots);

    [Fact]
    public async Task F5_BitOfAnOldCommitFlipped_HoldsItsAccountAndTheOthersGoOn()
    {
        const string Damaged = "shop-2";
        const int LongId = 5; // e5.10 and above: no other id begins like one of these
        await using var store = await FaultStore.New(FaultStore.Sqlite);
        var script = Script.Month;
        var first = script.Requests.First(r => r.Events.Count > 0);
        var half = script.Requests.Count / 2;
        await using (var platform = await store.Open())
            foreach (var request in script.Requests.Take(half)) Assert.InRange((await request.Send(platform.Api)).Status, 200, 201);
        FlipBitOfEntry(store, first.Events.First(e => e.Account == Damaged && e.Id.Length == LongId).Id);

        await using var silo = await store.StartSilo();
        using var api = new ApiCaller(silo.Url, silo.Key);

        IsHeld(await api.Get($"/v1/accounts/{Damaged}"));
        IsHeld(await api.Get($"/v1/accounts/{Damaged}/usage?meter=desk.tickets"));
        IsHeld(await api.Get($"/v1/accounts/{Damaged}/events/shop/{first.Events[0].Id}"));
        var waits = await api.Events(ApiCaller.Single, new ScriptEvent(Damaged, "new", FaultStore.Start.AddDays(14)).Json);
        Assert.Equal((200, 1, "account_held"), (waits.Status, waits.Count("quarantined"), waits.Json.GetProperty("receipts")[0].GetProperty("reason").GetString()));
        foreach (var request in script.Requests.Skip(half))
        {
            var healthy = request.Events.Where(e => e.Account != Damaged).ToList();
            var answer = await (request.Events.Count > 0 ? ScriptRequest.Of(healthy) : request).Send(api);
            Assert.True(answer.Status == 200, answer.Text);
        }

        var undisturbed = await Month.Undisturbed();
        var others = script.Accounts.Where(a => a != Damaged).ToList();
        var shown = await new Script(others, []).Show(api);
        Assert.Equal(undisturbed.Where((_, i) => script.Accounts[i] != Damaged), shown);
        IsHeld(await api.Get($"/v1/accounts/{Damaged}/invoices"));
    }

    // The snapshot holds what the damaged entry did, so only the comparison with the check sums can find it.
    [Fact]
    public async Task F5_BitOfACommitBehindASnapshotFlipped_IsFoundByTheCheckAndHoldsTheAccount()
    {
        await using var store = await FaultStore.New(FaultStore.Sqlite);
        await RunSnapshots(store);

        // No other id begins like this one.
        FlipBitOfEntry(store, "e0.0.799");

        await using var platform = await store.Open();
        var found = await platform.Services.GetRequiredService<IIntegrity>().Check(default);

        var damage = Assert.Single(found);
        Assert.True(damage.Contains("account large", StringComparison.Ordinal), damage);
        IsHeld(await platform.Api.Get("/v1/accounts/large"));
        Assert.Equal(200, (await platform.Api.Get("/v1/accounts/small")).Status);
    }

    [Theory]
    [InlineData("segments", "ids")]
    [InlineData("snapshots", "state")]
    [InlineData("blocks", "positions")]
    public async Task F5_BitOfTheIndexFlipped_IsFoundAndNothingIsLost(string table, string column)
    {
        await using var store = await FaultStore.New(FaultStore.Sqlite);
        await RunSnapshots(store);
        using (var index = new SqliteConnection($"Data Source={Path.Combine(store.DataFolder, "index.db")};Pooling=False"))
        {
            index.Open();
            FlipInTheMiddle(index, table, column);
        }

        if (table == "blocks")
        {
            await using var silo = await store.StartSilo();
            Assert.Contains("index.db.damaged-1", silo.Log, StringComparison.Ordinal);
        }

        await using var platform = await store.Open();
        Assert.Equal(await Snapshots.Undisturbed(), await Script.Snapshots.Show(platform.Api));
        await CrashRun.AreThere(platform.Api, [.. Script.Snapshots.Requests.SelectMany(r => r.Events)]);
    }

    [Fact]
    public async Task F5_BitOfABodyFlipped_IsAProblemOfThatEventAlone()
    {
        await using var store = await FaultStore.New(FaultStore.Sqlite);
        var sent = new ScriptEvent("shop", "e", FaultStore.Start);
        await using (var platform = await store.Open())
        {
            await platform.Api.Open("shop", "desk-basic");
            Assert.Equal(["accepted"], (await platform.Api.Events(ApiCaller.Single, sent.Json)).Outcomes);
            Assert.Equal(200, (await platform.Api.Get("/v1/accounts/shop/events/shop/e")).Status);
        }

        using (var journal = new SqliteConnection($"Data Source={Path.Combine(store.DataFolder, "journal.db")};Pooling=False"))
        {
            journal.Open();
            using var flip = journal.CreateCommand();
            flip.CommandText = "UPDATE bodies SET bytes = CAST(substr(bytes, 1, length(bytes) - 1) || x'5a' AS BLOB)";
            Assert.Equal(1, flip.ExecuteNonQuery());
        }

        await using var again = await store.Open();
        var problem = await again.Api.Get("/v1/accounts/shop/events/shop/e");
        problem.IsProblem(503);
        Assert.Equal("urn:orleans-billing:problem:damaged", problem.Json.GetProperty("type").GetString());
        Assert.Contains("What was counted is not touched", problem.Json.GetProperty("detail").GetString()!, StringComparison.Ordinal);
        Assert.Equal("1", (await again.Api.Get("/v1/accounts/shop/usage?meter=desk.tickets&granularity=period")).Json.GetProperty("items")[0].GetProperty("quantity").GetString());
        Assert.Equal(["duplicate"], (await again.Api.Events(ApiCaller.Single, sent.Json)).Outcomes);
    }

    private static void FlipInTheMiddle(SqliteConnection index, string table, string column)
    {
        using var select = index.CreateCommand();
        select.CommandText = $"SELECT rowid, {column} FROM {table} WHERE account = 'large'";
        var rows = new List<(long Row, byte[] Bytes)>();
        using (var reader = select.ExecuteReader())
            while (reader.Read()) rows.Add((reader.GetInt64(0), reader.GetFieldValue<byte[]>(1)));
        Assert.NotEmpty(rows);
        foreach (var (row, bytes) in rows)
        {
            bytes[bytes.Length / 2] ^= 4;
            using var update = index.CreateCommand();
            update.CommandText = $"UPDATE {table} SET {column} = $bytes WHERE rowid = $row";
            update.Parameters.AddWithValue("$bytes", bytes);
            update.Parameters.AddWithValue("$row", row);
            update.ExecuteNonQuery();
        }
    }

    private static async Task RunSnapshots(FaultStore store)
    {
        await using var platform = await store.Open();
        foreach (var request in Script.Snapshots.Requests) Assert.InRange((await request.Send(platform.Api)).Status, 200, 201);
    }

    private static void IsHeld(ApiAnswer answer)
    {
        answer.IsProblem(503);
        Assert.Equal("urn:orleans-billing:problem:held", answer.Json.GetProperty("type").GetString());
        Assert.Equal(TimeSpan.FromHours(1), answer.RetryAfter);
        Assert.Contains("journal.db, commit ", answer.Json.GetProperty("detail").GetString()!, StringComparison.Ordinal);
    }

    // Bytes of the file itself, under the database and its pages: where an entry that was read through it lies.
    private static void FlipBitOfEntry(FaultStore store, string eventId)
    {
        var file = Path.Combine(store.DataFolder, "journal.db");
        var around = BytesAround(file, Encoding.UTF8.GetBytes(eventId));
        var bytes = File.ReadAllBytes(file);
        var at = bytes.AsSpan().IndexOf(around);
        Assert.True(at >= 0, $"The entry of event {eventId} does not lie in {file} in one piece.");

        // A page that was given up may still hold the same bytes: one of the places is the one that is read.
        for (var next = 0; next >= 0; next = bytes.AsSpan(at).IndexOf(around))
        {
            at += next;
            bytes[at + (around.Length / 2)] ^= 4;
        }

        File.WriteAllBytes(file, bytes);
    }

    private static byte[] BytesAround(string file, byte[] text)
    {
        const int Bytes = 20;
        using var connection = new SqliteConnection($"Data Source={file};Pooling=False");
        connection.Open();
        using var command = connection.CreateCommand();
        command.CommandText = "SELECT frames FROM commits ORDER BY id";
        using var reader = command.ExecuteReader();
        while (reader.Read())
        {
            var frames = reader.GetFieldValue<byte[]>(0);
            if (frames.AsSpan().IndexOf(text) is >= Bytes and var at) return frames[(at - Bytes)..(at + Bytes)];
        }

        throw new InvalidOperationException("No commit holds the event.");
    }
}
