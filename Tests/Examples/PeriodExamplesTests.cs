using Billing.Invoices;
using static Billing.Tests.Examples.Sold;

namespace Billing.Tests.Examples;

/// <summary>When periods begin and end, and when which invoice is made. A unit costs 0.40, the base price is 10.00, 2 units are included.</summary>
public sealed class PeriodExamplesTests
{
    // The anchor is the day and time at which the paid subscription began.
    [Fact]
    public void TheAnchor_IsTheDayAndTimeOfTheBeginning() =>
        Begun("03-15 14:30:05").At("05-18 14:30:05").Invoices(
            "1 finalized 03-15 14:30:05..04-15 14:30:05 10.00 USD",
            "2 finalized 04-15 14:30:05..05-15 14:30:05 10.00 USD",
            "3 finalized 05-15 14:30:05..06-15 14:30:05 10.00 USD");

    // With a trial of 7 days the paid subscription begins at its end, and so does the anchor.
    [Fact]
    public void AfterATrial_TheAnchorIsItsEnd() =>
        Example.Begun("02-22 09:00", Desk with { More = """ "trial": "P7D", """ }).At("02-28").Invoices()
            .At("03-01 09:00").Invoices("1 finalized 03-01 09:00..04-01 09:00 10.00 USD").Dated(1, "03-01 09:00", "03-01 09:00");

    // Ends of months clamp and come back: an anchor on the 31st is followed by 28 February, or the 29th, and by 31 March.
    [Theory]
    [InlineData("01-31", "04-30", "01-31..02-28", "02-28..03-31", "03-31..04-30")]
    [InlineData("2024-01-31", "2024-04-30", "2024-01-31..2024-02-29", "2024-02-29..2024-03-31", "2024-03-31..2024-04-30")]
    [InlineData("01-30", "04-30", "01-30..02-28", "02-28..03-30", "03-30..04-30")]
    [InlineData("2024-02-29", "2024-05-29", "2024-02-29..2024-03-29", "2024-03-29..2024-04-29", "2024-04-29..2024-05-29")]
    public void AnAnchorAtAMonthsEnd_ClampsAndComesBack(string anchor, string clock, params string[] periods)
    {
        var example = Begun(anchor).At(clock);

        for (var i = 0; i < 2; i++) example.Invoice(i + 1, $"{i + 1} finalized {periods[i]} 10.00 USD", Lines(i));
        example.Invoice(3, $"3 finalized {periods[2]} 10.00 USD", Lines(2));

        // Each invoice bears the base of its own period and the usage of the one before.
        string[] Lines(int i) => i == 0 ? [$"base desk-1 {periods[0]}: 10.00"] : [$"base desk-1 {periods[i]}: 10.00", $"usage desk {periods[i - 1]}: 0 -> 0.00"];
    }

    // The first base fee is invoiced and final at once.
    [Fact]
    public void TheFirstBaseFee_IsFinalAtOnce() =>
        Begun("03-01").Invoice(1, "1 finalized 03-01..04-01 10.00 USD", "base desk-1 03-01..04-01: 10.00").Dated(1, "03-01", "03-01");

    // At the period's end T the next invoice is a draft without a number; 72 hours later, at 4 April 00:00, it is final.
    [Theory]
    [InlineData("03-31 23:59:59")]
    [InlineData("04-01", "draft 04-01..05-01 10.40 USD")]
    [InlineData("04-03 23:59:59", "draft 04-01..05-01 10.40 USD")]
    [InlineData("04-04", "2 finalized 04-01..05-01 10.40 USD")]
    public void ThePeriodInvoice_IsADraftForTheGrace(string clock, params string[] invoices) =>
        Begun("03-01").Used("03-05", "3").At(clock).Invoices(["1 finalized 03-01..04-01 10.00 USD", .. invoices]);

    // Figures named by the rules are defaults: with a grace of 24 hours the draft is final on 2 April.
    [Fact]
    public void AGraceOfTheCatalogue_HoldsInstead() =>
        Example.Begun("03-01", Catalog(Desk).Replace("\"USD\",", "\"USD\", \"grace\": \"PT24H\",", StringComparison.Ordinal), "desk", "desk-1")
            .At("04-01 23:59:59").Invoice(2, "draft 04-01..05-01 10.00 USD", "base desk-1 04-01..05-01: 10.00", "usage desk 03-01..04-01: 0 -> 0.00")
            .At("04-02").Invoice(2, "2 finalized 04-01..05-01 10.00 USD", "base desk-1 04-01..05-01: 10.00", "usage desk 03-01..04-01: 0 -> 0.00");

