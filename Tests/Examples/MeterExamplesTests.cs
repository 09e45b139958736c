using Billing.Usage;
using static Billing.Tests.Examples.Sold;

namespace Billing.Tests.Examples;

/// <summary>What a meter makes of events. The account begins on 1 March; each counted unit costs 1.00.</summary>
public sealed class MeterExamplesTests
{
    private const string Count = """ "event": "sent", "aggregate": "count" """;
    private const string OncePerPeriod = """ "event": "sent", "aggregate": "count", "count_once": { "key": "$.ticket", "window": "period" } """;
    private const string OncePerTenDays = """ "event": "sent", "aggregate": "count", "count_once": { "key": "$.ticket", "window": "P10D" } """;

    private const string Session = """
        "event": "sent", "aggregate": "count", "count_once": { "key": "$.ticket",
          "window": { "session": { "gap": "P10D", "by": { "path": "$.channel", "gaps": { "chat": "P3D", "email": "P10D" } } } } }
        """;

    private const string Cancelled = """
        "event": "sent", "aggregate": "count",
        "cancelled_by": { "event": "undone", "where": { "$.by": "agent" }, "key": "$.message", "within": "PT72H" }
        """;

    private const string OnceOfWhatStands = """
        "event": "sent", "aggregate": "count", "count_once": { "key": "$.ticket", "window": "P10D" },
        "cancelled_by": { "event": "undone", "key": "$.message", "within": "PT72H" }
        """;

    // An event belongs to the period that its time lies in, whenever it comes; the end of a period is the start of the next.
    [Fact]
    public void AnEvent_CountsInThePeriodOfItsTime() =>
        Metered(Count)
            .Sent("03-31 23:59:59 sent", "04-01 sent").At("04-02").Sent("03-30 sent")
            .Counts("03-01", "2").Counts("04-01", "1");

    // A meter listens to one type of event.
    [Fact]
    public void AnotherType_IsNotCounted() => Metered(Count).Sent("03-05 sent", "03-06 read").Counts("03-01", "1");

    // Only the period's own events are looked at: a level is not carried over, and without events it is 0.
    [Theory]
    [InlineData("max", "7")]
    [InlineData("latest", "5")]
    public void ALevel_IsNotCarriedIntoTheNextPeriod(string aggregate, string march) =>
        Metered($""" "event": "seats", "aggregate": "{aggregate}", "value": "$.n" """)
            .Sent("""03-10 seats {"n":7}""", """03-20 seats {"n":5}""").At("05-04")
            .Counts("03-01", march).Counts("04-01", "0")
            .Usage(2, $"usage m 03-01..04-01: {march} -> {march}.00")
            .Usage(3, "usage m 04-01..05-01: 0 -> 0.00");

    // Filters hold when the data has the value, or one of a list, at each path; a missing path does not match.
    [Theory]
    [InlineData("the value", """{ "$.dir": "out" }""", """{"dir":"out"}""", "1")]
    [InlineData("another value", """{ "$.dir": "out" }""", """{"dir":"in"}""", "0")]
    [InlineData("another case", """{ "$.dir": "out" }""", """{"dir":"OUT"}""", "0")]
    [InlineData("one of a list", """{ "$.dir": ["out", "both"] }""", """{"dir":"both"}""", "1")]
    [InlineData("none of a list", """{ "$.dir": ["out", "both"] }""", """{"dir":"in"}""", "0")]
    [InlineData("a missing path", """{ "$.dir": "out" }""", """{}""", "0")]
    [InlineData("a missing path is not null", """{ "$.dir": null }""", """{}""", "0")]
    [InlineData("null is null", """{ "$.dir": null }""", """{"dir":null}""", "1")]
    [InlineData("both of two filters", """{ "$.dir": "out", "$.test": false }""", """{"dir":"out","test":false}""", "1")]
    [InlineData("one of two filters", """{ "$.dir": "out", "$.test": false }""", """{"dir":"out","test":true}""", "0")]
    [InlineData("a path of two names", """{ "$.a.b": "x" }""", """{"a":{"b":"x"}}""", "1")]
    [InlineData("a path that ends early", """{ "$.a.b": "x" }""", """{"a":"x"}""", "0")]
    [InlineData("a number however spelled", """{ "$.n": 1 }""", """{"n":1.0}""", "1")]
    [InlineData("a text is no number", """{ "$.n": 1 }""", """{"n":"1"}""", "0")]
    public void Where_LetsThrough(string what, string where, string data, string counts) =>
        Example.Row(what, () => Metered($$""" "event": "sent", "where": {{where}}, "aggregate": "count" """).Sent($"03-05 sent {data}").Counts("03-01", counts));

