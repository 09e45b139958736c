using System.Reflection;
using System.Runtime.CompilerServices;
using System.Text.Json.Serialization;
using Billing.Accounts;
using Billing.History;
using Billing.Tests.Accounts;
using static Billing.Tests.History.BackTestRun;

namespace Billing.Tests.History;

/// <summary>What accounts would have paid by other rules and prices, worked out by hand.</summary>
public sealed class BackTestTests
{
    private static readonly DateTimeOffset April10 = Anchor.AddDays(9);
    private static readonly DateTimeOffset May4 = new(2026, 5, 4, 0, 0, 0, TimeSpan.Zero);

    // 9 tickets: desk-1 10.00 + 6 × 1.00 = 16.00, desk-2 15.00. May goes on with desk-2.
    [Fact]
    public void WithoutTheUpgrade_ThePeriodCostsTheOverage()
    {
        var account = Opened().At(April10).Use(9, April10).At(May4);

        var test = account.BackTest(transitions: """{ "desk": null }""");

        Assert.Equal((3_000L, 2_600L, -400L, "USD"), (test.Paid, test.WouldPay, test.Difference, test.Currency));
        Assert.Empty(test.Moves);
        Assert.Equal([(PlanRule.Upgrade, "desk-1", "desk-2")], Moved(test.RealMoves));
    }

    [Fact]
    public void AnotherRule_MovesWhereTheRealOneDidNot()
    {
        var account = AccountRun.On(Anchor, Catalog(rules: "{}"));
        Assert.Null(account.Open("desk-1"));
        account.At(April10).Use(9, April10).At(May4);

        var test = account.BackTest(Catalog(rules: "{}"), transitions: """{ "desk": { "upgrade": {} } }""");

        // 10.00, then 5.00 at once, then May on desk-2: 15.00. Really 10.00, 6.00 and 10.00.
        Assert.Equal((2_600L, 3_000L, 400L), (test.Paid, test.WouldPay, test.Difference));
        var move = Assert.Single(test.Moves);
        Assert.Equal((April10, Anchor, "desk", "desk-1", "desk-2", PlanRule.Upgrade), (move.At, move.EffectiveAt, move.Product, move.From, move.To, move.Rule));
        Assert.Equal(
            "Usage reached 9 desk.tickets. desk-1 would cost 16.00 USD, desk-2 15.00 USD, desk-3 30.00 USD, desk-trial 40.00 USD this period. desk moves from desk-1 to desk-2, from 2026-04-01T00:00:00Z on; the difference in base price, 5.00 USD, is due at once.",
            move.Text);
        Assert.Empty(test.RealMoves);
    }

    // In May and June 2 tickets each: desk-1 costs less and has room for 2 of 2.4. One period is enough for the other rule.
    [Fact]
    public void AShorterDowngrade_MovesEarlier()
    {
        var account = Opened().At(April10).Use(9, April10).At(May4).Use(2, May4).At(May4.AddMonths(1)).Use(2, May4.AddMonths(1)).At(May4.AddMonths(2)).At(May4.AddMonths(3));

        var test = account.BackTest(transitions: """{ "desk": { "upgrade": {}, "downgrade": { "periods": 1, "headroom": "0.80" }, "cooldown": "P0D" } }""");

        Assert.Equal([(PlanRule.Upgrade, "desk-1", "desk-2"), (PlanRule.Downgrade, "desk-2", "desk-1")], Moved(test.RealMoves));
        Assert.Equal(Moved(test.RealMoves), Moved(test.Moves));
        Assert.Equal((new DateTimeOffset(2026, 7, 1, 0, 0, 0, TimeSpan.Zero), new DateTimeOffset(2026, 6, 1, 0, 0, 0, TimeSpan.Zero)), (test.RealMoves[1].EffectiveAt, test.Moves[1].EffectiveAt));
        Assert.Equal(-500, test.Difference);
    }

    // desk-1 at 4.00: 4.00 + 6.00 = 10.00 for April, so nothing moves; May 4.00 again.
    [Fact]
    public void OtherPrices_AreWhatItWouldHavePaid()
    {
        var account = Opened().At(April10).Use(9, April10).At(May4);

        var test = account.BackTest(Catalog("v2", desk1: "4.00"), withPlans: true);

        Assert.Equal((3_000L, 1_400L, -1_600L), (test.Paid, test.WouldPay, test.Difference));
        Assert.Empty(test.Moves);
        Assert.Empty(test.Notes);
        Assert.Null(test.Problem);
    }

    [Fact]
    public void RulesAlone_LeavePricesAsTheyWere() =>
        Assert.Equal(0, Opened().At(April10).Use(9, April10).At(May4).BackTest(Catalog("v2", desk1: "4.00")).Difference);