    // The invoice's period is the one its base fees pay for; its usage lines carry the past one.
    [Fact]
    public void TheInvoice_IsForTheComingPeriod_AndItsUsageForThePast() =>
        Begun("03-01").Used("03-05", "5").At("04-04").Invoice(
            2,
            "2 finalized 04-01..05-01 11.20 USD",
            "base desk-1 04-01..05-01: 10.00",
            "usage desk 03-01..04-01: 5 -> 1.20"); // 5 - 2 = 3 x 0.40

    // A late event before the invoice is final changes the draft.
    [Fact]
    public void ALateEventInTheGrace_ChangesTheDraft() =>
        Begun("03-01").Used("03-05", "3").At("04-03 23:59:59").Usage(2, "usage desk 03-01..04-01: 3 -> 0.40")
            .Used("03-31", "4").Usage(2, "usage desk 03-01..04-01: 7 -> 2.00") // 7 - 2 = 5 x 0.40
            .At("04-04").Usage(2, "usage desk 03-01..04-01: 7 -> 2.00");

    // After that the closed period is rated anew, and the difference to all that was billed for it goes on the next invoice.
    // 60 units are 40 over 20: 40 x 0.405 = 16.20. With 40 more it is 80 over: 50 x 0.405 + 30 x 0.355 = 20.25 + 10.65 = 30.90;
    // 30.90 - 16.20 = 14.70. With 10 more: 20.25 + 40 x 0.355 = 20.25 + 14.20 = 34.45; 34.45 - 16.20 - 14.70 = 3.55.
    [Fact]
    public void LateEvents_AreADifferenceOnTheNextInvoices()
    {
        const string Graduated = """{ "model": "graduated", "tiers": [ { "up_to": 50, "unit_price": "0.405" }, { "unit_price": "0.355" } ] }""";

        Example.Begun("03-01", new Sold("desk", "10.00", Graduated, Included: 20)).Used("03-05", "60")
            .At("04-04").Usage(2, "usage desk 03-01..04-01: 60 -> 16.20").Used("03-31", "40")
            .At("05-04").Usage(3, "usage desk 04-01..05-01: 0 -> 0.00", "adjustment desk 03-01..04-01: 40 -> 14.70")
            .Steps(3, 3, "20 x 0 = 0.00", "50 x 0.405 = 20.25", "30 x 0.355 = 10.65", "1 x -16.2 = -16.20")
            .At("05-05").Used("03-31", "10")
            .At("06-04").Usage(4, "usage desk 05-01..06-01: 0 -> 0.00", "adjustment desk 03-01..04-01: 10 -> 3.55");
    }

    // A draft that is open counts as the next invoice; after it is final, the one after it.
    [Fact]
    public void AnOpenDraft_IsTheNextInvoice() =>
        Begun("03-01").Used("03-05", "2").At("05-03 23:59:59").Used("03-31", "1")
            .Usage(3, "usage desk 04-01..05-01: 0 -> 0.00", "adjustment desk 03-01..04-01: 1 -> 0.40")
            .At("05-04").Used("03-31", "1")
            .Usage(3, "usage desk 04-01..05-01: 0 -> 0.00", "adjustment desk 03-01..04-01: 1 -> 0.40")
            .At("06-04").Usage(4, "usage desk 05-01..06-01: 0 -> 0.00", "adjustment desk 03-01..04-01: 1 -> 0.40");

    // A difference of nothing is left out: 1 late unit is included. Another is then counted with it: 1 + 1 + 1 - 2 = 1 x 0.40.
    [Fact]
    public void ADifferenceOfNothing_IsLeftOut() =>
        Begun("03-01").Used("03-05", "1").At("04-10").Used("03-31", "1")
            .At("05-04").Usage(3, "usage desk 04-01..05-01: 0 -> 0.00").Used("03-31", "1")
            .At("06-04").Usage(4, "usage desk 05-01..06-01: 0 -> 0.00", "adjustment desk 03-01..04-01: 2 -> 0.40");