    // 3, then 1.5, then 1.5: three events; 3 + 1.5 + 1.5 = 6; the largest is 3; the last is 1.5; two different values.
    [Theory]
    [InlineData("count", "3")]
    [InlineData("sum", "6")]
    [InlineData("max", "3")]
    [InlineData("latest", "1.5")]
    [InlineData("unique", "2")]
    public void AnAggregate_MakesOneQuantityOfThePeriodsEvents(string aggregate, string quantity) =>
        Metered(aggregate == "count" ? Count : Valued(aggregate))
            .Sent("""03-05 sent {"n":3}""", """03-06 sent {"n":1.5}""", """03-07 sent {"n":1.50}""")
            .Counts("03-01", quantity);

    // Unique counts different texts and numbers.
    [Fact]
    public void Unique_CountsTextsAndNumbers() =>
        Metered(Valued("unique"))
            .Sent("""03-05 sent {"n":"a"}""", """03-06 sent {"n":"b"}""", """03-07 sent {"n":"a"}""", """03-08 sent {"n":7}""")
            .Counts("03-01", "3"); // a, b, 7

    // The latest is the last by time, then source, then id, whatever came last.
    [Theory]
    [InlineData("time", "9", """03-10 sent#1@a {"n":9}""", """03-09 sent#2@a {"n":4}""")]
    [InlineData("source", "9", """03-10 sent#1@b {"n":9}""", """03-10 sent#2@a {"n":4}""")]
    [InlineData("id", "9", """03-10 sent#2@a {"n":9}""", """03-10 sent#1@a {"n":4}""")]
    [InlineData("id, ordinal", "9", """03-10 sent#9@a {"n":9}""", """03-10 sent#10@a {"n":4}""")]
    public void TheLatest_IsByTimeThenSourceThenId(string decidedBy, string quantity, params string[] events) =>
        Example.Row(decidedBy, () => Metered(Valued("latest")).Sent(events).Counts("03-01", quantity));

    // A value is a JSON number of zero or more with at most 28 digits; without one the event is rejected and not counted.
    [Theory]
    [InlineData("zero", "sum", """{"n":0}""", UsageOutcome.Accepted, "0")]
    [InlineData("a fraction", "sum", """{"n":0.5}""", UsageOutcome.Accepted, "0.5")]
    [InlineData("an exponent", "sum", """{"n":1.5e3}""", UsageOutcome.Accepted, "1500")]
    [InlineData("28 digits", "sum", """{"n":9999999999999999999999999999}""", UsageOutcome.Accepted, "9999999999999999999999999999")]
    [InlineData("29 digits", "sum", """{"n":10000000000000000000000000001}""", UsageOutcome.Rejected, "0")]
    [InlineData("28 digits on both sides of the point", "sum", """{"n":12345678901234.12345678901234}""", UsageOutcome.Accepted, "12345678901234.12345678901234")]
    [InlineData("29 digits on both sides of the point", "sum", """{"n":12345678901234.123456789012345}""", UsageOutcome.Rejected, "0")]
    [InlineData("below zero", "sum", """{"n":-1}""", UsageOutcome.Rejected, "0")]
    [InlineData("a text", "sum", """{"n":"1"}""", UsageOutcome.Rejected, "0")]
    [InlineData("null", "max", """{"n":null}""", UsageOutcome.Rejected, "0")]
    [InlineData("nothing", "latest", """{}""", UsageOutcome.Rejected, "0")]
    [InlineData("a text for unique", "unique", """{"n":"x"}""", UsageOutcome.Accepted, "1")]
    [InlineData("a negative number for unique", "unique", """{"n":-1}""", UsageOutcome.Accepted, "1")]
    [InlineData("true for unique", "unique", """{"n":true}""", UsageOutcome.Rejected, "0")]
    [InlineData("nothing for unique", "unique", """{}""", UsageOutcome.Rejected, "0")]
    public void AValue_IsANumberOfZeroOrMore(string what, string aggregate, string data, UsageOutcome outcome, string counts) =>
        Example.Row(what, () => Metered(Valued(aggregate))
            .Sent($"03-05 sent {data}").Outcome(outcome).Counts("03-01", counts));

