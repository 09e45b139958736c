using Billing.Accounts;
using Billing.Invoices;
using Billing.Tests.Accounts;
using static Billing.Tests.Plans.LadderRun;

namespace Billing.Tests.Plans;

/// <summary>Usage moves an account to the plan that suits it. April has 30 days, so the ladder's figures come out whole.</summary>
public sealed class AutomaticPlanTests
{
    private static readonly DateTimeOffset April10 = On("2026-04-10");

    [Fact]
    public void AHigherPlanCostsNoLess_Stays()
    {
        // 700 over the allowance are 7 blocks: 60.00 + 280.00 = 340.00, and pro costs 360.00.
        var account = Opened().At(April10).Use(1_000, April10);

        Assert.Equal("basic", account.Plan());
        Assert.Single(account.Invoices);
    }

    [Fact]
    public void AHigherPlanCostsLess_IsTakenAndItsDifferenceInvoicedAtOnce()
    {
        // 701 over the allowance are 8 blocks: 60.00 + 320.00 = 380.00.
        var account = Opened().At(April10).Use(1_001, April10);

        Assert.Equal("pro", account.Plan());
        Assert.Equal([(1, InvoiceLineKind.Base, "basic", 6_000), (2, InvoiceLineKind.Upgrade, "pro", 30_000)], account.Lines());
        Assert.Equal((InvoiceStatus.Finalized, April10, 30_000), (account.Invoices[1].Status, account.Invoices[1].FinalizedAt, account.Invoices[1].Total));
        var decision = account.State.Subscriptions[0].Decision!;
        Assert.Equal(Anchor, decision.EffectiveAt);
        Assert.Equal(
            "Usage reached 1,001 desk.tickets. basic would cost 380.00 USD, pro 360.00 USD, advanced 900.00 USD this period. desk moves from basic to pro, from 2026-04-01T00:00:00Z on; the difference in base price, 300.00 USD, is due at once.",
            decision.Text);
        Assert.Equal([("basic", 6_000L, 32_000L, 38_000L), ("pro", 36_000, 0, 36_000), ("advanced", 90_000, 0, 90_000)], decision.Alternatives.Select(a => (a.Plan, a.Base, a.Overage, a.Total)));
    }

    [Fact]
    public void UsageGoesOn_MovesUpAgain()
    {
        // Pro: 1,501 over 2,000 are 16 blocks: 360.00 + 576.00 = 936.00. All in one batch, decided event by event.
        var account = Opened().At(April10).Use(3_501, April10);

        Assert.Equal("advanced", account.Plan());
        Assert.Equal([(1, InvoiceLineKind.Base, "basic", 6_000), (2, InvoiceLineKind.Upgrade, "pro", 30_000), (3, InvoiceLineKind.Upgrade, "advanced", 54_000)], account.Lines());
    }

    [Fact]
    public void ThePeriodEnds_ItSettlesOnThePlanItWasMovedToAndGoesOnWithIt()
    {
        var account = Opened().At(April10).Use(2_101, April10).At(On("2026-05-04"));

        Assert.Equal(
            [(1, InvoiceLineKind.Base, "basic", 6_000), (2, InvoiceLineKind.Upgrade, "pro", 30_000), (3, InvoiceLineKind.Base, "pro", 36_000), (3, InvoiceLineKind.Usage, "pro", 7_200)],
            account.Lines());
        Assert.Equal("pro", account.Plan());
    }

    [Fact]
    public void TheEventThatCrosses_SentTwice_MakesOneUpgrade()
    {
        var account = Opened().At(April10).Use(1_000, April10);
        var last = new AccountRun.Event("last", April10, "{}");

        account.Send(last, last);
        account.Send(last);

        Assert.Equal(2, account.Invoices.Length);
    }

    [Fact]
    public void MoreUsageComesInTheGrace_NothingIsDueAtOnceAndThePeriodSettlesHigher()
    {
        var account = Opened().At(On("2026-04-30")).Use(900, On("2026-04-29")).At(On("2026-05-02")).Use(200, On("2026-04-29"), "late");
        Assert.Equal(("basic", 1), (account.Plan(), account.Lines().Count()));

        account.At(On("2026-05-04"));

        // 1,100 tickets: basic 60.00 + 8 × 40.00 = 380.00, pro 360.00. Already invoiced: 60.00.
        Assert.Equal(
            [(1, InvoiceLineKind.Base, "basic", 6_000), (2, InvoiceLineKind.Base, "pro", 36_000), (2, InvoiceLineKind.Usage, "pro", 0), (2, InvoiceLineKind.Upgrade, "pro", 30_000)],
            account.Lines());
        Assert.Equal(("pro", PlanRule.Settling), (account.Plan(), account.State.Subscriptions[0].Decision!.Rule));
        Assert.Equal("The period to 2026-05-01T00:00:00Z came to 1,100 desk.tickets. It began on basic. basic costs 380.00 USD, pro 360.00 USD, advanced 900.00 USD for it. It settles on pro.", account.State.Subscriptions[0].Decision!.Text);
    }