    // One line per period, product and meter, however many events: for March and April, of desk at 0.40 over 2 and of voice at 0.02.
    [Fact]
    public void AnAdjustment_IsOneLinePerPeriodAndMeter() =>
        Example.Begun("03-01", Desk, new Sold("voice", "0.00", PerUnit("0.02"))).At("05-05")
            .Used("04-20", "2").Used("04-21", "3", "voice").Used("03-31", "3").Used("03-31", "1").Used("03-31", "4", "voice").Used("04-20", "1")
            .At("06-04").Invoice(
                4,
                "4 finalized 06-01..07-01 11.34 USD",
                "base desk-1 06-01..07-01: 10.00",
                "base voice-1 06-01..07-01: 0.00",
                "usage desk 05-01..06-01: 0 -> 0.00",
                "usage voice 05-01..06-01: 0 -> 0.00",
                "adjustment desk 03-01..04-01: 4 -> 0.80", // 4 - 2 = 2 x 0.40
                "adjustment voice 03-01..04-01: 4 -> 0.08", // 4 x 0.02
                "adjustment desk 04-01..05-01: 3 -> 0.40", // 3 - 2 = 1 x 0.40
                "adjustment voice 04-01..05-01: 3 -> 0.06"); // 3 x 0.02; 10.00 + 0.80 + 0.08 + 0.40 + 0.06 = 11.34

    // What is pending when the invoice becomes final comes as an adjustment on the next: cancellable for 5 days, 31 March is open to 5 April.
    [Fact]
    public void UsageStillPending_ComesAsAnAdjustment() =>
        Example.Begun("03-01", Slow).Sent("""03-20 sent {"id":1}""", """03-31 sent {"id":2}""")
            .At("04-04").Counts("03-01", "1 + 1 pending").Usage(2, "usage desk 03-01..04-01: 1 -> 0.40")
            .At("05-04").Counts("03-01", "2").Usage(3, "usage desk 04-01..05-01: 0 -> 0.00", "adjustment desk 03-01..04-01: 1 -> 0.40");

    // Each receipt says on which invoice its event will be: that of the coming period, else as an adjustment the next to become final.
    [Theory]
    [InlineData("while its period runs", "03-05", "03-05", "usage on 04-01..05-01")]
    [InlineData("in the grace", "04-03 23:59:59", "03-31", "usage on 04-01..05-01")]
    [InlineData("after it", "04-04", "03-31", "adjustment on 05-01..06-01")]
    [InlineData("with the next draft open", "05-03 23:59:59", "03-31", "adjustment on 05-01..06-01")]
    [InlineData("after that", "05-04", "03-31", "adjustment on 06-01..07-01")]
    public void AReceipt_SaysWhereItsEventIsBilled(string when, string clock, string time, string billed) =>
        Example.Row(when, () => BilledAsSaid(
            Example.Begun("03-01", Desk with { Included = 0 }).At(clock).Used(time, "1").Receipt($"desk 1 in 03-01..04-01; {billed}"), billed));

    // A pending event is billed when it no longer is, here after 5 days: one of 30 March is still pending when the invoice becomes final
    // on 4 April 00:00, one of a second earlier is not.
    [Theory]
    [InlineData("03-29 23:59:59", "usage on 04-01..05-01")]
    [InlineData("03-30", "adjustment on 05-01..06-01")]
    public void TheReceiptOfAPendingEvent_LooksAhead(string time, string billed) =>
        BilledAsSaid(Example.Begun("03-01", Slow).Sent($$"""{{time}} sent {"id":1}""").Receipt($"desk 1 in 03-01..04-01; {billed}"), billed);

    // An event of the trial is on no invoice.
    [Fact]
    public void TheReceiptOfATrial_NamesNoInvoice() =>
        Example.Begun("02-22", Desk with { More = """ "trial": "P7D", """ }).Used("02-23", "100").Receipt("trial: desk 100 in 02-22..03-01")
            .At("04-04").Usage(2, "usage desk 03-01..04-01: 0 -> 0.00");

