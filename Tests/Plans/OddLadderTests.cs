using Billing.Invoices;
using Billing.Tests.Accounts;
using static Billing.Tests.Plans.LadderRun;

namespace Billing.Tests.Plans;

/// <summary>Ladders that are not as a vendor would draw them: the rules hold for each.</summary>
public sealed class OddLadderTests
{
    private static readonly DateTimeOffset April10 = On("2026-04-10");

    [Fact]
    public void OneMeterIsCloseAndAnotherCrosses_TheHigherPlanIsTaken()
    {
        // Each unit costs 1.00 on duo-1, and duo-2 costs 10.00 with all of them: ten units cost as much, eleven more.
        var account = Opened("duo-1", Duo("""
            { "id": "duo-1", "rank": 1, "base_price": "0", "prices": { "calls": { "model": "per_unit", "unit_price": "1" }, "mails": { "model": "per_unit", "unit_price": "1" } } },
            { "id": "duo-2", "rank": 2, "base_price": "10", "included": { "calls": 100, "mails": 100 } }
            """)).At(April10);

        account.Send([.. Used("called", 9, On("2026-04-07")), .. Used("mailed", 1)]);
        Assert.Equal("duo-1", account.Plan("duo"));
        account.Send(new AccountRun.Event("last", April10, "{}", "mailed"));

        Assert.Equal("duo-2", account.Plan("duo"));
    }

    [Fact]
    public void AHigherPlanCostsLessWithoutUsage_IsTakenWithThePeriodsBegin()
    {
        var account = Opened("duo-1", Duo("""
            { "id": "duo-1", "rank": 1, "base_price": "5", "prices": { "calls": { "model": "per_unit", "unit_price": "0" } } },
            { "id": "duo-2", "rank": 2, "base_price": "3" }
            """));

        Assert.Equal("duo-2", account.Plan("duo"));

        // What is too much is given back when the period settles.
        account.At(On("2026-05-04"));
        Assert.Equal([(1, InvoiceLineKind.Base, "duo-1", 500), (2, InvoiceLineKind.Base, "duo-2", 300), (2, InvoiceLineKind.Upgrade, "duo-2", -200)], account.Lines());
    }

    [Fact]
    public void LateEventsLowerAMeterThatThePlanGivesAway_ThePeriodSettlesOnThePlanThatPricesIt()
    {
        // Six calls cost 6.00 on duo-1, and duo-2 gives them away for 5.00.
        var account = Opened("duo-1", Duo("""
            { "id": "duo-1", "rank": 1, "base_price": "0", "prices": { "calls": { "model": "per_unit", "unit_price": "1" } } },
            { "id": "duo-2", "rank": 2, "base_price": "5" }
            """)).At(On("2026-04-30"));
        account.Send(Used("called", 6));
        account.At(On("2026-05-10"));
        Assert.Equal([(1, InvoiceLineKind.Base, "duo-1", 0), (2, InvoiceLineKind.Upgrade, "duo-2", 500), (3, InvoiceLineKind.Base, "duo-2", 500)], account.Lines());

        account.Send([.. Enumerable.Range(0, 4).Select(i => new AccountRun.Event($"hung-{i}", April10.AddHours(1), $$"""{"n":{{i}}}""", "hung"))]);
        account.At(On("2026-06-04"));

        // Two are left: 2.00 of usage, and the 5.00 back.
        Assert.Equal([(null, "duo-1", -500L), ("calls", "duo-1", 200)], account.Invoices[3].Lines.Where(l => l.Kind == InvoiceLineKind.Adjustment).Select(l => (l.Meter, l.Plan!, l.Amount)));
    }

    [Fact]
    public void WhatIsPendingStandsWhenADraftBecomesFinal_BothInvoicesAreMade()
    {
        // The calls of 2 May, a tick before its end, stand at the very instant at which the draft of May becomes final.
        var account = Opened("duo-1", Duo("""
            { "id": "duo-1", "rank": 1, "base_price": "1", "prices": { "calls": { "model": "per_unit", "unit_price": "1" } } },
            { "id": "duo-2", "rank": 2, "base_price": "5" }
            """)).At(On("2026-05-02"));

        account.Send(Used("called", 6, On("2026-05-02").AddTicks(-1)));
        account.At(On("2026-05-04"));

        Assert.Equal(
            [(1, InvoiceLineKind.Base, "duo-1", 100), (2, InvoiceLineKind.Base, "duo-1", 100), (2, InvoiceLineKind.Usage, "duo-1", 0), (3, InvoiceLineKind.Upgrade, "duo-2", 400)],
            account.Lines());
        Assert.Equal(account.Invoices[1].FinalizedAt, account.Invoices[2].FinalizedAt);
    }

