using Billing.Accounts;
using Billing.Invoices;
using Billing.Tests.Accounts;
using Billing.Usage;
using static Billing.Tests.Accounts.AccountRun;
using static Billing.Tests.Lifecycle.LifeRun;

namespace Billing.Tests.Lifecycle;

/// <summary>The free first days of an account, and what comes at their end.</summary>
public sealed class TrialTests
{
    private static readonly DateTimeOffset TrialEnd = Anchor.AddDays(7);
    private static readonly DateTimeOffset FirstPaidEnd = new(2026, 5, 7, 12, 0, 0, TimeSpan.Zero);
    private static readonly BillingPeriod Trial = new(Anchor, TrialEnd);

    [Fact]
    public void APlanWithATrial_BeginsWithoutAnInvoice()
    {
        var account = Begun("desk-trial");

        Assert.Equal(AccountStatus.Trialing, account.State.Status);
        Assert.Empty(account.Invoices);
        Assert.Equal(TrialEnd, account.State.NextRuleAt);
        Assert.Equal(("desk-trial", Trial), (View(account).Subscriptions[0].Plan, View(account).Subscriptions[0].Period));
    }

    [Fact]
    public void ATrial_NeedsNoPaymentMethodToBegin() => Assert.Equal(AccountStatus.Trialing, BegunUnpaid("desk-trial").State.Status);

    [Fact]
    public void TheLongestTrialOfTheFirstPlans_IsTheAccounts()
    {
        var account = Begun("desk-trial", "voice-trial", "free-1"); // 7 days, 14 days, none

        Assert.All(View(account).Subscriptions, s => Assert.Equal(new(Anchor, Anchor.AddDays(14)), s.Period));
        var first = Assert.Single(account.At(Anchor.AddDays(14)).Invoices);
        Assert.Equal([("desk-trial", 3000L), ("free-1", 0L), ("voice-trial", 1500L)], first.Lines.Select(l => (l.Plan, l.Amount)));
    }

    [Fact]
    public void WithAPaymentMethod_TheTrialEndsInThePaidSubscription()
    {
        var account = Begun("desk-trial");

        Assert.Empty(account.At(TrialEnd.AddTicks(-1)).Invoices);
        var invoice = Assert.Single(account.At(TrialEnd).Invoices);

        Assert.Equal((AccountStatus.Active, TrialEnd), (account.State.Status, account.State.Calendar.Anchor));
        Assert.Equal((1, InvoiceStatus.Finalized, 3000L), (invoice.Number, invoice.Status, invoice.Total));
        Assert.Equal((new(TrialEnd, FirstPaidEnd), TrialEnd, TrialEnd), (invoice.Period, invoice.DraftedAt, invoice.FinalizedAt));
        Assert.Equal(FirstPaidEnd, account.State.NextRuleAt);
    }

    [Fact]
    public void WithoutAPaymentMethod_TheTrialEndsTheAccount()
    {
        var account = BegunUnpaid("desk-trial").At(TrialEnd.AddDays(2));

        Assert.Equal((AccountStatus.Cancelled, TrialEnd, null), (account.State.Status, account.State.Cancelled?.At, account.State.NextRuleAt));
        Assert.Empty(account.Invoices);
        Assert.Empty(View(account).Subscriptions);
        Assert.Empty(View(account).Usage);
        Assert.Empty(AccountViews.Summary(account.State).Plans);
        Assert.Null(AccountViews.Preview(account.State, account.Now));
        Assert.Equal("no_subscription", account.SendOne(Event.Message("after", TrialEnd)).Reason);
        Assert.Equal("trial", account.SendOne(Event.Message("before", TrialEnd.AddTicks(-1))).Reason);
        Assert.Equal([(Trial, "1")], UsageOf(account));
    }