    // A cancelled account gets a closing invoice at its end and 35 days, here 1 April and 35 days = 6 May, for what came after the last one.
    [Fact]
    public void TheClosingInvoice_BearsWhatIsLeft() =>
        Begun("03-01").Used("03-05", "3").Receipt("desk 3 in 03-01..04-01; usage on 04-01..05-01").At("03-10").Cancelled()
            .At("04-04").Invoice(2, "2 paid 04-01..05-01 0.40 USD", "usage desk 03-01..04-01: 3 -> 0.40")
            .Used("03-31", "2").Receipt("desk 2 in 03-01..04-01; adjustment on 04-01..05-06")
            .At("05-05 23:59:59").Invoices("1 finalized 03-01..04-01 10.00 USD", "2 paid 04-01..05-01 0.40 USD")
            .At("05-06").Invoice(3, "3 finalized 04-01..05-06 1.20 USD", "adjustment desk 03-01..04-01: 2 -> 0.80", "credit 0.40") // 5 - 2 = 3 x 0.40 - 0.40; 0.40 carried over
            .Dated(3, "05-06", "05-06");

    // With nothing left there is none.
    [Fact]
    public void WithNothingLeft_ThereIsNoClosingInvoice() =>
        Begun("03-01").Used("03-05", "3").At("03-10").Cancelled().At("2027-01-01")
            .Invoices("1 finalized 03-01..04-01 10.00 USD", "2 paid 04-01..05-01 0.40 USD");

    // A final invoice never changes, whatever comes later.
    [Fact]
    public void AFinalInvoice_NeverChanges()
    {
        var example = Begun("03-01").Used("03-05", "3").At("04-04");
        var before = example.Finalized;

        example.Used("03-31", "100").Used("04-05", "100").At("04-30").Used("03-31", "5");
        Assert.Equal(before, example.Finalized);
        example.At("06-04");

        Assert.StartsWith(before[..^1], example.Finalized, StringComparison.Ordinal); // the others are behind it
    }

    // Numbers have no gap, whatever an invoice is for: first, added product, period, nothing to pay, closing.
    [Fact]
    public void Numbers_HaveNoGap() =>
        Example.Begun("04-01", Catalog(new Sold("desk", "0.00", PerUnit("0.40")), new Sold("voice", "30.00", PerUnit("0.40"))), "desk", "desk-1")
            .At("04-16").Added("voice").At("05-10").Cancelled().At("06-04").Used("05-31", "1").At("2027-01-01")
            .Invoices(
                "1 paid 04-01..05-01 0.00 USD",
                "2 finalized 04-16..05-01 15.00 USD", // 30.00 x 15/30
                "3 finalized 05-01..06-01 30.00 USD",
                "4 paid 06-01..07-01 0.00 USD",
                "5 paid 06-01..07-06 0.40 USD"); // 1 June + 35 days

    // Missed periods are caught up in order, once, each at its own time.
    [Fact]
    public void MissedPeriods_AreCaughtUpInOrder() =>
        Begun("03-01").Used("03-05", "3").At("06-10").At("06-10")
            .Invoices(
                "1 finalized 03-01..04-01 10.00 USD",
                "2 finalized 04-01..05-01 10.40 USD",
                "3 finalized 05-01..06-01 10.00 USD",
                "4 finalized 06-01..07-01 10.00 USD")
            .Dated(2, "04-01", "04-04").Dated(3, "05-01", "05-04").Dated(4, "06-01", "06-04");

    // Each as it would have been in time: what was pending on 4 April is an adjustment in May, though the platform comes back in August.
    [Fact]
    public void AMissedPeriod_IsInvoicedAsItWouldHaveBeen()
    {
        var awake = Example.Begun("03-01", Slow).Sent("""03-31 sent {"id":1}""").At("04-01").At("04-04").At("05-01").At("05-04").At("08-01");
        var down = Example.Begun("03-01", Slow).Sent("""03-31 sent {"id":1}""").At("08-01");

        down.Usage(2, "usage desk 03-01..04-01: 0 -> 0.00").Usage(3, "usage desk 04-01..05-01: 0 -> 0.00", "adjustment desk 03-01..04-01: 1 -> 0.40");
        Assert.Equal(awake.Finalized, down.Finalized);
    }

    // An invoice of zero is paid when it is final.
    [Fact]
    public void AnInvoiceOfNothing_IsPaidAtOnce()
    {
        var example = Example.Begun("03-01", new Sold("desk", "0.00", PerUnit("0.40"), 2)).Used("03-05", "2").At("04-04");

        example.Invoices("1 paid 03-01..04-01 0.00 USD", "2 paid 04-01..05-01 0.00 USD");
        Assert.Equal([Example.Instant("03-01"), Example.Instant("04-04")], example.Account.Invoices.Select(i => i.PaidAt!.Value));
    }

