using System.Threading.Channels;

namespace Billing.Silo.Catalogs;

/// <summary>A job that goes through accounts. Thread-safe.</summary>
internal interface IJob
{
    string Id { get; }

    /// <summary>Whether nothing comes to it any more.</summary>
    bool IsOver { get; }

    /// <summary>Whether it has been at all accounts.</summary>
    bool IsDone { get; }

    /// <summary>Nothing comes to it any more.</summary>
    void End(DateTimeOffset at, bool isDone);
}

/// <summary>The newest jobs of a kind, run one after the other. They are in memory: gone when the silo stops, unknown to other silos. Thread-safe.</summary>
internal sealed class JobList<TJob>
    where TJob : class, IJob
{
    /// <summary>How many jobs are kept: the newest ones.</summary>
    public const int Kept = 8;

    private readonly Lock _gate = new();
    private readonly List<TJob> _jobs = [];
    private readonly Channel<TJob> _waiting = Channel.CreateUnbounded<TJob>();

    /// <summary>Puts a job behind those that were begun before.</summary>
    /// <returns>The job; the one of the same id that runs or is done, if there is one; null when as many wait as are kept.</returns>
    public TJob? Begin(TJob job)
    {
        lock (_gate)
        {
            if (_jobs.Find(j => j.Id == job.Id) is { } known)
            {
                if (!known.IsOver || known.IsDone) return known;
                _jobs.Remove(known);
            }

            if (_jobs.Count >= Kept && !_jobs.Exists(j => j.IsOver)) return null;
            if (_jobs.Count >= Kept) _jobs.Remove(_jobs.Find(j => j.IsOver)!);
            _jobs.Add(job);
            _waiting.Writer.TryWrite(job);
            return job;
        }
    }

    /// <summary>A job; null when it is not known, or not any more.</summary>
    public TJob? Find(string id)
    {
        lock (_gate) return _jobs.Find(j => j.Id == id);
    }

    /// <summary>The jobs to run, as they come.</summary>
    public IAsyncEnumerable<TJob> Waiting(CancellationToken cancellation) => _waiting.Reader.ReadAllAsync(cancellation);
}
