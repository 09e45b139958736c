using System.Diagnostics;
using Billing.Accounts;
using Billing.Benchmarks.Workloads;
using Billing.Http;
using Billing.Silo.Hosting;
using Billing.Silo.Ingest;
using Billing.Silo.Scheduling;
using Billing.Silo.Storage.Sqlite;
using Billing.Usage;
using Microsoft.Extensions.DependencyInjection;
using Orleans;

namespace Billing.Benchmarks.Window;

/// <summary>The platform in this process: CloudEvents bytes, the account's grain, SQLite with fsync. No receipts, no bodies kept.</summary>
internal sealed class WholePath : IHotPath
{
    private const int PollsInFlight = 4;
    private const int OpenedAtOnce = 1_000;

    private readonly Platform _platform;
    private readonly UsageIngest _ingest;
    private readonly IGrainFactory _grains;
    private readonly Dictionary<string, AnswerCounts> _counts = new(StringComparer.Ordinal);
    private Dictionary<string, long>? _stored;

    private WholePath(Platform platform)
    {
        _platform = platform;
        _ingest = platform.Services.GetRequiredService<UsageIngest>();
        _grains = platform.Services.GetRequiredService<IGrainFactory>();
    }

    public static async Task<WholePath> Start(string catalog, string scratch)
    {
        var file = Path.Combine(scratch, "catalog.json");
        await File.WriteAllTextAsync(file, catalog);
        return new(await Platform.Start(
        [
            $"--BILLING_DATA={Path.Combine(scratch, "data")}",
            $"--BILLING_CATALOG={file}",
            "--BILLING_ADMIN_KEY=a-key-of-the-benchmark",
            "--BILLING_URL=http://127.0.0.1:0",
            "--BILLING_SANDBOX_URL=http://127.0.0.1:0",
            $"--BILLING_CLOCK={UtcJsonConverter.ToText(WindowEvents.Anchor)}",
            "--Logging:LogLevel:Default=Warning",
        ]));
    }

    public async Task<string?> Open(IReadOnlyList<string> accounts)
    {
        foreach (var part in accounts.Chunk(OpenedAtOnce))
        {
            var answers = await Task.WhenAll(part.Select(account => _grains.GetGrain<IMerchantAccountGrain>(account).Open(HotAccount.Command(account))));
            if (Array.Find(answers, answer => answer.Refusal is not null) is { } refused) return refused.Refusal!.Detail;
            foreach (var account in part) _counts.Add(account, new());
        }

        await _platform.Services.GetRequiredService<SandboxClock>().Move(_ => WindowEvents.Clock, null, CancellationToken.None);
        return null;
    }

    public async Task Take(string account, Poll poll)
    {
        var result = await _ingest.Ingest(EventFormat.Lines, poll.Ndjson, keepBodies: false, wantReceipts: false);
        if (result.Refusal is { } refusal) throw new InvalidOperationException(refusal.Detail);
        _counts[account].Add(result.Of(UsageOutcome.Accepted), result.Of(UsageOutcome.Duplicate));
    }

    public async Task<RoundCost> Measure(string account, IReadOnlyList<Poll> polls)
    {
        var begun = -1;
        var (cpu, allocated) = (Environment.CpuUsage.TotalTime, GC.GetTotalAllocatedBytes());
        var start = Stopwatch.GetTimestamp();
        await Task.WhenAll(Enumerable.Range(0, PollsInFlight).Select(_ => Task.Run(Partition)));
        var elapsed = Stopwatch.GetElapsedTime(start);
        (cpu, allocated) = (Environment.CpuUsage.TotalTime - cpu, GC.GetTotalAllocatedBytes() - allocated);
        return new(polls.Sum(poll => poll.Accepted), elapsed.TotalSeconds, cpu.TotalSeconds, allocated);

        async Task Partition()
        {
            for (int next; (next = Interlocked.Increment(ref begun)) < polls.Count;) await Take(account, polls[next]);
        }
    }

    public async Task<HeldUsage> Held(string account)
    {
        var answer = await _grains.GetGrain<IMerchantAccountGrain>(account).GetUsage(WindowCase.MeterId, null, null);
        if (answer.Refusal is { } refusal) throw new InvalidOperationException(refusal.Detail);
        _stored ??= await EventsOnDisk();
        return new(answer.Usage!, _stored.GetValueOrDefault(account), _counts[account].Accepted, _counts[account].Duplicates);
    }

    public ValueTask DisposeAsync() => _platform.DisposeAsync();

    private async Task<Dictionary<string, long>> EventsOnDisk()
    {
        var stored = new Dictionary<string, long>(StringComparer.Ordinal);
        await ((SqliteStore)_platform.Store).ForEachEntry((account, entry) =>
        {
            var facts = new FactReader(entry.Span);
            var events = 0;
            while (facts.TryRead(out var kind, out _))
                if (kind == FactKind.UsageRecorded) events++;
            stored[account] = stored.GetValueOrDefault(account) + events;
        });
        return stored;
    }
}
