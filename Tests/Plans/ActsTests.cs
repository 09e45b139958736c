using Billing.Accounts;
using Billing.Invoices;
using Billing.Tests.Accounts;
using static Billing.Tests.Plans.LadderRun;

namespace Billing.Tests.Plans;

/// <summary>What an act shows before is what it does, with all that follows from it in its instant.</summary>
public sealed class ActsTests
{
    private static readonly DateTimeOffset April11 = On("2026-04-11");

    // 1,001 tickets: basic 60.00 + 8 × 40.00 = 380.00, pro 360.00. Of that 60.00 are invoiced.
    [Fact]
    public void AutomaticChangesAllowedAgain_TheUpgradeOfThatInstantIsShown()
    {
        var account = Opened().At(April11);
        account.Set(new(false, "They asked for it.", false, null));
        account.Use(1_001, April11);
        Assert.Equal("basic", account.Plan());

        var (shown, made) = ShownAndMade(account, dryRun => account.Set(new(true, "They asked for it.", dryRun, null)));

        Assert.Equal((30_000L, 2, "pro"), (made.Total, made.Invoice, account.Plan()));
        Assert.Equal([(InvoiceLineKind.Upgrade, "pro", 30_000L)], shown.Lines.Select(l => (l.Kind, l.Plan!, l.Amount)));
        Assert.Contains("Usage so far moves the plan at once: Usage reached 1,001 desk.tickets.", shown.Description, StringComparison.Ordinal);
    }

    // A last day on pro gives so little allowance that a last day on advanced costs less: it is on that at once.
    [Fact]
    public void AChangeByHandThatUsageFollows_ShowsBothInvoicesAndThePlanItEndsOn()
    {
        var account = Opened().At(April11).Use(900, April11).At(On("2026-04-30"));
        Assert.Equal("basic", account.Plan());

        var (shown, made) = ShownAndMade(account, dryRun => account.Move("pro", dryRun: dryRun));

        Assert.Equal("advanced", account.Plan());
        Assert.Equal([(InvoiceLineKind.Proration, "basic"), (InvoiceLineKind.Proration, "pro"), (InvoiceLineKind.Upgrade, "advanced")], shown.Lines.Select(l => (l.Kind, l.Plan!)));
        Assert.Equal(account.Invoices.Where(i => i.Number >= made.Invoice).SelectMany(i => i.Lines).Select(l => l.Amount), shown.Lines.Select(l => l.Amount));
        Assert.Contains("Usage so far moves the plan at once: Usage reached 900 desk.tickets.", shown.Description, StringComparison.Ordinal);
    }

    // The year is paid to 1 April 2027. From 13 June, 292 of its 365 days are left: −480.00; the new year is 600.00.
    [Fact]
    public void ResumedInAPaidYear_WhatIsLeftOfItIsGivenBack()
    {
        var account = Opened("basic-year").At(On("2026-04-20"));
        Assert.Contains("basic-year is paid to 2027-04-01T00:00:00Z", account.Suspend().Change!.Description, StringComparison.Ordinal);
        account.At(On("2026-04-01").AddDays(73));

        var (_, made) = ShownAndMade(account, account.Resume);

        Assert.Equal([(InvoiceLineKind.Proration, -48_000L), (InvoiceLineKind.Base, 60_000L)], made.Lines.Select(l => (l.Kind, l.Amount)));
        Assert.Equal((12_000L, account.Invoices.Length), (made.Total, made.Invoice));
        Assert.Equal(new BillingPeriod(On("2026-06-13"), On("2027-06-13")), made.Lines[1].Period);
    }

    [Fact]
    public void ResumedInAPaidYearThatMovedToADearerVersion_WhatWasPaidIsGivenBack()
    {
        var account = Opened("basic-year", Catalog("v2").Replace("\"600.00\"", "\"800.00\"", StringComparison.Ordinal), Catalog()).At(April11);
        Assert.Null(account.Move("basic-year", PlanChangeTime.PeriodEnd, version: "v2").Refusal);
        account.At(On("2026-05-20")).Suspend();
        account.At(On("2026-04-01").AddDays(73));

        var (_, made) = ShownAndMade(account, account.Resume);

        Assert.Equal([("v1", -48_000L), ("v2", 80_000L)], made.Lines.Select(l => (l.CatalogVersion!, l.Amount)));
    }

