using Billing.Tests.Support;

namespace Billing.Tests.Faults;

/// <summary>
/// F19, F20 and F21 on real processes and a real server: two silos that know nothing of each other share one store, so every account has two
/// activations; one is frozen between its read and its write; the database server dies and comes back. I1, I3, I6.
/// </summary>
[Trait("Suite", "Faults")]
public class F19_TwoActivationsTests
{
    private static readonly CrashRun Month = new(Script.Month);

    /// <summary>The stores that silos can share.</summary>
    public static TheoryData<string> Stores => [FaultStore.Postgres];

    [Theory]
    [MemberData(nameof(Stores))]
    public async Task F19_TwoSilosIngestAndCloseThePeriodAtOnce_EachEventCountsOnceAndEachInvoiceIsMadeOnce(string kind)
    {
        await using var store = await FaultStore.New(kind);
        var acknowledged = new List<ScriptEvent>();
        await using (var left = await store.StartSilo(("BILLING_DATABASE_SHARED", "true")))
        await using (var right = await store.StartSilo(("BILLING_DATABASE_SHARED", "true")))
        {
            using var toLeft = new ApiCaller(left.Url, left.Key);
            using var toRight = new ApiCaller(right.Url, right.Key);
            foreach (var request in Script.Month.Requests)
            {
                // Each takes a part that the other never sees, and a part that both get at once.
                var parts = request.Events.Count == 0 ? [request, request]
                    : new[] { 0, 1 }.Select(side => ScriptRequest.Of([.. request.Events.Where((_, i) => i % 4 == 3 || i % 2 == side)])).ToArray();
                var answers = await Task.WhenAll(UntilTaken(toLeft, parts[0]), UntilTaken(toRight, parts[1]));
                if (request.Events.Count == 0) continue;
                acknowledged.AddRange(request.Events);
                Assert.True(
                    answers.Sum(a => a.Count("accepted") + a.Count("duplicate")) == parts.Sum(p => p.Events.Count), $"{answers[0].Text} {answers[1].Text}");
            }
        }

        await Month.GoOn(store, acknowledged, Script.Month.Requests.Count);
    }

    [Theory]
    [MemberData(nameof(Stores))]
    public async Task F20_OneActivationFrozenWhileTheOtherClosesThePeriod_StepsDownAndNothingCountsTwice(string kind)
    {
        const int Before = 9;
        await using var store = await FaultStore.New(kind);
        var acknowledged = new List<ScriptEvent>();
        await using (var quick = await store.StartSilo(("BILLING_DATABASE_SHARED", "true")))
        await using (var frozen = await store.StartSilo(("BILLING_DATABASE_SHARED", "true")))
        {
            using var toQuick = new ApiCaller(quick.Url, quick.Key);
            using var toFrozen = new ApiCaller(frozen.Url, frozen.Key);
            foreach (var request in Script.Month.Requests.Take(Before)) await UntilTaken(toFrozen, request);

            // A silo sees where another moved the standing clock some time later; events ahead of its clock would be quarantined.
            await Eventually.True(async () => await toQuick.Now() == await toFrozen.Now(), "both silos stand at the same billing time");

            // It has read its accounts; what it is asked now it decides on a state that the other leaves behind meanwhile.
            await frozen.FreezeAsync();
            var rest = Script.Month.Requests.Skip(Before).ToList();
            var asked = rest.Where(r => r.Events.Count > 0).Take(3).Select(r => r.Send(toFrozen)).ToList();
            foreach (var request in rest)
            {
                await UntilTaken(toQuick, request);
                acknowledged.AddRange(request.Events);
            }

            Assert.DoesNotContain(asked, answer => answer.IsCompleted);
            await frozen.ThawAsync();

            // All of it was counted by the other; the answers of a stale state are not given.
            foreach (var answer in await Task.WhenAll(asked)) Assert.True(answer.Status == 503 || answer.Count("duplicate") == 20, answer.Text);
            foreach (var request in rest.Where(r => r.Events.Count > 0)) Assert.Equal(request.Events.Count, (await UntilTaken(toFrozen, request)).Count("duplicate"));
        }

        await Month.GoOn(store, acknowledged, Script.Month.Requests.Count);
    }

    [Fact]
    public async Task F21_ServerStopsAtOnceUnderTraffic_TheSiloGoesOnWhenItIsBack()
    {
        await using var server = await PostgresServer.Start();
        await using var store = FaultStore.In(await server.NewDatabase());
        var acknowledged = new List<ScriptEvent>();
        await using (var silo = await store.StartSilo())
        {
            using var api = new ApiCaller(silo.Url, silo.Key);
            foreach (var (request, i) in Script.Month.Requests.Select((request, i) => (request, i)))
            {
                if (i % 5 == 4)
                {
                    var lost = request.Send(api);
                    await server.Stop("immediate");
                    Assert.Contains((await lost).Status, new[] { 200, 201, 503 });
                    await server.StartAgain();
                }

                await UntilTaken(api, request);
                acknowledged.AddRange(request.Events);
            }
        }

        await Month.GoOn(store, acknowledged, Script.Month.Requests.Count);
    }

    // 503 asks for the same again: an activation that lost its account is read anew.
    private static async Task<ApiAnswer> UntilTaken(ApiCaller api, ScriptRequest request)
    {
        ApiAnswer? answer = null;
        await Eventually.True(async () => (answer = await request.Send(api)).Status != 503, $"{request.Path} is taken");
        Assert.True(answer!.Status is 200 or 201 or 409, answer.Text);
        return answer;
    }
}
