using System.Collections.Immutable;
using System.Text.Json;
using Billing.Accounts;
using Billing.Invoices;
using Billing.Tests.Accounts;
using Billing.Tests.Model;
using FsCheck.Fluent;

namespace Billing.Tests.Plans;

/// <summary>Laws of plans, on any ladder, whatever usage comes and whatever people do. The oracle's figures share no code with the product.</summary>
public sealed class PlanLawsTests
{
    // Goal: at each finalising every period was billed what the cheapest plan at or above the one it began with costs for its usage then,
    // and so never more than that plan alone; upgrades and downgrades are those of the rules. Method: the oracle reads the journal.
    [Fact]
    public void UsageAlone_EachPeriodBearsTheCheapestPlanFromTheOneItBeganWith() =>
        Prop.ForAll(PlanCase.ByUsage, tried => Assert.Null(PlanRun.Lived(tried).Oracle().Problem)).Holds(400);

    // Goal: the same with changes by hand in between, and stretches that tile: the base lines of a period come to its prorated parts.
    [Fact]
    public void ChangesByHandInBetween_EachPeriodBearsItsStretches() =>
        Prop.ForAll(PlanCase.ByHand, tried => Assert.Null(PlanRun.Lived(tried).Oracle().Problem)).Holds(400);

    // Goal: the same bills for the same events before each finalising, whenever they came and in whatever batches. Method: without a cooldown,
    // as an upgrade begins one and settling does not.
    [Fact]
    public void TheSameEventsBeforeEachFinalising_GiveTheSamePeriodInvoices() =>
        Prop.ForAll(PlanCase.ByUsage, Generated.Number(int.MaxValue), (tried, seed) =>
        {
            var distinct = tried with { Usage = Once(tried.Usage), Ladder = tried.Ladder with { Cooldown = TimeSpan.Zero } };
            var (one, other) = (PlanRun.Lived(distinct).Account, PlanRun.Lived(distinct with { Usage = AtOtherTimes(distinct.Usage, new(seed)) }).Account);

            Assert.Equal(PeriodLines(one), PeriodLines(other));
            Assert.Equal(SumsByPeriod(one), SumsByPeriod(other));
        }).Holds(300);

    [Fact]
    public void NoDowngrade_IsSoonAfterAnAutomaticChangeOrTouchesAPlanByTheYear() =>
        Prop.ForAll(PlanCase.ByHand, tried =>
        {
            DateTimeOffset? last = null;
            foreach (var fact in Facts(PlanRun.Lived(tried).Account))
            {
                if (fact is AccountFact.PlanUpgraded upgraded)
                {
                    last = upgraded.Decision.EffectiveAt;
                    Assert.False(tried.Ladder.Plan(upgraded.Plan).Yearly || tried.Ladder.Plan(upgraded.Decision.From).Yearly);
                }

                if (fact is not AccountFact.PlanDowngraded down) continue;
                Assert.False(down.EffectiveAt < last + tried.Ladder.Cooldown);
                Assert.False(tried.Ladder.Plan(down.Plan).Yearly || tried.Ladder.Plan(down.Decision.From).Yearly);
                last = down.EffectiveAt;
            }
        }).Holds(300);

    [Fact]
    public void TheStateReadFromTheJournal_IsTheLiveState() =>
        Prop.ForAll(PlanCase.ByHand, Generated.Number(10_000), (tried, after) =>
        {
            var account = PlanRun.Lived(tried).Account;
            var live = account.Snapshot();

            foreach (var snapshotAfter in new[] { 0, after % (account.Entries.Count + 1), account.Entries.Count })
            {
                var again = account.ReadAgain(snapshotAfter);
                Assert.Equal(live, AccountRun.Canonical(again, account.Now));
                Assert.Equal(account.State.NextRuleAt, again.NextRuleAt);
            }

            var (next, entries) = (account.State.NextRuleAt, account.Entries.Count);
            account.Reactivate(after % (entries + 1));
            account.At(account.Now);
            Assert.Equal((next, entries), (account.State.NextRuleAt, account.Entries.Count));
        }).Holds(200);

