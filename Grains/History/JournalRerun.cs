using System.Collections.Immutable;
using Billing.Accounts;
using Billing.Invoices;
using Billing.Invoicing;
using Billing.Plans;

namespace Billing.History;

/// <summary>
/// Runs the rules over the journal of an account again. What came from outside is taken as it was: events, commands, payments that
/// changed the account's status. What the rules decide by themselves is left out and decided anew: invoices, and changes of plan by usage.
/// </summary>
/// <param name="state">An empty state of the account, on the catalogues that are to hold.</param>
internal sealed class JournalRerun(AccountState state)
{
    private readonly FactWriter _facts = new();
    private readonly HashSet<AccountFact> _decided = [];
    private readonly List<AccountFact> _moves = [];
    private readonly List<InvoiceLine> _parts = [];
    private int _collected;
    private bool _begun;
    private bool _caughtUp;
    private DateTimeOffset _partsFrom;
    private DateTimeOffset? _firstAt;
    private ImmutableArray<InvoiceLine> _back = [];

    /// <summary>The account as it is by these rules.</summary>
    public AccountState State => state;

    /// <summary>The changes of plan that were decided, in order.</summary>
    public IReadOnlyList<AccountFact> Moves => _moves;

    /// <summary>Whether a fact comes from outside the rules that are run again.</summary>
    /// <exception cref="InvalidDataException">It is of a kind that is neither known to be taken nor to be decided anew.</exception>
    public static bool IsInput(AccountFact fact) => fact switch
    {
        AccountFact.AccountOpened or AccountFact.SubscriptionStarted or AccountFact.CancellationScheduled or AccountFact.CancellationUndone
            or AccountFact.AccountCancelled or AccountFact.MeterTracked or AccountFact.PaymentMethodGiven or AccountFact.PaymentMethodAttached
            or AccountFact.PaymentMethodRefused or AccountFact.PlanChanged or AccountFact.PlanChangeScheduled or AccountFact.PlanChangeUndone
            or AccountFact.SettingsChanged or AccountFact.AccountPastDue or AccountFact.AccountSuspended or AccountFact.AccountReactivated => true,
        AccountFact.PaidSubscriptionBegan or AccountFact.AccountClosed or AccountFact.InvoiceDrafted or AccountFact.InvoiceFinalized
            or AccountFact.DraftDropped or AccountFact.PlanUpgraded or AccountFact.PeriodSettled or AccountFact.PeriodSettledAgain or AccountFact.PlanDowngraded
            or AccountFact.PeriodsPaused or AccountFact.DeadLetterClosed or AccountFact.ChargeRequested or AccountFact.StripeCallSent
            or AccountFact.StripeCallEnded or AccountFact.CustomerStepPut or AccountFact.CustomerCreated or AccountFact.PaymentMethodSet
            or AccountFact.ChargeStepPut or AccountFact.ChargeUnknown or AccountFact.ChargeSettled or AccountFact.ChargeDeclined
            or AccountFact.ChargeParked or AccountFact.ChargeNoticed or AccountFact.ChargeDisputed or AccountFact.ChargeDisputeClosed
            or AccountFact.RefundNoticed or AccountFact.ChargesReleased or AccountFact.UsageAlertReached
            or AccountFact.SpendCapReached or AccountFact.UsageLookedAt or AccountFact.RenewalNoticed => false,
        _ => throw new InvalidDataException($"The journal holds the fact {fact.GetType().Name}, which a history that is run again does not know."),
    };

    /// <summary>Begins the next journal entry.</summary>
    public void Begin(DateTimeOffset receivedAt)
    {
        _facts.Begin(receivedAt);
        (_collected, _begun, _caughtUp) = (FactWriter.HeaderBytes, false, false);
    }

    /// <summary>Takes an event that was accepted.</summary>
    public void Take(in UsageRecordedFact fact)
    {
        Invoice();
        CatchUpOnce();
        BeginEntry();
        state.Apply(fact, _facts.ReceivedAt, null);
        if (state.HasUsageToLookAt) UsageReactions.Decide(state, _facts.ReceivedAt, _facts);
    }