    // A total below zero is paid and becomes credit, which is spent on the next invoices. Base 1.00, 3.00 a unit:
    // two units of March cancelled late: 1.00 - 6.00 = -5.00. Then 1.00 - 1.00 = 0, 4.00 are left; then 1.00 + 2 x 3.00 - 4.00 = 3.00.
    [Fact]
    public void ATotalBelowZero_BecomesCredit() =>
        Example.Begun("03-01", new Sold("desk", "1.00", PerUnit("3.00"), Meter: Cancellable("PT72H")))
            .Sent("""03-20 sent {"id":1}""", """03-20 sent {"id":2}""")
            .At("04-05").Usage(2, "usage desk 03-01..04-01: 2 -> 6.00").Sent("""03-21 undone {"id":1}""", """03-21 undone {"id":2}""")
            .At("05-04").Invoice(
                3,
                "3 paid 05-01..06-01 -5.00 USD",
                "base desk-1 05-01..06-01: 1.00",
                "usage desk 04-01..05-01: 0 -> 0.00",
                "adjustment desk 03-01..04-01: -2 -> -6.00")
            .Credit("5.00")
            .At("06-04").Invoice(4, "4 paid 06-01..07-01 0.00 USD", "base desk-1 06-01..07-01: 1.00", "usage desk 05-01..06-01: 0 -> 0.00", "credit -1.00")
            .Credit("4.00")
            .Sent("""06-10 sent {"id":3}""", """06-11 sent {"id":4}""")
            .At("07-04").Invoice(5, "5 finalized 07-01..08-01 3.00 USD", "base desk-1 07-01..08-01: 1.00", "usage desk 06-01..07-01: 2 -> 6.00", "credit -4.00")
            .Credit("0.00");

    // The closed period is rated anew and rounded, then what was billed is taken off. 1 x 0.0125 is 0.01.
    // With 1 more 2 x 0.0125 = 0.025 is 0.02; 0.02 - 0.01 = 0.01. A difference rounded itself, 0.015, would be 0.02.
    // With 5 more 6 x 0.0125 = 0.075 is 0.08; 0.08 - 0.01 = 0.07. A difference rounded itself, 0.065, would be 0.06.
    [Theory]
    [InlineData("1", "0.01", "2 x 0.0125 = 0.025", "1 x -0.005 = -0.005", "1 x -0.01 = -0.01")]
    [InlineData("5", "0.07", "6 x 0.0125 = 0.075", "1 x 0.005 = 0.005", "1 x -0.01 = -0.01")]
    public void AnAdjustment_IsTheDifferenceOfRoundedAmounts(string late, string amount, params string[] steps) =>
        Example.Begun("03-01", new Sold("desk", "0.00", PerUnit("0.0125"))).Used("03-05", "1")
            .At("04-04").Usage(2, "usage desk 03-01..04-01: 1 -> 0.0125 ~ 0.01").Used("03-31", late)
            .At("05-04").Usage(3, "usage desk 04-01..05-01: 0 -> 0.00", $"adjustment desk 03-01..04-01: {late} -> {amount}")
            .Steps(3, 3, steps);

    private static readonly Sold Desk = new("desk", "10.00", PerUnit("0.40"), Included: 2);

    private static readonly Sold Slow = new("desk", "0.00", PerUnit("0.40"), Meter: Cancellable("P5D"));

    private static string Cancellable(string within) =>
        $$""" "event": "sent", "aggregate": "count", "cancelled_by": { "event": "undone", "key": "$.id", "within": "{{within}}" } """;

    private static Example Begun(string when) => Example.Begun(when, Desk);

    /// <summary>Goes on until all is billed: the first line of 0.40 is of the kind and on the invoice that the receipt named.</summary>
    private static void BilledAsSaid(Example example, string billed)
    {
        var invoices = example.At("08-01").Account.Invoices;
        var invoice = invoices.First(i => i.Lines.Any(l => l.Meter is not null && l.Amount == 40));
        var line = invoice.Lines.First(l => l.Meter is not null && l.Amount == 40);

        Assert.Equal(billed, $"{(line.Kind == InvoiceLineKind.Usage ? "usage" : "adjustment")} on {invoice.Period.Start:MM-dd}..{invoice.Period.End:MM-dd}");
    }
}
