using Billing.Tests.Support;

namespace Billing.Tests.Faults;

/// <summary>F9 on the real process: an id that comes again with another content.</summary>
[Trait("Suite", "Faults")]
public class F09_ConflictingContentTests
{
    public static TheoryData<string> Stores => FaultStore.All;

    [Theory]
    [MemberData(nameof(Stores))]
    public async Task F9_SameIdWithOtherContent_IsAConflict_AndInAnotherAccountAnotherEvent(string kind)
    {
        await using var store = await FaultStore.New(kind);
        await using var silo = await store.StartSilo();
        using var api = new ApiCaller(silo.Url, silo.Key);
        await api.Open("one", "desk-basic");
        await api.Open("two", "desk-basic");
        var first = ApiCaller.Event("one", "e", FaultStore.Start, data: """{"n":1}""");
        string[] others =
        [
            ApiCaller.Event("one", "e", FaultStore.Start, data: """{"n":2}"""),
            ApiCaller.Event("one", "e", FaultStore.Start.AddSeconds(1), data: """{"n":1}"""),
            ApiCaller.Event("one", "e", FaultStore.Start, type: "ticket.closed", data: """{"n":1}"""),
        ];
        var elsewhere = ApiCaller.Event("two", "e", FaultStore.Start, data: """{"n":2}""");
        var respelled = ApiCaller.Event("one", "e", FaultStore.Start, data: """{ "n" : 1.0 }""");

        var answer = await api.Events(ApiCaller.Lines, [first, .. others, elsewhere, respelled]);

        Assert.Equal(["accepted", "conflict", "conflict", "conflict", "accepted", "duplicate"], answer.Outcomes);
        silo.Kill();
        await silo.StartAgainAsync();
        Assert.Equal(["duplicate", "conflict", "conflict", "conflict", "duplicate", "duplicate"], (await api.Events(ApiCaller.Lines, [first, .. others, elsewhere, respelled])).Outcomes);
        Assert.Equal(1, await F08_DuplicatesTests.Counted(api, "one"));
        Assert.Equal(1, await F08_DuplicatesTests.Counted(api, "two"));
    }
}
