using Billing.Tests.Support;

namespace Billing.Tests.Faults;

/// <summary>F8 on the real process: events that come again, at once, across a restart and up to the end of the window.</summary>
[Trait("Suite", "Faults")]
public class F08_DuplicatesTests
{
    private static readonly TimeSpan Window = TimeSpan.FromDays(35);

    public static TheoryData<string> Stores => FaultStore.All;

    [Theory]
    [MemberData(nameof(Stores))]
    public async Task F8_DuplicatesInOneBatchInterleavedAndAcrossAKill_CountOnce(string kind)
    {
        await using var store = await FaultStore.New(kind);
        await using var silo = await store.StartSilo();
        using var api = new ApiCaller(silo.Url, silo.Key);
        await api.Open("one", "desk-basic");
        await api.Open("two", "desk-basic");
        string[] a = [.. Enumerable.Range(0, 4).Select(i => ApiCaller.Event("one", $"e{i}", FaultStore.Start))];
        string[] b = [.. Enumerable.Range(0, 4).Select(i => ApiCaller.Event("two", $"e{i}", FaultStore.Start))];

        Assert.Equal(["accepted", "duplicate", "duplicate", "accepted"], (await api.Events(ApiCaller.Batch, a[0], a[0], a[0], a[1])).Outcomes);
        Assert.Equal(
            ["accepted", "duplicate", "accepted", "accepted", "duplicate", "duplicate", "duplicate"],
            (await api.Events(ApiCaller.Lines, b[0], a[0], b[1], a[2], b[0], a[2], b[1])).Outcomes);

        // The same new events by many senders at once: each is accepted by exactly one.
        var answers = await Task.WhenAll(Enumerable.Range(0, 16).Select(_ => api.Events(ApiCaller.Lines, a[3], b[2])));
        Assert.Equal(2, answers.Sum(answer => answer.Count("accepted")));
        Assert.Equal(30, answers.Sum(answer => answer.Count("duplicate")));

        silo.Kill();
        await silo.StartAgainAsync();
        Assert.Equal(
            ["duplicate", "duplicate", "duplicate", "duplicate", "duplicate", "duplicate", "duplicate", "accepted"],
            (await api.Events(ApiCaller.Lines, [.. a, .. b])).Outcomes);
        Assert.Equal(4, await Counted(api, "one"));
        Assert.Equal(4, await Counted(api, "two"));
    }

    [Theory]
    [MemberData(nameof(Stores))]
    public async Task F8_DuplicateAtTheEndsOfTheWindow_IsKnownWithinAndQuarantinedBeyond(string kind)
    {
        await using var store = await FaultStore.New(kind);
        await using var silo = await store.StartSilo();
        using var api = new ApiCaller(silo.Url, silo.Key);
        await api.Open("one", "desk-basic");
        var ticket = ApiCaller.Event("one", "e", FaultStore.Start);
        Assert.Equal(["accepted"], await Sent());

        await MoveTo(Window - TimeSpan.FromHours(1));
        Assert.Equal(["duplicate"], await Sent());
        silo.Kill();
        await silo.StartAgainAsync();
        Assert.Equal(["duplicate"], await Sent());

        await MoveTo(Window);
        Assert.Equal(["duplicate"], await Sent());

        await MoveTo(Window + TimeSpan.FromSeconds(1));
        Assert.Equal(["quarantined"], await Sent());
        silo.Kill();
        await silo.StartAgainAsync();
        Assert.Equal(["quarantined"], await Sent());
        Assert.Equal(1, await Counted(api, "one"));

        async Task<string[]> Sent() => (await api.Events(ApiCaller.Lines, ticket)).Outcomes;

        async Task MoveTo(TimeSpan after) => Assert.Equal(200, (await ScriptRequest.ClockTo(FaultStore.Start + after).Send(api)).Status);
    }

    /// <summary>The tickets that an account counts.</summary>
    internal static async Task<int> Counted(ApiCaller api, string account)
    {
        var items = (await api.Get($"/v1/accounts/{account}/usage?meter=desk.tickets&granularity=period")).Json.GetProperty("items");
        return items.EnumerateArray().Sum(i => int.Parse(i.GetProperty("quantity").GetString()!));
    }
}
