using System.Diagnostics;
using System.Globalization;
using System.Text;
using Billing.Accounts;
using Billing.Benchmarks.Measuring;
using Billing.Benchmarks.Window;
using Billing.Http;
using Billing.Silo.Hosting;
using Billing.Silo.Ingest;
using Billing.Silo.Scheduling;
using Billing.Usage;
using Microsoft.Extensions.DependencyInjection;
using Orleans;

namespace Billing.Benchmarks.Activation;

/// <summary>
/// Fills one account over 35 days by the sandbox clock, then starts the silo again and again and times the first call of the account:
/// snapshot, sealed ids and the entries behind them are read and the state is made of them.
/// </summary>
internal static class ActivationBenchmark
{
    private const string Account = "acct-00001";
    private const int Days = 35;
    private const int PollLines = 4_096;
    private const int SmallPollLines = 100;
    private const double WantedMilliseconds = 200;
    private const int SentAgain = 10_000;
    private static readonly string[] Cases = ["count", "session"];

    /// <summary>Runs the cases and prints the table.</summary>
    /// <returns>Whether every account remembered what it should.</returns>
    public static async Task<bool> Run(int ids, int rounds, string scratchRoot, CancellationToken cancellation)
    {
        var scratch = Directory.CreateDirectory(Path.Combine(scratchRoot, $"billing-bench-{Environment.ProcessId}")).FullName;
        try
        {
            Console.WriteLine($"activation: one account with {ids:N0} ids of {Days} days, {rounds} starts");
            Console.WriteLine(Machine.Look(scratch));
            Console.WriteLine();
            Console.WriteLine($"{"case",-10} {"lowest",10} {"median",10} {"highest",10} {"snapshot",12} {"sealed ids",16} {"entries behind",15} {"start of silo",14} {"peak",11}  ids right");
            var right = true;
            foreach (var name in Cases) right &= await Measure(WindowCase.Named(name), ids, rounds, Directory.CreateDirectory(Path.Combine(scratch, name)).FullName, cancellation);
            return right;
        }
        finally
        {
            Directory.Delete(scratch, recursive: true);
        }
    }

    private static async Task<bool> Measure(WindowCase what, int ids, int rounds, string scratch, CancellationToken cancellation)
    {
        await File.WriteAllTextAsync(Path.Combine(scratch, "catalog.json"), what.Catalog, cancellation);
        await Fill(scratch, ids, cancellation);
        var (times, starts) = (new List<double>(), new List<double>());
        var kept = "";
        for (var round = 0; round < rounds; round++)
        {
            cancellation.ThrowIfCancellationRequested();
            var start = Stopwatch.GetTimestamp();
            await using var platform = await Start(scratch);
            starts.Add(Stopwatch.GetElapsedTime(start).TotalMilliseconds);
            var grain = platform.Services.GetRequiredService<IGrainFactory>().GetGrain<IMerchantAccountGrain>(Account);
            start = Stopwatch.GetTimestamp();
            var answer = await grain.GetAccount();
            times.Add(Stopwatch.GetElapsedTime(start).TotalMilliseconds);
            if (answer.Refusal is { } refusal) throw new InvalidOperationException(refusal.Detail);
            if (round > 0) continue;
            var tail = await platform.Store.Read(Account, cancellation);
            kept = $"{(tail.Snapshot?.Length ?? 0) / 1e6,9:N2} MB {tail.Segments.Sum(s => s.Ids.Length) / 1e6,7:N2} MB/{tail.Segments.Count,2} d {tail.Entries.Sum(e => e.Length) / 1e6,12:N2} MB";
        }

        var duplicates = await SendAgain(scratch, ids);
        await MeasureEntitlements(what.Name, scratch, ids);
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{what.Name,-10} {times.Min(),7:N0} ms {Median(times),7:N0} ms {times.Max(),7:N0} ms {kept} {Median(starts),11:N0} ms {PeakMemory.Read() >> 20,7:N0} MiB  {(duplicates == SentAgain ? "yes" : $"NO: {duplicates:N0} of {SentAgain:N0} remembered")}"));
        Console.WriteLine($"{what.Name,-10} at most {WantedMilliseconds:N0} ms wanted: {(Median(times) <= WantedMilliseconds ? "yes" : "NO")}");
        return duplicates == SentAgain;
    }

