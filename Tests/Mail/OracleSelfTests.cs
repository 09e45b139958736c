using System.Globalization;
using System.Text;

namespace Billing.Tests.Mail;

/// <summary>The oracle against cases worked out by hand: it judges the product, so it must be right first.</summary>
public class OracleSelfTests
{
    private const string Account = "a";

    // Periods: 25 June to 25 July (finalised 28 July), to 25 August (finalised 28 August), and so on.
    private static readonly DateTimeOffset Anchor = At("2001-06-25T00:00:00Z");
    private static readonly DateTimeOffset End = At("2001-12-28T12:00:00Z");

    [Theory]
    [InlineData(1, "2001-07-01", "2001-07-10")] // 9 days
    [InlineData(1, "2001-07-01", "2001-07-11")] // 10 days: at most the gap
    [InlineData(2, "2001-07-01", "2001-07-11T00:00:01Z")]
    [InlineData(2, "2001-07-01", "2001-07-20")]
    [InlineData(1, "2001-07-01", "2001-07-20", "2001-07-10T12:00:00Z")] // 9.5 days either side: the late one merges them
    [InlineData(2, "2001-07-20", "2001-07-01", "2001-07-01")]
    public void Sessions_EndAtAPauseOfMoreThanTenDays(int sessions, params string[] times) =>
        Assert.Equal(sessions, MailOracle.SessionStarts(times.Select(At)).Count);

    [Theory]
    [InlineData(0, 0)]
    [InlineData(30, 0)]
    [InlineData(31, 4_50)] // 1 over: 1 started ten
    [InlineData(40, 4_50)] // 10 over: 1
    [InlineData(41, 9_00)] // 11 over: 2
    [InlineData(100, 31_50)] // 70 over: 7 x 4.50
    public void Tickets_ArePricedByTheStartedTen(int quantity, long cents) =>
        Assert.Equal(cents, MailPrices.Amount(MailOracle.Tickets, quantity));

    [Theory]
    [InlineData(100_000, 0)]
    [InlineData(103_333, 0)] // 3,333 x 0.0000015 = 0.0049995: under half a cent
    [InlineData(103_334, 1)] // 3,334 x 0.0000015 = 0.005001: over half a cent
    [InlineData(110_000, 2)] // 10,000 x 0.0000015 = 0.015: the even neighbour is 2 cents
    [InlineData(130_000, 4)] // 30,000 x 0.0000015 = 0.045: the even neighbour is 4 cents
    [InlineData(1_100_000, 1_50)] // 1,000,000 x 0.0000015: the tier's end is in it
    [InlineData(1_100_001, 95)] // 1,000,001 x 0.00000095 = 0.95000095: all at the second price
    [InlineData(10_100_000, 9_50)] // 10,000,000 x 0.00000095
    public void Bytes_AreAllPricedByTheTierTheyFallIn(int quantity, long cents) =>
        Assert.Equal(cents, MailPrices.Amount(MailOracle.Bytes, quantity));

    [Fact]
    public void SessionOverAPeriodEnd_CountsInThePeriodOfItsFirstEvent()
    {
        var oracle = Run(Message("1", "2001-07-24", "t"), Message("2", "2001-07-26", "t"), Message("3", "2001-07-26", "u", "inbound"));

        OraclePeriod[] periods = [oracle.Period(0), oracle.Period(1)];
        Assert.Equal([1, 0], periods.Select(period => oracle.Usage(Account, MailOracle.Tickets, period)));
        Assert.Equal([1, 1], periods.Select(period => oracle.EventCount(Account, MailOracle.Tickets, period)));
        Assert.Equal([100, 200], periods.Select(period => oracle.Usage(Account, MailOracle.Bytes, period)));
        Assert.Equal([1, 2], periods.Select(period => oracle.EventCount(Account, MailOracle.Bytes, period)));
    }

    [Fact]
    public void EventBeforeTheSubscription_IsAcceptedCountsNowhereAndJoinsNoSession()
    {
        var oracle = Run(Message("1", "2001-06-24T23:59:59Z", "t"), Message("2", "2001-06-25", "t"));

        Assert.Equal([new("accepted", NoSubscription: true), new("accepted")], oracle.Verdicts);
        Assert.Equal(1, oracle.Usage(Account, MailOracle.Tickets, oracle.Period(0)));
        Assert.Equal(100, oracle.Usage(Account, MailOracle.Bytes, oracle.Period(0)));
    }

