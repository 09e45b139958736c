using System.Diagnostics;
using System.Text;

namespace Billing.Tests.Faults;

/// <summary>F6 on the real process: the kernel answers one fsync with an input/output error. The silo stops; what it acknowledged is there.</summary>
[Trait("Suite", "Faults")]
public class F06_FailedSyncTests
{
    private static readonly CrashRun Month = new(Script.Month);

    [FactWithStrace]
    public Task F6_FirstSyncFails_TheSiloStopsAndWhatItAcknowledgedIsThere() => FailSync(1);

    [FactWithStrace]
    public Task F6_LaterSyncFails_TheSiloStopsAndWhatItAcknowledgedIsThere() => FailSync(4);

    private static async Task FailSync(int which)
    {
        await using var store = await FaultStore.New(FaultStore.Sqlite);
        await Month.EndsBy(store, requests: 7, silo => FailingSyncs.Attach(silo.ProcessId, which), exitCode: 1);
    }

    /// <summary>Makes one fsync of each thread of a process fail, as long as it is attached.</summary>
    private sealed class FailingSyncs(Process strace) : IAsyncDisposable
    {
        public static async Task<IAsyncDisposable> Attach(int process, int which)
        {
            var start = new ProcessStartInfo(
                FactWithStraceAttribute.Program,
                ["-f", "-e", "trace=fsync,fdatasync", "-e", $"inject=fsync,fdatasync:error=EIO:when={which}", "-p", $"{process}"])
            {
                UseShellExecute = false,
                RedirectStandardError = true,
            };
            var strace = Process.Start(start)!;
            var said = new StringBuilder();
            var attached = new TaskCompletionSource();
            strace.ErrorDataReceived += (_, line) =>
            {
                lock (said) said.AppendLine(line.Data);
                if (line.Data?.Contains("attached", StringComparison.Ordinal) == true) attached.TrySetResult();
                if (line.Data is null) attached.TrySetException(new InvalidOperationException($"strace: {said}"));
            };
            strace.BeginErrorReadLine();
            await attached.Task;
            return new FailingSyncs(strace);
        }

        public async ValueTask DisposeAsync()
        {
            if (!strace.HasExited) strace.Kill();
            await strace.WaitForExitAsync();
            strace.Dispose();
        }
    }
}

/// <summary>A test that needs strace, and root to attach it.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class FactWithStraceAttribute : FactAttribute
{
    public const string Program = "strace";

    public FactWithStraceAttribute()
    {
        var found = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator).Any(folder => File.Exists(Path.Combine(folder, Program)));
        if (!found) Skip = "strace, which makes an fsync fail, is not installed (Debian: apt-get install strace).";
        else if (Environment.UserName != "root") Skip = "strace attaches to the silo as root only.";
    }
}