    // A key is a text or a number.
    [Theory]
    [InlineData("a text", """{"ticket":"1"}""", UsageOutcome.Accepted, "1")]
    [InlineData("a number", """{"ticket":1}""", UsageOutcome.Accepted, "1")]
    [InlineData("nothing", """{}""", UsageOutcome.Rejected, "0")]
    [InlineData("a list", """{"ticket":[1]}""", UsageOutcome.Rejected, "0")]
    public void AKey_IsATextOrANumber(string what, string data, UsageOutcome outcome, string counts) =>
        Example.Row(what, () => Metered(OncePerPeriod).Sent($"03-05 sent {data}").Outcome(outcome).Counts("03-01", counts));

    // Quantities are decimal: ten times 0.1 is 1, and nothing small is lost beside something large.
    [Theory]
    [InlineData("1", "0.1", "0.1", "0.1", "0.1", "0.1", "0.1", "0.1", "0.1", "0.1", "0.1")]
    [InlineData("1000000000000000000000000000.0000000000000000000000000001", "1000000000000000000000000000", "0.0000000000000000000000000001")]
    public void Quantities_AreExact(string sum, params string[] values) =>
        Metered(Valued("sum"))
            .Sent([.. values.Select(v => $$"""03-05 sent {"n":{{v}}}""")]).Counts("03-01", sum);

    // An event at t, here 5 March 10:00, counts unless it is cancelled in (t, t + 72 h]: not at t, still at the end.
    [Theory]
    [InlineData("03-05 09:59:59", "1")]
    [InlineData("03-05 10:00:00", "1")]
    [InlineData("03-05 10:00:01", "0")]
    [InlineData("03-08 10:00:00", "0")]
    [InlineData("03-08 10:00:01", "1")]
    public void ACanceller_WorksAfterTheEventAndUpToTheEnd(string canceller, string counts) =>
        Metered(Cancelled)
            .Sent("""03-05 10:00 sent {"message":1}""", $$"""{{canceller}} undone {"message":1,"by":"agent"}""").At("03-20")
            .Counts("03-01", counts);

    // The key is read from both events and is the same; the canceller's own filter holds.
    [Theory]
    [InlineData("the same key", """undone {"message":1,"by":"agent"}""", "0")]
    [InlineData("another key", """undone {"message":2,"by":"agent"}""", "1")]
    [InlineData("the filter does not hold", """undone {"message":1,"by":"bot"}""", "1")]
    [InlineData("another type", """read {"message":1,"by":"agent"}""", "1")]
    public void ACanceller_HasTheKeyAndPassesItsFilter(string what, string canceller, string counts) =>
        Example.Row(what, () => Metered(Cancelled).Sent("""03-05 sent {"message":1}""", $"03-06 {canceller}").At("03-20").Counts("03-01", counts));

    // While the clock is at or before t + 72 h the event is pending: shown beside what counts, and not billed.
    [Theory]
    [InlineData("03-05 10:00:00", "0 + 1 pending")]
    [InlineData("03-08 10:00:00", "0 + 1 pending")]
    [InlineData("03-08 10:00:01", "1")]
    public void UntilItCanNoLongerBeCancelled_AnEventIsPending(string clock, string counts) =>
        Metered(Cancelled).Sent("""03-05 10:00 sent {"message":1}""").At(clock).Counts("03-01", counts);

    // Cancelling comes first: with message a cancelled, b of 7 March opens the ten days and c of 16 March lies in them. Had a stood, its
    // ten days would have ended on the 15th and c would count as well.
    [Theory]
    [InlineData("a", "1")]
    [InlineData("nothing", "2")]
    public void CountOnce_SeesOnlyWhatStands(string undone, string counts) =>
        Metered(OnceOfWhatStands)
            .Sent(
                """03-05 sent {"ticket":1,"message":"a"}""", $$"""03-06 undone {"message":"{{undone}}"}""",
                """03-07 sent {"ticket":1,"message":"b"}""", """03-16 sent {"ticket":1,"message":"c"}""")
            .At("03-25").Counts("03-01", counts);