    [Theory]
    [InlineData("2001-06-21T00:00:00Z", "accepted")] // exactly 35 days before
    [InlineData("2001-06-20T23:59:59Z", "quarantined")]
    [InlineData("2001-07-26T00:05:00Z", "accepted")] // exactly 5 minutes ahead
    [InlineData("2001-07-26T00:05:01Z", "quarantined")]
    [InlineData("2001-07-26T02:05:00+02:00", "accepted")] // the same instant by another offset
    [InlineData("102-07-26T00:00:00Z", "rejected")]
    [InlineData("2001/07/26 Thu 00:00:00 GMT", "rejected")]
    public void Window_IsThirtyFiveDaysBackAndFiveMinutesAheadBothEndsIncluded(string time, string outcome) =>
        Assert.Equal(outcome, Run(Message("1", time, "t", clock: "2001-07-26T00:00:00Z")).Verdicts.Single().Outcome);

    [Fact]
    public void SecondSight_IsDuplicateOrConflict_ButQuarantinedAndRejectedAreNotRemembered()
    {
        var oracle = Run(
            Message("1", "2001-07-01", "t"),
            Message("1", "2001-07-01T01:00:00+01:00", "t"),
            Message("1", "2001-07-01", "u"),
            Message("2", "2001-01-01", "t", clock: "2001-07-01"),
            Message("2", "2001-01-01", "t", clock: "2001-07-01"),
            Message("2", "2001-07-01", "t"),
            Raw("{\"specversion\":\"1.0\"", "2001-07-01"),
            Message("1", "2001-07-01", "t", account: "stranger"));

        Assert.Equal(
            ["accepted", "duplicate", "conflict", "quarantined", "quarantined", "accepted", "rejected", "quarantined"],
            oracle.Verdicts.Select(verdict => verdict.Outcome));
        Assert.Equal(200, oracle.Usage(Account, MailOracle.Bytes, oracle.Period(0)));
    }

    [Fact]
    public void LateTicket_ChangesTheDraftWithinTheGraceAndIsAnAdjustmentFromItsEndOn()
    {
        var thirty = Enumerable.Range(0, 30).Select(n => Message($"n{n}", "2001-07-20", $"t{n}")).ToArray();

        var within = Run([.. thirty, Message("late", "2001-07-24", "late", clock: "2001-07-27T12:00:00Z")]).Invoices(Account);
        Assert.Equal(("usage", 31m, 4_50), Show(within[1].Lines.Single(line => line.Meter == MailOracle.Tickets)));
        Assert.DoesNotContain(within, invoice => invoice.Lines.Any(line => line.Kind == "adjustment"));

        var late = Run([.. thirty, Message("late", "2001-07-24", "late", clock: "2001-07-28T00:00:00Z")]);
        var invoices = late.Invoices(Account);
        Assert.Equal(("usage", 30m, 0), Show(invoices[1].Lines.Single(line => line.Meter == MailOracle.Tickets)));
        var adjustment = Assert.Single(invoices[2].Lines, line => line.Kind == "adjustment");
        Assert.Equal((late.Period(0), MailOracle.Tickets, 4_50L), (adjustment.Period, adjustment.Meter, adjustment.Amount));
        Assert.Equal([25_00L, 25_00, 29_50, 25_00], invoices.Take(4).Select(invoice => invoice.Total));
        Assert.Equal(
            [new(Account, MailOracle.Tickets, late.Period(0), Billed: 30, Final: 31)],
            late.AdjustedPeriods(Account).Where(adjusted => adjusted.Meter == MailOracle.Tickets));
    }

    [Fact]
    public void LateEventThatMergesTwoBilledSessions_GivesTheirPriceBack()
    {
        var tickets = Enumerable.Range(0, 29).Select(n => Message($"n{n}", "2001-07-20", $"t{n}"))
            .Append(Message("x1", "2001-06-26", "x"))
            .Append(Message("x2", "2001-07-10", "x"))
            .Append(Message("x3", "2001-07-03", "x", clock: "2001-07-28T00:00:00Z"));

        var invoices = Run([.. tickets]).Invoices(Account);

        Assert.Equal(("usage", 31m, 4_50), Show(invoices[1].Lines.Single(line => line.Meter == MailOracle.Tickets)));
        Assert.Equal(("adjustment", null, -4_50), Show(invoices[2].Lines.Single(line => line.Kind == "adjustment")));
        Assert.Equal(20_50, invoices[2].Total);
    }

