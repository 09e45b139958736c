using Billing.Accounts;
using Billing.Invoices;
using Billing.Invoicing;
using static Billing.Tests.Accounts.AccountRun;

namespace Billing.Tests.Accounts;

public sealed class AccountCreditTests
{
    private static readonly TimeSpan Grace = TimeSpan.FromHours(72);
    private static readonly DateTimeOffset ThirdEnd = Anchor.AddMonths(3);
    private static readonly DateTimeOffset FourthEnd = Anchor.AddMonths(4);
    private static readonly DateTimeOffset FifthEnd = Anchor.AddMonths(5);

    [Fact]
    public void AnInvoiceBelowZero_IsPaidAndBecomesAccountCredit()
    {
        var account = CreditDesk.WithCredit();

        var invoice = account.Invoices[2];
        Assert.Equal((3, InvoiceStatus.Paid, -500L, invoice.FinalizedAt), (invoice.Number, invoice.Status, invoice.Total, invoice.PaidAt)); // 1.00 − 2 × 3.00
        Assert.DoesNotContain(invoice.Lines, l => l.Kind == InvoiceLineKind.Credit);
        Assert.Equal(500, account.State.Balance);
        Assert.Equal(500, AccountViews.Account(account.State, account.Now).Balance);
    }

    [Fact]
    public void AnInvoiceSmallerThanTheCredit_IsPaidByIt()
    {
        var account = CreditDesk.WithCredit().At(ThirdEnd + Grace);

        var invoice = account.Invoices[3];
        Assert.Equal((4, InvoiceStatus.Paid, 0L), (invoice.Number, invoice.Status, invoice.Total));
        Assert.Equal(invoice.FinalizedAt, invoice.PaidAt);
        Assert.Equal(400, account.State.Balance); // 5.00 − 1.00
        var line = invoice.Lines[^1];
        Assert.Equal((invoice.Lines.Length, InvoiceLineKind.Credit, -100L, "1", 0L), (line.N, line.Kind, line.Amount, line.Quantity.ToString(), line.EventCount));
        Assert.Equal((null, null, null, null, invoice.Period), (line.Product, line.Plan, line.CatalogVersion, line.Meter, line.Period));
        Assert.Equal(new ArithmeticStep("1", "-1", "-100", "1.00 USD of 5.00 USD account credit"), Assert.Single(line.Arithmetic));
    }

    [Fact]
    public void AnInvoiceLargerThanTheCredit_SpendsItAll_AndTheNextBearsNone()
    {
        var account = CreditDesk.WithCredit().At(ThirdEnd + Grace);
        account.Send(Event.Message("x", account.Now, "8"), Event.Message("y", account.Now, "9"));
        account.At(FourthEnd + Grace);

        var invoice = account.Invoices[4];
        Assert.Equal((InvoiceStatus.Finalized, 300L, null), (invoice.Status, invoice.Total, invoice.PaidAt)); // 1.00 + 2 × 3.00 − 4.00
        Assert.Equal("4.00 USD of 4.00 USD account credit", Assert.Single(invoice.Lines[^1].Arithmetic).Text);
        Assert.Equal(0, account.State.Balance);
        Assert.DoesNotContain(account.At(FifthEnd + Grace).Invoices[5].Lines, l => l.Kind == InvoiceLineKind.Credit);
    }

    [Theory]
    [InlineData(-300)]
    [InlineData(0)]
    public void AnInvoiceThatAsksForNothing_SpendsNoCredit(long amount)
    {
        var account = CreditDesk.WithCredit();
        var line = account.Invoices[2].Lines[0] with { Amount = amount };

        var invoice = InvoiceFinalizer.Draft(account.State, line.Period, account.Now, [line]);

        Assert.Equal((amount, amount), (invoice.Total, Assert.Single(invoice.Lines).Amount));
    }

    [Fact]
    public void DraftAndPreview_ShowTheCredit_AndSpendNothing()
    {
        var account = CreditDesk.WithCredit();
        var preview = AccountViews.Preview(account.State, account.Now)!.Lines[^1];
        Assert.Equal((InvoiceLineKind.Credit, -100L), (preview.Kind, preview.Amount));

        var draft = account.At(ThirdEnd).Invoices[3];

        Assert.Equal((null, InvoiceStatus.Draft, 0L, -100L), (draft.Number, draft.Status, draft.Total, draft.Lines[^1].Amount));
        Assert.Equal(500, account.State.Balance);
    }

    [Fact]
    public void TheCredit_IsInAStateReadAgain()
    {
        var account = CreditDesk.WithCredit().At(ThirdEnd + Grace);

        Assert.Equal(400, account.ReadAgain().Balance);
        Assert.Equal(400, account.ReadAgain(account.Entries.Count).Balance);
    }

    [Fact]
    public void SpentCredit_IsNoUsageOfAnyMeter()
    {
        var account = CreditDesk.WithCredit().At(FourthEnd + Grace);

        var usage = account.State.MeterOf(Tickets).Periods.Where(p => p.BilledPlan is not null).ToList();

        Assert.Equal(account.Invoices.SelectMany(i => i.Lines).Where(l => l.Meter is not null).Sum(l => l.Amount), usage.Sum(p => p.BilledAmount));
        Assert.All(usage, p => Assert.Equal(("desk-1", p.Quantity), (p.BilledPlan, p.BilledQuantity)));
    }
}
