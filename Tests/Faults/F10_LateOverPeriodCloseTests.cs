using System.Text.Json;
using Billing.Tests.Support;

namespace Billing.Tests.Faults;

/// <summary>F10 on the real process: events reordered and late over the close of a period, with a kill at each step.</summary>
[Trait("Suite", "Faults")]
public class F10_LateOverPeriodCloseTests
{
    private static readonly DateTimeOffset PeriodEnd = FaultStore.Start.AddMonths(1);
    private static readonly DateTimeOffset GraceEnd = PeriodEnd.AddHours(72);

    public static TheoryData<string> Stores => FaultStore.All;

    [Theory]
    [MemberData(nameof(Stores))]
    public async Task F10_LateEvents_ChangeTheDraftWithinTheGrace_AndComeAsAnAdjustmentAfterIt(string kind)
    {
        await using var store = await FaultStore.New(kind);
        await using var silo = await store.StartSilo();
        using var api = new ApiCaller(silo.Url, silo.Key);
        await api.Open("shop", "desk-basic");
        await Send(0, 5, FaultStore.Start);

        // 2 are included, each more is 0.50: 3 over.
        await MoveTo(PeriodEnd);
        Assert.Equal([(10_00, "base"), (1_50, "usage")], Lines(Invoice(await Invoices(), 2)));
        await Send(5, 7, PeriodEnd.AddTicks(-TimeSpan.TicksPerSecond));
        await KillAndStart();
        Assert.Equal([(10_00, "base"), (2_50, "usage")], Lines(Invoice(await Invoices(), 2)));

        await MoveTo(GraceEnd.AddSeconds(-1));
        await Send(7, 8, FaultStore.Start.AddDays(3));
        await MoveTo(GraceEnd);
        var final = Invoice(await Invoices(), 2);
        Assert.Equal([(10_00, "base"), (3_00, "usage")], Lines(final));
        Assert.Equal(GraceEnd, final.GetProperty("finalized_at").GetDateTimeOffset());

        // Late, and one of the new period before them; the finalised invoice stays as it is, byte for byte.
        await Send(8, 9, PeriodEnd.AddHours(1));
        await Send(9, 12, FaultStore.Start.AddDays(4));
        await KillAndStart();
        Assert.Equal(final.GetRawText(), Invoice(await Invoices(), 2).GetRawText());

        await MoveTo(FaultStore.Start.AddMonths(2).AddHours(72));
        await KillAndStart();
        var invoices = await Invoices();
        Assert.Equal(final.GetRawText(), Invoice(invoices, 2).GetRawText());
        var next = Invoice(invoices, 3);
        Assert.Equal([(10_00, "base"), (0, "usage"), (1_50, "adjustment")], Lines(next));
        var adjustment = next.GetProperty("lines").EnumerateArray().Single(l => l.GetProperty("kind").GetString() == "adjustment");
        Assert.Equal(FaultStore.Start, adjustment.GetProperty("period").GetProperty("start").GetDateTimeOffset());
        Assert.Equal(3, invoices.Count);

        async Task Send(int from, int to, DateTimeOffset time)
        {
            var answer = await ScriptRequest.Of([.. Enumerable.Range(from, to - from).Select(i => new ScriptEvent("shop", $"e{i}", time))]).Send(api);
            Assert.True(answer.Status == 200 && answer.Count("accepted") == to - from, answer.Text);
        }

        async Task MoveTo(DateTimeOffset instant) => Assert.Equal(200, (await ScriptRequest.ClockTo(instant).Send(api)).Status);

        async Task KillAndStart()
        {
            silo.Kill();
            await silo.StartAgainAsync();
        }

        async Task<IReadOnlyList<JsonElement>> Invoices() =>
            [.. (await api.Get("/v1/accounts/shop/invoices")).Json.GetProperty("items").EnumerateArray()];
    }

    // The same events before each finalising: the same invoices, in whatever order they came.
    [Theory]
    [MemberData(nameof(Stores))]
    public async Task F10_EventsReorderedOverThePeriodClose_GiveTheSameInvoices(string kind)
    {
        var random = new Random(10);
        await using var store = await FaultStore.New(kind);
        await using var silo = await store.StartSilo();
        using var api = new ApiCaller(silo.Url, silo.Key);
        string[] accounts = ["straight", "reordered"];
        foreach (var account in accounts) await api.Open(account, "desk-basic");
        var times = Enumerable.Range(0, 60).Select(i => FaultStore.Start.AddHours(i * 12.5)).ToArray();
        var shuffled = Enumerable.Range(0, times.Length).ToArray();
        random.Shuffle(shuffled);

        await ScriptRequest.ClockTo(FaultStore.Start.AddDays(20)).Send(api);
        await Send("straight", Enumerable.Range(0, times.Length).Where(i => times[i] <= FaultStore.Start.AddDays(20)));
        await ScriptRequest.ClockTo(PeriodEnd.AddHours(20)).Send(api);
        await Send("straight", Enumerable.Range(0, times.Length).Where(i => times[i] > FaultStore.Start.AddDays(20)));
        foreach (var some in shuffled.Chunk(7)) await Send("reordered", some);
        await ScriptRequest.ClockTo(GraceEnd.AddDays(1)).Send(api);

        var shown = new List<string>();
        foreach (var account in accounts) shown.Add((await api.Get($"/v1/accounts/{account}/invoices")).Text);
        Assert.Equal(shown[0], shown[1]);
        Assert.Contains("\"usage\"", shown[0], StringComparison.Ordinal);

        async Task Send(string account, IEnumerable<int> numbers)
        {
            var events = numbers.Select(i => new ScriptEvent(account, $"e{i}", times[i])).ToList();
            var answer = await ScriptRequest.Of(events).Send(api);
            Assert.True(answer.Status == 200 && answer.Count("accepted") == events.Count, answer.Text);
        }
    }

    // The open draft has no number: it is the last.
    private static JsonElement Invoice(IReadOnlyList<JsonElement> invoices, int number) => invoices[number - 1];

    private static List<(int Amount, string Kind)> Lines(JsonElement invoice) =>
        [.. invoice.GetProperty("lines").EnumerateArray().Select(l => (l.GetProperty("amount").GetInt32(), l.GetProperty("kind").GetString()!))];
}
