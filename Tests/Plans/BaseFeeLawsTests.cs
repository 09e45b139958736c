using System.Text.Json;
using Billing.Accounts;
using Billing.Invoices;
using Billing.Tests.Accounts;
using Billing.Tests.History;
using FsCheck.Fluent;

namespace Billing.Tests.Plans;

/// <summary>
/// Laws of base prices, whatever people do with an account and when: plans by the month and by the year, of several catalogue versions, trials,
/// suspensions, cancellations.
/// </summary>
public sealed class BaseFeeLawsTests
{
    // Goal: the lines are those that a naive reader of the rules works out: plan, version, time and amount. Method: compared before each act.
    [Fact]
    public void WhateverPeopleDo_TheBasePricesAreThoseOfTheRules() =>
        Prop.ForAll(FeeCase.Any, tried => { FeeRun.Lived(tried, run => Same(run.Oracle.Fees, run.Fees)); }).Holds(200);

    [Fact]
    public void ADryRun_ShowsWhatTheActDoes() =>
        Prop.ForAll(FeeCase.Any, tried => { FeeRun.Lived(tried, act: ShowsWhatItDoes); }).Holds(60);

    [Fact]
    public void ARetryOfAChange_GetsTheFirstAnswer() =>
        Prop.ForAll(FeeCase.Any, tried =>
        {
            FeeRun.Lived(tried, act: (run, act) =>
            {
                var command = $"command-{run.Account.Entries.Count}";
                var first = run.Do(act, commandId: command);
                if (first.Change is null || act.Kind is not (FeeActKind.MoveNow or FeeActKind.MoveAtPeriodEnd or FeeActKind.Cancel)) return first.Change is not null;
                var entries = run.Account.Entries.Count;
                var again = run.Do(act, commandId: command);
                Assert.Equal(JsonSerializer.Serialize(first.Change.Lines), JsonSerializer.Serialize(again.Change!.Lines));
                Assert.Equal((first.Change.EffectiveAt, first.Change.Total, first.Change.Invoice), (again.Change.EffectiveAt, again.Change.Total, again.Change.Invoice));
                if (act.Plans.Length < 2) Assert.Equal(first.Change.Description, again.Change.Description);
                Assert.Equal(entries, run.Account.Entries.Count);
                return true;
            });
        }).Holds(60);

    [Fact]
    public void ThePreview_BearsTheBasePricesOfTheNextPeriod() =>
        Prop.ForAll(FeeCase.Any, tried =>
        {
            FeeRun.Lived(tried, run =>
            {
                var state = run.Account.State;
                if (!run.Oracle.GoesOn || state.Drafts.Count > 0) return;
                var next = run.Oracle.NextEnd!.Value;
                Same(Coming(state, next), FeeRun.FeesOf(AccountViews.Preview(state, run.Account.Now)!.Lines));
            });
        }).Holds(60);

    // Goal: what is served is paid for once, and nothing is paid for twice. Method: the lines alone, those below zero give time back. A part
    // of less than two days may be too short to cost a cent.
    [Fact]
    public void EveryInstant_IsPaidForOnce() =>
        Prop.ForAll(FeeCase.Any, tried =>
        {
            var run = FeeRun.Lived(tried);
            foreach (var product in run.Fees.GroupBy(f => f.Product))
            {
                var ends = product.SelectMany(f => new[] { f.From, f.To }).Append(run.Account.Now).Distinct().Order().ToList();
                foreach (var (from, to) in ends.Zip(ends.Skip(1)).Where(e => e.Second - e.First > TimeSpan.FromDays(2)))
                {
                    var times = product.Where(f => f.From <= from && f.To >= to).Sum(f => Math.Sign(f.Amount));
                    Assert.InRange(times, IsServed(run.Account, product.Key, from + ((to - from) / 2)) ? 1 : 0, 1);
                }
            }
        }).Holds(100);

    [Fact]
    public void WhatIsTakenBackAtOnce_LeavesNoTrace() =>
        Prop.ForAll(FeeCase.Any, Generated.Number(6), (tried, plan) =>
        {
            var straight = FeeRun.Lived(tried with { Wakes = false });
            var regretful = FeeRun.Lived(tried with { Wakes = false }, run => TakeBack(run, tried, plan));

            Assert.Equal(straight.Account.InvoicesJson, regretful.Account.InvoicesJson);
            Assert.Equal(straight.Account.State.Subscriptions.Select(s => (s.Plan, s.CatalogVersion)), regretful.Account.State.Subscriptions.Select(s => (s.Plan, s.CatalogVersion)));
        }).Holds(60);

    // Goal: what was missed is done as it would have been done at its time.
    [Fact]
    public void WakingAtEachDueInstant_AndCatchingUp_GiveTheSameInvoices() =>
        Prop.ForAll(FeeCase.Any, tried =>
            Assert.Equal(FeeRun.Lived(tried with { Wakes = true }).Account.InvoicesJson, FeeRun.Lived(tried with { Wakes = false }).Account.InvoicesJson)).Holds(60);

    [Fact]
    public void TheJournal_GivesTheSameStateAndTheSameInvoicesAgain() =>
        Prop.ForAll(FeeCase.Any, tried =>
        {
            var account = FeeRun.Lived(tried).Account;

            Assert.Equal(account.Snapshot(), AccountRun.Canonical(account.ReadAgain(account.Entries.Count / 2), account.Now));
            Assert.Equal(JsonSerializer.Serialize(account.State.Invoices), JsonSerializer.Serialize(account.Rerun().State.Invoices));
        }).Holds(60);

