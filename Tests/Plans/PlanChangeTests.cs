using Billing.Accounts;
using Billing.Invoices;
using Billing.Tests.Accounts;
using static Billing.Tests.Plans.LadderRun;

namespace Billing.Tests.Plans;

/// <summary>Plans are changed by hand. April has 30 days: ten of them are a third.</summary>
public sealed class PlanChangeTests
{
    private static readonly DateTimeOffset April11 = On("2026-04-11");

    [Fact]
    public void Upwards_HoldsAtOnceAndBothPartsAreInvoiced()
    {
        var account = Opened().At(April11);

        var change = account.Move("pro").Change!;

        // Two thirds of 60.00 are given back, two thirds of 360.00 asked for.
        Assert.Equal([(InvoiceLineKind.Proration, "basic", -4_000L), (InvoiceLineKind.Proration, "pro", 24_000L)], change.Lines.Select(l => (l.Kind, l.Plan!, l.Amount)));
        Assert.Equal((20_000L, 2, "pro"), (change.Total, change.Invoice, account.Plan()));
        Assert.All(change.Lines, l => Assert.Equal(new BillingPeriod(April11, On("2026-05-01")), l.Period));
        Assert.Equal("desk is on pro of the catalogue v1 from 2026-04-11T00:00:00Z on. 200.00 USD of base price is due at once, for the time to 2026-05-01T00:00:00Z; from then on it is paid with the others.", change.Description);
    }

    [Fact]
    public void Upwards_GivesTheAllowancesOfBothStretchesAndThePricesOfTheLast()
    {
        var account = Opened().At(April11);
        account.Move("pro");

        // 300 × 1/3 + 2,000 × 2/3 = 1,433.33: 1,533 tickets are 99.67 over, one block; 1,534 are 100.67 over, two.
        account.Use(1_534, April11).At(On("2026-05-04"));

        var line = Assert.Single(account.Invoices[2].Lines, l => l.Kind == InvoiceLineKind.Usage);
        Assert.Equal(("pro", 7_200), (line.Plan, line.Amount));
    }

    [Fact]
    public void ADryRun_ShowsTheLinesAndChangesNothing()
    {
        var account = Opened().At(April11);
        var before = account.Snapshot();

        var shown = account.Move("pro", dryRun: true).Change!;

        Assert.Equal(before, account.Snapshot());
        var made = account.Move("pro").Change!;
        Assert.Equal((shown.Total, shown.Description), (made.Total, made.Description));
        Assert.Equal(shown.Lines.Select(l => (l.N, l.Kind, l.Plan, l.Amount)), made.Lines.Select(l => (l.N, l.Kind, l.Plan, l.Amount)));
    }

    [Fact]
    public void SeveralProductsAtOnce_AreOnOneInvoice()
    {
        var account = Opened().At(April11);

        var change = account.ChangePlans(new ChangePlans([new("desk", "pro"), new("bot", "bot-2")], null, PlanChangeTime.Now, "They asked for it.", false, null)).Change!;

        // 5.00 × 20/30 = 3.33
        Assert.Equal([("bot-2", 333L), ("basic", -4_000L), ("pro", 24_000L)], change.Lines.Select(l => (l.Plan!, l.Amount)));
        Assert.Equal(2, account.Invoices.Length);
    }

    [Fact]
    public void OneOfSeveralIsRefused_NoneIsMade()
    {
        var account = Opened("pro").At(April11);
        var before = account.Snapshot();

        var answer = account.ChangePlans(new ChangePlans([new("bot", "bot-1"), new("desk", "basic")], null, PlanChangeTime.Now, "They asked for it.", false, null));

        Assert.Equal((RefusalKind.Invalid, "when"), (answer.Refusal!.Kind, answer.Refusal.Field));
        Assert.Equal(before, account.Snapshot());
    }

