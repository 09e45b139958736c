using Billing.History;
using Billing.Invoices;
using Billing.Tests.Accounts;
using Billing.Usage;
using FsCheck.Fluent;
using static Billing.Tests.Accounts.AccountRun;

namespace Billing.Tests.History;

public sealed class LineEventsTests
{
    /// <summary>Answers are counted once per ticket and period unless an agent writes within 5 days; a minute costs 0.10.</summary>
    private const string Catalog = """
        { "version": "v1", "currency": "USD",
          "meters": [
            { "id": "answers", "product": "desk", "event": "answered", "aggregate": "count", "count_once": { "key": "$.ticket", "window": "period" },
              "cancelled_by": { "event": "written", "where": { "$.by": "agent" }, "key": "$.ticket", "within": "P5D" } },
            { "id": "minutes", "product": "desk", "event": "called", "aggregate": "sum", "value": "$.minutes" },
            { "id": "seats", "product": "desk", "event": "seated", "aggregate": "max", "value": "$.seats" } ],
          "products": [ { "id": "desk", "plans": [ { "id": "desk-1", "rank": 1, "base_price": "5.00", "prices": {
            "answers": { "model": "per_unit", "unit_price": "0.90" },
            "minutes": { "model": "per_unit", "unit_price": "0.10" },
            "seats": { "model": "per_unit", "unit_price": "2.00" } } } ] } ] }
        """;

    [Fact]
    public void AUsageLine_LeadsToItsEventsInOrder_AndToThoseRefused()
    {
        var account = Opened();
        account.At(Anchor.AddDays(3)).Send(Call("b", Anchor.AddDays(2), "2.5"), Call("a", Anchor.AddDays(1), "1"));
        account.Send(Call("a", Anchor.AddDays(1), "7"), Call("c", Anchor.AddDays(1), "\"many\""), Call("other", Anchor.AddDays(1), "1") with { Type = "heard" });
        account.At(FirstEnd.AddDays(4));

        var events = Events(account, 2, "minutes");

        Assert.Equal(
            [("a", UsageOutcome.Accepted, "1"), ("b", UsageOutcome.Accepted, "2.5"), ("a", UsageOutcome.Conflict, ""), ("c", UsageOutcome.Rejected, "")],
            events.Select(e => (e.Id, e.Outcome, $"{e.Quantity}")));
        Assert.Equal("3.5", $"{Line(account, 2, "minutes").Quantity}");
        Assert.Equal((Anchor.AddDays(2), Anchor.AddDays(3), EventStanding.Counted), (events[1].Time, events[1].ReceivedAt, events[1].Standing));
    }

    [Fact]
    public void AnEventThatIsCovered_AndOneThatIsCancelled_StandWithNothing()
    {
        var account = Opened();
        account.At(Anchor.AddDays(20)).Send(
            Answer("a", Anchor.AddDays(1), 1), Answer("b", Anchor.AddDays(2), 1), Answer("c", Anchor.AddDays(3), 2), Agent("d", Anchor.AddDays(4), 2), Agent("e", Anchor.AddDays(5), 2));
        account.At(FirstEnd.AddDays(4));

        Assert.Equal(
            [("a", EventStanding.Counted, "1", null), ("b", EventStanding.Covered, "0", null), ("c", EventStanding.Cancelled, "0", "d")],
            Events(account, 2, "answers").Select(e => (e.Id, e.Standing!.Value, $"{e.Quantity}", e.CancelledBy?.Id)));
    }

    [Fact]
    public void OfAMaximum_TheLargestBearsAll()
    {
        var account = Opened();
        account.At(Anchor.AddDays(20)).Send(Seats("a", 1, 3), Seats("b", 2, 7), Seats("c", 3, 5));
        account.At(FirstEnd.AddDays(4));

        Assert.Equal([("a", "0"), ("b", "7"), ("c", "0")], Events(account, 2, "seats").Select(e => (e.Id, $"{e.Quantity}")));
    }

    [Fact]
    public void OfEqualLargest_TheFirstBearsAll_InWhateverOrderTheyCame()
    {
        foreach (var order in new[] { new[] { 1, 2, 3 }, [3, 2, 1], [2, 3, 1] })
        {
            var account = Opened();
            account.At(Anchor.AddDays(20)).Send([.. order.Select(day => Seats($"{day}", day, 7))]);
            account.At(FirstEnd.AddDays(4));

            Assert.Equal([("1", "7"), ("2", "0"), ("3", "0")], Events(account, 2, "seats").Select(e => (e.Id, $"{e.Quantity}")));
        }
    }

