using System.Diagnostics;
using System.Globalization;
using System.Text;
using Billing.Silo.Storage;
using Billing.Silo.Storage.Sqlite;
using Billing.Tests.Support;

namespace Billing.Tests.Faults;

/// <summary>F1, F8, F22 on the real process: it is killed between requests and inside large ones, and started again on the same data.</summary>
[Trait("Suite", "Faults")]
public class CrashTests
{
    private const int Accounts = 5;
    private const int Kills = 4;
    private const int LargeBody = 20_000;
    private static readonly DateTimeOffset Now = DateTimeOffset.Parse(TestPlatform.Start);

    [Fact]
    public async Task KilledBetweenAndInsideRequests_EveryAcknowledgedEventIsThereAndCountedOnce()
    {
        var seed = int.Parse(Environment.GetEnvironmentVariable("BILLING_TEST_SEED") ?? "20260102", CultureInfo.InvariantCulture);
        var random = new Random(seed);
        using var folder = new TemporaryFolder();
        await File.WriteAllTextAsync(folder.File("catalog.json"), TestCatalog.Json);
        await using var silo = await SiloProcess.StartAsync(folder.File("catalog.json"), Now);
        using var api = new ApiCaller(silo.Url, silo.Key);
        for (var a = 0; a < Accounts; a++) await api.Open($"shop-{a}", "desk-basic");
        var acknowledged = new List<string>();
        var sent = new List<string>();

        for (var kill = 0; kill < Kills; kill++)
        {
            for (var i = 0; i < 10; i++) await Acknowledged(Events($"{kill}.small.{i}", random.Next(1, 50), random));
            var large = Events($"{kill}.large", LargeBody, random);
            sent.AddRange(large);
            var answer = kill == 0 ? null : Post(large);
            var began = Stopwatch.GetTimestamp();
            var delay = TimeSpan.FromMilliseconds(random.Next(1, 250));
            while (answer is { IsCompleted: false } && Stopwatch.GetElapsedTime(began) < delay) await Task.Yield();
            silo.Kill();
            if (answer is not null && await Succeeded(answer)) acknowledged.AddRange(large);
            await silo.StartAgainAsync();

            var again = await Post(acknowledged);
            Assert.True(again.Count("duplicate") == acknowledged.Count, $"Seed {seed}, kill {kill}: of {acknowledged.Count} acknowledged events: {again.Text}");
        }

        var all = await Post(sent);

        Assert.True(all.Count("accepted") + all.Count("duplicate") == sent.Count, $"Seed {seed}: {all.Text}");
        var usage = 0;
        for (var a = 0; a < Accounts; a++)
        {
            var items = (await api.Get($"/v1/accounts/shop-{a}/usage?meter=desk.tickets")).Json.GetProperty("items");
            var counted = int.Parse(items[0].GetProperty("quantity").GetString()!, CultureInfo.InvariantCulture);
            Assert.Equal(sent.Distinct().Count(e => e.Contains($"\"shop-{a}\"", StringComparison.Ordinal)), counted);
            usage += counted;
        }

        Assert.Equal(sent.Distinct().Count(), usage);

        async Task Acknowledged(List<string> events)
        {
            sent.AddRange(events);
            Assert.Equal(200, (await Post(events)).Status);
            acknowledged.AddRange(events);
        }

        Task<ApiAnswer> Post(IEnumerable<string> events) =>
            api.Send("POST", "/v1/events?receipts=none", Encoding.UTF8.GetBytes(string.Join('\n', events)), ApiCaller.Lines);
    }

    [Fact]
    public async Task SecondProcessOnTheSameFolder_IsRefused_AlsoAfterTheFirstWasKilledAndCameBack()
    {
        using var folder = new TemporaryFolder();
        await File.WriteAllTextAsync(folder.File("catalog.json"), TestCatalog.Json);
        await using var silo = await SiloProcess.StartAsync(folder.File("catalog.json"), Now);
        await Assert.ThrowsAsync<StoreInUseException>(() => SqliteStore.Open(silo.DataFolder));

        silo.Kill();
        var store = await SqliteStore.Open(silo.DataFolder);
        var refused = await Assert.ThrowsAsync<SiloFailedException>(silo.StartAgainAsync);
        await store.DisposeAsync();

        Assert.Contains("in use by another process", refused.Message, StringComparison.Ordinal);
        silo.Kill();
        await silo.StartAgainAsync();
        using var api = new ApiCaller(silo.Url, silo.Key);
        Assert.Equal(200, (await api.Get("/readyz")).Status);
    }

    private static List<string> Events(string name, int count, Random random) =>
        [.. Enumerable.Range(0, count).Select(i => ApiCaller.Event($"shop-{random.Next(Accounts)}", $"{name}.{i}", Now))];

    private static async Task<bool> Succeeded(Task<ApiAnswer> answer)
    {
        try
        {
            return (await answer).Status == 200;
        }
        catch (HttpRequestException)
        {
            return false;
        }
    }
}
