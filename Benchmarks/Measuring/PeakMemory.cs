using System.Globalization;

namespace Billing.Benchmarks.Measuring;

/// <summary>Memory of processes as Linux counts it, in bytes.</summary>
public static class PeakMemory
{
    /// <summary>Forgets this process's high-water mark, so that <see cref="Read"/> tells what came after.</summary>
    public static void Reset() => File.WriteAllText("/proc/self/clear_refs", "5");

    /// <summary>The largest resident set of this process since the last <see cref="Reset"/>.</summary>
    public static long Read() => Kilobytes("/proc/self/status", "VmHWM:");

    /// <summary>
    /// The memory a process and its children hold now. Shared pages are divided among the processes that map them, so
    /// nothing is counted twice.
    /// </summary>
    public static long OfFamily(int processId)
    {
        var children = File.ReadAllText($"/proc/{processId}/task/{processId}/children")
            .Split(' ', StringSplitOptions.RemoveEmptyEntries)
            .Select(child => int.Parse(child, CultureInfo.InvariantCulture));
        return children.Prepend(processId).Sum(id => Kilobytes($"/proc/{id}/smaps_rollup", "Pss:"));
    }

    private static long Kilobytes(string path, string label)
    {
        try
        {
            var line = File.ReadLines(path).First(line => line.StartsWith(label, StringComparison.Ordinal));
            return long.Parse(line[label.Length..].Replace("kB", "", StringComparison.Ordinal), CultureInfo.InvariantCulture) * 1024;
        }
        catch (Exception gone) when (gone is FileNotFoundException or DirectoryNotFoundException)
        {
            // A process that ended between the two reads holds nothing.
            return 0;
        }
    }
}
