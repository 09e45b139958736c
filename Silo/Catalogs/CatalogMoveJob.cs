using System.Collections.Immutable;
using Billing.Http;
using Billing.Plans;

namespace Billing.Silo.Catalogs;

/// <summary>A move of accounts to another catalogue version. Thread-safe.</summary>
/// <param name="id">The job; the accounts know its command by it.</param>
/// <param name="move">What moves.</param>
/// <param name="accounts">Which accounts; null for all.</param>
/// <param name="reason">Why, in words.</param>
/// <param name="isDryRun">Whether nothing is changed.</param>
/// <param name="startedAt">When it was asked for.</param>
internal sealed class CatalogMoveJob(string id, CatalogMove move, ImmutableArray<string>? accounts, string reason, bool isDryRun, DateTimeOffset startedAt) : IJob
{
    /// <summary>How many accounts are kept with all that came of them, the first ones; the totals are of all.</summary>
    public const int ItemsKept = 50_000;

    private readonly Lock _gate = new();
    private readonly List<AccountMove> _items = [];
    private readonly SortedDictionary<(string Currency, string Interval), CatalogMoveTotal> _totals = [];
    private readonly Dictionary<AccountMoveOutcome, int> _outcomes = [];
    private DateTimeOffset? _finishedAt;
    private JobStatus _status = JobStatus.Running;

    /// <inheritdoc/>
    public string Id => id;

    public CatalogMove Move => move;

    public ImmutableArray<string>? Accounts => accounts;

    public string Reason => reason;

    public bool IsDryRun => isDryRun;

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

    public void Add(IEnumerable<AccountMove> results)
    {
        lock (_gate)
        {
            foreach (var result in results)
            {
                _outcomes[result.Outcome] = Count(result.Outcome) + 1;
                if (_items.Count < ItemsKept) _items.Add(result);
                if (result.Change is not { Currency: var currency }) continue;
                foreach (var product in result.Products)
                {
                    AddTotal(currency, product.Interval, product.BasePrice, 0);
                    AddTotal(currency, product.NewInterval, 0, product.NewBasePrice);
                }
            }
        }
    }

    public void End(DateTimeOffset at, bool isDone)
    {
        lock (_gate) (_finishedAt, _status) = (at, isDone ? JobStatus.Done : JobStatus.Stopped);
    }

    /// <summary>How far it is, with a page of what came of it.</summary>
    public CatalogMoveView Show(int skip, int take, Func<int, string> cursor)
    {
        lock (_gate)
        {
            return new(
                id, move.From.Version, move.To.Version, isDryRun, _status, startedAt, _finishedAt, _outcomes.Values.Sum(),
                Count(AccountMoveOutcome.Moved) + Count(AccountMoveOutcome.WouldMove), Count(AccountMoveOutcome.Unchanged), Count(AccountMoveOutcome.Refused),
                [.. _totals.Values], [.. _items.Skip(skip).Take(take)], _items.Count - take > skip ? cursor(skip + take) : null);
        }
    }

    private int Count(AccountMoveOutcome outcome) => _outcomes.GetValueOrDefault(outcome);

    private void AddTotal(string currency, string interval, long before, long after)
    {
        var sum = _totals.GetValueOrDefault((currency, interval)) ?? new(currency, interval, 0, 0, 0);
        _totals[(currency, interval)] = new(currency, interval, sum.BasePrice + before, sum.NewBasePrice + after, sum.Difference + after - before);
    }
}
