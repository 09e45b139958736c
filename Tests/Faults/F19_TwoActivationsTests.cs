using Billing.Tests.Support;

namespace Billing.Tests.Faults;

/// <summary>
/// F19 on real processes and a real server: two silos that know nothing of each other share one store, so every account has two
/// activations. I1, I3, I6.
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
                var answers = await Task.WhenAll(parts[0].SendUntilTaken(toLeft), parts[1].SendUntilTaken(toRight));
                if (request.Events.Count == 0) continue;
                acknowledged.AddRange(request.Events);
                Assert.True(
                    answers.Sum(a => a.Count("accepted") + a.Count("duplicate")) == parts.Sum(p => p.Events.Count), $"{answers[0].Text} {answers[1].Text}");
            }
        }

        await Month.GoOn(store, acknowledged, Script.Month.Requests.Count);
    }
}
