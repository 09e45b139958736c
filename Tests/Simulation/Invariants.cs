using System.Numerics;
using System.Text;
using Billing.Accounts;
using Billing.Invoices;
using Billing.Journal;
using Billing.Tests.Accounts;
using Billing.Tests.Model;
using Billing.Usage;

namespace Billing.Tests.Simulation;

/// <summary>What must hold when a run has come to rest. The oracle of the model, which shares no code with the product, says what is right.</summary>
internal static class Invariants
{
    public static void Check(World world, SimulatedPlatform platform, Traffic traffic, SimulatedStripe stripe, PlantedFault fault)
    {
        var now = new DateTimeOffset(world.Now, TimeSpan.Zero);
        var money = new ChargeInvariants(stripe, fault);
        var live = new List<AccountState>();
        for (var place = 0; place < platform.Count; place++)
            live.AddRange(platform[place]!.States().Where(s => s.Sequence == platform.Host.Store!.LastSequence(s.Id)));

        // What is looked at is what a crash leaves, not what was in memory.
        platform.Stop();
        platform.Host.Open(world.Start("store"));
        var store = platform.Host.Store!;
        foreach (var account in traffic.Accounts.Select(a => a.Id).Append("nobody"))
        {
            var tail = store.ReadAll(account, default).Result;
            var state = Rebuilt(account, store, traffic, tail, now);
            Holds(state.Sequence == store.LastSequence(account), "I6", $"{account} has {state.Sequence} entries and the number {store.LastSequence(account)}");
            IsDone(state, store, now);
            IsTheSameHoweverRead(state, store, traffic, live.Where(l => l.Id == account), now);

            var journal = new JournalOfAccount(account, traffic, tail);
            IsAcknowledgedAndKept(account, traffic, journal);
            if (state.Profile is null) continue;
            // The oracle knows of no time without periods.
            if (!journal.WasPaused) AsTheOracleSays();
            else world.Trace.Count("account paused");
            money.Check(world, state, tail);
            foreach (var line in state.Invoices.SelectMany(i => i.Lines)) world.Trace.Count($"billed {line.Kind}");
            if (state.Cancelled is not null) world.Trace.Count("account ended");

            void AsTheOracleSays()
            {
                IsCountedAsTheOracleCounts(state, traffic, journal.Accepted, now);
                var plans = new NaivePlans(traffic.Ladder, traffic.Meters);
                foreach (var entry in tail.Entries) plans.Read(entry.Span, journal.EventOf);
                IsBilledByThePlansOfTheRules(state, plans, traffic, now);
                IsInvoicedOncePerPeriod(state, plans, now);
                foreach (var what in plans.Seen) world.Trace.Count($"plan {what}");
            }
        }
    }

    /// <summary>When faults and looks are over: nothing is paid at Stripe that the account takes for unpaid.</summary>
    public static void CheckUnsettled(SimulatedPlatform platform, SimulatedStripe stripe, PlantedFault fault)
    {
        var money = new ChargeInvariants(stripe, fault);
        for (var place = 0; place < platform.Count; place++)
        {
            if (platform[place] is not { } silo || platform.Host.Store is not { } store) continue;
            foreach (var state in silo.States().Where(s => s.Sequence == store.LastSequence(s.Id))) money.CheckUnsettled(state);
        }
    }

    public static void Holds(bool condition, string invariant, string because)
    {
        if (!condition) throw new SimulationException($"{invariant}: {because}.");
    }

    // I8
    private static void IsDone(AccountState state, SimulatedStore store, DateTimeOffset now)
    {
        Holds(state.NextDueAt?.UtcTicks == store.DueTicks(state.Id), "I8", $"{state.Id} is due at {state.NextDueAt}, the store says {(store.DueTicks(state.Id) is { } due ? new DateTimeOffset(due, TimeSpan.Zero) : null)}");
        Holds(state.NextDueAt is not { } next || next > now, "I8", $"{state.Id} was due at {state.NextDueAt} and it is {now}");
    }

    // I7
    private static void IsTheSameHoweverRead(AccountState state, SimulatedStore store, Traffic traffic, IEnumerable<AccountState> live, DateTimeOffset now)
    {
        var expected = AccountRun.Canonical(state, now);
        foreach (var other in live) Same(AccountRun.Canonical(other, now), "the live state");
        var tail = store.Read(state.Id, default).Result;
        if (tail.SnapshotSequence > 0) Same(AccountRun.Canonical(Rebuilt(state.Id, store, traffic, tail, now), now), $"the state from the snapshot at {tail.SnapshotSequence}");

        void Same(byte[] actual, string what) =>
            Holds(expected.AsSpan().SequenceEqual(actual), "I7", $"{what} of {state.Id} is not the one that its {state.Sequence} entries make:\n{Text(actual)}\n{Text(expected)}\n");

        static string Text(byte[] canonical) => Encoding.UTF8.GetString(canonical.AsSpan(0, int.Min(canonical.Length, 4_000)));
    }

