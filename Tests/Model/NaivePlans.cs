using System.Numerics;
using Billing.Accounts;
using Billing.Invoices;

namespace Billing.Tests.Model;

/// <summary>
/// What the billing rules say of an account's plans. It shares no code with the product: it reads the facts of a journal in their order,
/// takes from them what others decide (events, changes by hand, when something was final), decides the rest itself, and says where the
/// facts differ.
/// </summary>
internal sealed class NaivePlans(ModelLadder ladder, IEnumerable<ModelMeter> meters)
{
    private static readonly TimeSpan Grace = TimeSpan.FromHours(72);

    private readonly ModelMeter[] _meters = [.. meters.Where(m => m.Product == ModelCatalog.Desk)];
    private readonly NaivePrices _prices = new(ladder.Currency);
    private readonly List<ModelEvent> _accepted = [];
    private readonly List<NaivePeriod> _periods = [];
    private readonly List<BillingPeriod> _drafts = [];
    private readonly List<AccountFact> _settled = [];
    private readonly HashSet<string> _commands = new(StringComparer.Ordinal);
    private readonly Dictionary<string, NaiveUsage> _usage = [];
    private DateTimeOffset? _anchor;
    private DateTimeOffset? _end;
    private DateTimeOffset? _automaticAt;
    private (string Plan, DateTimeOffset At)? _scheduled;
    private ModelPlan? _chosen;
    private bool _automatic = true;

    /// <summary>Where facts and rules differ first; null while they agree.</summary>
    public string? Problem { get; private set; }

    /// <summary>The commands by which people changed plans, or let them change later.</summary>
    public IReadOnlySet<string> Commands => _commands;

    /// <summary>What was seen: upgrades, settlings, downgrades, changes by hand.</summary>
    public List<string> Seen { get; } = [];

    /// <summary>The billing periods that began, in order.</summary>
    public IReadOnlyList<NaivePeriod> Periods => _periods;

    /// <summary>The amount that the rules ask for a period, base price and usage, for the events known by now.</summary>
    public long Asked(NaivePeriod period, DateTimeOffset clock) => Cost(period, Cheapest(period, clock), clock);

    /// <summary>Reads a journal entry.</summary>
    /// <param name="entry">The entry.</param>
    /// <param name="eventOf">The event of a key and a fingerprint.</param>
    public void Read(ReadOnlySpan<byte> entry, Func<UInt128, uint, ModelEvent> eventOf)
    {
        var reader = new FactReader(entry);
        while (reader.TryRead(out var kind, out var content))
        {
            if (kind == FactKind.Json) Take(FactReader.ReadJson(content));
            if (kind != FactKind.UsageRecorded) continue;
            var fact = FactReader.ReadUsageRecorded(content);
            _accepted.Add(eventOf(fact.KeyHash, fact.Fingerprint));
            _usage.Clear();
        }

        IsOnTheCheapest(reader.ReceivedAt);
    }

    /// <summary>When nothing is left to be billed: all invoices together bear what the rules ask for each period that is over.</summary>
    public void AtRest(DateTimeOffset clock) => IsBilled(clock);

