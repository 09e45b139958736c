using Billing.Silo.Hosting;
using Billing.Tests.Support;

namespace Billing.Tests.Faults;

/// <summary>
/// F1 and F23 on the real process: it kills itself at each commit point on the way of an event, of due work and of the clock. I1, I2, I5, I7.
/// </summary>
[Trait("Suite", "Faults")]
public class F01_KillsAtCommitPointsTests
{
    private const int TimesInALongRun = 12;
    private static readonly CrashRun Month = new(Script.Month);

    // The n-th time: a group commit of an account that is opened, then of a body of events; the first and a later body, wake-up, move.
    private static readonly (string Point, int[] Times)[] Points =
    [
        (CrashPoints.BeforeIngestAppend, [1, 5]),
        (CrashPoints.BeforeWrite, [3, 8]),
        (CrashPoints.AfterWrite, [3, 9]),
        (CrashPoints.Sent, [3, 9]),
        (CrashPoints.AfterSync, [3, 7, 10]),
        (CrashPoints.BeforeAnswer, [2, 8]),
        (CrashPoints.AfterAnswer, [2]),
        (CrashPoints.BeforeDueTurn, [1, 8]),
        (CrashPoints.BeforeClockMove, [2]),
        (CrashPoints.AfterClockMove, [2, 3]),
    ];

    public static TheoryData<string, string, int> Kills
    {
        get
        {
            var kills = new TheoryData<string, string, int>();
            foreach (var store in FaultStore.Kinds)
                foreach (var (point, times) in Points.Where(p => p.Point != (store == FaultStore.Sqlite ? CrashPoints.Sent : CrashPoints.AfterWrite)))
                    foreach (var n in Times(store, times))
                        kills.Add(store, point, n);
            return kills;
        }
    }

    private static IEnumerable<int> Times(string store, int[] times) =>
        !Generated.LongRun ? times.Take(store == FaultStore.Sqlite ? times.Length : 1)
        : times.Length > 1 ? times.Concat(Enumerable.Range(1, TimesInALongRun)).Distinct()
        : times;

    [Theory]
    [MemberData(nameof(Kills))]
    public async Task F1_KilledAtACommitPoint_NothingAcknowledgedIsLostAndNothingCountsTwice(string kind, string point, int times)
    {
        await using var store = await FaultStore.New(kind);

        await Month.CrashAt(store, point, times);
    }

    [Fact]
    public async Task F1_UnknownCommitPoint_StopsTheStartAndListsTheNames()
    {
        await using var store = await FaultStore.New(FaultStore.Sqlite);

        foreach (var setting in new[] { "append.before_lunch:1", "append.after_sync", "append.after_sync:0", "append.after_sync:1:1" })
        {
            var refused = await Assert.ThrowsAsync<SiloFailedException>(() => store.StartSilo(("CRASH_AT", setting)));

            Assert.Contains($"CRASH_AT is \"{setting}\"", refused.Message, StringComparison.Ordinal);
            Assert.All(CrashPoints.Names, name => Assert.Contains(name, refused.Message, StringComparison.Ordinal));
        }
    }

    [Fact]
    public async Task F1_CrashPointsBesideAStripeKey_AreRefused()
    {
        await using var store = await FaultStore.New(FaultStore.Sqlite);

        var refused = await Assert.ThrowsAsync<SiloFailedException>(
            () => store.StartSilo(("CRASH_AT", "append.after_sync:1"), ("STRIPE_SECRET_KEY", "a key")));

        Assert.Contains("CRASH_AT and STRIPE_SECRET_KEY are both set", refused.Message, StringComparison.Ordinal);
    }
}
