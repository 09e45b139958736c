using System.Text.Json;
using Billing.Accounts;
using Billing.Invoices;
using Billing.Tests.Accounts;
using static Billing.Tests.Accounts.AccountRun;
using static Billing.Tests.Lifecycle.LifeRun;

namespace Billing.Tests.Lifecycle;

/// <summary>The end of an account: scheduled, taken back, reached, and what is still billed after it.</summary>
public sealed class CancellationTests
{
    private static readonly DateTimeOffset TrialEnd = Anchor.AddDays(7);
    private static readonly DateTimeOffset Closing = FirstEnd.AddDays(35);
    private static readonly TimeSpan Grace = TimeSpan.FromHours(72);

    [Fact]
    public void ACancellation_IsScheduledForTheEndOfTheRunningPeriod()
    {
        var account = Begun("desk-1", "voice-1").At(Anchor.AddDays(10));

        var change = account.Cancel("The shop closes.").Change!;

        Assert.Equal((FirstEnd, false, null), (change.EffectiveAt, change.DryRun, change.Invoice));
        Assert.Equal(AccountStatus.Active, account.State.Status);
        Assert.All(View(account).Subscriptions, s => Assert.Equal(new(ScheduledChangeKind.Cancellation, null, FirstEnd, "The shop closes."), s.ScheduledChange));
        Assert.Equal([InvoiceLineKind.Usage, InvoiceLineKind.Usage], AccountViews.Preview(account.State, account.Now)!.Lines.Select(l => l.Kind));
    }

    [Fact]
    public void AtTheEnd_ThePastUsageIsInvoicedWithoutNewBaseFees()
    {
        var account = Begun("desk-1").At(FirstEnd.AddDays(-1));
        account.Send(Tickets(5, account.Now));
        account.Cancel();

        account.At(FirstEnd);
        Assert.Equal((AccountStatus.Cancelled, FirstEnd), (account.State.Status, account.State.Cancelled?.At));
        Assert.Equal((null, FirstEnd), (account.Invoices[1].Number, account.Invoices[1].DraftedAt));

        var invoice = account.At(FirstEnd + Grace).Invoices[1];
        Assert.Equal((2, InvoiceStatus.Finalized, FirstEnd + Grace, 120L), (invoice.Number, invoice.Status, invoice.FinalizedAt, invoice.Total)); // 5 − 2 included = 3 × 0.40
        Assert.Equal([(InvoiceLineKind.Usage, new BillingPeriod(Anchor, FirstEnd))], invoice.Lines.Select(l => (l.Kind, l.Period)));
    }

    [Fact]
    public void TheChangeShown_IsTheInvoiceThatComes()
    {
        var account = Begun("desk-1").At(FirstEnd.AddDays(-1));
        account.Send(Tickets(5, account.Now));

        var shown = account.Cancel(dryRun: true).Change!;
        Assert.Null(account.State.Cancellation);
        var change = account.Cancel().Change!;
        account.At(FirstEnd + Grace);

        Assert.Equal((true, false, 120L, "USD"), (shown.DryRun, change.DryRun, change.Total, change.Currency));
        Assert.Equal(JsonSerializer.Serialize(account.Invoices[1].Lines), JsonSerializer.Serialize(shown.Lines));
        Assert.Equal(JsonSerializer.Serialize(shown with { DryRun = false }), JsonSerializer.Serialize(change));
    }

    [Fact]
    public void ADryRun_StoresNothing()
    {
        var account = Begun("desk-1");

        Assert.True(account.Cancel(dryRun: true).Change!.DryRun);
        Assert.True(Pending().Cancel(dryRun: true).Change!.DryRun);

        Assert.Single(account.Entries);
    }

