using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Billing.Benchmarks.Measuring;

namespace Billing.Benchmarks.Window;

/// <summary>
/// A process that measures one case at one size, and does each step when it is told to: so the processes of all sizes stand
/// ready side by side, and their rounds alternate.
/// </summary>
internal sealed class SizeProcess : IAsyncDisposable
{
    private const string AnswerMark = "answer ";
    private const string OpenRules = "open rules";
    private const string OpenPath = "open path";
    private const string OneRound = "round";
    private const string CheckAll = "check";
    private const string ClosePath = "close";

    private readonly Process _process;
    private readonly string _name;

    private SizeProcess(Process process, int size, string name)
    {
        _process = process;
        Size = size;
        _name = name;
    }

    public int Size { get; }

    public static SizeProcess Start(WindowCase what, int size, WindowOptions options, string scratch)
    {
        string[] arguments =
        [
            "window",
            "--run-case", what.Name,
            "--run-size", Text(size),
            "--scratch", scratch,
            "--rounds", Text(options.Rounds),
            "--bursts", Text(options.Bursts),
            "--seconds", Text(options.Seconds),
            "--fill-seconds", Text(options.FillSeconds),
            "--seed", Text(options.Seed),
        ];
        return new(OwnProcess.Start(arguments, readOutput: true), size, $"{what.Name} at {size:N0} ids");

        static string Text<T>(T value) where T : IFormattable => value.ToString(null, CultureInfo.InvariantCulture);
    }

    /// <summary>The other end: does what it is told until its input ends.</summary>
    public static async Task Serve(WindowCase what, int size, WindowOptions options)
    {
        SizeRun? run = null;
        try
        {
            while (await Console.In.ReadLineAsync() is { } command)
            {
                switch (command)
                {
                    case OpenRules or OpenPath:
                        run = new(what, size, options);
                        Answer(await run.Open(command == OpenRules ? new RulesAlone(what.Catalog) : await WholePath.Start(what.Catalog, options.ScratchRoot)));
                        break;
                    case OneRound:
                        Answer(await run!.Round());
                        break;
                    case CheckAll:
                        Answer(await run!.Check());
                        break;
                    case ClosePath:
                        await run!.DisposeAsync();
                        run = null;
                        Answer(true);
                        break;
                    default:
                        throw new InvalidOperationException($"'{command}' is no step of a measurement.");
                }
            }
        }
        finally
        {
            if (run is not null) await run.DisposeAsync();
        }

        static void Answer<T>(T answer) => Console.WriteLine(AnswerMark + JsonSerializer.Serialize(answer));
    }

    public Task<Prepared> Open(WindowPart part) => Ask<Prepared>(part == WindowPart.Rules ? OpenRules : OpenPath);

    public Task<RoundCost> Round() => Ask<RoundCost>(OneRound);

    public Task<Checked> Check() => Ask<Checked>(CheckAll);

    /// <summary>Lets go of the accounts.</summary>
    public Task Close() => Ask<bool>(ClosePath);

    /// <summary>Ends the process at its next step.</summary>
    public void Stop() => _process.StandardInput.Close();

    public async ValueTask DisposeAsync()
    {
        Stop();
        await _process.WaitForExitAsync();
        _process.Dispose();
    }

    private async Task<T> Ask<T>(string command)
    {
        await _process.StandardInput.WriteLineAsync(command);
        await _process.StandardInput.FlushAsync();
        while (await _process.StandardOutput.ReadLineAsync() is { } line)
        {
            if (line.StartsWith(AnswerMark, StringComparison.Ordinal)) return JsonSerializer.Deserialize<T>(line[AnswerMark.Length..])!;

            // The platform logs to its output.
            await Console.Error.WriteLineAsync($"{_name}: {line}");
        }

        await _process.WaitForExitAsync();
        throw new InvalidOperationException($"{_name} ended with code {_process.ExitCode}; its error stands above. No result was kept.");
    }
}
