using Billing.Accounts;
using Billing.Usage;
using static Billing.Tests.Accounts.AccountRun;

namespace Billing.Tests.Accounts;

public sealed class UsageDeciderTests
{
    private static readonly DateTimeOffset Noon = new(2026, 4, 10, 12, 0, 0, TimeSpan.Zero);
    private static readonly TimeSpan Window = TimeSpan.FromDays(35);

    [Fact]
    public void AFirstSight_IsAcceptedAndCounted()
    {
        var account = Opened().At(Noon);

        var receipt = account.SendOne(Event.Message("a", Noon, bytes: 700));

        Assert.Equal((UsageOutcome.Accepted, null), (receipt.Outcome, receipt.Reason));
        Assert.Equal(
            [(Tickets, "1", new(Anchor, FirstEnd)), (Bytes, "700", new BillingPeriod(Anchor, FirstEnd))],
            receipt.Meters.Select(m => (m.Meter, m.Quantity.ToString(), m.Period)));
        Assert.Equal(("1", "700"), (account.Usage(Tickets, Anchor), account.Usage(Bytes, Anchor)));
    }

    [Fact]
    public void AnUnreadableEvent_IsRejectedBeforeAnythingElse()
    {
        var account = new AccountRun();

        var receipt = account.SendOne(new("a", DateTimeOffset.UnixEpoch, "{}", Unreadable: "It has no time."));

        Assert.Equal((UsageOutcome.Rejected, "It has no time."), (receipt.Outcome, receipt.Reason));
        Assert.Equal([UsageOutcome.Rejected], account.State.DeadLetters.Values);
    }