    [Fact]
    public void LateEventsAfterTheLastInvoice_AreOnTheClosingInvoice()
    {
        var account = Begun("desk-1");
        account.Cancel();
        var receipts = account.At(FirstEnd + Grace).Send(Tickets(4, FirstEnd.AddDays(-1)));
        Assert.All(receipts, r => Assert.Equal(("adjustment", FirstEnd), (r.BilledOn!.Kind, r.BilledOn.InvoicePeriod.Start)));
        Assert.Equal(80, AccountViews.Preview(account.State, account.Now)!.Total); // 4 − 2 included = 2 × 0.40

        Assert.Equal(2, account.At(Closing.AddTicks(-1)).Invoices.Length);
        var invoice = account.At(Closing).Invoices[2];

        Assert.Equal((3, 80L, InvoiceStatus.Finalized), (invoice.Number, invoice.Total, invoice.Status));
        Assert.Equal((new(FirstEnd, Closing), Closing, Closing), (invoice.Period, invoice.DraftedAt, invoice.FinalizedAt));
        Assert.Equal([(InvoiceLineKind.Adjustment, new BillingPeriod(Anchor, FirstEnd))], invoice.Lines.Select(l => (l.Kind, l.Period)));
        Assert.Null(account.State.NextRuleAt);
        Assert.Null(AccountViews.Preview(account.State, account.Now));
    }

    [Fact]
    public void WithNothingLeft_ThereIsNoClosingInvoiceAndNothingIsDueAnyMore()
    {
        var account = Begun("desk-1");
        account.Cancel();

        Assert.Equal(Closing, account.At(FirstEnd + Grace).State.NextRuleAt);
        account.At(Closing.AddYears(2));

        Assert.Equal(2, account.Invoices.Length);
        Assert.Equal((Closing, null), (account.State.ClosedAt, account.State.NextRuleAt));
    }

    [Fact]
    public void TheClosing_WaitsForTheLongestCanceller()
    {
        var account = On(Anchor, Json.Replace(
            "\"aggregate\": \"count\",", """ "aggregate": "count", "cancelled_by": { "event": "agent", "key": "$.ticket", "within": "P50D" },""", StringComparison.Ordinal));
        account.State.Apply(new AccountFact.AccountOpened("Acme", "a@b", null, "USD", "life-1", "pm_1", true, AccountStatus.Active, null, Anchor));
        account.State.Apply(new AccountFact.SubscriptionStarted("desk", "desk-1", "life-1", Anchor));

        // What can be cancelled until 50 days after the end can be so by an event that comes 35 days late.
        account.Cancel();
        account.At(FirstEnd.AddDays(35));
        Assert.Equal((FirstEnd.AddDays(35), FirstEnd.AddDays(85)), (account.State.ClosedAt, account.State.NextRuleAt));
        account.At(FirstEnd.AddDays(85));
        Assert.Equal((FirstEnd.AddDays(85), null), (account.State.ClosedAt, account.State.NextRuleAt));
    }

    [Fact]
    public void WhenACancelledAccountHasEnded_AllItPaidInAdvanceIsEarned()
    {
        var account = Begun("desk-year");
        account.Cancel();
        account.At(FirstEnd.AddMonths(3));

        var balances = Billing.Ledger.LedgerEntries.Balances(Billing.Ledger.LedgerEntries.Of(account.State));
        Assert.Equal((0L, 24_000L), (balances.DeferredRevenue, balances.Revenue));
    }

    // The clock of a sender may be ahead by minutes: whether the event comes before the end or after it, it is the same.
    [Fact]
    public void AnEventAheadOfTheEnd_IsNoUsage_UnlessTheCancellationIsUndone()
    {
        var (goes, stays) = (Begun("desk-1"), Begun("desk-1"));
        foreach (var account in new[] { goes, stays })
        {
            account.Cancel();
            account.At(FirstEnd.AddMinutes(-2));
            Assert.Equal(("no_subscription", null, 0), Told(account.SendOne(Event.Message("ahead", FirstEnd.AddMinutes(1)))));
        }

        stays.UndoCancellation();
        stays.At(FirstEnd.AddMonths(2));
        goes.At(FirstEnd.AddMonths(2));

        Assert.Equal("1", stays.Usage("desk.tickets", FirstEnd));
        Assert.DoesNotContain(goes.Invoices.SelectMany(i => i.Lines), l => l.Meter is not null && l.Period.Start >= FirstEnd);

        static (string?, Billing.Usage.BilledOn?, int) Told(Billing.Usage.UsageReceipt receipt) => (receipt.Reason, receipt.BilledOn, receipt.Meters.Length);
    }