    // Goal: the laws do not hold because nothing happens.
    [Fact]
    public void TheCases_MeetAllThatMovesBasePrices()
    {
        var seen = new Dictionary<string, int>(StringComparer.Ordinal);
        Prop.ForAll(FeeCase.Any, tried =>
        {
            FeeRun.Lived(tried, act: (run, act) =>
            {
                var invoices = run.Account.Invoices.Length;
                var answer = run.Do(act);
                if (answer.Change is not { } change) return false;
                See(act.Kind.ToString());
                if (change.Invoice is null) return true;
                if (act.Kind == FeeActKind.Resume) See("resumed anew");
                foreach (var back in change.Lines.Where(l => l.Amount < 0 && l.Kind == InvoiceLineKind.Proration))
                {
                    var isYear = tried.Plan(back.Plan!, back.CatalogVersion!).Yearly;
                    See($"{(isYear ? "a year" : "a month")} given back");
                    if (isYear && change.Lines.Any(l => l.Product == back.Product && l.Amount > 0 && l.CatalogVersion != back.CatalogVersion)) See("a year given back that moved to another version");
                }

                return true;
            });
        }).Holds(400);

        string[] must = [.. Enum.GetNames<FeeActKind>(), "resumed anew", "a month given back", "a year given back", "a year given back that moved to another version"];
        Assert.All(must, what => Assert.True(seen.GetValueOrDefault(what) > 0, $"{what}: never"));

        void See(string what) => seen[what] = seen.GetValueOrDefault(what) + 1;
    }

    private static void Same(IEnumerable<Fee> expected, IEnumerable<Fee> actual) =>
        Assert.True(FeeRun.Text(expected) == FeeRun.Text(actual), $"Asked for:{FeeRun.Text(expected)}\nfound:{FeeRun.Text(actual)}");

    private static bool ShowsWhatItDoes(FeeRun run, FeeAct act)
    {
        var account = run.Account;
        var (before, entries) = (account.Snapshot(), account.Entries.Count);
        var shown = run.Do(act, dryRun: true);
        Assert.Equal(entries, account.Entries.Count);
        Assert.Equal(before, account.Snapshot());

        var made = run.Do(act);
        Assert.Equal(shown.Refusal, made.Refusal);
        if (made.Change is not { } change)
        {
            Assert.Equal(before, account.Snapshot());
            return false;
        }

        Assert.Equal((change.Description, change.EffectiveAt, change.Total), (shown.Change!.Description, shown.Change.EffectiveAt, shown.Change.Total));
        Assert.Equal(JsonSerializer.Serialize(change.Lines), JsonSerializer.Serialize(shown.Change.Lines));
        if (change.Invoice is { } invoice) Assert.Equal(JsonSerializer.Serialize(account.Invoices.Single(i => i.Number == invoice).Lines), JsonSerializer.Serialize(change.Lines));
        if (act.Kind != FeeActKind.MoveAtPeriodEnd || !run.Oracle.GoesOn) return true;
        foreach (var product in act.Plans.Select(run.ProductOf))
        {
            var coming = Coming(account.State, account.State.ScheduledFor(product)!.At).Where(f => f.Product == product);
            Same(coming, FeeRun.FeesOf(change.Lines.Where(l => l.Product == product)));
        }

        return true;
    }

    /// <summary>The base prices that are to be paid from an instant to come on, if nothing more happens.</summary>
    private static IEnumerable<Fee> Coming(AccountState account, DateTimeOffset at) =>
        FeeRun.FeesOf(AccountViews.Invoices(AccountDecider.Foresee(account, at), 0, 1000, at).Items).Where(f => f.Kind == InvoiceLineKind.Base && f.From == at);

    private static bool IsServed(AccountRun account, string product, DateTimeOffset at)
    {
        var facts = account.Facts().ToList();
        var hasTrial = facts.OfType<AccountFact.AccountOpened>().Single().TrialEndsAt is not null;
        var began = facts.OfType<AccountFact.SubscriptionStarted>().Single(f => f.Product == product).At;
        if (at < began || at > account.Now || (hasTrial && !facts.OfType<AccountFact.PaidSubscriptionBegan>().Any(f => f.At <= at)) || facts.OfType<AccountFact.AccountCancelled>().Any(f => f.At <= at)) return false;
        var pauses = facts.OfType<AccountFact.PeriodsPaused>().Select(f => f.At).Where(paused => paused <= at).ToList();
        return pauses.Count == facts.OfType<AccountFact.AccountReactivated>().Count(f => f.Anchor <= at);
    }

    private static void TakeBack(FeeRun run, FeeCase tried, int plan)
    {
        var account = run.Account;
        if (account.Suspend().Change is not null) Assert.Null(account.Resume().Refusal);
        var id = tried.Plans[plan].Id;
        if (account.State.ScheduledFor("desk") is null && account.ChangePlans(new ChangePlans([new("desk", id)], tried.Plans[^1].Version, PlanChangeTime.PeriodEnd, "They asked for it.", false, null)).Change is not null)
            Assert.Null(account.UndoPlanChange("desk").Refusal);
        var wasPaused = account.State.Calendar.PausedAt is not null;
        if (!wasPaused && account.Cancel().Change is not null) Assert.Null(account.UndoCancellation().Refusal);
    }
}