    [Fact]
    public void AnUnknownAccount_IsAskedForBeforeTheWindow()
    {
        var account = new AccountRun();

        var receipt = account.SendOne(Event.Message("a", DateTimeOffset.UnixEpoch));

        Assert.Equal(UsageOutcome.Quarantined, receipt.Outcome);
        Assert.Contains("There is no account acme", receipt.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public void AnEventOfAnAccountMadeLater_IsAcceptedWhenSentAgain()
    {
        var account = new AccountRun();
        account.SendOne(Event.Message("a", Anchor));
        account.SendOne(Event.Message("a", Anchor));
        Assert.Single(account.State.DeadLetters);

        Assert.Null(account.Open("desk-1"));

        Assert.Equal(UsageOutcome.Accepted, account.SendOne(Event.Message("a", Anchor)).Outcome);
        Assert.Empty(account.State.DeadLetters);
        Assert.Equal("1", account.Usage(Tickets, Anchor));
    }

    [Theory]
    [InlineData(-1, UsageOutcome.Quarantined)]
    [InlineData(0, UsageOutcome.Accepted)]
    [InlineData(1, UsageOutcome.Accepted)]
    public void TheOldestTimeInTheWindow_IsInside(long ticks, UsageOutcome outcome)
    {
        var account = Opened().At(Anchor.AddDays(40));

        var receipt = account.SendOne(Event.Message("a", (account.Now - Window).AddTicks(ticks)));

        Assert.Equal(outcome, receipt.Outcome);
    }

    [Theory]
    [InlineData(-1, UsageOutcome.Accepted)]
    [InlineData(0, UsageOutcome.Accepted)]
    [InlineData(1, UsageOutcome.Quarantined)]
    public void FiveMinutesAhead_AreInside(long ticks, UsageOutcome outcome) =>
        Assert.Equal(outcome, Opened().At(Noon).SendOne(Event.Message("a", Noon.AddMinutes(5).AddTicks(ticks))).Outcome);

    [Fact]
    public void AnAcceptedEventOutsideTheWindow_IsQuarantinedNotADuplicate()
    {
        var account = Opened().At(Noon);
        account.SendOne(Event.Message("a", Noon));

        Assert.Equal(UsageOutcome.Duplicate, account.At(Noon + Window).SendOne(Event.Message("a", Noon)).Outcome);
        Assert.Equal(UsageOutcome.Quarantined, account.At((Noon + Window).AddTicks(1)).SendOne(Event.Message("a", Noon)).Outcome);
        Assert.Equal("1", account.Usage(Tickets, Anchor));
    }

    [Fact]
    public void TheId_IsLookedUpBeforeTheValuesOfTheMeters()
    {
        var account = Opened().At(Noon);
        account.SendOne(Event.Message("a", Noon));

        var receipt = account.SendOne(new("a", Noon, """{"bytes":"many"}"""));

        Assert.Equal(UsageOutcome.Conflict, receipt.Outcome);
    }

    [Theory]
    [InlineData("""{"direction":"out","ticket":"1"}""", "desk.bytes", "$.bytes")]
    [InlineData("""{"direction":"out","ticket":"1","bytes":-1}""", "desk.bytes", "$.bytes")]
    [InlineData("""{"direction":"out","ticket":null,"bytes":1}""", "desk.tickets", "$.ticket")]
    public void AMatchingEventWithoutAValue_IsRejectedAndNotRemembered(string data, string meter, string path)
    {
        var account = Opened().At(Noon);

        var receipt = account.SendOne(new("a", Noon, data));

        Assert.Equal(UsageOutcome.Rejected, receipt.Outcome);
        Assert.Contains(meter, receipt.Reason, StringComparison.Ordinal);
        Assert.Contains(path, receipt.Reason, StringComparison.Ordinal);
        Assert.Empty(receipt.Meters);
        Assert.Equal(UsageOutcome.Accepted, account.SendOne(Event.Message("a", Noon)).Outcome);
    }

    [Fact]
    public void AnEventThatNoMeterReads_IsAcceptedAndRemembered()
    {
        var account = Opened().At(Noon);

        var receipt = account.SendOne(new("a", Noon, "", Type: "other"));

        Assert.Equal((UsageOutcome.Accepted, null, 0, null), (receipt.Outcome, receipt.Reason, receipt.Meters.Length, receipt.BilledOn));
        Assert.Equal(UsageOutcome.Duplicate, account.SendOne(new("a", Noon, "", Type: "other")).Outcome);
    }

    [Fact]
    public void ADuplicate_CarriesTheFirstReceipt()
    {
        var account = Opened().At(Noon.AddDays(15));
        Event[] events =
        [
            Event.Message("first", Noon, bytes: 10),
            Event.Message("second", Noon.AddDays(14), bytes: 20),
            Event.Message("between", Noon.AddDays(7), bytes: 30), // merges the two
        ];

        var first = account.Send(events);
        var again = account.Send(events);

        Assert.Equal(["1", "1", "-1"], first.Select(r => r.Meters[0].Quantity.ToString()));
        Assert.All(again, r => Assert.Equal(UsageOutcome.Duplicate, r.Outcome));
        Assert.Equal(first.SelectMany(r => r.Meters), again.SelectMany(r => r.Meters));
        Assert.Equal(("1", "60"), (account.Usage(Tickets, Anchor), account.Usage(Bytes, Anchor)));
    }

    // 30 April is the first period's end, 3 May its finalising; 31 May the second's.
    [Fact]
    public void ADuplicateAfterFinalising_SaysWhereTheEventWasBilledThen()
    {
        var time = FirstEnd.AddDays(-1);
        var account = Opened().At(time);
        var inTime = account.SendOne(Event.Message("in-time", time)).BilledOn;
        var late = account.At(FirstEnd.AddDays(10)).SendOne(Event.Message("late", time)).BilledOn;

        account.At(FirstEnd.AddDays(33));

        Assert.Equal(("usage", "adjustment"), (inTime!.Kind, late!.Kind));
        Assert.Equal(inTime, account.SendOne(Event.Message("in-time", time)).BilledOn);
        Assert.Equal(late, account.SendOne(Event.Message("late", time)).BilledOn);
    }

    [Fact]
    public void TheSameEventTwiceInOneBatch_IsCountedOnce()
    {
        var account = Opened().At(Noon);

        var receipts = account.Send(Event.Message("a", Noon, bytes: 5), Event.Message("a", Noon, bytes: 5), Event.Message("a", Noon, bytes: 6));

        Assert.Equal([UsageOutcome.Accepted, UsageOutcome.Duplicate, UsageOutcome.Conflict], receipts.Select(r => r.Outcome));
        Assert.Equal("5", account.Usage(Bytes, Anchor));
    }

    [Fact]
    public void SourceAndId_AreTwoPartsOfTheKey()
    {
        var account = Opened().At(Noon);
        var event1 = Event.Message("b", Noon, bytes: 1) with { Source = "a-" };

        var receipts = account.Send(event1, event1 with { Source = "a", Id = "-b" });

        Assert.All(receipts, r => Assert.Equal(UsageOutcome.Accepted, r.Outcome));
    }

    [Fact]
    public void AConflict_IsNotCountedAndKeptOncePerContent()
    {
        var account = Opened().At(Noon);
        account.SendOne(Event.Message("a", Noon, bytes: 1));
        var entries = account.Entries.Count;

        Assert.Equal(UsageOutcome.Conflict, account.SendOne(Event.Message("a", Noon, bytes: 2)).Outcome);
        Assert.Equal(UsageOutcome.Conflict, account.SendOne(Event.Message("a", Noon, bytes: 2)).Outcome);
        Assert.Equal(UsageOutcome.Conflict, account.SendOne(Event.Message("a", Noon, bytes: 3)).Outcome);

        Assert.Equal(2, account.State.DeadLetters.Count);
        Assert.Equal(entries + 2, account.Entries.Count);
        Assert.Equal("1", account.Usage(Bytes, Anchor));
    }

    [Fact]
    public void AQuarantinedEvent_IsKeptOnceAndClosedWhenItIsAcceptedLater()
    {
        var account = Opened().At(Noon);
        var early = Event.Message("a", Noon.AddHours(1));

        Assert.Equal(UsageOutcome.Quarantined, account.SendOne(early).Outcome);
        Assert.Equal(UsageOutcome.Quarantined, account.SendOne(early).Outcome);
        Assert.Single(account.State.DeadLetters);
        Assert.Null(account.Usage(Tickets, Anchor));

        Assert.Equal(UsageOutcome.Accepted, account.At(Noon.AddHours(1)).SendOne(early).Outcome);
        Assert.Empty(account.State.DeadLetters);
        Assert.Equal("1", account.Usage(Tickets, Anchor));
    }

    [Fact]
    public void AQuarantinedEventWithOtherContent_IsKeptBesideTheFirst()
    {
        var account = Opened().At(Noon);
        var early = Event.Message("a", Noon.AddHours(1), bytes: 1);
        var other = Event.Message("a", Noon.AddHours(1), bytes: 2);

        account.Send(early, other, early, other);

        Assert.Equal(2, account.State.DeadLetters.Count);
        Assert.Equal(UsageOutcome.Accepted, account.At(Noon.AddHours(1)).SendOne(early).Outcome);
        Assert.Single(account.State.DeadLetters);
    }

    [Fact]
    public void AnEventBeforeTheSubscription_CountsNowhereAndOpensNoSession()
    {
        var account = Opened().At(Noon);

        var before = account.SendOne(Event.Message("a", Anchor.AddTicks(-1)));
        var after = account.SendOne(Event.Message("b", Anchor));

        Assert.Equal((UsageOutcome.Accepted, "no_subscription", 0, null), (before.Outcome, before.Reason, before.Meters.Length, before.BilledOn));
        Assert.Equal("1", after.Meters[0].Quantity.ToString());
        var again = account.SendOne(Event.Message("a", Anchor.AddTicks(-1)));
        Assert.Equal((UsageOutcome.Duplicate, "no_subscription"), (again.Outcome, again.Reason));
    }

    [Fact]
    public void AnEventOfAProductNotSubscribedTo_IsRememberedAndCountsNowhere()
    {
        var account = Opened("free-1").At(Noon);

        var receipt = account.SendOne(Event.Message("a", Noon));

        Assert.Equal((UsageOutcome.Accepted, "no_subscription"), (receipt.Outcome, receipt.Reason));
        Assert.Equal(UsageOutcome.Duplicate, account.SendOne(Event.Message("a", Noon)).Outcome);
    }

    [Fact]
    public void AReceipt_NamesTheInvoiceThatBillsTheEvent()
    {
        var account = Opened();
        var second = new BillingPeriod(FirstEnd, new(2026, 5, 31, 12, 0, 0, TimeSpan.Zero));
        var third = new BillingPeriod(second.End, new(2026, 6, 30, 12, 0, 0, TimeSpan.Zero));

        Assert.Equal(new("usage", second), account.At(Noon).SendOne(Event.Message("open", Noon)).BilledOn);
        Assert.Equal(new("usage", second), account.At(FirstEnd.AddHours(1)).SendOne(Event.Message("grace", Noon)).BilledOn);
        Assert.Equal(new("adjustment", third), account.At(FirstEnd.AddHours(72)).SendOne(Event.Message("late", Noon)).BilledOn);
    }

    [Fact]
    public void EventsBehindTheWindowAndTheLongestGap_AreForgottenLiveAndOnReplay()
    {
        var account = Opened();
        for (var day = 0; day < 60; day++) account.At(Anchor.AddDays(day)).SendOne(Event.Message($"event-{day}", account.Now, $"ticket-{day % 7}"));

        // 35 days of window, 10 of gap, the day itself.
        Assert.Equal(46, account.State.MeterOf(AccountRun.Tickets).HeldEvents);
        Assert.Equal(account.Snapshot(), AccountRun.Canonical(account.ReadAgain(), account.Now));
    }

    [Fact]
    public void ALongReason_IsKeptWhole()
    {
        var account = Opened().At(Noon);
        var reason = new string('ü', 2_000);

        account.SendOne(new("a", Noon, "{}", Unreadable: reason));

        var reader = new FactReader(account.Entries[^1].Span);
        Assert.True(reader.TryRead(out _, out var content));
        Assert.Equal(reason, System.Text.Encoding.UTF8.GetString(FactReader.ReadUsageRefused(content).Reason));
    }

    [Fact]
    public void ReceiptsNobodyAsksFor_ChangeNothingElse()
    {
        var (asked, unasked) = (Opened().At(Noon), Opened().At(Noon));
        var facts = new FactWriter();
        facts.Begin(Noon);
        var decider = new UsageDecider();
        Event[] events = [Event.Message("a", Noon), Event.Message("a", Noon), new("b", Noon, """{"bytes":1e400}"""), Event.Message("c", Noon.AddDays(1))];

        var receipts = asked.Send(events);
        var outcomes = events.Select(e => decider.Decide(unasked.State, e.ToRecord(), Noon, facts, null)).ToArray();

        Assert.Equal(receipts.Select(r => r.Outcome), outcomes);
        Assert.Equal(asked.Snapshot(), unasked.Snapshot());
        Assert.Equal(asked.Entries[^1].ToArray(), facts.Entry.ToArray());
    }
}