    [Fact]
    public void MoreUsageComesAfterThat_IsAnAdjustmentOfBothAndLaterPeriodsKeepTheirPlan()
    {
        // Billed for April: 60.00 + 6 × 40.00 = 300.00. With 1,100 tickets it settles on pro: 360.00.
        var account = Opened().At(On("2026-04-30")).Use(900, On("2026-04-29")).At(On("2026-05-10")).Use(200, On("2026-04-29"), "late").At(On("2026-06-04"));

        var third = account.Invoices[2];
        Assert.Equal(
            [(InvoiceLineKind.Base, "basic", 6_000), (InvoiceLineKind.Usage, "basic", 0), (InvoiceLineKind.Adjustment, "pro", 30_000), (InvoiceLineKind.Adjustment, "pro", -24_000)],
            third.Lines.Select(l => (l.Kind, l.Plan, l.Amount)));
        Assert.Equal("basic", account.Plan());
        Assert.Equal(36_000, Billed(account, On("2026-04-01")));

        var again = Assert.Single(account.Facts().OfType<AccountFact.PeriodSettledAgain>());
        Assert.Equal(("pro", On("2026-06-04"), PlanRule.Settling, "basic", "pro"), (again.Plan, again.At, again.Decision.Rule, again.Decision.From, again.Decision.To));
        Assert.Equal(
            "The period to 2026-05-01T00:00:00Z, billed on basic, came to 1,100 desk.tickets since. It began on basic. basic costs 380.00 USD, pro 360.00 USD, advanced 900.00 USD for it. "
            + "It settles on pro, and the difference is on the next invoice; later periods keep their plan.", again.Decision.Text);
    }

    [Fact]
    public void WhatIsPendingStands_ThePlanMovesThenWithoutAnEvent()
    {
        // Six talks cost 6.00 on bot-1 and 5.00 on bot-2, from the moment nothing can take them back.
        var account = Opened("bot-1").At(On("2026-04-02"));
        account.Send([.. Enumerable.Range(0, 6).Select(i => new AccountRun.Event($"{i}", On("2026-04-02"), $$"""{"ticket":"{{i}}"}""", "talked"))]);
        Assert.Equal(("bot-1", On("2026-04-05").AddTicks(1)), (account.Plan("bot"), account.State.NextRuleAt));

        account.At(On("2026-04-06"));

        Assert.Equal("bot-2", account.Plan("bot"));
        Assert.Equal((500L, On("2026-04-05").AddTicks(1)), (account.Invoices[1].Total, account.Invoices[1].FinalizedAt));
    }

    [Fact]
    public void UsageIsTakenBack_ThePeriodSettlesOnTheLowerPlanAndGivesTheDifferenceBack()
    {
        var account = Opened("bot-1").At(On("2026-04-02"));
        account.Send([.. Enumerable.Range(0, 6).Select(i => new AccountRun.Event($"{i}", On("2026-04-02"), $$"""{"ticket":"{{i}}"}""", "talked"))]);
        account.At(On("2026-04-10")).Send([.. Enumerable.Range(0, 4).Select(i => new AccountRun.Event($"a{i}", On("2026-04-03"), $$"""{"ticket":"{{i}}"}""", "wrote"))]);

        account.At(On("2026-05-04"));

        Assert.Equal(
            [(1, InvoiceLineKind.Base, "bot-1", 0), (2, InvoiceLineKind.Upgrade, "bot-2", 500), (3, InvoiceLineKind.Base, "bot-1", 0), (3, InvoiceLineKind.Usage, "bot-1", 200), (3, InvoiceLineKind.Upgrade, "bot-1", -500)],
            account.Lines());
        Assert.Equal("bot-1", account.Plan("bot"));
    }

    [Fact]
    public void TwoPeriodsWouldHaveCostLessBelow_TheNextBeginsThere()
    {
        var account = Opened("pro").At(April10).Use(239, April10).At(On("2026-05-10")).Use(10, On("2026-05-10"));
        account.At(On("2026-06-04").AddTicks(-1));
        Assert.Equal("pro", account.Plan());

        account.At(On("2026-06-04"));

        Assert.Equal("basic", account.Plan());
        Assert.Equal([("pro", 36_000), ("pro", 36_000), ("basic", 6_000)], account.Lines().Where(l => l.Kind == InvoiceLineKind.Base).Select(l => (l.Plan!, l.Amount)));
        Assert.Equal(
            "Each of the last 2 finalised periods would have cost less on basic and used less than 80 % of its allowance. In the newest, usage came to 10 desk.tickets: basic costs 60.00 USD, pro 360.00 USD. desk moves from pro to basic, from 2026-06-01T00:00:00Z on.",
            account.State.Subscriptions[0].Decision!.Text);
    }

