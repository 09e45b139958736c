using Billing.Accounts;
using Billing.Invoices;
using static Billing.Tests.Accounts.AccountRun;

namespace Billing.Tests.Accounts;

public sealed class AccountDeciderTests
{
    private static readonly TimeSpan Grace = TimeSpan.FromHours(72);
    private static readonly DateTimeOffset SecondEnd = new(2026, 5, 31, 12, 0, 0, TimeSpan.Zero);
    private static readonly DateTimeOffset ThirdEnd = new(2026, 6, 30, 12, 0, 0, TimeSpan.Zero);

    [Fact]
    public void OpeningAnAccount_InvoicesTheFirstBaseFeesAtOnce()
    {
        var account = Opened("desk-1", "free-1");

        var invoice = Assert.Single(account.Invoices);
        Assert.Equal((1, InvoiceStatus.Finalized, 2500L), (invoice.Number, invoice.Status, invoice.Total)); // 25.00 + 0.00
        Assert.Equal((new BillingPeriod(Anchor, FirstEnd), Anchor, Anchor), (invoice.Period, invoice.DraftedAt, invoice.FinalizedAt));
        Assert.Equal([("desk-1", 2500L), ("free-1", 0L)], invoice.Lines.Select(l => (l.Plan, l.Amount)));
        Assert.Equal(FirstEnd, account.State.NextRuleAt);
    }

    [Fact]
    public void AnInvoiceOfNothing_IsPaidWhenItIsFinalised()
    {
        var invoice = Assert.Single(Opened("free-1").Invoices);

        Assert.Equal((InvoiceStatus.Paid, 0L, Anchor), (invoice.Status, invoice.Total, invoice.PaidAt));
    }

    [Fact]
    public void WithoutAPaymentMethod_AnAccountIsPendingAndHasNoSubscription()
    {
        var account = new AccountRun();

        Assert.Null(account.Open(Command("desk-1") with { PaymentMethod = null }));

        Assert.Equal((AccountStatus.Pending, 0, 0, null), (account.State.Status, account.State.Subscriptions.Count, account.Invoices.Length, account.State.NextRuleAt));
    }

    [Fact]
    public void TheSameCommandAgain_ChangesNothing_AndAnotherIsRefused()
    {
        var account = Opened();

        Assert.Null(account.Open("desk-1"));
        Assert.Equal(RefusalKind.Conflict, account.Open(Command("desk-1") with { CommandId = "command-2" })?.Kind);
        Assert.Equal(RefusalKind.Conflict, account.Open(Command("desk-1") with { CommandId = null })?.Kind);

        Assert.Single(account.Entries);
    }

    [Theory]
    [InlineData("desk-9", "plans[0]")]
    [InlineData("desk-1 desk-1", "plans[1]")] // two of one product
    public void PlansThatCannotBe_AreRefusedAndNothingIsStored(string plans, string field)
    {
        var account = new AccountRun();

        var refusal = account.Open(plans.Split(' '));

        Assert.Equal((RefusalKind.Invalid, field), (refusal?.Kind, refusal?.Field));
        Assert.Empty(account.Entries);
    }

    [Fact]
    public void CommandsThatCannotBe_AreRefusedWithTheirField()
    {
        var account = new AccountRun();

        Assert.Equal("name", account.Open(Command() with { Name = "" })?.Field);
        Assert.Equal("name", account.Open(Command() with { Name = new('n', 201) })?.Field);
        Assert.Equal("email", account.Open(Command() with { Email = "nobody" })?.Field);
        Assert.Equal("catalog_version", account.Open(Command() with { CatalogVersion = "v0" })?.Field);
        Assert.Equal("currency", account.Open(Command() with { Currency = "EUR" })?.Field);
        Assert.Empty(account.Entries);
    }