    [Fact]
    public void UsageOfTheTrial_IsShownAndNeverBilled()
    {
        var account = Begun("desk-trial").At(Anchor.AddDays(3));
        account.Send(Messages("trial", Anchor.AddDays(2), 10));
        Assert.Equal(("10", "23"), (View(account).Usage[0].Quantity.ToString(), View(account).Usage[0].Forecast.ToString())); // 10 in 3 of 7 days

        account.At(TrialEnd.AddDays(2)).Send(Messages("late", TrialEnd.AddTicks(-1), 10));
        account.At(FirstPaidEnd.AddDays(1)).Send(Messages("paid", FirstPaidEnd.AddDays(-1), 5));
        account.At(FirstPaidEnd.AddDays(100));

        Assert.Equal([(Trial, "20"), (new(TrialEnd, FirstPaidEnd), "5")], UsageOf(account).Take(2));
        var lines = account.Invoices.SelectMany(i => i.Lines).ToList();
        Assert.All(lines, l => Assert.True(l.Period.Start >= TrialEnd));
        Assert.Equal(120, lines.Where(l => l.Kind != InvoiceLineKind.Base).Sum(l => l.Amount)); // 5 − 2 included = 3 × 0.40
    }

    [Fact]
    public void ASessionBegunInTheTrial_StaysFree()
    {
        var account = Begun("desk-trial").At(TrialEnd.AddDays(3));

        account.Send(Event.Message("paid", TrialEnd.AddDays(2), "1"));
        account.Send(Event.Message("trial", TrialEnd.AddDays(-3), "1")); // 5 days apart, the gap is 10: one session, begun in the trial

        Assert.Equal([(Trial, "1"), (new(TrialEnd, FirstPaidEnd), "0")], UsageOf(account));
    }

    [Fact]
    public void AnEventAFewMinutesAheadOfTheTrialsEnd_CountsInTheFirstBillingPeriod()
    {
        var account = Begun("desk-trial").At(TrialEnd.AddMinutes(-2));

        var receipt = account.SendOne(Event.Message("ahead", TrialEnd.AddMinutes(2)));

        Assert.Equal((UsageOutcome.Accepted, new(TrialEnd, FirstPaidEnd)), (receipt.Outcome, Assert.Single(receipt.Meters).Period));
        Assert.Equal([(Trial, "0"), (new(TrialEnd, FirstPaidEnd), "1")], UsageOf(account.At(TrialEnd.AddDays(1))));
    }

    [Fact]
    public void ThePreviewOfATrial_IsTheFirstInvoiceThatWouldCome()
    {
        var account = Begun("desk-trial");

        var preview = AccountViews.Preview(account.State, account.Now);

        Assert.Equal((null, InvoiceStatus.Draft, 3000L, TrialEnd), (preview?.Number, preview?.Status, preview?.Total, preview?.Period.Start));
        Assert.Null(AccountViews.Preview(BegunUnpaid("desk-trial").State, Anchor));
    }

    [Fact]
    public void ATrialOfNoLength_IsNone()
    {
        var account = On(Anchor, Json.Replace("P7D", "P0D", StringComparison.Ordinal));

        Assert.Null(account.Open("desk-trial"));

        Assert.Equal((AccountStatus.Active, 1), (account.State.Status, account.Invoices.Length));
    }

    [Fact]
    public void TheCalendar_KnowsTheTrialFromTheBillingPeriods()
    {
        var calendar = Begun("desk-trial").At(TrialEnd).State.Calendar;

        Assert.True(calendar.TryPeriodOf(TrialEnd.UtcTicks - 1, out var trial));
        Assert.True(calendar.TryPeriodOf(TrialEnd.UtcTicks, out var paid));
        Assert.Equal((Trial, true, false), (trial, calendar.IsTrial(trial), calendar.IsTrial(paid)));
        Assert.False(calendar.TryPeriodOf(Anchor.UtcTicks - 1, out _));
    }

    private static Event[] Messages(string id, DateTimeOffset time, int tickets) =>
        [.. Enumerable.Range(0, tickets).Select(i => Event.Message($"{id}-{i}", time, $"{id}-{i}"))];

    private static IEnumerable<(BillingPeriod Period, string Quantity)> UsageOf(AccountRun account) =>
        AccountViews.Usage(account.State, Tickets, null, null, account.Now)!.Items.Select(i => (i.Period, i.Quantity.ToString()));
}
