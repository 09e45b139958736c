using System.Diagnostics;
using System.Security.Cryptography;
using Billing.Tests.Support;

namespace Billing.Tests.Faults;

/// <summary>F7 on the real process: the disk fills up. Nothing acknowledged is lost, and it goes on when there is room.</summary>
[Trait("Suite", "Faults")]
public class F07_DiskFullTests
{
    private const string Account = "shop";

    // A commit takes some pages of 16 KiB in the log; at 2,000 pages, 32 MB, the log is folded into the database, which needs the room again.
    [FactWithMounts]
    public Task F7_FullInAnAppend_IsRefusedAndGoesOnWithRoom() => Fill(megabytes: 6, fillerMegabytes: 2, dataBytes: 100);

    [FactWithMounts]
    public Task F7_FullWhileTheLogIsFoldedIn_IsRefusedAndGoesOnWithRoom() => Fill(megabytes: 84, fillerMegabytes: 44, dataBytes: 150_000);

    [FactWithMounts]
    public async Task F7_FullForSnapshotsAlone_DelaysNoEventAndLosesNone()
    {
        using var disk = await SmallDisk.Mount(1);
        await using var store = await FaultStore.New(FaultStore.Sqlite);
        File.CreateSymbolicLink(Path.Combine(store.DataFolder, "index.db"), Path.Combine(disk.Folder, "index.db"));
        var run = new CrashRun(Script.Snapshots);
        var acknowledged = new List<ScriptEvent>();
        await using (var silo = await store.StartSilo())
        {
            using var api = new ApiCaller(silo.Url, silo.Key);
            disk.Fill();
            foreach (var request in Script.Snapshots.Requests)
            {
                var answer = await request.Send(api);
                Assert.True(answer.Status is 200 or 201, answer.Text);
                acknowledged.AddRange(request.Events);
            }

            await Eventually.True(() => silo.Log.Contains("was not stored", StringComparison.Ordinal), "a snapshot could not be stored");
            silo.Kill();
        }

        disk.MakeRoom();
        await run.GoOn(store, acknowledged, Script.Snapshots.Requests.Count);
    }

    private static async Task Fill(int megabytes, int fillerMegabytes, int dataBytes)
    {
        using var disk = await SmallDisk.Mount(megabytes);
        disk.Fill(fillerMegabytes);
        await using var store = await FaultStore.New(FaultStore.Sqlite, Path.Combine(disk.Folder, "data"));
        var acknowledged = new List<ScriptEvent>();
        var bodies = new List<string>();
        await using (var silo = await store.StartSilo())
        {
            using var api = new ApiCaller(silo.Url, silo.Key);
            await api.Open(Account, "desk-basic");

            // The first invoice is charged and its webhooks are in: the sandbox Stripe, which has its file on the same disk, writes no more.
            var moved = await api.Post("/v1/sandbox/clock", """{"advance":"PT1S"}""");
            Assert.True(moved.Status == 200, moved.Text);
            try
            {
                ApiAnswer answer;
                while ((answer = await Send(api, acknowledged, bodies, dataBytes)).Status == 200) Assert.True(bodies.Count < 5_000, "The disk never filled up.");

                answer.IsProblem(503);
                Assert.Equal("urn:orleans-billing:problem:retry", answer.Json.GetProperty("type").GetString());
                Assert.Equal(200, (await api.Get("/healthz")).Status);
                Assert.Equal(acknowledged.Count, await Counted(api));
            }
            catch (HttpRequestException gone)
            {
                throw new InvalidOperationException($"The silo is gone after {bodies.Count} events: {silo.Log}", gone);
            }

            // The silo goes on by itself, and takes what it refused.
            disk.MakeRoom();
            var again = await api.Events(ApiCaller.Lines, bodies[^1]);
            Assert.True(again.Status == 200, $"{again.Text}\n{silo.Log}");
            acknowledged.Add(EventOf(bodies.Count));
            for (var i = 0; i < 5; i++) Assert.Equal(200, (await Send(api, acknowledged, bodies, 100)).Status);
            silo.Kill();
        }

        await using var platform = await store.Open();
        Assert.Equal(acknowledged.Count, await Counted(platform.Api));
        foreach (var some in bodies.Chunk(50))
        {
            var known = await platform.Api.Events(ApiCaller.Lines, some);
            Assert.True(known.Status == 200 && known.Count("duplicate") == some.Length, known.Text);
        }
    }