    // Goal: what was missed is done as it would have been done at its time.
    [Fact]
    public void WakingAtEachDueInstant_AndCatchingUp_GiveTheSameInvoices() =>
        Prop.ForAll(PlanCase.ByHand, tried =>
            Assert.Equal(PlanRun.Lived(tried, wakes: true).Account.InvoicesJson, PlanRun.Lived(tried).Account.InvoicesJson)).Holds(300);

    // Goal: the laws do not hold because nothing happens.
    [Fact]
    public void TheCases_MeetAllThatMovesPlans()
    {
        var seen = new Dictionary<string, int>(StringComparer.Ordinal);
        Prop.ForAll(PlanCase.ByHand, tried =>
        {
            foreach (var what in PlanRun.Lived(tried).Oracle().Seen) seen[what] = seen.GetValueOrDefault(what) + 1;
        }).Holds(600);

        string[] must = ["upgraded", "settled on another", "settled again", "downgraded", "changed at once", "changed with a period", "undone", "opted in or out"];
        Assert.All(must, what => Assert.True(seen.GetValueOrDefault(what) >= 5, $"{what}: {seen.GetValueOrDefault(what)} times"));
    }

    private static IEnumerable<AccountFact> Facts(AccountRun account)
    {
        var facts = new List<AccountFact>();
        foreach (var entry in account.Entries)
        {
            var reader = new FactReader(entry.Span);
            while (reader.TryRead(out var kind, out var content))
                if (kind == FactKind.Json) facts.Add(FactReader.ReadJson(content));
        }

        return facts;
    }

    /// <summary>The deliveries whose events are accepted.</summary>
    private static ModelCase Once(ModelCase usage)
    {
        var inbox = new NaiveInbox([.. usage.Meters]);
        return usage with { Deliveries = [.. usage.Deliveries.Where(d => inbox.Judge(d.Event, d.Clock) == Usage.UsageOutcome.Accepted)] };
    }

    /// <summary>Each event at another time, between the same two finalisings, inside its window.</summary>
    private static ModelCase AtOtherTimes(ModelCase usage, Draw draw) => ModelCase.Of(usage.Meters, usage.Deliveries.Select(delivery =>
    {
        DateTimeOffset[] finalisings = [AccountRun.Anchor, .. Enumerable.Range(1, 8).Select(i => ModelRun.Period(i).Start.AddHours(72))];
        var from = Later(finalisings.Last(f => f <= delivery.Clock), delivery.Event.Time.AddMinutes(-5));
        var to = finalisings.First(f => f > delivery.Clock).AddTicks(-1);
        if (delivery.Event.Time.AddDays(35) < to) to = delivery.Event.Time.AddDays(35);
        return delivery with { Clock = from.AddTicks((to - from).Ticks / 16 * draw.From(0, 16)) };
    }));

    private static DateTimeOffset Later(DateTimeOffset one, DateTimeOffset other) => one > other ? one : other;

    private static IEnumerable<InvoiceLine> LinesOf(AccountRun account) => account.Invoices.Where(i => i.Number is not null).SelectMany(i => i.Lines);

    // Upgrades are on an invoice of their own, and differ; with them what is credited.
    private static string PeriodLines(AccountRun account) => JsonSerializer.Serialize(LinesOf(account)
        .Where(l => l.Kind is not (InvoiceLineKind.Upgrade or InvoiceLineKind.Credit))
        .Select(l => l with { N = 0 }));

    private static ImmutableSortedDictionary<DateTimeOffset, long> SumsByPeriod(AccountRun account) =>
        LinesOf(account).Where(l => l.Product is not null).GroupBy(l => l.Period.Start).ToImmutableSortedDictionary(g => g.Key, g => g.Sum(l => l.Amount));
}