    [Fact]
    public void AProductAddedAndAPlanChosenByHand_ArePricedAnew()
    {
        // 16 April is the middle: desk-2 at 15.00 gives 5.00 back and asks 7.50; of 4.00 it gives 2.00 back.
        var account = Opened().At(Anchor.AddDays(15));
        Assert.Null(account.ChangePlans(new PlanChange("desk", "desk-2"), new PlanChange("bot", "bot-2")).Refusal);

        var test = account.BackTest(Catalog("v2", desk1: "4.00"), withPlans: true);

        Assert.Equal((1_000 - 500 + 750 + 250, 400 - 200 + 750 + 250), (test.Paid, test.WouldPay));
    }

    [Fact]
    public void OnlyPeriodsThatBeginInTheWindow_Count()
    {
        var account = Opened().At(April10).Use(9, April10).At(May4);
        var may = new DateTimeOffset(2026, 5, 1, 0, 0, 0, TimeSpan.Zero);
        const string Without = """{ "desk": null }""";

        var april = account.BackTest(transitions: Without, to: may);
        var later = account.BackTest(transitions: Without, from: may);

        Assert.Equal((1_500L, 1_600L, 1), (april.Paid, april.WouldPay, april.RealMoves.Length));
        Assert.Equal((1_500L, 1_000L, 0), (later.Paid, later.WouldPay, later.RealMoves.Length));
        Assert.Equal((0L, 0L), (account.BackTest(from: May4).Paid, account.BackTest(to: Anchor).WouldPay));
    }

    [Fact]
    public void APlanThatIsMissingThere_IsSaid()
    {
        var test = Opened().BackTest(Catalog("v2").Replace("\"desk-1\"", "\"desk-0\"", StringComparison.Ordinal), withPlans: true);

        Assert.Equal("The account was on the plan desk-1 of desk, which the catalogue v2 does not have.", test.Problem);
        Assert.Equal((null, 0L, 0L), (test.Currency, test.Paid, test.WouldPay));
    }

    [Fact]
    public void AnotherCurrency_IsSaid()
    {
        var euro = Catalog("v2", currency: "EUR");

        Assert.Equal("The account pays in USD, and the catalogue v2 is priced in EUR.", Opened().BackTest(euro, withPlans: true).Problem);
        Assert.Null(Opened().BackTest(euro).Problem);
    }

    [Fact]
    public void AMeterThatWasNotCounted_IsLeftOutAndNoted()
    {
        var other = Catalog("v2", meters: """{ "id": "desk.bytes", "product": "desk", "event": "sent", "aggregate": "sum", "value": "$.bytes" },""")
            .Replace("\"included\": { \"desk.tickets\": 3 }, \"prices\": { ", "\"included\": { \"desk.tickets\": 3, \"desk.bytes\": 1 }, \"prices\": { \"desk.bytes\": { \"model\": \"per_unit\", \"unit_price\": \"9.00\" }, ", StringComparison.Ordinal)
            .Replace("\"event\": \"sent\", \"aggregate\": \"count\"", "\"event\": \"sent\", \"where\": { \"$.paid\": true }, \"aggregate\": \"count\"", StringComparison.Ordinal);

        var test = Opened().At(April10).Use(9, April10).At(May4).BackTest(other, withPlans: true);

        Assert.Equal((3_000L, 3_000L), (test.Paid, test.WouldPay));
        Assert.Equal(
            [
                "The catalogue v2 counts the meter desk.tickets in another way than v1; the figures are for the usage as it was counted.",
                "The catalogue v1 did not count the meter desk.bytes: what the catalogue v2 asks for it is not in the figures.",
            ],
            test.Notes.AsEnumerable());
    }

    // A year is paid for and nothing is asked for tickets: May has nothing to invoice.
    [Fact]
    public void AnInvoiceWithoutALine_IsDroppedAgain()
    {
        var flat = Catalog().Replace(
            "\"base_price\": \"100.00\", \"included\": { \"desk.tickets\": 3 }, \"prices\": { \"desk.tickets\": { \"model\": \"per_unit\", \"unit_price\": \"1.00\" } }",
            "\"base_price\": \"100.00\"",
            StringComparison.Ordinal);
        var account = AccountRun.On(Anchor, flat);
        Assert.Null(account.Open("desk-year"));
        account.At(April10).Use(9, April10).At(May4);
        Assert.Contains(account.Facts(), f => f is AccountFact.DraftDropped);

        var test = account.BackTest(flat);

        Assert.Equal((10_000L, 10_000L, null), (test.Paid, test.WouldPay, test.Problem));
        Assert.Empty(account.Rerun().State.Drafts);
    }

    [Fact]
    public void AnAccountThatIsNone_IsSaid() =>
        Assert.Equal("There is no account acme.", AccountRun.On(Anchor, Catalog()).BackTest().Problem);

    // A new kind of fact must be put on one side or the other.
    [Fact]
    public void EveryKindOfFact_IsKnownToBeTakenOrDecidedAnew()
    {
        var kinds = typeof(AccountFact).GetCustomAttributes<JsonDerivedTypeAttribute>().Select(a => a.DerivedType).ToList();

        Assert.NotEmpty(kinds);
        Assert.All(kinds, kind => JournalRerun.IsInput((AccountFact)RuntimeHelpers.GetUninitializedObject(kind)));
    }
}
