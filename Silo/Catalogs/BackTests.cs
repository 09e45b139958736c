using System.Collections.Immutable;
using Billing.Accounts;
using Billing.Http;
using Billing.Silo.Storage;
using Orleans;

namespace Billing.Silo.Catalogs;

/// <summary>
/// Runs histories of accounts again by other rules or prices: of a few at once, of all of them in the background, one job after the other.
/// Jobs and what came of them are in memory: they are gone when the silo stops, and other silos do not know them.
/// </summary>
internal sealed partial class BackTests(IGrainFactory grains, IAccountDirectory directory, TimeProvider time, ILogger<BackTests> log) : BackgroundService
{
    /// <summary>How many accounts are run at once: there is other work to do.</summary>
    private const int AtOnce = 2;

    private const int PageSize = 100;
    private static readonly AccountQuery Everybody = new(null, null, null);

    private readonly JobList<BackTestJob> _jobs = new();

    /// <summary>Runs the histories of some accounts.</summary>
    /// <returns>What came of it, in the order of the accounts.</returns>
    public async Task<IReadOnlyList<AccountBackTest>> Run(IReadOnlyList<string> accounts, BackTestQuestion question, CancellationToken cancellation)
    {
        var results = new AccountBackTest[accounts.Count];
        await Parallel.ForAsync(0, accounts.Count, new ParallelOptions { MaxDegreeOfParallelism = AtOnce, CancellationToken = cancellation }, async (i, _) =>
            results[i] = await RunOne(accounts[i], question));
        return results;
    }

    /// <summary>Begins a job for all accounts, behind those that were begun before.</summary>
    /// <param name="kind">Whether only rules are other, or plans too.</param>
    /// <param name="version">The catalogue version.</param>
    /// <param name="question">What is asked of each account.</param>
    /// <returns>The job; null when as many wait as are kept.</returns>
    public BackTestJob? Begin(BackTestKind kind, string version, BackTestQuestion question) =>
        _jobs.Begin(new(Guid.CreateVersion7(time.GetUtcNow()).ToString("N"), kind, version, question, time.GetUtcNow()));

    /// <summary>A job of this silo; null when it is not known, or not any more.</summary>
    public BackTestJob? Find(string id) => _jobs.Find(id);

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await foreach (var job in _jobs.Waiting(stoppingToken))
        {
            try
            {
                await RunAll(job, stoppingToken);
                job.End(time.GetUtcNow(), isDone: true);
            }
            catch (Exception failed) when (!stoppingToken.IsCancellationRequested)
            {
                LogStopped(failed, job.Id);
                job.End(time.GetUtcNow(), isDone: false);
            }
        }
    }

    private async Task RunAll(BackTestJob job, CancellationToken cancellation)
    {
        string? after = null;
        while (true)
        {
            var page = await directory.List(Everybody, after, PageSize);
            if (page.Count == 0) return;
            job.Add(await Run([.. page.Select(a => a.Id)], job.Question, cancellation));
            after = page[^1].Id;
        }
    }

    private async Task<AccountBackTest> RunOne(string account, BackTestQuestion question)
    {
        try
        {
            return await grains.GetGrain<IAccountHistoryGrain>(account).BackTest(question);
        }
        catch (Exception failed)
        {
            LogFailed(failed, account);
            return new(account, null, 0, 0, 0, [], [], [], "The platform failed to run the history of this account and logged why. Nothing of the account was changed.");
        }
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "The history of account {Account} could not be run again.")]
    private partial void LogFailed(Exception exception, string account);

    [LoggerMessage(Level = LogLevel.Error, Message = "The back-test {Job} did not come to its end. Begin it again.")]
    private partial void LogStopped(Exception exception, string job);
}

/// <summary>A back-test of all accounts. Thread-safe.</summary>
internal sealed class BackTestJob(string id, BackTestKind kind, string version, BackTestQuestion question, DateTimeOffset startedAt) : IJob
{
    /// <summary>How many accounts are kept with all that came of them, the first by id; the totals are of all.</summary>
    public const int ItemsKept = 50_000;

    private readonly Lock _gate = new();
    private readonly List<AccountBackTest> _items = [];
    private readonly BackTestSums _sums = new();
    private DateTimeOffset? _finishedAt;
    private JobStatus _status = JobStatus.Running;

    /// <inheritdoc/>
    public string Id => id;

    public BackTestQuestion Question => question;

    /// <inheritdoc/>
    public bool IsOver => Status != JobStatus.Running;

    /// <inheritdoc/>
    public bool IsDone => Status == JobStatus.Done;

    private JobStatus Status
    {
        get
        {
            lock (_gate) return _status;
        }
    }

    public void Add(IReadOnlyList<AccountBackTest> results)
    {
        lock (_gate)
        {
            foreach (var result in results)
            {
                _sums.Add(result);
                if (_items.Count < ItemsKept) _items.Add(result);
            }
        }
    }

    public void End(DateTimeOffset at, bool isDone)
    {
        lock (_gate) (_finishedAt, _status) = (at, isDone ? JobStatus.Done : JobStatus.Stopped);
    }

    /// <summary>How far it is, with a page of what came of it.</summary>
    public BackTestView Show(int skip, int take, Func<int, string> cursor)
    {
        lock (_gate)
        {
            return _sums.View(kind, version, _status, [.. _items.Skip(skip).Take(take)]) with
            {
                Id = id,
                StartedAt = startedAt,
                FinishedAt = _finishedAt,
                Next = _items.Count - take > skip ? cursor(skip + take) : null,
            };
        }
    }
}

/// <summary>Adds up what came of accounts.</summary>
internal sealed class BackTestSums
{
    private readonly SortedDictionary<string, BackTestTotal> _totals = new(StringComparer.Ordinal);
    private int _accounts;
    private int _moved;
    private int _failed;

    public void Add(AccountBackTest result)
    {
        _accounts++;
        if (result.Problem is not null) _failed++;
        if (!result.Moves.IsEmpty) _moved++;
        if (result.Currency is not { } currency) return;
        var sum = _totals.GetValueOrDefault(currency) ?? new(currency, 0, 0, 0);
        _totals[currency] = new(currency, sum.Paid + result.Paid, sum.WouldPay + result.WouldPay, sum.Difference + result.Difference);
    }

    public BackTestView View(BackTestKind kind, string version, JobStatus status, ImmutableArray<AccountBackTest> items) =>
        new(null, kind, version, status, null, null, _accounts, _moved, _failed, [.. _totals.Values], items, null);
}