    private void Take(AccountFact fact)
    {
        switch (fact)
        {
            case AccountFact.AccountOpened opened:
                _automatic = opened.AutomaticPlanChanges;
                break;
            case AccountFact.SettingsChanged { AutomaticPlanChanges: { } automatic }:
                _automatic = automatic;
                Seen.Add("opted in or out");
                break;
            case AccountFact.SubscriptionStarted started:
                _anchor = started.At;
                Begin(new(started.At, started.At.AddMonths(1)), ladder.Plan(started.Plan), false);
                break;
            case AccountFact.AccountCancelled cancelled:
                (_end, _scheduled) = (cancelled.At, null);
                _usage.Clear();
                break;
            case AccountFact.InvoiceDrafted drafted:
                _drafts.Add(drafted.Period);
                if (_end is null) Begin(drafted.Period, _chosen ?? _periods[^1].Last.Plan, _chosen is not null);
                _chosen = null;
                break;
            case AccountFact.PlanChanged changed:
                ChangeByHand(changed);
                break;
            case AccountFact.PlanChangeScheduled scheduled:
                Is(scheduled.EffectiveAt >= _periods[^1].Period.End, $"a change to {scheduled.Plan} is scheduled for {scheduled.EffectiveAt:O}, in the running period");
                _scheduled = (scheduled.Plan, scheduled.EffectiveAt);
                Note(scheduled.CommandId);
                break;
            case AccountFact.PlanChangeUndone:
                _scheduled = null;
                Seen.Add("undone");
                break;
            case AccountFact.PlanUpgraded upgraded:
                Upgrade(upgraded);
                break;
            case AccountFact.PeriodSettled or AccountFact.PlanDowngraded:
                _settled.Add(fact);
                break;
            case AccountFact.PeriodSettledAgain again:
                SettleAgain(again);
                break;
            case AccountFact.DraftDropped dropped:
                Settle(dropped.Period, []);
                break;
            case AccountFact.InvoiceFinalized { Invoice: var invoice }:
                foreach (var line in invoice.Lines) Bill(line);
                if (invoice.FinalizedAt == invoice.Period.Start + Grace && _drafts.Remove(invoice.Period)) Settle(invoice.Period, invoice.Lines);
                else if (_end is not null) IsSettled(invoice.FinalizedAt!.Value);
                break;
        }
    }

    private void Begin(BillingPeriod period, ModelPlan plan, bool byHand)
    {
        Is(!(_scheduled?.At <= period.Start), $"the change to {_scheduled?.Plan} was scheduled for {_scheduled?.At:O}, and the period from {period.Start:O} began on {plan.Id}");
        _periods.Add(new(period, new(period.Start, plan, byHand)));
    }

    // Upwards at once, all else with a period, and then it was scheduled.
    private void ChangeByHand(AccountFact.PlanChanged fact)
    {
        var (running, plan) = (_periods[^1], ladder.Plan(fact.Plan));
        if (fact.At < running.Period.End)
        {
            Is(plan.Rank > running.Last.Plan.Rank && plan.Yearly == running.Last.Plan.Yearly, $"the change to {plan.Id} at {fact.At:O} is not upwards from {running.Last.Plan.Id}");
            running.Stretches.Add(new(fact.At, plan, true));
            Seen.Add("changed at once");
            Note(fact.CommandId);
            return;
        }

        Is(_scheduled == (fact.Plan, fact.At), $"the change to {plan.Id} at {fact.At:O} was not scheduled");
        (_chosen, _scheduled) = (plan, null);
        Seen.Add("changed with a period");
    }

    private void Note(string? command)
    {
        if (command is not null) _commands.Add(command);
    }

    private void Upgrade(AccountFact.PlanUpgraded fact)
    {
        var (period, to) = (_periods[^1], ladder.Plan(fact.Plan));
        var (before, after) = (Cost(period, period.Last.Plan, fact.At), Cost(period, to, fact.At));
        Is(after < before, $"the upgrade to {to.Id} at {fact.At:O} costs {after}, {period.Last.Plan.Id} costs {before}");
        Is(Moves(period), $"the upgrade to {to.Id} at {fact.At:O} is of a plan that usage does not move");
        foreach (var other in Monthly(p => p.Rank > period.Last.Plan.Rank))
            Is(Cost(period, other, fact.At) > after || (Cost(period, other, fact.At) == after && other.Rank >= to.Rank), $"at {fact.At:O} {other.Id} costs less than {to.Id}, which was taken");
        (period.Last.Plan, period.Last.Highest, _automaticAt) = (to, to, period.Last.From);
        Seen.Add("upgraded");
    }

    // After each turn: whenever a higher plan costs strictly less for the usage so far, the account is on it. While something is pending it
    // may come to that by the time alone; then it is enough that it is so once nothing is.
    private void IsOnTheCheapest(DateTimeOffset clock)
    {
        if (_periods is not [.., var running] || _end is not null || !running.Period.Contains(clock) || !Moves(running)) return;
        if (_meters.Any(m => !Usage(m).Pending(running.Period, clock).IsZero)) return;
        var present = Cost(running, running.Last.Plan, clock);
        foreach (var plan in Monthly(p => p.Rank > running.Last.Plan.Rank))
            Is(Cost(running, plan, clock) >= present, $"by {clock:O} {plan.Id} costs {Cost(running, plan, clock)} in the period from {running.Period.Start:O}, which is still on {running.Last.Plan.Id} for {present}");
    }