    private static async Task Fill(string scratch, int ids, CancellationToken cancellation)
    {
        await using var platform = await Start(scratch);
        var opened = await platform.Services.GetRequiredService<IGrainFactory>().GetGrain<IMerchantAccountGrain>(Account).Open(HotAccount.Command(Account));
        if (opened.Refusal is { } refused) throw new InvalidOperationException(refused.Detail);
        var ingest = platform.Services.GetRequiredService<UsageIngest>();
        var clock = platform.Services.GetRequiredService<SandboxClock>();
        var sent = 0;
        for (var day = 0; day < Days; day++)
        {
            var until = (int)((long)ids * (day + 1) / Days);
            while (sent < until)
            {
                cancellation.ThrowIfCancellationRequested();
                var count = int.Min(PollLines, until - sent);
                var result = await ingest.Ingest(EventFormat.Lines, Poll(sent, count, clock.Now), keepBodies: false, wantReceipts: false);
                if (result.Of(UsageOutcome.Accepted) != count) throw new InvalidOperationException($"{result.Of(UsageOutcome.Accepted)} of {count} events were accepted. {result.Refusal?.Detail}");
                sent += count;
            }

            await clock.Move(now => now.AddDays(1), null, CancellationToken.None);
        }
    }

    // The events of the first day, which are the first to be forgotten, with the time they had.
    private static async Task<int> SendAgain(string scratch, int ids)
    {
        await using var platform = await Start(scratch);
        var count = int.Min(SentAgain, ids / Days);
        var result = await platform.Services.GetRequiredService<UsageIngest>().Ingest(EventFormat.Lines, Poll(0, count, WindowEvents.Anchor), keepBodies: false, wantReceipts: false);
        return result.Of(UsageOutcome.Duplicate) + SentAgain - count;
    }

    private static async Task MeasureEntitlements(string name, string scratch, int ids)
    {
        await using var platform = await Start(scratch);
        var (ingest, now) = (platform.Services.GetRequiredService<UsageIngest>(), platform.Services.GetRequiredService<SandboxClock>().Now);
        var next = ids;
        await EntitlementTimes.Measure(platform, Account, name, async () =>
        {
            await ingest.Ingest(EventFormat.Lines, Poll(next, SmallPollLines, now), keepBodies: false, wantReceipts: false);
            next += SmallPollLines;
        });
    }

    private static byte[] Poll(int from, int count, DateTimeOffset time)
    {
        var text = new StringBuilder(count * 220);
        for (var i = from; i < from + count; i++)
            text.Append(CultureInfo.InvariantCulture, $$$"""{"specversion":"1.0","id":"{{{i}}}","source":"bench","type":"{{{WindowCase.EventType}}}","subject":"{{{Account}}}","time":"{{{UtcJsonConverter.ToText(time)}}}","data":{"key":"{{{i / 6}}}","channel":"email"}}""").Append('\n');
        return Encoding.UTF8.GetBytes(text.ToString());
    }

    private static Task<Platform> Start(string scratch) => Platform.Start(
    [
        $"--BILLING_DATA={Path.Combine(scratch, "data")}",
        $"--BILLING_CATALOG={Path.Combine(scratch, "catalog.json")}",
        "--BILLING_ADMIN_KEY=a-key-of-the-benchmark",
        "--BILLING_URL=http://127.0.0.1:0",
        "--BILLING_SANDBOX_URL=http://127.0.0.1:0",
        $"--BILLING_CLOCK={UtcJsonConverter.ToText(WindowEvents.Anchor)}",
        "--Logging:LogLevel:Default=Warning",
    ]);

    private static double Median(List<double> values) => values.Order().ElementAt(values.Count / 2);
}
