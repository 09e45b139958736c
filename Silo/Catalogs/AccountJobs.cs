namespace Billing.Silo.Catalogs;

/// <summary>
/// Runs jobs of a kind in the background, one after the other. Jobs and what came of them are in memory: gone when the silo stops, unknown to
/// other silos.
/// </summary>
internal abstract partial class AccountJobs<TJob>(TimeProvider time, ILogger log) : BackgroundService
    where TJob : class, IJob
{
    /// <summary>How many accounts of a page are listed at once.</summary>
    protected const int PageSize = 100;

    // There is other work to do.
    private const int AtOnce = 2;

    private readonly JobList<TJob> _jobs = new();

    /// <summary>Begins a job behind those that were begun before.</summary>
    /// <returns>The job, or the one of the same id that runs or is done; null when as many wait as are kept.</returns>
    public TJob? Begin(TJob job) => _jobs.Begin(job);

    /// <summary>A job of this silo; null when it is not known, or not any more.</summary>
    public TJob? Find(string id) => _jobs.Find(id);

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await foreach (var job in _jobs.Waiting(stoppingToken))
        {
            try
            {
                await Run(job, stoppingToken);
                job.End(time.GetUtcNow(), isDone: true);
            }
            catch (Exception failed) when (!stoppingToken.IsCancellationRequested)
            {
                LogStopped(failed, job.Id);
                job.End(time.GetUtcNow(), isDone: false);
            }
        }
    }

    /// <summary>Goes through all accounts of a job.</summary>
    protected abstract Task Run(TJob job, CancellationToken cancellation);

    /// <summary>Does something with each of some accounts, some at a time.</summary>
    /// <returns>What came of it, in the order of the accounts.</returns>
    protected static async Task<TResult[]> ForEach<TResult>(IReadOnlyList<string> accounts, Func<string, Task<TResult>> run, CancellationToken cancellation)
    {
        var results = new TResult[accounts.Count];
        await Parallel.ForAsync(0, accounts.Count, new ParallelOptions { MaxDegreeOfParallelism = AtOnce, CancellationToken = cancellation }, async (i, _) =>
            results[i] = await run(accounts[i]));
        return results;
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "The job {Job} did not come to its end. Begin it again: it does nothing twice.")]
    private partial void LogStopped(Exception exception, string job);
}