    private void Settle(BillingPeriod draft, IEnumerable<InvoiceLine> lines)
    {
        var at = draft.Start + Grace;
        var closed = _periods.Single(p => p.Period.End == draft.Start);
        var next = _periods.Find(p => p.Period == draft);
        var to = Cheapest(closed, at);
        var lower = next is { Stretches: [{ ByHand: false }] } ? Lower(closed, to, at) : null;

        var settled = _settled.OfType<AccountFact.PeriodSettled>().SingleOrDefault();
        var down = _settled.OfType<AccountFact.PlanDowngraded>().SingleOrDefault();
        Is(settled?.Plan == (to == closed.Last.Plan ? null : to.Id), $"the period from {closed.Period.Start:O} settles on {to.Id}, the journal says {settled?.Plan ?? "nothing"}");
        Is(down?.Plan == lower?.Id, $"the period from {draft.Start:O} begins lower on {lower?.Id ?? "nothing"}, the journal says {down?.Plan ?? "nothing"}");
        _settled.Clear();

        if (next is { Stretches: [{ ByHand: false } only] } && (lower ?? to) != closed.Last.Plan) next.Stretches[0] = new(only.From, lower ?? to, false);
        if (to != closed.Last.Plan) Seen.Add("settled on another");
        if (lower is not null)
        {
            _automaticAt = closed.Period.End;
            Seen.Add("downgraded");
        }

        (closed.Last.Plan, closed.Settled) = (to, _automatic);
        var began = next?.Stretches[0].Began;
        var asked = began is null or { Yearly: true } ? null : began.Id;
        var based = lines.Where(l => l.Kind == InvoiceLineKind.Base && !ladder.Plan(l.Plan!).Yearly).Select(l => l.Plan).ToList();
        Is(based.SequenceEqual(asked is null ? [] : [asked]), $"the base line for the period from {draft.Start:O} is of {string.Join(", ", based)}, not of {asked ?? "none"}");
        IsSettled(at);
    }

    private void SettleAgain(AccountFact.PeriodSettledAgain fact)
    {
        var period = _periods.Single(p => p.Period == fact.Period);
        Is(period.Settled is not null, $"the period from {period.Period.Start:O} settles again at {fact.At:O} and is not billed yet");
        Is(fact.Plan != period.Last.Plan.Id && fact.Decision.From == period.Last.Plan.Id, $"the period from {period.Period.Start:O}, on {period.Last.Plan.Id}, settles again from {fact.Decision.From} on {fact.Plan}");
        period.Last.Plan = ladder.Plan(fact.Plan);
        Seen.Add("settled again");
    }

    // The journal says of each billed period which plan it settled on, and why.
    private void IsSettled(DateTimeOffset at)
    {
        foreach (var period in _periods.Where(p => p.Settled is not null && Cheapest(p, at) != p.Last.Plan))
            Is(false, $"by {at:O} the period from {period.Period.Start:O} settles on {Cheapest(period, at).Id}, the journal says {period.Last.Plan.Id}");
        IsBilled(at);
    }

    private void Bill(InvoiceLine line)
    {
        if (line.Product is null || (line.Meter is null && ladder.Plan(line.Plan!).Yearly)) return;
        var period = _periods.Single(p => p.Period.Contains(line.Period.Start));
        period.Billed += line.Amount;
        if (line.Meter is null) period.BilledBase += line.Amount;
    }

    private void IsBilled(DateTimeOffset at)
    {
        foreach (var period in _periods.Where(p => p.Settled is not null))
        {
            var plan = Cheapest(period, at);
            var (asked, alone) = (Cost(period, plan, at), Cost(period, period.Last.Began, at));
            Is(period.Billed == asked, $"by {at:O} the period from {period.Period.Start:O} was billed {period.Billed}; on {plan.Id}, the cheapest from {period.Last.Began.Id} on, it costs {asked}");
            Is(period.Billed <= alone, $"by {at:O} the period from {period.Period.Start:O} was billed {period.Billed}, and {period.Last.Began.Id} alone costs {alone}");
            var parts = _prices.BaseOf(period.Period, On(period, plan));
            Is(period.BilledBase == parts, $"by {at:O} the base lines of the period from {period.Period.Start:O} come to {period.BilledBase}, its stretches to {parts}");
        }
    }