    // The year is given back from 13 June on, so basic waits for nothing any more.
    [Fact]
    public void ResumedInAPaidYearWhoseEndAnotherPlanWaitsFor_ThatPlanBegins()
    {
        var account = Opened("basic-year").At(April11);
        Assert.Equal(On("2027-04-01"), account.Move("basic", PlanChangeTime.PeriodEnd).Change!.EffectiveAt);
        account.At(On("2026-04-20"));
        Assert.EndsWith("is given back then, and basic begins.", account.Suspend().Change!.Description, StringComparison.Ordinal);
        account.At(On("2026-04-01").AddDays(73));

        var (_, made) = ShownAndMade(account, account.Resume);

        Assert.Equal([("basic-year", -48_000L), ("basic", 6_000L)], made.Lines.Select(l => (l.Plan!, l.Amount)));
        Assert.Contains("desk is on basic of the catalogue v1 from then on: it waited for the end of that year.", made.Description, StringComparison.Ordinal);
        Assert.Equal(("basic", null), (account.Plan(), account.State.Subscriptions[0].Scheduled));
    }

    // In 45 days of grace the draft of May is still open when new periods begin. Its year was paid on 1 April.
    [Fact]
    public void ResumedWhileADraftOfTheYearBeforeIsOpen_ThatBearsNoSecondYear()
    {
        var account = Opened("basic-year", Catalog().Replace("\"currency\"", "\"grace\": \"P45D\", \"currency\"", StringComparison.Ordinal)).At(On("2026-05-20"));
        account.Suspend();
        account.At(On("2026-04-01").AddDays(73));
        account.Resume();

        account.At(On("2026-08-01"));

        Assert.Equal([On("2026-04-01"), On("2026-06-13")], account.Invoices.SelectMany(i => i.Lines).Where(l => l.Kind == InvoiceLineKind.Base).Select(l => l.Period.Start));
    }

    [Fact]
    public void ResumedWithAProductThatWasToBeAdded_ItIsOnTheFirstInvoice()
    {
        var account = Opened().At(April11);
        account.Move("bot-2", PlanChangeTime.PeriodEnd, product: "bot");
        account.Suspend();
        account.At(On("2026-05-10"));

        var (_, made) = ShownAndMade(account, account.Resume);

        Assert.Equal([("bot-2", 500L), ("basic", 6_000L)], made.Lines.Select(l => (l.Plan!, l.Amount)));
    }

    [Fact]
    public void AnUndoing_CanBeTriedToo()
    {
        var account = Opened("pro").At(April11);
        account.Move("basic", PlanChangeTime.PeriodEnd);
        ShownAndMade(account, dryRun => account.UndoPlanChange("desk", dryRun));

        account.Cancel();
        var (shown, _) = ShownAndMade(account, dryRun => account.UndoCancellation(null, dryRun));

        Assert.Contains("Its next period begins at 2026-05-01T00:00:00Z, with its base prices.", shown.Description, StringComparison.Ordinal);
    }

    private static (AccountChange Shown, AccountChange Made) ShownAndMade(AccountRun account, Func<bool, AccountChangeAnswer> act)
    {
        var (before, entries) = (account.Snapshot(), account.Entries.Count);
        var shown = act(true).Change!;
        Assert.Equal((true, null, entries), (shown.DryRun, shown.Invoice, account.Entries.Count));
        Assert.Equal(before, account.Snapshot());

        var made = act(false).Change!;
        Assert.False(made.DryRun);
        Assert.Equal((shown.Description, shown.Total, shown.EffectiveAt), (made.Description, made.Total, made.EffectiveAt));
        Assert.Equal(shown.Lines.Select(l => (l.N, l.Kind, l.Plan, l.Period, l.Amount)), made.Lines.Select(l => (l.N, l.Kind, l.Plan, l.Period, l.Amount)));
        return (shown, made);
    }
}
