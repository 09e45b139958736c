using System.Collections.Immutable;
using Billing.Accounts;
using Billing.Http;

namespace Billing.Silo.Catalogs;

/// <summary>A back-test of all accounts. Thread-safe.</summary>
/// <param name="id">The job.</param>
/// <param name="kind">Whether only rules are other, or plans too.</param>
/// <param name="version">The catalogue version.</param>
/// <param name="question">What is asked of each account.</param>
/// <param name="startedAt">When it was asked for.</param>
internal sealed class BackTestJob(string id, BackTestKind kind, string version, BackTestQuestion question, DateTimeOffset startedAt)
    : AccountJob<AccountBackTest>(id, startedAt)
{
    private readonly BackTestSums _sums = new();

    public BackTestQuestion Question => question;

    /// <summary>How far it is, with a page of what came of it.</summary>
    public BackTestView Show(int skip, int take, Func<int, string> cursor) => Show(skip, take, cursor, page =>
        _sums.View(kind, version, page.Status, page.Items) with { Id = page.Id, StartedAt = page.StartedAt, FinishedAt = page.FinishedAt, Next = page.Next });

    /// <inheritdoc/>
    protected override void AddUp(AccountBackTest result) => _sums.Add(result);
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