    private ModelPlan Cheapest(NaivePeriod period, DateTimeOffset at)
    {
        var last = period.Last;
        if (last.Began.Yearly) return last.Began;
        var free = Moves(period);
        return Monthly(p => p.Rank >= last.Began.Rank && (free || p.Rank <= last.Highest.Rank)).MinBy(p => (Cost(period, p, at), p.Rank))!;
    }

    private bool Moves(NaivePeriod period) => ladder.Upgrade && !period.Last.Began.Yearly && (period.Settled ?? _automatic);

    private ModelPlan? Lower(NaivePeriod closed, ModelPlan settled, DateTimeOffset at)
    {
        if (!_automatic || settled.Yearly || ladder.Downgrade is not { } rule || _automaticAt + ladder.Cooldown > closed.Period.End) return null;
        if (Monthly(p => p.Rank < settled.Rank).LastOrDefault() is not { } lower) return null;
        var last = _periods.Where(p => p.Period.Start <= closed.Period.Start).TakeLast(rule.Periods).ToList();
        return last.Count == rule.Periods && last.TrueForAll(p => Cost(p, lower, at) < Asked(p, at) && lower.Included.Keys.All(m => HasRoom(p, m))) ? lower : null;

        bool HasRoom(NaivePeriod period, string meter) =>
            Quantity(_meters.Single(m => m.Id == meter), period.Period, at) * NaivePrices.Seconds(period.Period.Start, period.Period.End) * 100
            < NaivePrices.Included(meter, On(period, lower)) * new BigInteger(rule.Headroom * 100);
    }

    private long Cost(NaivePeriod period, ModelPlan plan, DateTimeOffset at)
    {
        var stretches = On(period, plan);
        return _prices.BaseOf(period.Period, stretches) + _meters.Sum(m => _prices.Overage(Quantity(m, period.Period, at), m.Id, period.Period, stretches));
    }

    private static List<(DateTimeOffset From, DateTimeOffset To, ModelPlan Plan)> On(NaivePeriod period, ModelPlan plan) =>
        [.. period.Stretches.Select((s, i) => (s.From, i + 1 < period.Stretches.Count ? period.Stretches[i + 1].From : period.Period.End, s == period.Last ? plan : s.Plan))];

    private BigInteger Quantity(ModelMeter meter, BillingPeriod period, DateTimeOffset at) => Usage(meter).Quantity(period, at);

    private NaiveUsage Usage(ModelMeter meter)
    {
        if (!_usage.TryGetValue(meter.Id, out var usage))
        {
            var counted = _accepted.Where(e => !(e.Time >= _end) || !NaiveUsage.Listens(meter, e) || NaiveUsage.IsCanceller(meter, e));
            _usage[meter.Id] = usage = new(meter, [.. counted], _anchor!.Value);
        }

        return usage;
    }

    private IEnumerable<ModelPlan> Monthly(Func<ModelPlan, bool> where) => ladder.Plans.Where(p => !p.Yearly && where(p));

    private void Is(bool condition, string otherwise) => Problem ??= condition ? null : otherwise;
}

/// <summary>A part of a period on one plan.</summary>
internal sealed class NaiveStretch(DateTimeOffset from, ModelPlan began, bool byHand)
{
    public DateTimeOffset From { get; } = from;

    public ModelPlan Began { get; } = began;

    public bool ByHand { get; } = byHand;

    /// <summary>The plan it is on.</summary>
    public ModelPlan Plan { get; set; } = began;

    /// <summary>The highest plan it was ever on.</summary>
    public ModelPlan Highest { get; set; } = began;
}

/// <summary>A billing period, and what was billed for it in minor units.</summary>
internal sealed class NaivePeriod(BillingPeriod period, NaiveStretch first)
{
    public BillingPeriod Period { get; } = period;

    public List<NaiveStretch> Stretches { get; } = [first];

    public NaiveStretch Last => Stretches[^1];

    /// <summary>Null while its usage is on no final invoice; then whether usage could move its plan.</summary>
    public bool? Settled { get; set; }

    public long Billed { get; set; }

    /// <summary>The part of it that is for base prices by the month.</summary>
    public long BilledBase { get; set; }
}
