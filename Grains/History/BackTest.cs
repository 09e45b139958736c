using Billing.Accounts;
using Billing.Invoices;

namespace Billing.History;

/// <summary>
/// What an account would have paid by other rules or prices: its journal is run again by them, beside what its final invoices bear. Only
/// base prices, usage, upgrades, prorations and adjustments count, of billing periods that begin in a window.
/// </summary>
/// <param name="state">An empty state of the account on <paramref name="catalogs"/>.</param>
/// <param name="catalogs">The catalogues with the other rules or prices.</param>
/// <param name="from">The first instant at which a period may begin; null for any.</param>
/// <param name="to">The first at which it may not any more; null for none.</param>
internal sealed class BackTest(AccountState state, BackTestCatalogs catalogs, DateTimeOffset? from, DateTimeOffset? to)
{
    private readonly JournalRerun _rerun = new(state);
    private readonly List<PlanMove> _realMoves = [];
    private readonly List<string> _notes = [];
    private long _paid;
    private string? _problem;

    /// <summary>Takes the next journal entry.</summary>
    public void Take(ReadOnlySpan<byte> entry)
    {
        if (_problem is not null) return;
        var reader = new FactReader(entry);
        _rerun.Begin(reader.ReceivedAt);
        while (reader.TryRead(out var kind, out var content))
        {
            switch (kind)
            {
                case FactKind.UsageRecorded:
                    _rerun.Take(FactReader.ReadUsageRecorded(content));
                    break;

                case FactKind.Json:
                    var fact = FactReader.ReadJson(content);
                    Compare(fact);
                    if (_problem is not null) return;
                    _rerun.Take(fact);
                    break;

                case FactKind.UsageRefused:
                    break;

                default:
                    throw new InvalidDataException($"The journal of account {state.Id} holds a fact of kind {(byte)kind}, which a history that is run again does not know.");
            }
        }

        _rerun.End();
    }

    /// <summary>What came of it, everything decided that is due by now.</summary>
    public AccountBackTest Result(DateTimeOffset now)
    {
        if (_problem is not null) return Failed(state.Id, _problem);
        if (state.Profile is not { } profile) return Failed(state.Id, $"There is no account {state.Id}.");
        if (now > state.LastEntryAt)
        {
            _rerun.Begin(now);
            _rerun.End();
        }

        var wouldPay = state.Invoices.Sum(Counted);
        return new(
            state.Id, profile.Currency, _paid, wouldPay, wouldPay - _paid,
            [.. _rerun.Moves.Select(MoveOf).OfType<PlanMove>()], [.. _realMoves], [.. _notes.Distinct()]);
    }

    /// <summary>The answer for an account whose history could not be run.</summary>
    public static AccountBackTest Failed(string account, string problem) => new(account, null, 0, 0, 0, [], [], [], problem);

    private void Compare(AccountFact fact)
    {
        switch (fact)
        {
            case AccountFact.AccountOpened opened:
                _problem = catalogs.RefusedCurrency(opened.Currency);
                break;

            case AccountFact.SubscriptionStarted started:
                UsePlan(started.Product, started.Plan, started.CatalogVersion);
                break;

            case AccountFact.PlanChanged changed:
                UsePlan(changed.Product, changed.Plan, changed.CatalogVersion);
                break;

            case AccountFact.PlanChangeScheduled scheduled:
                UsePlan(scheduled.Product, scheduled.Plan, scheduled.CatalogVersion);
                break;

            case AccountFact.InvoiceFinalized finalized:
                _paid += Counted(finalized.Invoice);
                break;

            default:
                if (MoveOf(fact) is { } move) _realMoves.Add(move);
                break;
        }
    }

    private void UsePlan(string product, string plan, string version)
    {
        _problem = catalogs.RefusedPlan(product, plan);
        _notes.AddRange(catalogs.NotesOf(product, version));
    }

    private long Counted(InvoiceView invoice) => invoice.Lines.Where(l => IsCounted(l.Kind) && InWindow(l.Period.Start)).Sum(l => l.Amount);

    private static bool IsCounted(InvoiceLineKind kind) =>
        kind is InvoiceLineKind.Base or InvoiceLineKind.Usage or InvoiceLineKind.Upgrade or InvoiceLineKind.Proration or InvoiceLineKind.Adjustment;

    private PlanMove? MoveOf(AccountFact fact)
    {
        var (decision, at) = fact switch
        {
            AccountFact.PlanUpgraded upgraded => (upgraded.Decision, upgraded.At),
            AccountFact.PeriodSettled settled => (settled.Decision, settled.At),
            AccountFact.PlanDowngraded downgraded => (downgraded.Decision, downgraded.At),
            _ => (null, default),
        };
        return decision is not null && InWindow(decision.Period.Start)
            ? new(at, decision.EffectiveAt, decision.Product, decision.From, decision.To, decision.Rule, decision.Text)
            : null;
    }

    private bool InWindow(DateTimeOffset start) => !(start < from) && !(start >= to);
}