    [Fact]
    public void AtThePeriodsEnd_TheNextInvoiceIsDrafted()
    {
        var account = Opened().At(FirstEnd.AddDays(-1));
        account.Send(Event.Message("a", account.Now, "1"), Event.Message("b", account.Now, "2"), Event.Message("c", account.Now, "3", bytes: 1_234_567));

        Assert.Single(account.At(FirstEnd.AddTicks(-1)).Invoices);
        var draft = account.At(FirstEnd).Invoices[1];

        Assert.Equal((null, InvoiceStatus.Draft, null), (draft.Number, draft.Status, draft.FinalizedAt));
        Assert.Equal((FirstEnd, new BillingPeriod(FirstEnd, SecondEnd)), (draft.DraftedAt, draft.Period));
        Assert.Equal(
            [
                (InvoiceLineKind.Base, null, new(FirstEnd, SecondEnd), 2500L),
                (InvoiceLineKind.Usage, Tickets, new(Anchor, FirstEnd), 40L), // 3 − 2 included = 1 × 0.40
                (InvoiceLineKind.Usage, Bytes, new BillingPeriod(Anchor, FirstEnd), 123L), // 1,234,567 × 0.000001 = 1.234567
            ],
            draft.Lines.Select(l => (l.Kind, l.Meter, l.Period, l.Amount)));
        Assert.Equal([1, 2, 3], draft.Lines.Select(l => l.N));
        Assert.Equal(2663, draft.Total);
    }

    [Fact]
    public void AfterTheGrace_TheDraftIsFinalised()
    {
        var account = Opened();

        Assert.Equal(InvoiceStatus.Draft, account.At((FirstEnd + Grace).AddTicks(-1)).Invoices[1].Status);
        var invoice = account.At(FirstEnd + Grace).Invoices[1];

        Assert.Equal((2, InvoiceStatus.Finalized, FirstEnd + Grace), (invoice.Number, invoice.Status, invoice.FinalizedAt));
        Assert.Equal(SecondEnd, account.State.NextRuleAt);
    }

    [Fact]
    public void ALateEventWithinTheGrace_ChangesTheDraft()
    {
        var account = Opened().At(FirstEnd);
        Assert.Equal(2500, account.Invoices[1].Total);

        account.At((FirstEnd + Grace).AddTicks(-1)).SendOne(Event.Message("late", FirstEnd.AddTicks(-1), bytes: 1_000_000));

        Assert.Equal(2600, account.Invoices[1].Total); // 25.00 + 1,000,000 × 0.000001
    }

    [Fact]
    public void LateEventsAfterTheGrace_BecomeOneAdjustmentLinePerMeter()
    {
        var account = Opened().At(FirstEnd + Grace);
        var frozen = account.InvoicesJson;

        account.Send(
            Event.Message("a", FirstEnd.AddDays(-1), "1", bytes: 1_000_000),
            Event.Message("b", FirstEnd.AddDays(-1), "2", bytes: 1_000_000),
            Event.Message("c", FirstEnd.AddDays(-1), "3", bytes: 1_000_000),
            Event.Message("d", FirstEnd.AddDays(-1), "4"));
        Assert.Equal(frozen, account.InvoicesJson);

        var next = account.At(SecondEnd + Grace).Invoices[2];
        Assert.Equal(
            [(Bytes, 300L, "3000000", 4L), (Tickets, 80L, "4", 4L)], // 3,000,000 × 0.000001 = 3.00; 4 − 2 included = 2 × 0.40
            next.Lines.Where(l => l.Kind == InvoiceLineKind.Adjustment).Select(l => (l.Meter, l.Amount, l.Quantity.ToString(), l.EventCount)));
        Assert.All(next.Lines.Where(l => l.Kind == InvoiceLineKind.Adjustment), l => Assert.Equal(new(Anchor, FirstEnd), l.Period));
        Assert.DoesNotContain(account.At(ThirdEnd + Grace).Invoices[3].Lines, l => l.Kind == InvoiceLineKind.Adjustment);
    }