    // The count is in the period of the first that stands: with the one of 28 March cancelled it is that of 3 April.
    [Fact]
    public void WithTheFirstCancelled_TheNextCountsInItsPeriod() =>
        Metered(OnceOfWhatStands)
            .Sent("""03-28 sent {"ticket":1,"message":"a"}""", """04-03 sent {"ticket":1,"message":"b"}""").At("04-10")
            .Counts("03-01", "1").Counts("04-01", "0")
            .Sent("""03-29 undone {"message":"a"}""").Receipt("m -1 in 03-01..04-01, m 1 in 04-01..05-01; adjustment on 05-01..06-01")
            .Counts("03-01", "0").Counts("04-01", "1");

    // A canceller works whatever the account subscribes to: here its type is counted by a product that the account does not have.
    [Fact]
    public void ACancellerOfAProductNotSubscribedTo_Cancels() =>
        Example.Begun(
            "03-01",
            Catalog(
                new Sold("bots", "0.00", PerUnit("1.00"), Meter: """ "event": "solved", "aggregate": "count", "cancelled_by": { "event": "wrote", "key": "$.ticket", "within": "PT72H" } """),
                new Sold("desk", "0.00", PerUnit("1.00"), Meter: """ "event": "wrote", "aggregate": "count" """)),
            "bots",
            "bots-1")
            .Sent("""03-05 solved {"ticket":1}""", """03-05 solved {"ticket":2}""", """03-06 wrote {"ticket":1}""")
            .At("03-20").Counts("03-01", "1"); // ticket 2

    // A canceller that comes late lowers the usage: before the invoice is final on the draft, after that as a correction on the next.
    [Fact]
    public void ALateCanceller_LowersUsageAsACorrection() =>
        Metered(Cancelled)
            .Sent("""03-10 sent {"message":1}""", """03-28 sent {"message":2}""", """03-28 sent {"message":3}""")
            .At("04-02").Usage(2, "usage m 03-01..04-01: 3 -> 3.00")
            .Sent("""03-29 undone {"message":2,"by":"agent"}""").Usage(2, "usage m 03-01..04-01: 2 -> 2.00")
            .At("04-10").Sent("""03-29 undone {"message":3,"by":"agent"}""").Receipt("m -1 in 03-01..04-01; adjustment on 05-01..06-01")
            .At("05-04").Usage(2, "usage m 03-01..04-01: 2 -> 2.00")
            .Usage(3, "usage m 04-01..05-01: 0 -> 0.00", "adjustment m 03-01..04-01: -1 -> -1.00"); // 1 x 1.00 - 2.00

    // Per period: each key once in each period.
    [Fact]
    public void OncePerPeriod_CountsAKeyOnceInEach() =>
        Metered(OncePerPeriod)
            .Sent("""03-05 sent {"ticket":1}""", """03-31 sent {"ticket":1}""", """03-31 sent {"ticket":2}""", """04-01 sent {"ticket":1}""")
            .Counts("03-01", "2").Counts("04-01", "1"); // 1 and 2, then 1

    // With sum, the value is that of the first event by time; one that comes late and is earlier becomes the first.
    [Fact]
    public void OnceWithSum_TakesTheValueOfTheFirst() =>
        Metered(""" "event": "sent", "aggregate": "sum", "value": "$.n", "count_once": { "key": "$.ticket", "window": "period" } """)
            .Sent("""03-10 sent {"ticket":1,"n":5}""", """03-12 sent {"ticket":1,"n":7}""").Counts("03-01", "5")
            .Sent("""03-08 sent {"ticket":1,"n":2}""").Counts("03-01", "2").Receipt("m -3 in 03-01..04-01; usage on 04-01..05-01"); // 2 - 5

