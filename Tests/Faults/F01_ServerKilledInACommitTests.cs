using System.Diagnostics;
using Billing.Tests.Support;
using Npgsql;

namespace Billing.Tests.Faults;

/// <summary>
/// F1 on the real process and a real server: all of a commit is appended, and nothing of it committed, when the server's process for it
/// is ended, when the server dies, and when the machine of both does. I1, I2, I5, I7.
/// </summary>
[Trait("Suite", "Faults")]
public class F01_ServerKilledInACommitTests
{
    private const int Before = 7;

    // Deferred, it runs at the commit, before anything of that is written.
    private const string HoldCommits =
        """
        CREATE FUNCTION public.hold() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_advisory_xact_lock_shared(7); RETURN NULL; END $$;
        CREATE CONSTRAINT TRIGGER hold AFTER INSERT ON billing.entries DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION public.hold();
        """;

    private const string Held = "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";

    private static readonly CrashRun Month = new(Script.Month);

    public enum Ends
    {
        /// <summary>The server ends the session in an orderly way.</summary>
        Session,

        /// <summary>SIGKILL of one process of the server, which then starts all of them again.</summary>
        Backend,

        /// <summary>The server stops at once.</summary>
        Server,

        /// <summary>Silo and server stop at once.</summary>
        Machine,
    }

    [Theory]
    [InlineData(Ends.Session)]
    [InlineData(Ends.Backend)]
    [InlineData(Ends.Server)]
    [InlineData(Ends.Machine)]
    public async Task F1_EndedAfterTheAppendAndBeforeTheSync_NothingOfItIsThereAndNothingAcknowledgedIsLost(Ends what)
    {
        await using var server = await PostgresServer.Start();
        await using var store = FaultStore.In(await server.NewDatabase());
        var acknowledged = new List<ScriptEvent>();
        await using (var silo = await store.StartSilo())
        {
            using var api = new ApiCaller(silo.Url, silo.Key);
            foreach (var request in Script.Month.Requests.Take(Before))
            {
                Assert.InRange((await request.Send(api)).Status, 200, 201);
                acknowledged.AddRange(request.Events);
            }

            await PostgresServer.Execute(store.Database!, HoldCommits);
            var next = Script.Month.Requests.Skip(Before).First(r => r.Events.Count > 0);
            Task<ApiAnswer> lost;
            await using (var holder = new NpgsqlConnection(store.Database + ";Pooling=false"))
            {
                await holder.OpenAsync();
                await using var hold = new NpgsqlCommand("SELECT pg_advisory_lock(7)", holder);
                await hold.ExecuteScalarAsync();
                lost = next.Send(api);
                await Eventually.True(async () => await PostgresServer.Execute(store.Database!, Held) is int, "the commit is held");
                var entries = await Entries(store);
                if (what == Ends.Machine) silo.Kill();
                await End(what, server, store.Database!);
                if (what is Ends.Session or Ends.Machine) Assert.Equal(entries, await Entries(store));
            }

            if (what == Ends.Machine) await Assert.ThrowsAsync<HttpRequestException>(() => lost);
            else Assert.Contains((await lost).Status, new[] { 200, 503 });
        }

        await Month.GoOn(store, acknowledged, Before);
    }

    private static async Task End(Ends what, PostgresServer server, string database)
    {
        if (what == Ends.Session)
        {
            await PostgresServer.Execute(database, $"SELECT pg_terminate_backend(pid) FROM ({Held}) held");
        }
        else if (what == Ends.Backend)
        {
            using var backend = Process.GetProcessById((int)(await PostgresServer.Execute(database, Held))!);
            backend.Kill();
            await Eventually.True(() => server.Log.Split("database system is ready to accept connections").Length > 2, "the server has started its processes again");
        }
        else
        {
            await server.Stop("immediate");
            await server.StartAgain();
        }
    }

    private static async Task<long> Entries(FaultStore store) => (long)(await PostgresServer.Execute(store.Database!, "SELECT count(*) FROM billing.entries"))!;
}
