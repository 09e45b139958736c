using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Billing.Feeder;

/// <summary>The command: options to a job, a job to the driver, the summary to stdout.</summary>
internal static class FeederProgram
{
    private static readonly JsonSerializerOptions SummaryJson = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        WriteIndented = true,
        Converters = { new InstantConverter() },
    };

    private static async Task<int> Main(string[] args)
    {
        var command = new FeederCommand();
        var parsed = command.Root.Parse(args);
        if (parsed.Errors.Count > 0)
        {
            foreach (var error in parsed.Errors)
                await Console.Error.WriteLineAsync($"feeder: {error.Message}");

            await Console.Error.WriteLineAsync("feeder: --help lists the options. Nothing was sent.");
            return (int)FeederExit.InputFailed;
        }

        command.Root.SetAction((result, cancellation) => RunAsync(command.Read(result), cancellation));
        return await command.Root.Parse(args).InvokeAsync(new() { EnableDefaultExceptionHandler = false });
    }

    private static async Task<int> RunAsync(FeederArguments arguments, CancellationToken cancellation)
    {
        try
        {
            var job = arguments.ToJob();
            if (job.Order.ShuffleSeed is { } seed)
                await Console.Error.WriteLineAsync($"feeder: shuffled with seed {seed}");

            if (arguments.DryRun)
            {
                Print(DryRun.Of(job));
                return (int)FeederExit.Done;
            }

            using var http = new HttpClient { BaseAddress = arguments.Url, Timeout = TimeSpan.FromMinutes(10) };
            var platform = new PlatformClient(http, arguments.RequiredKey(), arguments.RetryFor, TimeProvider.System);
            var driver = new FeedDriver(platform, text => Console.Error.WriteLine($"feeder: {text}"));
            Print(await driver.RunAsync(job, cancellation));
            return (int)FeederExit.Done;
        }
        catch (FeederException failed)
        {
            await Console.Error.WriteLineAsync($"feeder: {failed.Message}");
            return (int)failed.Exit;
        }
        catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
        {
            await Console.Error.WriteLineAsync("feeder: stopped; the same command with --resume goes on.");
            return (int)FeederExit.PlatformFailed;
        }
    }

    private static void Print<T>(T summary) => Console.WriteLine(JsonSerializer.Serialize(summary, SummaryJson));

    private sealed class InstantConverter : JsonConverter<DateTimeOffset>
    {
        public override DateTimeOffset Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
            reader.GetDateTimeOffset();

        public override void Write(Utf8JsonWriter writer, DateTimeOffset value, JsonSerializerOptions options) =>
            writer.WriteStringValue(PlatformClient.Rfc3339(value));
    }
}

/// <summary>What a run would do.</summary>
internal sealed record DryRun(
    int Accounts, int Lines, int Requests, int Groups, DateTimeOffset? FirstClock, DateTimeOffset? LastClock, int? Seed)
{
    public static DryRun Of(FeedJob job)
    {
        var bodies = job.Groups.Select(group => FeedPlan.Arrange(group, job.Order))
            .Sum(lines => FeedPlan.Bodies(lines, job.BodyLinesMax, job.BodyBytesMax).Count());
        var clocks = job.Groups.Select(group => group.Clock).Append(job.Until).OfType<DateTimeOffset>().ToList();
        return new(
            job.Accounts.Count,
            job.Groups.Sum(group => group.Lines.Count) * (job.Order.Twice ? 2 : 1),
            bodies,
            job.Groups.Count,
            clocks.Count > 0 ? clocks[0] : null,
            clocks.Count > 0 ? clocks[^1] : null,
            job.Order.ShuffleSeed);
    }
}