    [Fact]
    public void ARefusedEvent_StandsOnTheLineOfTheMeterItWasMeantFor()
    {
        var account = Opened();
        account.At(Anchor.AddDays(5)).Send(Call("call", Anchor.AddDays(1), "2"), Answer("answer", Anchor.AddDays(1), 1));
        account.Send(
            new Event("keyless", Anchor.AddDays(2), """{"by":"agent"}""", "written"),
            new Event("call", Anchor.AddDays(1), "{}", "answered"));
        account.At(FirstEnd.AddDays(4));

        Assert.Equal(["answer", "keyless"], Events(account, 2, "answers").Select(e => e.Id));
        Assert.Equal([("call", UsageOutcome.Accepted), ("call", UsageOutcome.Conflict)], Events(account, 2, "minutes").Select(e => (e.Id, e.Outcome)));
    }

    [Fact]
    public void AnEvent_NamesOnlyTheLinesThatBearIt()
    {
        var account = Opened();
        account.At(Anchor.AddDays(5)).Send(Call("first", Anchor.AddDays(1), "2"));
        account.At(FirstEnd.AddDays(5)).Send(Call("late", Anchor.AddDays(20), "3"));
        account.At(FirstEnd.AddDays(50));

        Assert.Equal([2], Trace(account, Call("first", Anchor.AddDays(1), "2"))!.Lines.Select(l => l.Invoice));
        Assert.Equal([3], Trace(account, Call("late", Anchor.AddDays(20), "3"))!.Lines.Select(l => l.Invoice));
    }

    [Fact]
    public void AnAdjustment_LeadsToWhatMadeTheDifference()
    {
        var account = Opened();
        var last = FirstEnd.AddHours(-1);
        account.At(FirstEnd.AddDays(-1)).Send(Answer("a", FirstEnd.AddDays(-3), 1));
        account.At(FirstEnd).Send(Answer("pending", last, 2), Answer("kept", FirstEnd.AddDays(-10), 3));
        account.At(FirstEnd.AddDays(4)).Send(Answer("late", FirstEnd.AddDays(-2), 4));
        account.Send(Agent("agent", FirstEnd.AddDays(1), 3), Agent("far", FirstEnd.AddDays(-8), 3));
        account.At(FirstEnd.AddDays(50));

        // Billed first: a and kept. Since then pending has settled, late has come, and kept was taken back.
        Assert.Equal("2", $"{Line(account, 2, "answers").Quantity}");
        var adjustment = Assert.Single(account.Invoices[2].Lines, l => l.Kind == InvoiceLineKind.Adjustment);
        Assert.Equal(("1", 90L), ($"{adjustment.Quantity}", adjustment.Amount));
        Assert.Equal(
            [("kept", EventStanding.Cancelled, "-1", "far"), ("late", EventStanding.Counted, "1", null), ("pending", EventStanding.Counted, "1", null)],
            LineEvents.Of(account.Explaining(), account.Entries, 3, adjustment.N).Events.Select(e => (e.Id, e.Standing!.Value, $"{e.Quantity}", e.CancelledBy?.Id)));
    }

    [Fact]
    public void ABaseLine_HasNoEvents_AndWhatIsNotThereIsSaid()
    {
        var account = Opened();

        Assert.Empty(Of(1, 1).Events);
        Assert.Equal(("number", "The account acme has no invoice 2; it has 1."), (Of(2, 1).Refusal!.Field, Of(2, 1).Refusal!.Detail));
        Assert.Equal(("n", "The invoice 1 of the account acme has no line 9; it has 1."), (Of(1, 9).Refusal!.Field, Of(1, 9).Refusal!.Detail));

        (Refusal? Refusal, IReadOnlyList<LineEvent> Events) Of(int number, int n) => LineEvents.Of(account.Explaining(), account.Entries, number, n);
    }

