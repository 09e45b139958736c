using Billing.Silo.Hosting;
using Billing.Silo.Storage;
using Billing.Tests.Support;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.DependencyInjection;

namespace Billing.Tests.Faults;

/// <summary>F3 on the real process: killed while ids are sealed, a snapshot is swapped, the index is written, the schema is migrated. I1, I6, I7.</summary>
[Trait("Suite", "Faults")]
public class F03_KillsInUpkeepTests
{
    private const string ToSchemaOne = """
        ALTER TABLE commits RENAME TO new_commits;
        CREATE TABLE commits (id INTEGER PRIMARY KEY, frames BLOB NOT NULL, bodies BLOB);
        INSERT INTO commits SELECT id, frames, (SELECT bytes FROM bodies WHERE commit_id = id) FROM new_commits;
        DROP TABLE new_commits;
        DROP TABLE bodies;
        DROP TABLE stripe_events;
        ALTER TABLE due DROP COLUMN crc32c;
        ALTER TABLE accounts DROP COLUMN crc32c;
        DROP TABLE feed;
        PRAGMA user_version = 1;
        """;

    private static readonly CrashRun Snapshots = new(Script.Snapshots);

    public static TheoryData<string, string, int> Kills
    {
        get
        {
            var kills = new TheoryData<string, string, int>();
            foreach (var store in FaultStore.Kinds)
            {
                kills.Add(store, CrashPoints.BeforeSnapshot, 2);
                kills.Add(store, CrashPoints.AfterSnapshot, 2);
            }

            kills.Add(FaultStore.Sqlite, CrashPoints.BeforeSnapshot, 1);
            kills.Add(FaultStore.Sqlite, CrashPoints.AfterSnapshot, 1);
            kills.Add(FaultStore.Sqlite, CrashPoints.SegmentSeal, 1);
            kills.Add(FaultStore.Sqlite, CrashPoints.SegmentSeal, 2);

            return kills;
        }
    }

    [Theory]
    [MemberData(nameof(Kills))]
    public async Task F3_KilledWhileASnapshotIsSwappedOrIdsAreSealed_NothingIsLostAndNothingCountsTwice(string kind, string point, int times)
    {
        await using var store = await FaultStore.New(kind);

        await Snapshots.CrashAt(store, point, times);
    }

    [Theory]
    [InlineData(CrashPoints.BeforeIndex)]
    [InlineData(CrashPoints.AfterIndex)]
    public async Task F3_KilledWhileTheIndexIsWritten_NothingIsLostAndNothingCountsTwice(string point)
    {
        await using var store = await FaultStore.New(FaultStore.Sqlite);

        await Snapshots.CrashAtDraining(store, point, requests: 9);
    }

    [Fact]
    public async Task F3_KilledInTheMiddleOfAMigration_TheOldSchemaIsStillThereAndTheNextStartMigratesIt()
    {
        await using var store = await FaultStore.New(FaultStore.Sqlite);
        var acknowledged = new List<ScriptEvent>();
        await using (var platform = await store.Open())
        {
            foreach (var request in Script.Snapshots.Requests.Take(9))
            {
                Assert.InRange((await request.Send(platform.Api)).Status, 200, 201);
                acknowledged.AddRange(request.Events);
            }
        }

        await store.DeleteDerived();
        Execute(store, ToSchemaOne);

        var killed = await Assert.ThrowsAsync<SiloFailedException>(() => store.StartSilo(("CRASH_AT", $"{CrashPoints.InMigration}:1")));

        Assert.Contains("ended with code 137", killed.Message, StringComparison.Ordinal);
        Assert.Equal(1L, Execute(store, "PRAGMA user_version"));
        await Snapshots.GoOn(store, acknowledged, 9);
    }

    [Fact]
    public async Task F3_KilledWhileTheTablesOfADatabaseAreMade_ItIsAsEmptyAsBeforeAndTheNextStartMakesThem()
    {
        await using var store = await FaultStore.New(FaultStore.Postgres);

        var killed = await Assert.ThrowsAsync<SiloFailedException>(() => store.StartSilo(("CRASH_AT", $"{CrashPoints.InMigration}:1")));

        Assert.Contains("ended with code 137", killed.Message, StringComparison.Ordinal);
        Assert.Equal(0L, await PostgresServer.Execute(store.Database!, "SELECT count(*) FROM pg_namespace WHERE nspname = 'billing'"));
        await Snapshots.GoOn(store, [], 0);
    }