    [Fact]
    public void Invoices_BeginAtOnceThenFollowEachPeriodEndBySeventyTwoHours()
    {
        var invoices = Run().Invoices(Account);

        Assert.Equal(7, invoices.Count);
        Assert.Equal((Anchor, Anchor), (invoices[0].DraftedAt, invoices[0].FinalizedAt));
        Assert.Equal("base", Assert.Single(invoices[0].Lines).Kind);
        Assert.Equal((At("2001-07-25"), At("2001-07-28")), (invoices[1].DraftedAt, invoices[1].FinalizedAt));
        Assert.Equal(["base", "usage", "usage"], invoices[1].Lines.Select(line => line.Kind));
    }

    [Fact]
    public void Periods_ClampToTheMonthEndAndComeBack()
    {
        var oracle = new MailOracle(At("2001-01-31"), [Account], [], End);

        Assert.Equal(new(At("2001-01-31"), At("2001-02-28")), oracle.Period(0));
        Assert.Equal(new(At("2001-02-28"), At("2001-03-31")), oracle.Period(1));
        Assert.Equal(new(At("2001-03-31"), At("2001-04-30")), oracle.Period(2));
    }

    // The figures were worked out a second time apart from this code.
    [Fact]
    public void MailEvents_GiveTheseTotals()
    {
        var oracle = MailData.Oracle();
        var accounts = MailData.Accounts(MailData.InOrder());
        var invoices = accounts.SelectMany(oracle.Invoices).ToList();
        var lines = invoices.SelectMany(invoice => invoice.Lines).ToList();

        Assert.Equal(
            [5535, 0, 0, 447, 64],
            new[] { "accepted", "duplicate", "conflict", "quarantined", "rejected" }.Select(oracle.Count));
        Assert.Equal(5, oracle.Verdicts.Count(verdict => verdict.NoSubscription));
        Assert.Equal((41, 820, 2_071_515L), (accounts.Count, invoices.Count, invoices.Sum(invoice => invoice.Total)));
        Assert.Equal(189_00, lines.Where(line => line is { Kind: "usage", Meter: MailOracle.Tickets }).Sum(line => line.Amount));
        Assert.Equal(26_07, lines.Where(line => line is { Kind: "usage", Meter: MailOracle.Bytes }).Sum(line => line.Amount));
        var adjustments = lines.Where(line => line.Kind == "adjustment").ToList();
        Assert.Equal((5, 8L), (adjustments.Count, adjustments.Sum(line => line.Amount)));
        Assert.Equal(18, accounts.SelectMany(oracle.AdjustedPeriods).Count());
        Assert.Equal(996, Sum(MailOracle.Tickets));
        Assert.Equal(29_764_152, Sum(MailOracle.Bytes));

        decimal Sum(string meter) => accounts.Sum(account => oracle.Periods().Sum(period => oracle.Usage(account, meter, period)));
    }

    private static (string Kind, decimal? Quantity, int Amount) Show(OracleLine line) => (line.Kind, line.Quantity, (int)line.Amount);

    private static MailOracle Run(params FedLine[] fed) => new(Anchor, [Account], fed, End);

    // Fed when it happened, unless the clock says otherwise; 100 bytes each.
    private static FedLine Message(
        string id, string time, string ticket, string direction = "outbound", string? clock = null, string account = Account) =>
        Raw(
            $$$"""
            {"specversion":"1.0","id":"{{{id}}}","source":"mail","type":"ticket.message.sent","subject":"{{{account}}}",
            "time":"{{{(time.Length == 10 ? time + "T00:00:00Z" : time)}}}",
            "data":{"ticket_id":"{{{ticket}}}","direction":"{{{direction}}}","bytes":100}}
            """,
            clock ?? time);

    private static FedLine Raw(string json, string clock) => new(Encoding.UTF8.GetBytes(json), At(clock));

    private static DateTimeOffset At(string text) =>
        DateTimeOffset.Parse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal);
}
