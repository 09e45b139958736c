using Billing.Tests.Support;

namespace Billing.Tests.Faults;

/// <summary>F20 on real processes and a real server: an activation is frozen between its read and its write, while another one goes on. I1, I3.</summary>
[Trait("Suite", "Faults")]
public class F20_FrozenActivationTests
{
    private static readonly CrashRun Month = new(Script.Month);

    public static TheoryData<string> Stores => F19_TwoActivationsTests.Stores;

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
            foreach (var request in Script.Month.Requests.Take(Before)) await request.SendUntilTaken(toFrozen);

            // A silo sees where another moved the standing clock some time later; events ahead of its clock would be quarantined.
            await Eventually.True(async () => await toQuick.Now() == await toFrozen.Now(), "both silos stand at the same billing time");

            // It has read its accounts; what it is asked now it decides on a state that the other leaves behind meanwhile.
            await frozen.FreezeAsync();
            var rest = Script.Month.Requests.Skip(Before).ToList();
            var asked = rest.Where(r => r.Events.Count > 0).Take(3).Select(r => r.Send(toFrozen)).ToList();
            foreach (var request in rest)
            {
                await request.SendUntilTaken(toQuick);
                acknowledged.AddRange(request.Events);
            }

            Assert.DoesNotContain(asked, answer => answer.IsCompleted);
            await frozen.ThawAsync();

            // All of it was counted by the other; the answers of a stale state are not given.
            foreach (var answer in await Task.WhenAll(asked)) Assert.True(answer.Status == 503 || answer.Count("duplicate") == 20, answer.Text);
            foreach (var request in rest.Where(r => r.Events.Count > 0)) Assert.Equal(request.Events.Count, (await request.SendUntilTaken(toFrozen)).Count("duplicate"));
        }

        await Month.GoOn(store, acknowledged, Script.Month.Requests.Count);
    }
}
