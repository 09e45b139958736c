using Billing.Accounts;
using Billing.Http;
using Billing.Silo.Hosting;
using Billing.Silo.Ingest;
using Billing.Silo.Storage.Sqlite;
using Microsoft.Extensions.DependencyInjection;
using Orleans;

namespace Billing.Benchmarks.Ingest;

/// <summary>The platform itself in this process: CloudEvents bytes, grains, SQLite with fsync. HTTP is left out, as for the peers.</summary>
/// <param name="context">Where and for whom.</param>
/// <param name="keepBodies">Whether the full bodies are journaled too.</param>
internal sealed class OrleansBillingTarget(TargetContext context, bool keepBodies) : IIngestTarget
{
    private Platform _platform = null!;
    private UsageIngest _ingest = null!;
    private long _accepted;
    private long _duplicate;
    private TimeSpan _cpuBefore;
    private TimeSpan _pausesBefore;
    private long _allocatedBefore;

    public string Name => keepBodies ? "orleans-billing-bodies" : "orleans-billing";

    public IReadOnlyDictionary<string, double> Details { get; private set; } = new Dictionary<string, double>(StringComparer.Ordinal);

    private IReadOnlyDictionary<string, double> Measured
    {
        get
        {
            var journal = ((SqliteStore)_platform.Store).Figures;
            return new Dictionary<string, double>(StringComparer.Ordinal)
            {
                ["CPU microseconds an event"] = (Environment.CpuUsage.TotalTime - _cpuBefore).TotalMicroseconds / long.Max(1, _accepted + _duplicate),
                ["bytes allocated an event"] = (GC.GetTotalAllocatedBytes() - _allocatedBefore) / (double)long.Max(1, _accepted + _duplicate),
                ["collector pauses in ms"] = (GC.GetTotalPauseDuration() - _pausesBefore).TotalMilliseconds,
                ["collections of generation 0"] = GC.CollectionCount(0),
                ["collections of generation 2"] = GC.CollectionCount(2),
                ["commits"] = journal.Commits,
                ["accounts a commit"] = journal.Commits == 0 ? 0 : (double)journal.Entries / journal.Commits,
                ["journal bytes an event"] = (double)journal.Bytes / long.Max(1, _accepted),
                ["body bytes an event"] = (double)journal.BodyBytes / long.Max(1, _accepted),
            };
        }
    }

    public async Task Start()
    {
        _platform = await Platform.Start(
        [
            $"--BILLING_DATA={context.Scratch}",
            "--BILLING_ADMIN_KEY=a-key-of-the-benchmark",
            "--BILLING_URL=http://127.0.0.1:0",
            "--BILLING_SANDBOX_URL=http://127.0.0.1:0",
            $"--BILLING_CLOCK={UtcJsonConverter.ToText(context.Clock.AddDays(-30))}",
            "--Logging:LogLevel:Default=Warning",
        ]);
        _ingest = _platform.Services.GetRequiredService<UsageIngest>();
        var grains = _platform.Services.GetRequiredService<IGrainFactory>();
        foreach (var part in context.AccountIds.Chunk(1000))
            await Task.WhenAll(part.Select(account => Open(grains, account)));
        await _platform.Services.GetRequiredService<Silo.Scheduling.SandboxClock>().Move(_ => context.Clock, null, CancellationToken.None);
        _cpuBefore = Environment.CpuUsage.TotalTime;
        _allocatedBefore = GC.GetTotalAllocatedBytes();
        _pausesBefore = GC.GetTotalPauseDuration();
    }

    public async Task Ingest(ReadOnlyMemory<byte> ndjsonPoll, CancellationToken cancellation)
    {
        var result = await _ingest.Ingest(EventFormat.Lines, ndjsonPoll, keepBodies, wantReceipts: false);
        if (result.Refusal is { } refusal) throw new InvalidOperationException(refusal.Detail);
        Interlocked.Add(ref _accepted, result.Of(Usage.UsageOutcome.Accepted));
        Interlocked.Add(ref _duplicate, result.Of(Usage.UsageOutcome.Duplicate));
    }

    /// <summary>Accepted events as the journal on disk has them; duplicates as they were answered.</summary>
    public async Task<(long Accepted, long Duplicate)> Counts()
    {
        Details = Measured;
        var stored = 0L;
        await ((SqliteStore)_platform.Store).ForEachEntry((account, entry) =>
        {
            var facts = new FactReader(entry.Span);
            while (facts.TryRead(out var kind, out _))
                if (kind == FactKind.UsageRecorded) stored++;
        });
        return (stored, Interlocked.Read(ref _duplicate));
    }

    public async ValueTask DisposeAsync() => await _platform.DisposeAsync();

    private static async Task Open(IGrainFactory grains, string account)
    {
        var answer = await grains.GetGrain<IMerchantAccountGrain>(account).Open(new(
            account, $"{account}@example.com", null, null, ["helpdesk-pro", "voice-payg"], "2026-11-01", "pm_card_visa", true, null));
        if (answer.Refusal is { } refusal) throw new InvalidOperationException(refusal.Detail);
    }
}