    [Fact]
    public void MovedUpAndBackAndOptedOut_LateEventsSettleThePeriodAsIfTheyHadComeBefore()
    {
        // 100 degrees cost 100.00 on duo-1 and 10.00 on duo-2, one costs 1.00; the latest counts.
        var account = Opened("duo-1", Duo("""
            { "id": "duo-1", "rank": 1, "base_price": "0", "prices": { "heat": { "model": "per_unit", "unit_price": "1" } } },
            { "id": "duo-2", "rank": 2, "base_price": "10" }
            """)).At(On("2026-04-20"));
        account.Send(new AccountRun.Event("hot", April10, """{"v":100}""", "measured"));
        account.Send(new AccountRun.Event("cold", April10.AddDays(1), """{"v":1}""", "measured"));
        Assert.Equal("duo-2", account.Plan("duo"));
        Assert.Null(account.Set(new(false, "They asked for it.", false, null)).Refusal);

        account.At(On("2026-05-05"));
        Assert.Equal("duo-1", account.Plan("duo"));
        account.Send(new AccountRun.Event("hot again", April10.AddDays(2), """{"v":100}""", "measured"));
        account.At(On("2026-06-05"));

        Assert.Equal([(null, "duo-2", 1_000L), ("heat", "duo-2", -100)], account.Invoices[^1].Lines.Where(l => l.Kind == InvoiceLineKind.Adjustment).Select(l => (l.Meter, l.Plan!, l.Amount)));
    }

    [Fact]
    public void ALateEventThatWasGivenAwayIsTakenBackLate_TheBasePriceComesBackToo()
    {
        // One call costs 1.00 + 4.00 on duo-1 and nothing beside the 3.00 of duo-2.
        var account = Opened("duo-1", Duo("""
            { "id": "duo-1", "rank": 1, "base_price": "1", "prices": { "calls": { "model": "per_unit", "unit_price": "4" } } },
            { "id": "duo-2", "rank": 2, "base_price": "3", "included": { "calls": 2 } }
            """)).At(On("2026-05-05"));
        account.Send(Used("called", 1, On("2026-04-29")));
        account.At(On("2026-06-04"));
        Assert.Equal([(null, "duo-2", 200L)], Adjustments());

        account.At(On("2026-06-04").AddHours(2)).Send(new AccountRun.Event("hung", On("2026-04-29").AddHours(47), """{"n":0}""", "hung"));
        account.At(On("2026-07-04"));

        Assert.Equal([(null, "duo-1", -200L)], Adjustments());

        IEnumerable<(string?, string, long)> Adjustments() =>
            account.Invoices[^1].Lines.Where(l => l.Kind == InvoiceLineKind.Adjustment).Select(l => (l.Meter, l.Plan!, l.Amount));
    }

    [Fact]
    public void WhatIsPendingIsTakenBack_IsLookedAtOnceAndNotDueAgain()
    {
        // Six calls of 7 April would cost more than duo-2 when they stand, two days later; three of them are taken back.
        var account = Opened("duo-1", Duo("""
            { "id": "duo-1", "rank": 1, "base_price": "0", "prices": { "calls": { "model": "per_unit", "unit_price": "1" } } },
            { "id": "duo-2", "rank": 2, "base_price": "5" }
            """)).At(On("2026-04-07"));
        account.Send(Used("called", 6, On("2026-04-07")));
        var stands = On("2026-04-09").AddTicks(1);
        Assert.Equal(stands, account.State.NextRuleAt);
        account.Send([.. Enumerable.Range(0, 3).Select(i => new AccountRun.Event($"hung-{i}", On("2026-04-07").AddTicks(1), $$"""{"n":{{i}}}""", "hung"))]);

        account.At(stands);
        var (entries, next) = (account.Entries.Count, account.State.NextRuleAt);
        account.At(stands.AddDays(1));

        // Nothing is due before the period ends, and the journal says so to who reads it.
        Assert.Equal(("duo-1", entries, On("2026-05-01")), (account.Plan("duo"), account.Entries.Count, next));
        Assert.Equal(next, account.ReadAgain().NextRuleAt);
        Assert.Equal(next, account.ReadAgain(entries).NextRuleAt);
    }

    private static AccountRun.Event[] Used(string type, int count, DateTimeOffset? at = null) =>
        [.. Enumerable.Range(0, count).Select(i => new AccountRun.Event($"{type}-{i}", at ?? April10, $$"""{"n":{{i}}}""", type))];

    /// <summary>Calls, which can be taken back within two days, mails, and the heat that was measured last.</summary>
    private static string Duo(string plans) => $$"""
        { "version": "v1", "currency": "USD",
          "meters": [
            { "id": "calls", "product": "duo", "event": "called", "aggregate": "count", "cancelled_by": { "event": "hung", "key": "$.n", "within": "PT48H" } },
            { "id": "mails", "product": "duo", "event": "mailed", "aggregate": "count" },
            { "id": "heat", "product": "duo", "event": "measured", "value": "$.v", "aggregate": "latest" } ],
          "products": [ { "id": "duo", "transitions": { "upgrade": {} }, "plans": [ {{plans}} ] } ] }
        """;
}