    [Fact]
    public void AnAdjustmentOfNothing_IsLeftOutAndTheNextCountsFromWhatWasBilled()
    {
        var account = Opened().At(FirstEnd + Grace);
        account.Send(Event.Message("a", FirstEnd.AddDays(-1), "1"), Event.Message("b", FirstEnd.AddDays(-1), "2")); // both included

        Assert.DoesNotContain(account.At(SecondEnd.AddHours(71)).Invoices[2].Lines, l => l.Kind == InvoiceLineKind.Adjustment);
        account.SendOne(Event.Message("c", FirstEnd.AddDays(-1), "3"));

        var line = Assert.Single(account.Invoices[2].Lines, l => l.Kind == InvoiceLineKind.Adjustment);
        Assert.Equal((Tickets, 40L, "3"), (line.Meter, line.Amount, line.Quantity.ToString())); // 3 − 2 included = 1 × 0.40
    }

    [Fact]
    public void ALateMergeOfSessions_LowersWhatWasBilled()
    {
        var account = Opened().At(FirstEnd.AddDays(-1));
        account.Send(
            Event.Message("a", Anchor.AddDays(5), "1"), Event.Message("b", Anchor.AddDays(19), "1"),
            Event.Message("c", Anchor.AddDays(5), "2"), Event.Message("d", Anchor.AddDays(5), "3"));
        account.At(FirstEnd + Grace);

        account.SendOne(Event.Message("merge", Anchor.AddDays(12), "1"));

        var line = Assert.Single(account.At(SecondEnd).Invoices[2].Lines, l => l.Kind == InvoiceLineKind.Adjustment);
        Assert.Equal((-40L, "-1"), (line.Amount, line.Quantity.ToString())); // 3 sessions instead of 4: one × 0.40 back
    }

    [Fact]
    public void MissedPeriods_AreCaughtUpInOrderOnce()
    {
        var (sleeper, waker) = (Opened(), Opened());
        foreach (var account in new[] { sleeper, waker })
            account.At(FirstEnd.AddDays(-1)).SendOne(Event.Message("a", FirstEnd.AddDays(-1), bytes: 5_000_000));

        for (var at = FirstEnd; at <= FirstEnd.AddDays(200); at = at.AddHours(6)) waker.At(at);
        sleeper.At(FirstEnd.AddDays(200));
        var entries = sleeper.Entries.Count;
        sleeper.At(FirstEnd.AddDays(200));

        Assert.Equal(waker.InvoicesJson, sleeper.InvoicesJson);
        Assert.Equal(entries, sleeper.Entries.Count);
        var final = sleeper.Invoices.Where(i => i.Number is not null).ToList();
        Assert.Equal(Enumerable.Range(1, final.Count), final.Select(i => i.Number!.Value));
        Assert.All(final.Zip(final.Skip(1)), pair => Assert.Equal(pair.First.Period.End, pair.Second.Period.Start));
        Assert.All(final.Skip(1), i => Assert.Equal((i.Period.Start, i.Period.Start + Grace), (i.DraftedAt, i.FinalizedAt!.Value)));
        Assert.Equal(8, final.Count); // 30 April + 200 days is 16 November: the first, and the periods that began from 30 April to 31 October
    }

    [Fact]
    public void AnEventAfterMissedPeriods_MeetsAnAccountCaughtUp()
    {
        var account = Opened().Unawakened(SecondEnd + Grace);

        account.SendOne(Event.Message("a", SecondEnd.AddDays(-1), bytes: 1_000_000));

        // The grace of that period is over with the very instant of its receipt.
        Assert.DoesNotContain(account.Invoices[2].Lines, l => l.EventCount > 0);
        Assert.Equal(100, Assert.Single(account.At(ThirdEnd).Invoices[3].Lines, l => l.Kind == InvoiceLineKind.Adjustment).Amount);
    }

    [Fact]
    public void APreview_IsTheInvoiceThatWouldCome()
    {
        var account = Opened().At(FirstEnd.AddDays(-1));
        account.SendOne(Event.Message("a", account.Now, bytes: 2_000_000));

        var preview = AccountViews.Preview(account.State, account.Now)!;
        account.At(FirstEnd);

        Assert.Equal(2700, preview.Total); // 25.00 + 2.00
        Assert.Equal(System.Text.Json.JsonSerializer.Serialize(preview), System.Text.Json.JsonSerializer.Serialize(account.Invoices[1]));
    }
}
