using Billing.Journal;
using Billing.Silo.Storage;
using Billing.Silo.Storage.Postgres;
using Billing.Tests.Support;
using Npgsql;

namespace Billing.Tests.Storage;

/// <summary>Which silos may use a database together, and what is left of those that are gone.</summary>
public sealed class PostgresSilosTests : IAsyncLifetime
{
    private PostgresServer _server = null!;
    private string _database = null!;

    public async Task InitializeAsync()
    {
        _server = await PostgresServer.Shared;
        _database = await _server.NewDatabase();
    }

    public Task DisposeAsync() => _server.Drop(_database);

    [Theory]
    [InlineData(true, true)]
    [InlineData(true, false)]
    [InlineData(false, true)]
    public async Task SecondSiloWhereOneIsAlone_IsRefusedUntilTheFirstHasEnded(bool first, bool second)
    {
        var there = await PostgresStore.Open(_database, first);

        var refused = await Assert.ThrowsAsync<StoreInUseException>(() => PostgresStore.Open(_database, second));

        Assert.Contains("Another silo runs on the database", refused.Message, StringComparison.Ordinal);
        Assert.Equal(Appended.Yes, await Append(there, 1));
        await there.DisposeAsync();
        await using var next = await PostgresStore.Open(_database, second);
        Assert.Equal(Appended.Yes, await Append(next, 2));
    }

    [Fact]
    public async Task SiloWhosePlaceWasTakenWhileItWasCutOff_Stops()
    {
        await using var cutOff = await PostgresStore.Open(_database, alone: true);
        var broken = new List<Exception>();
        cutOff.Broken += broken.Add;
        await Append(cutOff, 1);
        await CutOff();
        await using var other = await PostgresStore.Open(_database, alone: true);
        Assert.Equal(Appended.Yes, await Append(other, 2));

        await Assert.ThrowsAsync<StoreUnavailableException>(() => Append(cutOff, 2));
        await Assert.ThrowsAsync<StoreInUseException>(() => Append(cutOff, 2));

        Assert.IsType<StoreInUseException>(Assert.Single(broken));
        Assert.Equal(Appended.Yes, await Append(other, 3));
    }

    [Fact]
    public async Task SiloThatWasCutOff_GoesOnWhenItIsBack()
    {
        await using var store = await PostgresStore.Open(_database, alone: true);
        await Append(store, 1);
        await CutOff();

        await Assert.ThrowsAsync<StoreUnavailableException>(() => Append(store, 2));

        Assert.Equal(Appended.Yes, await Append(store, 2));
        await Assert.ThrowsAsync<StoreInUseException>(() => PostgresStore.Open(_database, alone: true));
    }

    // The server has not noticed yet that the silo's connection is gone.
    [Fact]
    public async Task SessionThatTheSiloHadBefore_IsNotInItsWay()
    {
        await using var source = NpgsqlDataSource.Create(_database);
        await using var former = await SiloSession.Open(source, alone: true, former: 0);

        await using var next = await SiloSession.Open(source, alone: true, former.ProcessID);

        Assert.NotEqual(former.ProcessID, next.ProcessID);
        await using var command = new NpgsqlCommand("SELECT 1", former);
        await Assert.ThrowsAnyAsync<NpgsqlException>(() => command.ExecuteScalarAsync());
    }

    // F3: the session that migrates is ended in the middle.
    [Fact]
    public async Task SessionEndedInAMigration_LeavesTheOldSchemaAndTheNextStartMigratesIt()
    {
        const string Schema = "SELECT value FROM billing.settings WHERE name = 'schema'";
        await using (var store = await PostgresStore.Open(_database)) await Append(store, 1);
        await PostgresServer.Execute(_database, "ALTER TABLE billing.writers DROP COLUMN seen; DROP TABLE billing.stripe_events; ALTER TABLE billing.heads DROP COLUMN due_crc32c; ALTER TABLE billing.accounts DROP COLUMN crc32c; ALTER TABLE billing.entries DROP COLUMN commit_number; DROP FUNCTION billing.commit_offset(); UPDATE billing.settings SET value = '1' WHERE name = 'schema'");
        await using (var holder = new NpgsqlConnection(_database + ";Pooling=false"))
        {
            await holder.OpenAsync();
            await using var hold = new NpgsqlCommand("BEGIN; LOCK TABLE billing.writers IN ACCESS SHARE MODE", holder);
            await hold.ExecuteNonQueryAsync();
            var starting = PostgresStore.Open(_database);
            await Eventually.True(
                async () => await PostgresServer.Execute(_database, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'") is true,
                "the migration waits for the table");

            await Assert.ThrowsAsync<StoreUnavailableException>(() => starting);
        }

        Assert.Equal("1", await PostgresServer.Execute(_database, Schema));
        await using var next = await PostgresStore.Open(_database);
        Assert.Equal("6", await PostgresServer.Execute(_database, Schema));
        Assert.Equal(Appended.Yes, await Append(next, 2));
    }

    [Fact]
    public async Task CountsOfSilosThatAreGone_AreForgotten()
    {
        const string Writers = "SELECT count(*) FROM billing.writers";
        for (var i = 1; i <= 3; i++)
        {
            await using var alone = await PostgresStore.Open(_database, alone: true);
            await Append(alone, i);
            Assert.Equal(1L, await PostgresServer.Execute(_database, Writers));
        }

        await using var left = await PostgresStore.Open(_database);
        await using var right = await PostgresStore.Open(_database);
        await PostgresServer.Execute(_database, "UPDATE billing.writers SET seen = seen - interval '31 days' WHERE commits = 1");
        await PostgresServer.Execute(_database, "UPDATE billing.writers SET seen = seen - interval '29 days' WHERE commits = 0");
        Assert.Equal(3L, await PostgresServer.Execute(_database, Writers));

        await left.Drop(0, DateTimeOffset.MinValue, default);

        Assert.Equal(2L, await PostgresServer.Execute(_database, Writers));
        Assert.Equal(1L, await PostgresServer.Execute(_database, Writers + " WHERE seen > now() - interval '1 day'"));
        Assert.Equal(Appended.Yes, await Append(right, 4));
        Assert.Equal(2L, await PostgresServer.Execute(_database, Writers + " WHERE seen > now() - interval '1 day'"));
    }

    private static Task<Appended> Append(IStore store, int sequence) =>
        store.Append(new("a", sequence, DateTimeOffset.UnixEpoch, "fact"u8.ToArray(), default, null, null));

    private Task CutOff() => PostgresServer.Execute(
        _database, "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND database = (SELECT oid FROM pg_database WHERE datname = current_database())");
}
