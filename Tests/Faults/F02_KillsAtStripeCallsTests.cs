using System.Diagnostics;
using Billing.Silo.Hosting;
using Billing.Tests.Support;
using Xunit.Abstractions;

namespace Billing.Tests.Faults;

/// <summary>
/// F2 on the real process: it dies between the intent, the call to Stripe, its answer and the entry that says so, at chosen calls and at random. The
/// sandbox lives in the process and dies with it; its file survives. I3, I4, I8. A seed printed by a failed run is given back by the environment
/// variable <c>BILLING_TEST_SEED</c>.
/// </summary>
[Trait("Suite", "Faults")]
public class F02_KillsAtStripeCallsTests(ITestOutputHelper output)
{
    private const int KilledCode = 137;
    private const int CallsInALongRun = 24;
    private const int KillDelayMaxMilliseconds = 120;
    private static readonly int RandomKills = Generated.LongRun ? 200 : 5;

    public static TheoryData<string> Stores => FaultStore.All;

    // The calls of the first invoice: customer, payment method, default, draft (4), lines (5), read, finalise (7), pay (8).
    public static TheoryData<string, string, int> Kills
    {
        get
        {
            var kills = new TheoryData<string, string, int>();
            foreach (var point in new[] { CrashPoints.BeforeStripeCall, CrashPoints.AfterStripeCall })
                foreach (var store in FaultStore.Kinds)
                    foreach (var call in Generated.LongRun ? Enumerable.Range(1, CallsInALongRun) : store == FaultStore.Sqlite ? [1, 4, 5, 7, 8] : [8])
                        kills.Add(store, point, call);
            return kills;
        }
    }

    [Theory]
    [MemberData(nameof(Kills))]
    public async Task F2_KilledBesideACallToStripe_ChargesEachInvoiceOnce(string kind, string point, int call)
    {
        await using var store = await FaultStore.New(kind);
        await using var silo = await store.StartSilo(("CRASH_AT", $"{point}:{call}"));
        using var api = new ApiCaller(silo.Url, silo.Key);
        var died = 0;

        await Send(ScriptRequest.Open("shop"));
        await Send(ScriptRequest.Of(Tickets("shop", 7, FaultStore.Start)));
        foreach (var day in new[] { 2, 34, 40, 42 }) await Send(ScriptRequest.ClockTo(FaultStore.Start.AddDays(day)));

        Assert.Equal(1, died);
        await ChargedOnce.Check(api, ["shop"], 2);

        async Task Send(ScriptRequest request)
        {
            while (true)
            {
                try
                {
                    await request.SendUntilTaken(api);
                    return;
                }
                catch (HttpRequestException)
                {
                    Assert.Equal(KilledCode, await silo.EndedAsync());
                    died++;
                    silo.Set("CRASH_AT", null);
                    await silo.StartAgainAsync();
                }
            }
        }
    }

    // Goal: whatever moment the process dies at, while Stripe's answers get lost, Stripe has charged what was invoiced, to the cent.
    // Method: each day an account opens, older ones have periods that end, and the silo is killed while the clock goes through the day.
    [Theory]
    [MemberData(nameof(Stores))]
    public async Task F2_KilledAtRandomWhileAnswersGetLost_ChargesEachInvoiceOnce(string kind)
    {
        var seed = int.TryParse(Environment.GetEnvironmentVariable("BILLING_TEST_SEED"), out var given) ? given : Random.Shared.Next();
        output.WriteLine($"seed {seed}");
        var random = new Random(seed);
        await using var store = await FaultStore.New(kind);
        await using var silo = await store.StartSilo();
        using var api = new ApiCaller(silo.Url, silo.Key);
        await SetFaults(api, 0.2, random.Next(), "response_lost");

        var accounts = new List<string>();
        var underWay = 0;
        for (var day = 1; day <= RandomKills; day++)
        {
            accounts.Add($"shop-{day}");
            await ScriptRequest.Open(accounts[^1]).SendUntilTaken(api);
            await ScriptRequest.Of(Tickets(accounts[^1], random.Next(12), FaultStore.Start.AddDays(day - 1))).SendUntilTaken(api);
            var move = ScriptRequest.ClockTo(FaultStore.Start.AddDays(day));
            if (await Killed(silo, move.Send(api), TimeSpan.FromMilliseconds(random.Next(KillDelayMaxMilliseconds)))) underWay++;
            await silo.StartAgainAsync();
            await move.SendUntilTaken(api);
        }

        await SetFaults(api, 0, 0);
        var end = FaultStore.Start.AddDays(RandomKills + 50);
        foreach (var days in new[] { 0, 2, 4 }) await ScriptRequest.ClockTo(end.AddDays(days)).SendUntilTaken(api);
        output.WriteLine($"{RandomKills} kills, {underWay} of them while the clock was moving");

        var opened = accounts.Select((_, i) => FaultStore.Start.AddDays(i));
        await ChargedOnce.Check(api, accounts, opened.Sum(o => 1 + Enumerable.Range(1, 24).Count(m => o.AddMonths(m).AddHours(72) <= end.AddDays(4))));
    }

    // Whether the request was not answered when the kill came.
    private static async Task<bool> Killed(SiloProcess silo, Task<ApiAnswer> request, TimeSpan delay)
    {
        var began = Stopwatch.GetTimestamp();
        while (!request.IsCompleted && Stopwatch.GetElapsedTime(began) < delay) await Task.Yield();
        silo.Kill();
        try
        {
            await request;
            return false;
        }
        catch (HttpRequestException)
        {
            return true;
        }
    }

    private static List<ScriptEvent> Tickets(string account, int count, DateTimeOffset time) =>
        [.. Enumerable.Range(0, count + 1).Select(i => new ScriptEvent(account, $"e{i}", time))];

    private static async Task SetFaults(ApiCaller api, double probability, int seed, params string[] kinds)
    {
        var body = System.Text.Json.JsonSerializer.Serialize(new { kinds, probability, seed });
        var answer = await api.Post("/v1/sandbox/faults", body);
        Assert.True(answer.Status == 200, answer.Text);
    }
}