    [Fact]
    public async Task F3_KilledInTheMiddleOfAMigrationOfADatabase_TheOldSchemaIsStillThereAndTheNextStartMigratesIt()
    {
        const string OfSchemaOne =
            """
            SELECT count(*) FROM billing.settings WHERE name = 'schema' AND value = '1'
            AND NOT EXISTS (SELECT FROM pg_attribute WHERE attrelid = 'billing.writers'::regclass AND attname = 'seen')
            """;
        await using var store = await FaultStore.New(FaultStore.Postgres);
        var acknowledged = new List<ScriptEvent>();
        await using (var platform = await store.Open())
        {
            foreach (var request in Script.Snapshots.Requests.Take(9))
            {
                Assert.InRange((await request.Send(platform.Api)).Status, 200, 201);
                acknowledged.AddRange(request.Events);
            }
        }

        await PostgresServer.Execute(store.Database!, "ALTER TABLE billing.writers DROP COLUMN seen; DROP TABLE billing.stripe_events; ALTER TABLE billing.heads DROP COLUMN due_crc32c; ALTER TABLE billing.accounts DROP COLUMN crc32c; ALTER TABLE billing.entries DROP COLUMN commit_number; DROP FUNCTION billing.commit_offset(); UPDATE billing.settings SET value = '1' WHERE name = 'schema'");

        var killed = await Assert.ThrowsAsync<SiloFailedException>(() => store.StartSilo(("CRASH_AT", $"{CrashPoints.InMigration}:1")));

        Assert.Contains("ended with code 137", killed.Message, StringComparison.Ordinal);
        Assert.Equal(1L, await PostgresServer.Execute(store.Database!, OfSchemaOne));
        await Snapshots.GoOn(store, acknowledged, 9);
        Assert.Equal(0L, await PostgresServer.Execute(store.Database!, OfSchemaOne));
    }

    [Theory]
    [InlineData(FaultStore.Sqlite, 2)]
    [InlineData(FaultStore.Postgres, 1)]
    public async Task F3_KilledBetweenTwoStepsOfExpiry_NothingElseIsGone(string kind, int times)
    {
        // The ids of the first two days are forgotten by then, those of the last day are still in the window.
        var after = FaultStore.Start.AddDays(38);
        await using var store = await FaultStore.New(kind);
        IReadOnlyList<string> shown;
        const string Young = "/v1/accounts/large/events/shop/e5.1.1";
        string young;
        await using (var platform = await store.Open())
        {
            foreach (var request in Script.Snapshots.Requests.Append(ScriptRequest.ClockTo(after)))
                Assert.InRange((await request.Send(platform.Api)).Status, 200, 201);
            shown = await Script.Snapshots.Show(platform.Api);
            young = (await platform.Api.Get(Young)).Text;
        }

        await using (var silo = await store.StartSilo(("CRASH_AT", $"{CrashPoints.BetweenExpiry}:{times}")))
        {
            Assert.Equal(137, await silo.EndedAsync());
        }

        await using var again = await store.Open();
        Assert.Equal(shown, await Script.Snapshots.Show(again.Api));
        Assert.Empty(await again.Services.GetRequiredService<IIntegrity>().Check(default));
        var old = await Script.Snapshots.Requests.First(r => r.Events.Count > 0).Send(again.Api);
        Assert.Equal(800, old.Count("quarantined"));
        var last = await Script.Snapshots.Requests.Last(r => r.Events.Count > 0).Send(again.Api);
        Assert.Equal(800, last.Count("duplicate"));
        Assert.Contains("\"body\":\"", young, StringComparison.Ordinal);
        Assert.Equal(young, (await again.Api.Get(Young)).Text);
        Assert.Equal(shown, await Script.Snapshots.Show(again.Api));
    }

    private static object? Execute(FaultStore store, string sql)
    {
        using var connection = new SqliteConnection($"Data Source={Path.Combine(store.DataFolder, "journal.db")};Pooling=False");
        connection.Open();
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        return command.ExecuteScalar();
    }
}