    private static async Task<ApiAnswer> Send(ApiCaller api, List<ScriptEvent> acknowledged, List<string> bodies, int dataBytes)
    {
        var ticket = EventOf(bodies.Count + 1);
        bodies.Add(ApiCaller.Event(Account, ticket.Id, ticket.Time, data: $$"""{"text":"{{Convert.ToBase64String(RandomNumberGenerator.GetBytes(dataBytes))}}"}"""));
        var answer = await api.Events(ApiCaller.Lines, bodies[^1]);
        if (answer.Status == 200) acknowledged.Add(ticket);
        return answer;
    }

    private static ScriptEvent EventOf(int number) => new(Account, $"e{number}", FaultStore.Start);

    private static async Task<int> Counted(ApiCaller api)
    {
        var answer = await api.Get($"/v1/accounts/{Account}/usage?meter=desk.tickets");
        Assert.True(answer.Status == 200, answer.Text);
        return int.Parse(answer.Json.GetProperty("items")[0].GetProperty("quantity").GetString()!);
    }

    /// <summary>A file system of some megabytes in memory, with a file in it that takes room away.</summary>
    private sealed class SmallDisk : IDisposable
    {
        private readonly TemporaryFolder _folder = new();

        public string Folder => _folder.Path;

        private string Filler => _folder.File("filler");

        public static async Task<SmallDisk> Mount(int megabytes)
        {
            var disk = new SmallDisk();
            await FactWithMountsAttribute.Run("mount", "-t", "tmpfs", "-o", $"size={megabytes}m", "tmpfs", disk.Folder);
            return disk;
        }

        public void Fill(int megabytes) => File.WriteAllBytes(Filler, new byte[megabytes << 20]);

        /// <summary>Takes all the room there is.</summary>
        public void Fill()
        {
            using var file = new FileStream(Filler, FileMode.Create, FileAccess.Write, FileShare.None, bufferSize: 0);
            try
            {
                while (true) file.Write(new byte[4_096]);
            }
            catch (IOException)
            {
                // Full.
            }
        }

        public void MakeRoom() => File.Delete(Filler);

        public void Dispose()
        {
            using var umount = Process.Start("umount", [Folder]);
            umount.WaitForExit();
            _folder.Dispose();
        }
    }
}

/// <summary>A test that needs to mount a file system.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class FactWithMountsAttribute : FactAttribute
{
    private static readonly Lazy<string?> Why = new(Try);

    public FactWithMountsAttribute() => Skip = Why.Value;

    public static async Task Run(string program, params string[] arguments)
    {
        using var process = Process.Start(program, arguments);
        await process.WaitForExitAsync();
        Assert.True(process.ExitCode == 0, $"{program} ended with code {process.ExitCode}");
    }

    private static string? Try()
    {
        using var folder = new TemporaryFolder();
        try
        {
            using var mount = Process.Start(new ProcessStartInfo("mount", ["-t", "tmpfs", "-o", "size=1m", "tmpfs", folder.Path]) { UseShellExecute = false, RedirectStandardError = true })!;
            var said = mount.StandardError.ReadToEnd();
            mount.WaitForExit();
            if (mount.ExitCode != 0) return $"A small file system, to fill it up, cannot be mounted here: {said.Trim()}";
            using var umount = Process.Start("umount", [folder.Path]);
            umount.WaitForExit();
            return null;
        }
        catch (System.ComponentModel.Win32Exception missing)
        {
            return $"A small file system, to fill it up, cannot be mounted here: {missing.Message}";
        }
    }
}
