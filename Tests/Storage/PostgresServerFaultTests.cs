using System.Diagnostics;
using Billing.Journal;
using Billing.Silo.Storage;
using Billing.Silo.Storage.Postgres;
using Billing.Tests.Support;
using Npgsql;

namespace Billing.Tests.Storage;

/// <summary>F7 and F21 on the PostgreSQL store: what the whole server suffers, each on a server of its own.</summary>
public sealed class PostgresServerFaultTests : IAsyncLifetime
{
    private PostgresServer _server = null!;

    public async Task InitializeAsync() => _server = await PostgresServer.Start();

    public async Task DisposeAsync() => await _server.DisposeAsync();

    // The server stops at once, as by a crash, and comes back.
    [Fact]
    public async Task F21_ServerStoppedAtOnceAndStartedAgain_WhatWasAnsweredIsThereOnce()
    {
        var database = await _server.NewDatabase();
        await using var store = await PostgresStore.Open(database);
        var appending = new AppendsUnderFaults(store, accounts: 16, entries: 30);
        var faults = 0;

        await appending.Run(async () =>
        {
            if (faults == 4) return;
            await _server.Stop("immediate");
            await _server.StartAgain();
            faults++;
        });

        await appending.HoldsIn(store);
        Assert.Empty(await store.Check(default));
        Assert.True(faults > 0 && appending.Unknown > 0, $"{faults} faults, {appending.Unknown} entries whose outcome was unknown.");
    }

    // A standby without the last commits is promoted, or an older backup is put back.
    [Fact]
    public async Task F21_ServerThatComesBackWithoutTheLastCommits_StopsTheSiloThatSawThem()
    {
        var database = await _server.NewDatabase();
        await using var ahead = await PostgresStore.Open(database);
        var broken = new List<Exception>();
        ahead.Broken += broken.Add;
        await Append(ahead, 1);
        await _server.Stop("fast");
        await _server.Save();
        await _server.StartAgain();
        await Assert.ThrowsAsync<StoreUnavailableException>(() => Append(ahead, 2));
        Assert.Empty(broken);
        Assert.Equal(Appended.Yes, await Append(ahead, 2));
        Assert.Equal(Appended.Yes, await Append(ahead, 3));

        await _server.Stop("immediate");
        await _server.Restore();
        await _server.StartAgain();

        await Assert.ThrowsAsync<StoreUnavailableException>(() => Append(ahead, 4));
        await Assert.ThrowsAsync<CommitsLostException>(() => Append(ahead, 4));
        await Assert.ThrowsAsync<CommitsLostException>(() => Append(ahead, 2));
        Assert.Contains("of 3 of this silo it holds 1", Assert.Single(broken).Message, StringComparison.Ordinal);
        await using var next = await PostgresStore.Open(database);
        Assert.Single((await next.Read("a", default)).Entries);
        Assert.Equal(Appended.Fenced, await Append(next, 4));
        Assert.Equal(Appended.Yes, await Append(next, 2));
    }

    // No room in the tables; then there is.
    [TmpfsFact]
    public async Task F7_DiskFull_LosesNothingThatWasAnsweredAndGoesOnWhenThereIsRoom()
    {
        const int Megabyte = 1 << 20;
        using var disk = new SmallDisk("40m");
        await File.WriteAllBytesAsync(disk.File("in the way"), new byte[12 * Megabyte]);
        await _server.Execute($"CREATE TABLESPACE small LOCATION '{disk.File("tables")}'");
        var database = await _server.NewDatabase("TABLESPACE small");
        await using var store = await PostgresStore.Open(database);
        var facts = new byte[Megabyte];
        new Random(5).NextBytes(facts);
        var answered = 0;

        StoreUnavailableException? full = null;
        while (full is null)
        {
            Assert.True(answered < 40, "The disk did not get full.");
            try
            {
                await store.Append(new("a", answered + 1, DateTimeOffset.UnixEpoch, facts, default, null, null));
                answered++;
            }
            catch (StoreUnavailableException failed)
            {
                full = failed;
            }
        }

        Assert.Equal(PostgresErrorCodes.DiskFull, Assert.IsType<PostgresException>(full.InnerException).SqlState);
        Assert.Equal(answered, (await store.Read("a", default)).Entries.Count);
        File.Delete(disk.File("in the way"));
        Assert.Equal(Appended.Yes, await store.Append(new("a", answered + 1, DateTimeOffset.UnixEpoch, facts, default, null, null)));
        Assert.Equal(answered + 1, (await store.Read("a", default)).Entries.Count(e => e.Span.SequenceEqual(facts)));
        await store.DisposeAsync();
        await _server.Drop(database);
        await _server.Execute("DROP TABLESPACE small");
    }

