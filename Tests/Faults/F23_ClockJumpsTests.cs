using System.Globalization;
using Billing.Tests.Support;

namespace Billing.Tests.Faults;

/// <summary>
/// F23 on the real process with a running clock: while it is down the machine's clock jumps an hour forth and back, over midnight, the
/// end of a month, the end of a period and the end of its grace. No period is closed twice or missed.
/// </summary>
[Trait("Suite", "Faults")]
public class F23_ClockJumpsTests
{
    // The anchor is the opening, 31 January 22:30; the next periods begin on 28 February 22:30 and 31 March 22:30.
    private static readonly string[] Times =
    [
        "2026-01-31T23:10:00Z",
        "2026-02-01T00:10:00Z", // over midnight and the end of the month
        "2026-01-31T23:10:00Z", // an hour back
        "2026-02-28T22:00:00Z",
        "2026-02-28T23:00:00Z", // over the end of the period
        "2026-02-28T22:00:00Z", // back before it
        "2026-03-03T22:00:00Z",
        "2026-03-03T23:00:00Z", // over the end of the grace
        "2026-03-03T22:00:00Z", // back before it
        "2026-04-03T23:00:00Z", // over a whole period and its grace at once
    ];

    public static TheoryData<string> Stores => FaultStore.All;

    [Theory]
    [MemberData(nameof(Stores))]
    public async Task F23_MachineClockJumpsWhileThePlatformIsDown_EachPeriodIsClosedOnce(string kind)
    {
        await using var store = await FaultStore.New(kind);
        await SetMachineClock(store, At("2026-01-31T22:30:00Z"));
        await using var silo = await store.StartSilo(clock: null);
        using var api = new ApiCaller(silo.Url, silo.Key);
        await api.Open("shop", "desk-basic");
        var account = (await api.Get("/v1/accounts/shop")).Json;
        var anchor = account.GetProperty("subscriptions")[0].GetProperty("period").GetProperty("start").GetDateTimeOffset();
        var end = At("2026-02-28T22:30:00Z").AddTicks((anchor - At("2026-01-31T22:30:00Z")).Ticks);
        Assert.InRange(anchor, At("2026-01-31T22:30:00Z"), At("2026-01-31T22:31:00Z"));
        var numbers = new List<int>();
        foreach (var (time, i) in Times.Select((time, i) => (At(time), i)))
        {
            silo.Kill();
            await SetMachineClock(store, time);
            await silo.StartAgainAsync();

            var answer = await api.Events(ApiCaller.Lines, ApiCaller.Event("shop", $"e{i}", time), ApiCaller.Event("shop", "e0", At(Times[0])));
            var outside = time - At(Times[0]) > TimeSpan.FromDays(35);
            Assert.Equal(["accepted", i == 0 || !outside ? "duplicate" : "quarantined"], answer.Outcomes);
            var shown = (await api.Get("/v1/accounts/shop/invoices")).Json.GetProperty("items").EnumerateArray().ToList();
            Assert.True(shown.Count >= numbers.Count, "An invoice went away.");
            Assert.Equal(shown.Count, shown.Select(s => s.GetProperty("period").GetProperty("start").GetDateTimeOffset()).Distinct().Count());
            numbers = [.. Enumerable.Range(1, shown.Count)];
        }

        var invoices = (await api.Get("/v1/accounts/shop/invoices")).Json.GetProperty("items").EnumerateArray().ToList();
        Assert.Equal([anchor, end, end.AddDays(31)], invoices.Select(i => i.GetProperty("period").GetProperty("start").GetDateTimeOffset()));
        Assert.Equal([1, 2, 3], invoices.Select(i => i.GetProperty("number").GetInt32()));
        Assert.Equal([anchor, end, end.AddDays(31)], invoices.Select(i => i.GetProperty("drafted_at").GetDateTimeOffset()));
        Assert.Equal([anchor, end.AddHours(72), end.AddDays(31).AddHours(72)], invoices.Select(i => i.GetProperty("finalized_at").GetDateTimeOffset()));

        // Of the first period five tickets, 2 included, 0.50 each; of the second, four.
        Assert.Equal([10_00, 11_50, 11_00], invoices.Select(i => i.GetProperty("total").GetInt32()));
    }

    // Seen from the silo, the machine's clock and what the billing clock is ahead of it are one sum.
    private static async Task SetMachineClock(FaultStore store, DateTimeOffset now)
    {
        await using var alone = await store.OpenAlone();
        var ahead = (now - TimeProvider.System.GetUtcNow()).Ticks;
        await alone.Set("billing_clock", string.Create(CultureInfo.InvariantCulture, $"ahead by {ahead}"));
    }

    private static DateTimeOffset At(string time) => DateTimeOffset.Parse(time, CultureInfo.InvariantCulture);
}
