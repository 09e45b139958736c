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
internal sealed class CatalogMoveJob(string id, CatalogMove move, ImmutableArray<string>? accounts, string reason, bool isDryRun, DateTimeOffset startedAt)
    : AccountJob<AccountMove>(id, startedAt)
{
    private readonly SortedDictionary<(string Currency, string Interval), CatalogMoveTotal> _totals = [];
    private readonly Dictionary<AccountMoveOutcome, int> _outcomes = [];

    public CatalogMove Move => move;

    public ImmutableArray<string>? Accounts => accounts;

    public string Reason => reason;

    public bool IsDryRun => isDryRun;

    /// <summary>How far it is, with a page of what came of it.</summary>
    public CatalogMoveView Show(int skip, int take, Func<int, string> cursor) => Show(skip, take, cursor, page => new CatalogMoveView(
        page.Id, move.From.Version, move.To.Version, isDryRun, page.Status, page.StartedAt, page.FinishedAt, _outcomes.Values.Sum(),
        Count(AccountMoveOutcome.Moved) + Count(AccountMoveOutcome.WouldMove), Count(AccountMoveOutcome.Unchanged), Count(AccountMoveOutcome.Refused),
        [.. _totals.Values], page.Items, page.Next));

    /// <inheritdoc/>
    protected override void AddUp(AccountMove result)
    {
        _outcomes[result.Outcome] = Count(result.Outcome) + 1;
        if (result.Change is not { Currency: var currency }) return;
        foreach (var product in result.Products)
        {
            AddTotal(currency, product.Interval, product.BasePrice, 0);
            AddTotal(currency, product.NewInterval, 0, product.NewBasePrice);
        }
    }

    private int Count(AccountMoveOutcome outcome) => _outcomes.GetValueOrDefault(outcome);

    private void AddTotal(string currency, string interval, long before, long after)
    {
        var sum = _totals.GetValueOrDefault((currency, interval)) ?? new(currency, interval, 0, 0, 0);
        _totals[(currency, interval)] = new(currency, interval, sum.BasePrice + before, sum.NewBasePrice + after, sum.Difference + after - before);
    }
}