    [Fact]
    public void TwoChangesAtOneInstant_AddUp()
    {
        var account = Opened().At(April11);
        account.Move("pro");
        account.Move("advanced");

        // −40.00 + 240.00, then −240.00 + 600.00
        Assert.Equal([20_000L, 36_000L], account.Invoices.Skip(1).Select(i => i.Total));
        account.Use(1, April11).At(On("2026-05-04"));
        Assert.Contains("3433.333", account.Invoices[3].Lines.Single(l => l.Kind == InvoiceLineKind.Usage).Arithmetic[0].Text, StringComparison.Ordinal);
    }

    [Fact]
    public void OnTheLastSecondOfAPeriod_ItCostsAlmostNothingAndTheNextPeriodIsOnIt()
    {
        var account = Opened().At(On("2026-05-01").AddSeconds(-1));

        var change = account.Move("advanced").Change!;

        // 60.00 and 900.00 over 2,592,000 seconds: 0.0023 and 0.035 cents
        Assert.Empty(change.Lines);
        account.At(On("2026-05-04"));
        Assert.Equal(("advanced", 90_000), account.Lines().Where(l => l.Kind == InvoiceLineKind.Base).Select(l => (l.Plan!, l.Amount)).Last());
    }

    [Fact]
    public void WhileTheNextInvoiceIsADraft_ItsBaseLineStays()
    {
        var account = Opened().At(On("2026-05-02"));

        account.Move("pro");
        account.At(On("2026-05-04"));

        // 30 of May's 31 days: −58.06 and +348.39. The draft of May bears basic's 60.00.
        Assert.Equal(
            [(1, InvoiceLineKind.Base, "basic", 6_000), (2, InvoiceLineKind.Proration, "basic", -5_806), (2, InvoiceLineKind.Proration, "pro", 34_839), (3, InvoiceLineKind.Base, "basic", 6_000), (3, InvoiceLineKind.Usage, "basic", 0)],
            account.Lines());
        account.At(On("2026-06-04"));
        Assert.Equal([("pro", InvoiceLineKind.Base), ("pro", InvoiceLineKind.Usage)], account.Invoices[3].Lines.Select(l => (l.Plan!, l.Kind)));
    }

    [Fact]
    public void ScheduledTwice_TheSecondIsRefused()
    {
        var account = Opened("pro").At(April11);
        account.Move("basic", PlanChangeTime.PeriodEnd);

        var refusal = account.Move("basic", PlanChangeTime.PeriodEnd).Refusal!;

        Assert.Contains("already", refusal.Detail, StringComparison.Ordinal);
        Assert.Single(account.Facts().OfType<AccountFact.PlanChangeScheduled>());
    }

