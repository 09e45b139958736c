using Billing.Tests.Support;
using Microsoft.Data.Sqlite;

namespace Billing.Tests.Faults;

/// <summary>F22 on the real process: what others can do to the files of the embedded store. A clear refusal, or nothing is lost.</summary>
[Trait("Suite", "Faults")]
public class F22_SqliteFilesTests
{
    private static readonly CrashRun Month = new(Script.Month);

    [Fact]
    public async Task F22_SecondProcessOnTheFolder_IsRefusedAndTheFirstGoesOn()
    {
        await using var store = await FaultStore.New(FaultStore.Sqlite);
        await using var silo = await store.StartSilo();
        using var api = new ApiCaller(silo.Url, silo.Key);
        await api.Open("shop", "desk-basic");

        var refused = await Assert.ThrowsAsync<SiloFailedException>(() => store.StartSilo());

        Assert.Contains("ended with code 1", refused.Message, StringComparison.Ordinal);
        Assert.Contains("is in use by another process", refused.Message, StringComparison.Ordinal);
        Assert.Contains("Nothing was changed.", refused.Message, StringComparison.Ordinal);
        Assert.Equal(["accepted"], (await api.Events(ApiCaller.Single, ApiCaller.Event("shop", "e", FaultStore.Start))).Outcomes);
    }

    [Fact]
    public async Task F22_WriteAheadLogRemoved_IsRefusedUntilItIsPutBack()
    {
        await using var store = await FaultStore.New(FaultStore.Sqlite);
        using var aside = new TemporaryFolder();
        var log = Path.Combine(store.DataFolder, "journal.db-wal");
        var acknowledged = new List<ScriptEvent>();
        const int Requests = 9;
        await using (var silo = await store.StartSilo())
        {
            using var api = new ApiCaller(silo.Url, silo.Key);
            foreach (var request in Script.Month.Requests.Take(Requests))
            {
                Assert.InRange((await request.Send(api)).Status, 200, 201);
                acknowledged.AddRange(request.Events);
            }

            silo.Kill();
            File.Move(log, aside.File("journal.db-wal"));

            var refused = await Assert.ThrowsAsync<SiloFailedException>(silo.StartAgainAsync);
            Assert.Contains("Put back what is missing, such as journal.db-wal", refused.Message, StringComparison.Ordinal);
            Assert.Contains("Nothing was changed.", refused.Message, StringComparison.Ordinal);
        }

        File.Move(aside.File("journal.db-wal"), log, overwrite: true);
        await Month.GoOn(store, acknowledged, Requests);
    }

    [Fact]
    public async Task F22_BusyFile_IsRefusedAtTheStartAndTakenWhenItIsFree()
    {
        await using var store = await FaultStore.New(FaultStore.Sqlite);
        await using var silo = await store.StartSilo();
        silo.Kill();
        await using (var other = Connect(store))
        {
            Execute(other, "BEGIN IMMEDIATE");

            var refused = await Assert.ThrowsAsync<SiloFailedException>(silo.StartAgainAsync);

            Assert.Contains("is in use by another process", refused.Message, StringComparison.Ordinal);
        }

        await silo.StartAgainAsync();
    }

    [Fact]
    public async Task F22_AnotherProgramOnTheFileOfARunningSilo_IsLockedOutAndTheSiloGoesOn()
    {
        await using var store = await FaultStore.New(FaultStore.Sqlite);
        await using var silo = await store.StartSilo();
        using var api = new ApiCaller(silo.Url, silo.Key);
        await api.Open("shop", "desk-basic");
        await using (var other = Connect(store))
        {
            foreach (var sql in new[] { "SELECT count(*) FROM commits", "DELETE FROM commits", "PRAGMA wal_checkpoint(TRUNCATE)" })
            {
                var busy = Assert.Throws<SqliteException>(() => Execute(other, sql));
                Assert.Contains(busy.SqliteErrorCode, new[] { 5, 6 });
            }
        }

        Assert.Equal(["accepted"], (await api.Events(ApiCaller.Single, ApiCaller.Event("shop", "e", FaultStore.Start))).Outcomes);
        silo.Kill();
        await silo.StartAgainAsync();
        Assert.Equal(["duplicate"], (await api.Events(ApiCaller.Single, ApiCaller.Event("shop", "e", FaultStore.Start))).Outcomes);
    }

    private static SqliteConnection Connect(FaultStore store)
    {
        var connection = new SqliteConnection($"Data Source={Path.Combine(store.DataFolder, "journal.db")};Pooling=False;Default Timeout=1");
        connection.Open();
        return connection;
    }

    private static void Execute(SqliteConnection connection, string sql)
    {
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        command.ExecuteScalar();
    }
}