    // I2, I5
    private static void IsAcknowledgedAndKept(string account, Traffic traffic, JournalOfAccount journal)
    {
        foreach (var sent in traffic.Events.Where(e => e.Account == account))
        {
            Holds(sent.Acknowledged, "I2", $"{sent} was never answered");
            var accepted = sent.Answers.Count(a => a == UsageOutcome.Accepted);
            Holds(accepted <= 1, "I1", $"{sent} was answered {accepted} times as accepted");
            Holds(
                journal.Holds(sent), "I5", $"{sent} was answered with 2xx and is not in the journal");
            foreach (var outcome in sent.Answers)
            {
                var kept = outcome is UsageOutcome.Accepted or UsageOutcome.Duplicate ? journal.Accepted.Contains(sent) : journal.Refused.Contains((sent, outcome));
                Holds(kept, "I5", $"{sent} was answered as {outcome} and the journal does not say so");
            }
        }
    }

    // I1
    private static void IsCountedAsTheOracleCounts(AccountState state, Traffic traffic, IReadOnlySet<SentEvent> accepted, DateTimeOffset now)
    {
        var anchor = state.Subscriptions[0].StartedAt;
        var end = state.Cancelled?.At ?? DateTimeOffset.MaxValue;
        foreach (var meter in traffic.Meters.Where(m => m.Product == ModelCatalog.Desk))
        {
            var oracle = new NaiveUsage(meter, [.. accepted.Select(e => e.Model).Where(e => e.Time < end || !NaiveUsage.Listens(meter, e) || NaiveUsage.IsCanceller(meter, e))], anchor);
            foreach (var period in Periods(anchor, end, now))
            {
                var counted = state.MeterOf(meter.Id).Periods.Any(p => p.Period == period)
                    ? state.MeterOf(meter.Id).UsageAt(period, now).Quantity.ToUnscaled()
                    : BigInteger.Zero;
                var right = oracle.Quantity(period, now);
                Holds(counted == right, "I1", $"{state.Id} used {counted}e-28 of {meter} in the period from {period.Start}, the oracle says {right}e-28");
            }
        }
    }

    // I1, I3: each period bears what the plans of the rules ask for, base prices and usage.
    private static void IsBilledByThePlansOfTheRules(AccountState state, NaivePlans plans, Traffic traffic, DateTimeOffset now)
    {
        plans.AtRest(now);
        Holds(plans.Problem is null, "I1", $"{state.Id}: {plans.Problem}");
        Holds(plans.Periods.All(p => p.Settled is not null || p.Period.End.AddHours(72) > now), "I8", $"{state.Id} has a period that is over and not settled");
        foreach (var change in traffic.Accounts.Single(a => a.Id == state.Id).Changes.Where(c => c is { Acknowledged: true, Plan: not null }))
            Holds(plans.Commands.Contains(change.Id), "I5", $"{change} of {state.Id} was acknowledged and is not in the journal");
    }

    // I8: no period twice, none missed, no number left out. A year is paid with the first of each twelve periods on plans by the year.
    private static void IsInvoicedOncePerPeriod(AccountState state, NaivePlans plans, DateTimeOffset now)
    {
        var anchor = state.Subscriptions[0].StartedAt;
        var began = Periods(anchor, state.Cancelled?.At ?? DateTimeOffset.MaxValue, now).ToList();
        Holds(began.SequenceEqual(plans.Periods.Select(p => p.Period)), "I8", $"{state.Id} had the periods [{string.Join(", ", plans.Periods.Select(p => p.Period))}], due were [{string.Join(", ", began)}]");
        var due = new List<BillingPeriod>();
        var inYear = 0;
        foreach (var (month, period) in plans.Periods.Index().Where(p => p.Index == 0 || p.Item.Period.Start.AddHours(72) <= now))
        {
            var yearly = period.Stretches[0].Began.Yearly;
            if (!yearly) due.Add(period.Period);
            else if (inYear % 12 == 0) due.Add(new(period.Period.Start, anchor.AddMonths(month + 12)));
            inYear = yearly ? inYear + 1 : 0;
        }

        var based = state.Invoices.SelectMany(i => i.Lines).Where(l => l.Kind == InvoiceLineKind.Base).Select(l => l.Period).ToList();
        Holds(due.SequenceEqual(based), "I8", $"{state.Id} paid base fees for [{string.Join(", ", based)}], due were [{string.Join(", ", due)}]");
        Holds(
            state.Invoices.Select(i => i.Number ?? 0).SequenceEqual(Enumerable.Range(1, state.Invoices.Count)),
            "I8", $"the invoices of {state.Id} have the numbers {string.Join(", ", state.Invoices.Select(i => i.Number))}");
        Holds(
            state.Invoices.Zip(state.Invoices.Skip(1)).All(i => i.First.FinalizedAt <= i.Second.FinalizedAt),
            "I8", $"the invoices of {state.Id} became final out of order");
    }