    [Fact]
    public void TheClosing_WaitsForTheLastDraft()
    {
        var account = On(Anchor, Json.Replace("PT72H", "P40D", StringComparison.Ordinal));
        Assert.Null(account.Open("desk-1"));
        account.Cancel();
        account.At(FirstEnd.AddDays(34)).Send(Tickets(5, FirstEnd.AddDays(-1)));

        account.At(FirstEnd.AddDays(40));

        Assert.Equal([2500L, 120L], account.Invoices.Select(i => i.Total)); // 5 − 2 included = 3 × 0.40, on the last invoice
        Assert.Equal((FirstEnd.AddDays(40), null), (account.State.ClosedAt, account.State.NextRuleAt));
    }

    [Fact]
    public void ACancelledAccount_HasNoSubscription_AndKeepsItsInvoicesAndUsage()
    {
        var account = Begun("desk-1");
        account.Cancel();
        account.At(FirstEnd.AddDays(5));

        account.Send(Event.Message("late", FirstEnd.AddTicks(-1)));
        Assert.Equal("no_subscription", account.SendOne(Event.Message("after", FirstEnd)).Reason);

        Assert.Empty(View(account).Subscriptions);
        Assert.Empty(View(account).Usage);
        Assert.Empty(AccountViews.Summary(account.State).Plans);
        Assert.Equal(2, account.Invoices.Length);
        var usage = Assert.Single(AccountViews.Usage(account.State, AccountRun.Tickets, null, null, account.Now)!.Items);
        Assert.Equal((new BillingPeriod(Anchor, FirstEnd), "1"), (usage.Period, usage.Quantity.ToString()));
    }

    [Fact]
    public void TheLastDraftOfAPlanWithoutMeters_IsNoInvoice()
    {
        var account = Begun("free-1");
        account.Cancel();

        account.At(Closing);

        Assert.Single(account.Invoices);
    }

    [Fact]
    public void CancellingInTheGraceOfThePeriodBefore_KeepsThatInvoice()
    {
        var account = Begun("desk-1").At(FirstEnd.AddDays(1));
        var secondEnd = new DateTimeOffset(2026, 5, 31, 12, 0, 0, TimeSpan.Zero);

        Assert.Equal(secondEnd, account.Cancel().Change!.EffectiveAt);
        account.At(secondEnd.AddDays(3));

        Assert.Equal([2500L, 2500L, 0L], account.Invoices.Select(i => i.Total)); // both base fees, then no overage
    }

    [Fact]
    public void InATrial_TheAccountEndsWithTheTrial()
    {
        var account = Begun("desk-trial").At(Anchor.AddDays(2));

        var change = account.Cancel().Change!;
        Assert.Equal(TrialEnd, change.EffectiveAt);
        Assert.Empty(change.Lines);
        Assert.Null(AccountViews.Preview(account.State, account.Now));

        account.At(TrialEnd.AddYears(1));
        Assert.Equal((AccountStatus.Cancelled, TrialEnd, "The shop closes.", null), (account.State.Status, account.State.Cancelled?.At, account.State.Cancelled?.Reason, account.State.NextRuleAt));
        Assert.Empty(account.Invoices);
    }

    [Fact]
    public void APendingAccount_EndsAtOnce()
    {
        var account = Pending().At(Anchor.AddHours(1));

        var change = account.Cancel().Change!;

        Assert.Equal((Anchor.AddHours(1), AccountStatus.Cancelled, null), (change.EffectiveAt, account.State.Status, account.State.NextRuleAt));
        Assert.Equal(RefusalKind.Conflict, account.Cancel().Refusal?.Kind);
    }