    // F7: no room for the write-ahead log: the server refuses, or stops and wants to be started again.
    [TmpfsFact]
    public async Task DiskOfTheLogFull_LosesNothingThatWasAnsweredAndGoesOnWhenTheServerHasRoom()
    {
        const int Megabyte = 1 << 20;
        using var disk = new SmallDisk("64m");
        await File.WriteAllBytesAsync(disk.File("in the way"), new byte[24 * Megabyte]);
        await using var server = await PostgresServer.StartOn(disk.File("tables"));
        await using var store = await PostgresStore.Open(await server.NewDatabase());
        var facts = new byte[Megabyte];
        var random = new Random(7);
        var answered = new List<byte[]>();
        StoreUnavailableException? full = null;
        while (full is null)
        {
            Assert.True(answered.Count < 64, "The disk did not get full.");
            random.NextBytes(facts);
            try
            {
                await store.Append(new("a", answered.Count + 1, DateTimeOffset.UnixEpoch, facts, default, null, null));
                answered.Add([.. facts]);
            }
            catch (StoreUnavailableException away)
            {
                full = away;
            }
        }

        Assert.Contains("No space left on device", server.Log, StringComparison.Ordinal);
        File.Delete(disk.File("in the way"));
        await server.Restart();

        // Of the last one it was not known.
        var stored = (await store.Read("a", default)).Entries;
        Assert.InRange(stored.Count, answered.Count, answered.Count + 1);
        Assert.All(answered, (fact, i) => Assert.True(stored[i].Span.SequenceEqual(fact)));
        await Eventually.True(
            async () =>
            {
                try
                {
                    return await store.Append(new("a", stored.Count + 1, DateTimeOffset.UnixEpoch, facts, default, null, null)) == Appended.Yes;
                }
                catch (StoreUnavailableException)
                {
                    return false;
                }
            },
            "the store goes on");
        Assert.Empty(await store.Check(default));
    }

    // F1: between the append and the sync each commit takes a while, and the processes of the server are killed in it.
    [Fact]
    public async Task BackendsKilledWhileCommitsAreSynced_WhatWasAnsweredIsThereOnce()
    {
        await _server.Execute("ALTER SYSTEM SET commit_delay = 20000");
        await _server.Execute("ALTER SYSTEM SET commit_siblings = 0");
        await _server.Execute("SELECT pg_reload_conf()");
        var database = await _server.NewDatabase();
        await using var store = await PostgresStore.Open(database);
        var appending = new AppendsUnderFaults(store, accounts: 16, entries: 30);
        var faults = 0;

        await appending.Run(async () =>
        {
            if (faults == 3) return;
            int? pid = null;
            await Eventually.True(
                async () => (pid = await PostgresServer.Execute(database, "SELECT pid FROM pg_stat_activity WHERE state = 'active' AND query LIKE 'WITH moves%'") as int?) is not null,
                "a commit is under way");
            using (var backend = Process.GetProcessById(pid!.Value)) backend.Kill();
            faults++;
        });

        await appending.HoldsIn(store);
        Assert.Empty(await store.Check(default));
        Assert.True(faults > 0 && appending.Unknown > 0, $"{faults} faults, {appending.Unknown} entries whose outcome was unknown.");
    }

    private static Task<Appended> Append(IStore store, int sequence) =>
        store.Append(new("a", sequence, DateTimeOffset.UnixEpoch, "fact"u8.ToArray(), default, null, null));

    /// <summary>A file system in memory of a few megabytes, with a folder <c>tables</c> for the server.</summary>
    private sealed class SmallDisk : IDisposable
    {
        private readonly DirectoryInfo _folder = System.IO.Directory.CreateTempSubdirectory("billing-disk-");

        public SmallDisk(string size)
        {
            TmpfsFactAttribute.Run("mount", "-t", "tmpfs", "-o", $"size={size},mode=755", "tmpfs", _folder.FullName);
            TmpfsFactAttribute.Run("install", "--directory", "--mode=700", "--owner=postgres", File("tables"));
        }

        public string File(string name) => Path.Combine(_folder.FullName, name);

        public void Dispose()
        {
            TmpfsFactAttribute.Run("umount", "--lazy", _folder.FullName);
            _folder.Delete();
        }
    }

    /// <summary>A test that needs to mount a file system, which only root may do, and not everywhere.</summary>
    [AttributeUsage(AttributeTargets.Method)]
    private sealed class TmpfsFactAttribute : FactAttribute
    {
        public TmpfsFactAttribute()
        {
            if (!CanMount.Value) Skip = "A full disk is made with a small tmpfs, which cannot be mounted here.";
        }

        private static Lazy<bool> CanMount { get; } = new(() =>
        {
            if (!Environment.IsPrivilegedProcess) return false;
            var folder = System.IO.Directory.CreateTempSubdirectory("billing-disk-");
            var mounted = Try("mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", folder.FullName) == 0;
            if (mounted) Run("umount", folder.FullName);
            folder.Delete();
            return mounted;
        });

        public static void Run(string program, params string[] arguments) => Assert.Equal(0, Try(program, arguments));

        private static int Try(string program, params string[] arguments)
        {
            using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardError = true, UseShellExecute = false })!;
            process.StandardError.ReadToEnd();
            process.WaitForExit();
            return process.ExitCode;
        }
    }
}