    // Ten days: an event outside every span opens one, its end excluded, and counts; those inside do not. Late events are placed in order.
    [Theory]
    [InlineData("inside", "1", "03-05", "03-14 23:59:59")]
    [InlineData("at the end is outside", "2", "03-05", "03-15")]
    [InlineData("one inside does not prolong it", "2", "03-05", "03-14", "03-16")]
    [InlineData("late, between two spans' events", "2", "03-05", "03-15", "03-10")]
    [InlineData("late and first: [3, 13) covers the 5th, the 14th opens its own", "2", "03-05", "03-14", "03-03")]
    [InlineData("over the period's end it counts in March", "1", "03-28", "04-03")]
    public void OncePerTenDays_CountsWhatOpensASpan(string what, string counts, params string[] times) =>
        Example.Row(what, () => Metered(OncePerTenDays).Sent([.. times.Select(t => $$"""{{t}} sent {"ticket":1}""")]).Counts("03-01", counts).Counts("04-01", "0"));

    // Sessions: neighbours of one key belong together when their distance is at most the gap of the earlier one: a chat 3 days, else 10.
    [Theory]
    [InlineData("at the gap", "1", "03-05 email", "03-15 email")]
    [InlineData("over the gap", "2", "03-05 email", "03-15 00:00:01 email")]
    [InlineData("each within the gap of the one before", "1", "03-05 email", "03-14 email", "03-23 email")]
    [InlineData("a chat at its gap", "1", "03-05 chat", "03-08 chat")]
    [InlineData("a chat over its gap", "2", "03-05 chat", "03-08 00:00:01 chat")]
    [InlineData("chat, then email after 5 days: the chat's 3 hold", "2", "03-05 chat", "03-10 email")]
    [InlineData("email, then chat after 5 days: the email's 10 hold", "1", "03-05 email", "03-10 chat")]
    [InlineData("a channel without a gap of its own", "1", "03-05 sms", "03-15 sms")]
    [InlineData("late, it merges two", "1", "03-05 email", "03-19 email", "03-12 email")]
    [InlineData("late, a chat splits one: from the 6th to the 13th are 7 days, more than its 3", "2", "03-05 email", "03-13 email", "03-06 chat")]
    [InlineData("over the period's end it counts in March", "1", "03-28 email", "04-03 email")]
    public void ASession_CountsOnce(string what, string counts, params string[] messages) =>
        Example.Row(what, () => Metered(Session).Sent([.. messages.Select(Message)]).Counts("03-01", counts).Counts("04-01", "0"));

    // A late event that merges two sessions lowers the usage by one, one that splits a session raises it.
    [Fact]
    public void TheReceiptOfALateEvent_SaysWhatItChanged()
    {
        Metered(Session).Sent(Message("03-05 email"), Message("03-19 email"), Message("03-12 email")).Receipt("m -1 in 03-01..04-01; usage on 04-01..05-01");
        Metered(Session).Sent(Message("03-05 email"), Message("03-13 email"), Message("03-06 chat")).Receipt("m 1 in 03-01..04-01; usage on 04-01..05-01");
        Metered(Session).Sent(Message("04-03 email"), Message("03-28 email"))
            .Receipt("m 1 in 03-01..04-01, m -1 in 04-01..05-01; usage on 04-01..05-01").Counts("03-01", "1").Counts("04-01", "0");
    }

    // State is kept for the window and the longest gap: on 18 April an event of 14 March (35 days) still merges 5 and 24 March (9 and 10 days off).
    [Fact]
    public void TheLastLateEvent_StillMeetsItsNeighbours() =>
        Metered(Session).Sent(Message("03-05 email"), Message("03-24 email")).Counts("03-01", "2")
            .At("04-18").Sent(Message("03-14 email")).Outcome(UsageOutcome.Accepted).Counts("03-01", "1");

    private static Example Metered(string meter) => Example.Begun("03-01", new Sold("m", "0.00", PerUnit("1.00"), Meter: meter));

    private static string Valued(string aggregate) => $""" "event": "sent", "aggregate": "{aggregate}", "value": "$.n" """;

    private static string Message(string timeAndChannel) =>
        $$"""{{timeAndChannel[..timeAndChannel.LastIndexOf(' ')]}} sent {"ticket":1,"channel":"{{timeAndChannel[(timeAndChannel.LastIndexOf(' ') + 1)..]}}"}""";
}
