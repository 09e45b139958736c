using System.Diagnostics;
using System.Globalization;

namespace Billing.Benchmarks.Measuring;

/// <summary>The machine a figure was measured on. Figures of two machines do not compare; ratios do, nearly.</summary>
/// <param name="FsyncP50Milliseconds">Median time to write 4 KiB into an existing file and make it durable.</param>
public sealed record Machine(
    string Cpu, int Cores, long MemoryBytes, string FileSystem, long DiskFreeBytes, double FsyncP50Milliseconds, string Runtime)
{
    private const int FsyncSamples = 300;

    /// <summary>Looks at this machine and the disk under <paramref name="scratch"/>.</summary>
    public static Machine Look(string scratch)
    {
        var disk = new DriveInfo(scratch);
        return new Machine(
            Value("/proc/cpuinfo", "model name"),
            Environment.ProcessorCount,
            long.Parse(Value("/proc/meminfo", "MemTotal").Replace("kB", "", StringComparison.Ordinal), CultureInfo.InvariantCulture) * 1024,
            disk.DriveFormat,
            disk.AvailableFreeSpace,
            FsyncP50(Path.Combine(scratch, "fsync")),
            $".NET {Environment.Version}");
    }

    private static string Value(string path, string key)
    {
        var line = File.ReadLines(path).FirstOrDefault(line => line.StartsWith(key, StringComparison.Ordinal));
        return line is null ? "unknown" : line[(line.IndexOf(':', StringComparison.Ordinal) + 1)..].Trim();
    }

    private static double FsyncP50(string path)
    {
        const int block = 4096;
        var bytes = new byte[block];
        using var file = new FileStream(path, FileMode.Create, FileAccess.Write, FileShare.None, bufferSize: 0, FileOptions.DeleteOnClose);
        file.Write(new byte[FsyncSamples * block]);
        file.Flush(flushToDisk: true);
        file.Position = 0;

        var times = new List<double>();
        for (var i = 0; i < FsyncSamples; i++)
        {
            var start = Stopwatch.GetTimestamp();
            file.Write(bytes);
            file.Flush(flushToDisk: true);
            times.Add(Stopwatch.GetElapsedTime(start).TotalMilliseconds);
        }

        times.Sort();
        return times[times.Count / 2];
    }
}