    [Fact]
    public void ACancellationThatIsUndone_LeavesTheAccountAsItWas()
    {
        var (account, other) = (Begun("desk-1"), Begun("desk-1"));
        account.Cancel();

        var change = account.At(FirstEnd.AddTicks(-1)).UndoCancellation("The shop stays.").Change!;

        Assert.Equal((FirstEnd.AddTicks(-1), false), (change.EffectiveAt, change.DryRun));
        Assert.Null(View(account).Subscriptions[0].ScheduledChange);
        Assert.Equal(other.At(FirstEnd.AddDays(40)).InvoicesJson, account.At(FirstEnd.AddDays(40)).InvoicesJson);
        Assert.Equal(AccountStatus.Active, account.State.Status);
    }

    [Fact]
    public void ActsThatCannotBe_AreRefusedInWords()
    {
        var account = Begun("desk-1");

        Assert.Equal((RefusalKind.Conflict, null), Kind(account.UndoCancellation()));
        foreach (var reason in new[] { null, "", "  ", "a\nb", new string('r', 501) })
            Assert.Equal((RefusalKind.Invalid, "reason"), Kind(account.Cancel(reason)));
        Assert.Null(account.Cancel(new string('r', 500)).Refusal);
        Assert.Equal((RefusalKind.Conflict, null), Kind(account.Cancel()));
        Assert.Equal((RefusalKind.Invalid, "reason"), Kind(account.UndoCancellation("")));

        account.At(FirstEnd);
        Assert.Equal((RefusalKind.Conflict, null), Kind(account.Cancel()));
        Assert.Equal((RefusalKind.Conflict, null), Kind(account.UndoCancellation()));
    }

    [Fact]
    public void TheSameCommandAgain_GetsTheSameAnswer()
    {
        var (account, pending) = (Begun("desk-1"), Pending());
        var first = account.Cancel(commandId: "command-2");
        var atOnce = pending.Cancel(commandId: "command-2");
        var entries = account.Entries.Count;

        Assert.Equal(JsonSerializer.Serialize(first), JsonSerializer.Serialize(account.Cancel(commandId: "command-2")));
        Assert.Equal(JsonSerializer.Serialize(atOnce), JsonSerializer.Serialize(pending.At(FirstEnd).Cancel(commandId: "command-2")));
        Assert.Equal(RefusalKind.Conflict, account.Cancel(commandId: "command-3").Refusal?.Kind);
        Assert.Equal(RefusalKind.Conflict, account.Cancel(commandId: "command-2", dryRun: true).Refusal?.Kind);

        Assert.Equal(entries, account.Entries.Count);
        account.At(Closing);
        Assert.Equal(FirstEnd, account.Cancel(commandId: "command-2").Change!.EffectiveAt);
    }

    [Fact]
    public void TheSameCommandAgainForAPausedAccount_GetsTheSameAnswer()
    {
        var account = Begun("desk-1");
        account.Suspend();
        account.At(FirstEnd);
        var first = account.Cancel(commandId: "command-2");

        Assert.Equal("The account is cancelled at once: no billing period of it runs.", first.Change!.Description);
        Assert.Equal(JsonSerializer.Serialize(first), JsonSerializer.Serialize(account.Cancel(commandId: "command-2")));
    }

    private static (RefusalKind?, string?) Kind(AccountChangeAnswer answer) => (answer.Refusal?.Kind, answer.Refusal?.Field);

    private static AccountRun Pending()
    {
        var account = BegunUnpaid("desk-1");
        Assert.Equal(AccountStatus.Pending, account.State.Status);
        return account;
    }

    private static Event[] Tickets(int count, DateTimeOffset time) =>
        [.. Enumerable.Range(0, count).Select(i => Event.Message($"t{i}", time, $"t{i}"))];
}
