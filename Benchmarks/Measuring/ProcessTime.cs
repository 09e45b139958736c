using System.Diagnostics;
using System.Globalization;

namespace Billing.Benchmarks.Measuring;

/// <summary>Processor time of processes.</summary>
public static class ProcessTime
{
    /// <summary>The processor time of a process and its children that run now. A child that ends in between is left out.</summary>
    public static TimeSpan OfFamily(int processId) => File.ReadAllText($"/proc/{processId}/task/{processId}/children")
        .Split(' ', StringSplitOptions.RemoveEmptyEntries)
        .Select(child => int.Parse(child, CultureInfo.InvariantCulture))
        .Prepend(processId)
        .Aggregate(TimeSpan.Zero, (sum, id) => sum + Of(id));

    private static TimeSpan Of(int processId)
    {
        try
        {
            using var process = Process.GetProcessById(processId);
            return process.TotalProcessorTime;
        }
        catch (Exception gone) when (gone is ArgumentException or InvalidOperationException)
        {
            return TimeSpan.Zero;
        }
    }
}