    private static AccountState Rebuilt(string account, SimulatedStore store, Traffic traffic, JournalTail tail, DateTimeOffset now)
    {
        var state = new AccountState(account, store.HashKey, traffic.Catalogs);
        if (tail.Snapshot is { } snapshot)
        {
            Holds(
                state.Restore(snapshot.Span, tail.SnapshotSequence, tail.Segments, AccountState.EpochDayOf(now.UtcTicks)),
                "I7", $"the snapshot of {account} lacks segments");
        }

        var received = default(DateTimeOffset);
        foreach (var entry in tail.Entries)
        {
            var at = new FactReader(entry.Span).ReceivedAt;
            Holds(at >= received, "I6", $"the time of {account} went back from {received} to {at}");
            received = at;
            state.ApplyEntry(entry.Span);
        }

        return state;
    }

    private static IEnumerable<BillingPeriod> Periods(DateTimeOffset anchor, DateTimeOffset end, DateTimeOffset now)
    {
        for (var month = 0; anchor.AddMonths(month) <= now && anchor.AddMonths(month) < end; month++)
            yield return new(anchor.AddMonths(month), anchor.AddMonths(month + 1));
    }
}

/// <summary>What the journal holds of the events of an account; each outcome must be the one that the rules give it in that order.</summary>
internal sealed class JournalOfAccount
{
    private readonly HashSet<SentEvent> _accepted = new(ReferenceEqualityComparer.Instance);
    private readonly Dictionary<(UInt128, uint), SentEvent> _byContent = [];

    public JournalOfAccount(string account, Traffic traffic, JournalTail tail)
    {
        var byBody = new Dictionary<string, SentEvent>(StringComparer.Ordinal);
        foreach (var sent in traffic.Events.Where(e => e.Account == account))
        {
            byBody[sent.Json] = sent;
            if (!sent.Broken) _byContent[sent.Content] = sent;
        }

        var inbox = new NaiveInbox(traffic.Meters);
        var opened = false;
        foreach (var entry in tail.Entries)
        {
            var reader = new FactReader(entry.Span);
            while (reader.TryRead(out var kind, out var content))
            {
                if (kind == FactKind.Json)
                {
                    var fact = FactReader.ReadJson(content);
                    opened |= fact is AccountFact.AccountOpened;
                    WasPaused |= fact is AccountFact.PeriodsPaused;
                    continue;
                }

                SentEvent sent;
                UsageOutcome outcome;
                if (kind == FactKind.UsageRecorded)
                {
                    var fact = FactReader.ReadUsageRecorded(content);
                    (sent, outcome) = (_byContent[(fact.KeyHash, fact.Fingerprint)], UsageOutcome.Accepted);
                    _accepted.Add(sent);
                }
                else
                {
                    var fact = FactReader.ReadUsageRefused(content);
                    (sent, outcome) = (byBody[Encoding.UTF8.GetString(fact.Body)], fact.Outcome);
                    Refused.Add((sent, outcome));
                }

                var right = sent.Broken ? UsageOutcome.Rejected : !opened ? UsageOutcome.Quarantined : inbox.Judge(sent.Model, reader.ReceivedAt);
                Invariants.Holds(outcome == right, "I1", $"{sent}, received at {reader.ReceivedAt}, is {outcome} in the journal; the rules say {right}");
            }
        }
    }

    public IReadOnlySet<SentEvent> Accepted => _accepted;

    /// <summary>Whether the account was suspended beyond the end of a period.</summary>
    public bool WasPaused { get; private set; }

    /// <summary>The event of a key and a fingerprint.</summary>
    public ModelEvent EventOf(UInt128 key, uint fingerprint) => _byContent[(key, fingerprint)].Model;

    public HashSet<(SentEvent Event, UsageOutcome Outcome)> Refused { get; } = [];

    public bool Holds(SentEvent sent) => _accepted.Contains(sent) || Refused.Any(r => r.Event == sent);
}
