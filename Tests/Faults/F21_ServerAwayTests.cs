using Billing.Tests.Support;

namespace Billing.Tests.Faults;

/// <summary>F21 on the real process: the database server is away for a while. Callers are told so, and the log says so once.</summary>
[Trait("Suite", "Faults")]
public class F21_ServerAwayTests
{
    private const int Rounds = 12;

    [Fact]
    public async Task F21_ServerAwayUnderTraffic_CallersAreToldToSendAgainAndTheLogSaysSoOnce()
    {
        await using var server = await PostgresServer.Start();
        await using var store = FaultStore.In(await server.NewDatabase());
        await using var silo = await store.StartSilo();
        using var api = new ApiCaller(silo.Url, silo.Key);
        await api.Open("known", "desk-basic");
        await api.Open("asleep", "desk-basic");
        var now = await api.Now();

        await server.Stop("immediate");
        for (var i = 0; i < Rounds; i++)
        {
            // Known events change nothing; of an account that cannot be read nothing is shown.
            var answers = new[]
            {
                await api.Events(ApiCaller.Single, ApiCaller.Event("known", $"e{i}", now)),
                await api.Events(ApiCaller.Single, ApiCaller.Event("asleep", $"e{i}", now)),
                await api.Send("POST", "/v1/accounts", ApiCaller.Account($"new-{i}", "desk-basic")),
                await api.Send("POST", "/v1/accounts", ApiCaller.Account($"keyed-{i}", "desk-basic"), idempotencyKey: $"key-{i}"),
                await api.Get("/v1/accounts"),
                await api.Get($"/v1/accounts/other-{i}"),
            };
            foreach (var answer in answers)
            {
                answer.IsProblem(503);
                Assert.Equal(TimeSpan.FromSeconds(1), answer.RetryAfter);
                Assert.Contains("The store ", answer.Text, StringComparison.Ordinal);
                Assert.Contains("send the same again", answer.Text, StringComparison.Ordinal);
                Assert.DoesNotContain("PostgreSQL", answer.Text, StringComparison.Ordinal);
            }
        }

        Assert.Equal(200, (await api.Get("/healthz")).Status);
        await server.StartAgain();
        await Eventually.True(async () => (await api.Get("/v1/accounts")).Status == 200, "the silo goes on");
        for (var i = 0; i < Rounds; i++)
        {
            Assert.Equal(200, (await api.Events(ApiCaller.Single, ApiCaller.Event("known", $"e{i}", now))).Status);
            Assert.Equal(201, (await api.Send("POST", "/v1/accounts", ApiCaller.Account($"keyed-{i}", "desk-basic"), idempotencyKey: $"key-{i}")).Status);
        }

        Assert.Equal(Rounds.ToString(), (await api.Get("/v1/accounts/known/usage?meter=desk.tickets")).Json.GetProperty("items")[0].GetProperty("quantity").GetString());
        var log = silo.Log.Split('\n');
        Assert.True(log.Count(line => line.Contains("The store cannot be used", StringComparison.Ordinal)) == 1, silo.Log);
        Assert.True(log.Count(line => line.Contains("The store can be used again", StringComparison.Ordinal)) == 1, silo.Log);
        Assert.DoesNotContain("   at ", silo.Log, StringComparison.Ordinal);
    }
}
