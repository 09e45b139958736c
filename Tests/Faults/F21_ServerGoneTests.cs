using Billing.Tests.Support;

namespace Billing.Tests.Faults;

/// <summary>F21 on the real process and a real server: the database server dies under traffic and comes back. <c>Storage/PostgresServerFaultTests</c> tries the store alone. I1, I6.</summary>
[Trait("Suite", "Faults")]
public class F21_ServerGoneTests
{
    private static readonly CrashRun Month = new(Script.Month);

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

                await request.SendUntilTaken(api);
                acknowledged.AddRange(request.Events);
            }
        }

        await Month.GoOn(store, acknowledged, Script.Month.Requests.Count);
    }
}