    /// <summary>Takes a fact of another kind.</summary>
    public void Take(AccountFact fact)
    {
        // What one command changed is invoiced together, behind the last of its facts.
        if (fact is not (AccountFact.SubscriptionStarted or AccountFact.PlanChanged or AccountFact.PlanChangeScheduled or AccountFact.AccountReactivated)) Invoice();
        if (!IsInput(fact)) return;
        if (fact is AccountFact.AccountSuspended { ByOperator: false, At: var suspendedAt }) CatchUp(suspendedAt.AddTicks(-1));
        else CatchUpOnce();
        if (_decided.Remove(fact)) return;
        NoteInvoice(fact);
        BeginEntry();
        state.Apply(fact);
    }

    /// <summary>Ends the entry: what is due by its time is decided.</summary>
    public void End()
    {
        Invoice();
        CatchUp(_facts.ReceivedAt);
    }

    private void BeginEntry()
    {
        if (!_begun) state.BeginEntry(_facts);
        _begun = true;
    }

    private void CatchUpOnce()
    {
        if (_caughtUp) return;
        _caughtUp = true;
        CatchUp(_facts.ReceivedAt);
    }

    private void CatchUp(DateTimeOffset at)
    {
        AccountDecider.CatchUp(state, at, _facts);
        Collect();
    }

    // What was decided anew is in the journal too, and not to be taken a second time.
    private void Collect()
    {
        var written = _facts.Entry.Span;
        if (written.Length == _collected) return;
        var reader = FactReader.Behind(written, _collected);
        while (reader.TryRead(out _, out var content))
        {
            var fact = FactReader.ReadJson(content);
            if (IsInput(fact)) _decided.Add(fact);
            else if (fact is AccountFact.PlanUpgraded or AccountFact.PeriodSettled or AccountFact.PlanDowngraded) _moves.Add(fact);
        }

        _collected = written.Length;
    }

    private void NoteInvoice(AccountFact fact)
    {
        switch (fact)
        {
            case AccountFact.AccountOpened { Status: AccountStatus.Active } opened:
                _firstAt = opened.At;
                break;

            case AccountFact.AccountReactivated { Anchor: { } anchor }:
                (_firstAt, _back) = (anchor, BaseFees.PaidBeyond(state, anchor));
                break;

            case AccountFact.SubscriptionStarted started when state.Status == AccountStatus.Pending:
                _firstAt = started.At;
                break;

            case AccountFact.SubscriptionStarted { BaseFeesFrom: { } from } started when from > started.At:
                NoteParts(null, started.Plan, started.CatalogVersion, started.At);
                break;

            case AccountFact.PlanChanged changed:
                var subscription = state.Subscriptions.First(s => s.Product == changed.Product);
                if (!(subscription.Scheduled?.At <= changed.At)) NoteParts(subscription, changed.Plan, changed.CatalogVersion, changed.At);
                break;
        }
    }

    private void NoteParts(Subscription? subscription, string plan, string version, DateTimeOffset at)
    {
        var to = state.PlanOf(plan, version);
        var paid = subscription is not null && to.Interval == PlanInterval.Year && state.Status != AccountStatus.Trialing ? BaseFees.YearOf(state, subscription) : (BillingPeriod?)null;
        _parts.AddRange(PlanChangeDecider.Lines(state, new(subscription, to, version, at, paid)));
        _partsFrom = at;
    }

    private void Invoice()
    {
        if (_firstAt is { } anchor)
        {
            var first = InvoiceBuilder.First(state, anchor, _back);
            if (!first.Lines.IsEmpty) AccountDecider.Emit(state, _facts, new AccountFact.InvoiceFinalized(first));
        }

        if (_parts.Count > 0)
        {
            var due = InvoiceFinalizer.Draft(state, new(_partsFrom, state.BegunPeriod!.Value.End), _partsFrom, _parts.OrderBy(l => l.Product, StringComparer.Ordinal));
            AccountDecider.Emit(state, _facts, new AccountFact.InvoiceFinalized(InvoiceFinalizer.Finalize(state, due, _partsFrom)));
        }

        (_firstAt, _back) = (null, []);
        _parts.Clear();
    }
}
