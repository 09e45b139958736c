using Billing.Accounts;
using Billing.Charging;
using Billing.Invoices;
using Billing.Tests.Accounts;
using Billing.Tests.Charging;
using Billing.Tests.Plans;
using Billing.Usage;
using static Billing.Tests.Plans.LadderRun;

namespace Billing.Tests.Faults;

/// <summary>F29: the event that crosses a plan's threshold is delivered again and again, and the plan is edited meanwhile. I1, I3.</summary>
public class F29_ThresholdEventTwiceTests
{
    private static readonly DateTimeOffset April10 = On("2026-04-10");

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void F29_TheCrossingEventTwiceAndThePlanEditedMeanwhile_OneUpgradeAndOneCharge(bool editedBefore)
    {
        // One more than 1,000 tickets: basic 380.00, pro 360.00; the difference in base price is 300.00.
        var account = Opened().At(April10).Use(1_000, April10);
        var desk = new ChargeDesk(account).Run();
        var crossing = new AccountRun.Event("crossing", April10, "{}");

        if (editedBefore) Edit(account);
        Assert.Equal([UsageOutcome.Accepted, UsageOutcome.Duplicate], account.Send(crossing, crossing).Select(r => r.Outcome));
        if (!editedBefore) Edit(account);
        Assert.Equal(UsageOutcome.Duplicate, account.SendOne(crossing).Outcome);
        account.Reactivate(account.Entries.Count / 2);
        Assert.Equal(UsageOutcome.Duplicate, account.SendOne(crossing).Outcome);
        desk.Run();
        Assert.Equal(UsageOutcome.Duplicate, account.SendOne(crossing).Outcome);
        desk.Run();

        Assert.Equal([(1, InvoiceLineKind.Base, "basic", 6_000), (2, InvoiceLineKind.Upgrade, "pro", 30_000)], account.Lines());
        Assert.Equal([6_000L, 30_000], account.Charges.Select(c => c.Amount));
        Assert.All(account.Charges, c => Assert.Equal(ChargeState.Settled, c.State));
        Assert.Equal([6_000L, 30_000], desk.Invoices.Select(i => i.AmountPaid));

        // April stays on the version it began with; May is on the edited plan.
        desk.At(On("2026-05-04"));
        Assert.Equal([(InvoiceLineKind.Base, "v2", 30_000L), (InvoiceLineKind.Usage, "v1", 0)], account.Invoices[2].Lines.Select(l => (l.Kind, l.CatalogVersion!, l.Amount)));
    }

    private static void Edit(AccountRun account)
    {
        account.Publish(Catalog("v2").Replace("\"360.00\"", "\"300.00\"", StringComparison.Ordinal).Replace("\"60.00\"", "\"65.00\"", StringComparison.Ordinal));
        Assert.Null(account.Move("pro", PlanChangeTime.PeriodEnd, "v2").Refusal);
    }
}