    [Fact]
    public void UpwardsNowWhileAnotherPlanIsScheduled_SaysWhatIsToCome()
    {
        var account = Opened("pro").At(April11);
        account.Move("basic", PlanChangeTime.PeriodEnd);

        var change = account.Move("advanced").Change!;

        Assert.EndsWith("At 2026-05-01T00:00:00Z it moves to basic of the catalogue v1, as scheduled before; undo that to stay.", change.Description, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("basic")]
    [InlineData("advanced")]
    public void AtPeriodEnd_ItIsShownAndHoldsFromThere(string plan)
    {
        var account = Opened("pro").At(April11);

        var change = account.Move(plan, PlanChangeTime.PeriodEnd).Change!;

        var line = Assert.Single(change.Lines);
        Assert.Equal((InvoiceLineKind.Base, plan, new BillingPeriod(On("2026-05-01"), On("2026-06-01"))), (line.Kind, line.Plan, line.Period));
        Assert.Equal((line.Amount, null, On("2026-05-01")), (change.Total, change.Invoice, change.EffectiveAt));
        var shown = AccountViews.Account(account.State, account.Now).Subscriptions.Single();
        Assert.Equal(("pro", ScheduledChangeKind.Plan, plan, On("2026-05-01")), (shown.Plan, shown.ScheduledChange!.Kind, shown.ScheduledChange.Plan, shown.ScheduledChange.At));
        account.At(On("2026-05-04"));
        Assert.Equal((plan, null), (account.Plan(), account.State.Subscriptions[0].Scheduled));
        Assert.Equal(line.Amount, account.Invoices[1].Lines.Single(l => l.Kind == InvoiceLineKind.Base && l.Plan == plan).Amount);
        Assert.Equal("pro", account.Invoices[1].Lines.Single(l => l.Kind == InvoiceLineKind.Usage).Plan);
    }

    [Fact]
    public void AScheduledChangeUndone_NothingChanges()
    {
        var account = Opened("pro").At(April11);
        account.Move("basic", PlanChangeTime.PeriodEnd);

        Assert.Equal("desk does not move to basic at 2026-05-01T00:00:00Z: the change is undone. It stays on pro of the catalogue v1.", account.UndoPlanChange("desk").Change!.Description);

        account.At(On("2026-05-04"));
        Assert.Equal("pro", account.Plan());
        Assert.Equal(RefusalKind.Conflict, account.UndoPlanChange("desk").Refusal!.Kind);
    }

    [Fact]
    public void AScheduledChange_WinsOverWhatThePeriodSettlesOn()
    {
        var account = Opened("pro").At(April11);
        account.Move("basic", PlanChangeTime.PeriodEnd);
        account.Use(3_600, April11);
        Assert.Equal("advanced", account.Plan());

        account.At(On("2026-05-04"));

        Assert.Equal("basic", account.Plan());
    }

    [Fact]
    public void AProductAddedAtPeriodEnd_BeginsWithTheNextPeriod()
    {
        var account = Opened().At(April11);

        account.Move("bot-2", PlanChangeTime.PeriodEnd, product: "bot");

        Assert.Equal("bot", AccountViews.Account(account.State, account.Now).Subscriptions[1].Product);
        account.At(On("2026-05-04"));
        Assert.Equal([("bot-2", 500), ("basic", 6_000)], account.Invoices[1].Lines.Where(l => l.Kind == InvoiceLineKind.Base).Select(l => (l.Plan!, (int)l.Amount)));
    }

    [Fact]
    public void ByTheYear_BeginsAtAPeriodStartAndIsPaidFromThereOn()
    {
        var account = Opened("pro").At(April11);

        Assert.Equal("when", account.Move("pro-year").Refusal!.Field);
        account.Move("pro-year", PlanChangeTime.PeriodEnd);
        account.At(On("2027-06-04"));

        Assert.Equal(
            [new(On("2026-05-01"), On("2027-05-01")), new BillingPeriod(On("2027-05-01"), On("2028-05-01"))],
            account.Invoices.SelectMany(i => i.Lines).Where(l => l.Plan == "pro-year" && l.Kind == InvoiceLineKind.Base).Select(l => l.Period));
    }

    [Fact]
    public void AYearIsPaidFor_NothingLessBeginsBeforeItIsOver()
    {
        var account = Opened("pro-year").At(April11);

        Assert.Equal(On("2027-04-01"), account.Move("basic", PlanChangeTime.PeriodEnd).Change!.EffectiveAt);
        account.At(On("2027-03-31"));
        Assert.Equal("pro-year", account.Plan());
        account.At(On("2027-04-04"));

        Assert.Equal("basic", account.Plan());
        Assert.Single(account.Lines(), l => l.Plan == "pro-year" && l.Kind == InvoiceLineKind.Base);
    }

    // Asked for at period end, a dearer year would begin for nothing in the one that is paid.
    [Fact]
    public void AYearIsPaidFor_ADearerYearAtPeriodEndWaitsForItsEnd()
    {
        var account = Opened("basic-year").At(April11);

        var change = account.Move("pro-year", PlanChangeTime.PeriodEnd).Change!;

        Assert.Equal((On("2027-04-01"), 360_000L), (change.EffectiveAt, change.Total));
        Assert.Contains("The year of basic-year is paid to 2027-04-01T00:00:00Z, so the change waits for its end.", change.Description, StringComparison.Ordinal);
        account.At(On("2027-03-31"));
        Assert.Equal("basic-year", account.Plan());
        account.At(On("2027-04-04"));
        Assert.Equal([("basic-year", 60_000L), ("pro-year", 360_000L)], account.Invoices.SelectMany(i => i.Lines).Where(l => l.Kind == InvoiceLineKind.Base).Select(l => (l.Plan!, l.Amount)));
    }

    [Fact]
    public void AYearIsPaidFor_TheSamePlanThatAnotherVersionSellsByTheMonthWaitsForItsEnd()
    {
        var byTheMonth = Catalog("v2").Replace("\"interval\": \"year\", \"base_price\": \"600.00\"", "\"base_price\": \"70.00\"", StringComparison.Ordinal);
        var account = Opened("basic-year", byTheMonth, Catalog()).At(April11);

        Assert.Equal(On("2027-04-01"), account.Move("basic-year", PlanChangeTime.PeriodEnd, version: "v2").Change!.EffectiveAt);
        account.At(On("2027-05-04"));

        Assert.Equal([60_000L, 7_000, 7_000], account.Invoices.SelectMany(i => i.Lines).Where(l => l.Kind == InvoiceLineKind.Base).Select(l => l.Amount));
    }

    [Fact]
    public void UpwardsByTheYear_TheRestOfTheYearIsPaid()
    {
        var account = Opened("basic-year").At(On("2026-04-01").AddDays(73));

        // 292 of 365 days are left, 0.8: −480.00 + 2,880.00
        Assert.Equal([("basic-year", -48_000L), ("pro-year", 288_000L)], account.Move("pro-year").Change!.Lines.Select(l => (l.Plan!, l.Amount)));
    }

    // The year was paid at 600.00; that the same plan costs 800.00 in the version it has moved to meanwhile changes nothing of that.
    [Fact]
    public void UpwardsInAYearThatMovedToADearerVersion_WhatWasPaidIsGivenBack()
    {
        var account = Opened("basic-year", Catalog("v2").Replace("\"600.00\"", "\"800.00\"", StringComparison.Ordinal), Catalog()).At(April11);
        Assert.Null(account.Move("basic-year", PlanChangeTime.PeriodEnd, version: "v2").Refusal);
        account.At(On("2026-04-01").AddDays(73));
        Assert.Equal("v2", account.State.Subscriptions[0].CatalogVersion);

        var lines = account.Move("pro-year").Change!.Lines;

        // 292 of 365 days are left, 0.8: −480.00 + 2,880.00
        Assert.Equal([("basic-year", "v1", -48_000L), ("pro-year", "v2", 288_000L)], lines.Select(l => (l.Plan!, l.CatalogVersion!, l.Amount)));
    }

    [Fact]
    public void AtTheEndOfAPeriodThatIsTheLastOfASuspendedAccount_NothingIsPaidUntilItIsResumed()
    {
        var account = Opened("pro").At(April11);
        account.Suspend();

        var change = account.Move("basic", PlanChangeTime.PeriodEnd).Change!;

        Assert.Equal((0L, 0), (change.Total, change.Lines.Length));
        Assert.EndsWith(" Nothing is due at once. The account is suspended: unless it is resumed before, that holds when billing periods begin anew.", change.Description, StringComparison.Ordinal);
        account.At(On("2026-06-13"));
        Assert.Equal(["pro"], account.Invoices.SelectMany(i => i.Lines).Where(l => l.Kind == InvoiceLineKind.Base).Select(l => l.Plan!));
        account.Resume();
        Assert.Equal(("basic", On("2026-06-13")), (account.Invoices[^1].Lines[0].Plan!, account.Invoices[^1].Lines[0].Period.Start));
    }

    // basic-year of v2 was to go on in the year of basic-year from 1 May on. The rest of the year of pro-year is paid since 11 April.
    [Fact]
    public void UpwardsInAYearThatWasToMoveToAnotherVersion_TheMoveWaitsForItsEnd()
    {
        var account = Opened("basic-year", Catalog("v2").Replace("\"600.00\"", "\"800.00\"", StringComparison.Ordinal), Catalog()).At(April11);
        Assert.Equal(On("2026-05-01"), account.Move("basic-year", PlanChangeTime.PeriodEnd, version: "v2").Change!.EffectiveAt);

        var change = account.Move("pro-year").Change!;

        Assert.EndsWith("At 2027-04-01T00:00:00Z it moves to basic-year of the catalogue v2, as scheduled before; undo that to stay.", change.Description, StringComparison.Ordinal);
        account.At(On("2027-03-31"));
        Assert.Equal("pro-year", account.Plan());
        account.At(On("2027-04-04"));
        Assert.Equal([("v1", 60_000L), ("v2", 80_000L)], account.Invoices.SelectMany(i => i.Lines).Where(l => l.Kind == InvoiceLineKind.Base).Select(l => (l.CatalogVersion!, l.Amount)));
    }

    [Fact]
    public void AnotherCatalogueVersion_HoldsFromAPeriodStart()
    {
        var account = Opened("basic", Catalog(), Catalog("v2").Replace("\"60.00\"", "\"65.00\"", StringComparison.Ordinal)).At(April11);

        Assert.Equal("basic", account.Plan());
        Assert.Equal("when", account.Move("basic", version: "v1").Refusal!.Field);
        account.Move("basic", PlanChangeTime.PeriodEnd, "v1");
        account.At(On("2026-05-04"));

        Assert.Equal([("v2", 6_500L), ("v1", 6_000L)], account.Invoices.SelectMany(i => i.Lines).Where(l => l.Kind == InvoiceLineKind.Base).Select(l => (l.CatalogVersion!, l.Amount)));
        Assert.Equal(0, account.Invoices[1].Lines.Single(l => l.Kind == InvoiceLineKind.Usage).Amount);
    }

    [Fact]
    public void AnotherCatalogueVersionWithoutAMeterInUse_IsRefused()
    {
        var other = Catalog().Replace("desk.tickets", "desk.messages", StringComparison.Ordinal);
        var counted = Catalog("v0").Replace("\"event\": \"sent\"", "\"event\": \"received\"", StringComparison.Ordinal);
        var account = Opened("basic", other, counted, Catalog("v9")).At(April11);

        Assert.Equal(
            "The catalogue v1 has no meter desk.tickets, by which the usage of desk is counted. Nothing was changed; publish a version that keeps the meter as it is.",
            account.Move("basic", PlanChangeTime.PeriodEnd, "v1").Refusal!.Detail);
        Assert.Equal(
            "The catalogue v0 counts the meter desk.tickets in another way: it differs in event. What is counted cannot be counted anew. Nothing was changed; publish a version that keeps desk.tickets as it is, with a new meter beside it.",
            account.Move("basic", PlanChangeTime.PeriodEnd, "v0").Refusal!.Detail);
    }

    [Theory]
    [InlineData("event", "\"event\": \"received\", \"aggregate\": \"count\"")]
    [InlineData("where", "\"event\": \"sent\", \"where\": { \"$.paid\": true }, \"aggregate\": \"count\"")]
    [InlineData("aggregate, value", "\"event\": \"sent\", \"aggregate\": \"sum\", \"value\": \"$.size\"")]
    [InlineData("count_once", "\"event\": \"sent\", \"aggregate\": \"count\", \"count_once\": { \"key\": \"$.ticket\", \"window\": \"period\" }")]
    [InlineData("cancelled_by", "\"event\": \"sent\", \"aggregate\": \"count\", \"cancelled_by\": { \"event\": \"wrote\", \"key\": \"$.ticket\", \"within\": \"PT72H\" }")]
    public void AnotherCatalogueVersionThatCountsInAnotherWay_IsRefusedWithWhatDiffers(string differs, string other)
    {
        var counted = Catalog("v0").Replace("\"event\": \"sent\", \"aggregate\": \"count\"", other, StringComparison.Ordinal);
        var account = Opened("basic", counted, Catalog("v9")).At(April11);

        Assert.Contains($": it differs in {differs}. ", account.Move("basic", PlanChangeTime.PeriodEnd, "v0").Refusal!.Detail, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("pro", PlanChangeTime.Now, RefusalKind.Conflict, "changes[0].plan")] // is on it
    [InlineData("basic", PlanChangeTime.Now, RefusalKind.Invalid, "when")] // downwards
    [InlineData("bot-1", PlanChangeTime.Now, RefusalKind.Invalid, "changes[0].product")]
    [InlineData("gold", PlanChangeTime.PeriodEnd, RefusalKind.Invalid, "changes[0].plan")]
    public void AChangeThatCannotBe_IsRefused(string plan, PlanChangeTime when, RefusalKind kind, string field)
    {
        var refusal = Opened("pro").At(April11).Move(plan, when).Refusal!;

        Assert.Equal((kind, field), (refusal.Kind, refusal.Field));
        Assert.Contains("Nothing was changed", refusal.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public void AnAccountThatEnds_TakesNoChangeAtItsEnd()
    {
        var account = Opened("pro").At(April11);
        account.Cancel();
        Assert.Equal(RefusalKind.Conflict, account.Move("basic", PlanChangeTime.PeriodEnd).Refusal!.Kind);

        account.At(On("2026-05-01"));

        Assert.Equal(RefusalKind.Conflict, account.Move("advanced").Refusal!.Kind);
    }

    [Theory]
    [InlineData(PlanChangeTime.Now)]
    [InlineData(PlanChangeTime.PeriodEnd)]
    public void ARetryAfterALostAnswer_GetsTheFirstAnswer(PlanChangeTime when)
    {
        var account = Opened().At(April11);
        var first = account.Move("pro", when, commandId: "c-1").Change!;

        var again = account.Move("pro", when, commandId: "c-1").Change!;

        Assert.Equal((first.Description, first.Total, first.Invoice, first.EffectiveAt), (again.Description, again.Total, again.Invoice, again.EffectiveAt));
        Assert.Equal(when == PlanChangeTime.Now ? 2 : 1, account.Invoices.Length);
    }

    [Fact]
    public void ARetryOfAChangeThatWaitsForThePaidYear_GetsTheFirstAnswer()
    {
        var account = Opened("basic-year").At(April11);
        var first = account.Move("basic", PlanChangeTime.PeriodEnd, commandId: "c-1").Change!;

        Assert.Equal(first.Description, account.Move("basic", PlanChangeTime.PeriodEnd, commandId: "c-1").Change!.Description);
    }

    [Fact]
    public void ARetryOfTheSecondChangeOfAnInstant_GetsItsInvoice()
    {
        var account = Opened().At(April11);
        account.Move("pro", commandId: "c-1");
        var second = account.Move("advanced", commandId: "c-2").Change!;

        var again = account.Move("advanced", commandId: "c-2").Change!;

        Assert.Equal((3, second.Total), (again.Invoice!.Value, again.Total));
    }

    [Fact]
    public void ReadingTheJournalAgain_GivesTheSamePlans()
    {
        var account = Opened().At(April11);
        account.Move("pro");
        account.Move("bot-2", PlanChangeTime.PeriodEnd, product: "bot");
        account.Move("basic", PlanChangeTime.PeriodEnd);
        account.At(On("2026-05-10")).Use(1_500, On("2026-05-10")).At(On("2026-07-10"));
        var snapshot = account.Snapshot();

        for (var after = 0; after <= account.Entries.Count; after++)
            Assert.Equal(snapshot, AccountRun.Canonical(account.ReadAgain(after), account.Now));
    }
}