    // Goal: "why this amount?" is answered in full. Method: any events at any time; each line's events add up to its quantity and count.
    [Fact]
    public void TheEventsOfALine_AddUpToItsQuantity() =>
        Prop.ForAll(Generated.Numbers(int.MaxValue), numbers =>
        {
            var account = Opened();
            for (var i = 0; i < numbers.Length; i++)
            {
                var n = numbers[i];
                var time = account.Now.AddHours(-(n / 4 % 800));
                account.Send((n % 4) switch
                {
                    0 => Agent($"e{i}", time, n / 3200 % 3),
                    1 => Call($"e{i}", time, $"{n / 3200 % 9}.5"),
                    2 => new($"e{i}", time, $$"""{"seats":{{n / 3200 % 9}}}""", "seated"),
                    _ => Answer($"e{i}", time, n / 3200 % 3),
                });
                account.At(account.Now.AddHours(n / 28_800 % 200));
            }

            account.At(account.Now.AddDays(80));
            foreach (var invoice in account.Invoices.Where(i => i.Number is not null))
            {
                foreach (var line in invoice.Lines.Where(l => l.Meter is not null))
                {
                    var events = LineEvents.Of(account.Explaining(), account.Entries, invoice.Number!.Value, line.N).Events;
                    Assert.Equal(line.Quantity, events.Aggregate(Quantity.Zero, (sum, e) => sum + (e.Quantity ?? Quantity.Zero)));
                    if (line.Kind == InvoiceLineKind.Usage) Assert.Equal(line.EventCount, events.Count(e => e.Standing is EventStanding.Counted or EventStanding.Covered));
                }
            }
        }).Holds(40);

    [Fact]
    public void AnEvent_ShowsItsReceipt_ItsStandingNow_ItsLines_AndBothBodiesOfAConflict()
    {
        var account = Opened();
        account.At(Anchor.AddDays(3)).Send(Answer("a", Anchor.AddDays(2), 1));
        account.Send(Answer("a", Anchor.AddDays(2), 99));
        account.At(FirstEnd.AddDays(1)).Send(Agent("d", Anchor.AddDays(3), 1));
        account.At(FirstEnd.AddDays(4));

        var view = Trace(account, Answer("a", Anchor.AddDays(2), 1))!;

        Assert.Equal(("a", "answered", Anchor.AddDays(2), Anchor.AddDays(3)), (view.Id, view.Type, view.Time, view.ReceivedAt));
        Assert.Equal((UsageOutcome.Accepted, "1", "usage"), (view.Outcome, $"{Assert.Single(view.Meters).Quantity}", view.BilledOn!.Kind));
        Assert.Equal(("answers", EventStanding.Cancelled, "0"), (view.Counted[0].Meter, view.Counted[0].Standing, $"{view.Counted[0].Quantity}"));
        Assert.Equal(Line(account, 2, "answers").N, Assert.Single(view.Lines).Line);
        Assert.Equal((UsageOutcome.Conflict, """{"ticket":99}"""), (Assert.Single(view.Refused).Outcome, view.Refused[0].Body));
        Assert.Null(Trace(account, Answer("never", Anchor, 1)));
    }

    [Fact]
    public void AnEventThatWasOnlyRefused_ShowsItsLastReceipt()
    {
        var account = Opened();
        account.Send(Answer("old", Anchor.AddDays(-40), 1));

        var view = Trace(account, Answer("old", Anchor.AddDays(-40), 1))!;

        Assert.Equal((UsageOutcome.Quarantined, null, 1), (view.Outcome, view.Type, view.Refused.Length));
        Assert.Empty(view.Counted);
    }

    private static AccountRun Opened()
    {
        var account = On(Anchor, Catalog);
        Assert.Null(account.Open("desk-1"));
        return account;
    }

    private static Event Answer(string id, DateTimeOffset time, int ticket) => new(id, time, $$"""{"ticket":{{ticket}}}""", "answered");

    private static Event Agent(string id, DateTimeOffset time, int ticket) => new(id, time, $$"""{"ticket":{{ticket}},"by":"agent"}""", "written");

    private static Event Call(string id, DateTimeOffset time, string minutes) => new(id, time, $$"""{"minutes":{{minutes}}}""", "called");

    private static Event Seats(string id, int day, int seats) => new(id, Anchor.AddDays(day), $$"""{"seats":{{seats}}}""", "seated");

    private static InvoiceLine Line(AccountRun account, int number, string meter) =>
        account.Invoices[number - 1].Lines.First(l => l.Meter == meter && l.Kind == InvoiceLineKind.Usage);

    private static IReadOnlyList<LineEvent> Events(AccountRun account, int number, string meter) =>
        LineEvents.Of(account.Explaining(), account.Entries, number, Line(account, number, meter).N).Events;

    private static EventView? Trace(AccountRun account, Event sent)
    {
        var trace = new EventTrace(account.Explaining(), sent.KeyHash);
        foreach (var entry in account.Entries) trace.Take(entry.Span);
        return trace.View(account.Now, body: null);
    }
}
