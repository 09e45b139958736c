using System.Diagnostics;

namespace Billing.Benchmarks.Measuring;

/// <summary>This program in a process of its own, so that memory and compiled code of one measurement do not help or burden the next.</summary>
public static class OwnProcess
{
    /// <summary>Starts it. Its input is this process's to close, which tells it to stop, so it does not outlive this process.</summary>
    public static Process Start(IEnumerable<string> arguments, bool readOutput = false)
    {
        var self = Environment.ProcessPath!;
        string[] program = Path.GetFileNameWithoutExtension(self) == "dotnet" ? [typeof(OwnProcess).Assembly.Location] : [];
        var start = new ProcessStartInfo(self, [.. program, .. arguments])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = readOutput,
            UseShellExecute = false,
        };
        return Process.Start(start) ?? throw new InvalidOperationException("A process for a measurement was not started. No result was kept.");
    }

    /// <summary>The other end: cancels when the process that started this one closes the input, or is gone.</summary>
    public static async Task StopAtEndOfInput(CancellationTokenSource stop)
    {
        var input = Console.OpenStandardInput();
        while (await input.ReadAsync(new byte[1]) > 0)
        {
        }

        await stop.CancelAsync();
    }
}
