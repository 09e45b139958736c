using System.Collections.Immutable;
using Billing.Http;

namespace Billing.Silo.Catalogs;

/// <summary>A job that goes through accounts, with what came of each. Thread-safe.</summary>
/// <param name="id">The job.</param>
/// <param name="startedAt">When it was asked for.</param>
internal abstract class AccountJob<TResult>(string id, DateTimeOffset startedAt) : IJob
{
    /// <summary>How many accounts are kept with all that came of them, the first ones; the totals are of all.</summary>
    public const int ItemsKept = 50_000;

    private readonly Lock _gate = new();
    private readonly List<TResult> _items = [];
    private DateTimeOffset? _finishedAt;
    private JobStatus _status = JobStatus.Running;

    /// <inheritdoc/>
    public string Id => id;

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

    /// <summary>Notes what came of some accounts.</summary>
    public void Add(IEnumerable<TResult> results)
    {
        lock (_gate)
        {
            foreach (var result in results)
            {
                AddUp(result);
                if (_items.Count < ItemsKept) _items.Add(result);
            }
        }
    }

    /// <inheritdoc/>
    public void End(DateTimeOffset at, bool isDone)
    {
        lock (_gate) (_finishedAt, _status) = (at, isDone ? JobStatus.Done : JobStatus.Stopped);
    }

    /// <summary>Adds what came of an account to the totals. Nobody reads them meanwhile.</summary>
    protected abstract void AddUp(TResult result);

    /// <summary>Makes a view of how far the job is, with a page of what came of it. Nothing is added meanwhile.</summary>
    protected TView Show<TView>(int skip, int take, Func<int, string> cursor, Func<JobPage<TResult>, TView> view)
    {
        lock (_gate)
        {
            return view(new(id, _status, startedAt, _finishedAt, [.. _items.Skip(skip).Take(take)], _items.Count - take > skip ? cursor(skip + take) : null));
        }
    }
}

/// <summary>How far a job is, with a page of what came of it.</summary>
/// <param name="Id">The job.</param>
/// <param name="Status">Whether it runs, is done, or was stopped.</param>
/// <param name="StartedAt">When it was asked for.</param>
/// <param name="FinishedAt">When it ended; null while it runs.</param>
/// <param name="Items">What came of some accounts.</param>
/// <param name="Next">Where the next page begins; null when there is none.</param>
internal sealed record JobPage<TResult>(
    string Id, JobStatus Status, DateTimeOffset StartedAt, DateTimeOffset? FinishedAt, ImmutableArray<TResult> Items, string? Next);