    [Theory]
    [InlineData(240, 10)] // 80 % of 300
    [InlineData(10, 240)]
    [InlineData(1_500, 10)]
    public void OnePeriodHadNoRoomToSpare_Stays(int april, int may)
    {
        var account = Opened("pro").At(April10).Use(april, April10).At(On("2026-05-10")).Use(may, On("2026-05-10")).At(On("2026-06-04"));

        Assert.Equal("pro", account.Plan());
    }

    [Theory]
    [InlineData("P31D", "basic")]
    [InlineData("P32D", "pro")]
    public void ADowngradeWasNotLongAgo_TheNextWaitsForTheCooldown(string cooldown, string plan)
    {
        // The first takes effect on 1 May, the next could on 1 June, 31 days later.
        var account = Opened("advanced", Catalog(transitions: $$"""{ "upgrade": {}, "downgrade": { "periods": 1 }, "cooldown": "{{cooldown}}" }""")).At(On("2026-06-04"));

        Assert.Equal(plan, account.Plan());
    }

    [Theory]
    [InlineData("P61D", "basic")]
    [InlineData("P62D", "pro")]
    public void AnUpgradeWasNotLongAgo_ADowngradeWaitsForTheCooldownFromTheBeginningOfItsPeriod(string cooldown, string plan)
    {
        // April is on pro from its beginning, 61 days before the end of May. So it does not matter when in April the tickets came.
        var account = Opened("basic", Catalog(transitions: $$"""{ "upgrade": {}, "downgrade": { "periods": 1 }, "cooldown": "{{cooldown}}" }"""));

        account.At(April10).Use(1_001, April10).At(On("2026-06-04"));

        Assert.Equal(plan, account.Plan());
    }

    [Fact]
    public void TheMerchantOptedOut_NothingMoves()
    {
        var account = Opened();
        account.Set(new(false, "They asked for it.", false, null));

        account.At(April10).Use(1_500, April10).At(On("2026-05-04"));

        Assert.Equal("basic", account.Plan());
        Assert.Equal([(1, InvoiceLineKind.Base, "basic", 6_000), (2, InvoiceLineKind.Base, "basic", 6_000), (2, InvoiceLineKind.Usage, "basic", 48_000)], account.Lines());
    }

    [Fact]
    public void TheMerchantOptsOutAfterAnUpgrade_ThePeriodIsNoDearerThanItsOwnPlan()
    {
        var account = Opened("bot-1").At(On("2026-04-02"));
        account.Send([.. Enumerable.Range(0, 6).Select(i => new AccountRun.Event($"{i}", On("2026-04-02"), $$"""{"ticket":"{{i}}"}""", "talked"))]);
        account.At(On("2026-04-10")).Set(new(false, "They asked for it.", false, null));
        account.Send([.. Enumerable.Range(0, 4).Select(i => new AccountRun.Event($"a{i}", On("2026-04-03"), $$"""{"ticket":"{{i}}"}""", "wrote"))]);

        account.At(On("2026-05-04"));

        Assert.Equal(200, Billed(account, On("2026-04-01")));
    }

    [Fact]
    public void TheLadderHasNoTransitions_NothingMoves()
    {
        var account = Opened("basic", Catalog(transitions: "{}")).At(April10).Use(1_500, April10).At(On("2026-05-04"));

        Assert.Equal("basic", account.Plan());
    }

    [Fact]
    public void AnAccountThatEnds_SettlesItsLastPeriod()
    {
        var account = Opened().At(On("2026-04-30")).Use(900, On("2026-04-29"));
        account.Cancel();
        account.At(On("2026-05-02")).Use(200, On("2026-04-29"), "late").At(On("2026-05-04"));

        Assert.Equal(
            [(1, InvoiceLineKind.Base, "basic", 6_000), (2, InvoiceLineKind.Usage, "pro", 0), (2, InvoiceLineKind.Upgrade, "pro", 30_000)],
            account.Lines());
    }

    [Fact]
    public void ReadingTheJournalAgain_GivesTheSamePlans()
    {
        var account = Opened().At(April10).Use(1_001, April10).At(On("2026-05-10")).Use(3_600, On("2026-05-10")).At(On("2026-06-10")).Use(900, On("2026-05-30"), "late").At(On("2026-09-05"));
        var snapshot = account.Snapshot();

        for (var after = 0; after <= account.Entries.Count; after += 3)
            Assert.Equal(snapshot, AccountRun.Canonical(account.ReadAgain(after), account.Now));
    }

    // What all invoices together bear for a period.
    private static long Billed(AccountRun account, DateTimeOffset start) =>
        account.Invoices.SelectMany(i => i.Lines).Where(l => l.Product is not null && l.Period.Start >= start && l.Period.End <= start.AddMonths(1)).Sum(l => l.Amount);
}
