using System.Numerics;
using static Billing.Tests.Accounts.AccountRun;

namespace Billing.Tests.Model;

/// <summary>
/// What a late event changes of what was counted before, worked out by hand. Events come in the order in which they are written; each tells by
/// how much it changed the first and the second period (days 0 to 30, and from 30 on).
/// </summary>
public sealed class LateEventsTests
{
    private static readonly ModelOnce Sessions = new ModelOnce.Session(TimeSpan.FromDays(3), TimeSpan.FromDays(1));
    private static readonly ModelOnce Spans = new ModelOnce.Span(TimeSpan.FromDays(3));
    private static readonly ModelOnce Period = new ModelOnce.Period();

    [Fact]
    public void BetweenTwoSessions_ItMergesThem() =>
        Changes(Sessions, On(20, 1), On(24, 1), On(22, -1));

    [Fact]
    public void WithAShorterGapOfItsOwn_ItSplitsASession() =>
        Changes(Sessions, On(20, 1), On(23, 0), On(21, 1) with { Channel = "chat" });

    [Fact]
    public void BeforeASession_ItMovesTheCountIntoItsPeriod() =>
        Changes(Sessions, On(31, 0, 1), On(29, 1, -1));

    [Fact]
    public void AMergeOverAPeriodEnd_IsLessInTheSecondPeriod() =>
        Changes(Sessions, On(27, 1), On(31, 0, 1), On(29, 0, -1));

    [Fact]
    public void BeforeASpan_ItOpensTheSpanAndMovesTheNext() =>
        Changes(Spans, On(29, 1), On(31), On(27, 0, 1));

    [Fact]
    public void BeforeTheFirstOfAPeriod_ItBringsItsOwnValue() =>
        Changes(Period, ModelAggregate.Sum, On(20, 5) with { Value = 5 }, On(25) with { Value = 9 }, On(10, 2) with { Value = 7 });

    [Fact]
    public void InASumOfSessions_TheMergedOnesValueIsLost() =>
        Changes(Sessions, ModelAggregate.Sum, On(20, 5) with { Value = 5 }, On(24, 4) with { Value = 4 }, On(22, -4) with { Value = 9 });

    [Fact]
    public void AMaximum_ChangesByWhatIsAboveTheOldOne() =>
        Changes(null, ModelAggregate.Max, On(20, 5) with { Value = 5 }, On(24) with { Value = 4 }, On(22, 2) with { Value = 7 });

    [Fact]
    public void BehindTheLatestValue_ItChangesNothing() =>
        Changes(null, ModelAggregate.Latest, On(20, 5) with { Value = 5 }, On(19) with { Value = 4 }, On(22, -2) with { Value = 3 });

    [Fact]
    public void ALateCanceller_TakesTheEventBack() =>
        Changes(null, On(20, 1), On(20, 1), Canceller(22, -2));

    [Fact]
    public void ACancelledEventThatComesAfterItsCanceller_CountsNothing() =>
        Changes(null, Canceller(22), On(20), On(19, 1));

    [Fact]
    public void ACancelledMiddle_SplitsASession() =>
        Changes(Sessions, On(20, 1), On(22), On(25), Canceller(23, 1));

    [Fact]
    public void ACancelledBeginning_MovesTheCountOfASession() =>
        Changes(Sessions, On(29, 1), On(31), Canceller(30, -1, 1));

    [Fact]
    public void ACancelledOpening_LetsTheNextOpenTheSpan() =>
        Changes(Spans, ModelAggregate.Sum, On(20, 5) with { Value = 5 }, On(22) with { Value = 3 }, Canceller(21, -2));

    [Fact]
    public void ACancelledFirstOfAPeriod_LeavesTheCountToTheNext() =>
        Changes(Period, On(20, 1), On(25), Canceller(21), Canceller(26, -1));

    [Fact]
    public void ACancelledMaximum_LeavesTheNextOne() =>
        Changes(null, ModelAggregate.Max, On(20, 5) with { Value = 5 }, On(24) with { Value = 4 }, Canceller(21, -1));

    [Fact]
    public void ACancelledLatestValue_BringsBackTheOneBefore() =>
        Changes(null, ModelAggregate.Latest, On(20, 5) with { Value = 5 }, On(24, -1) with { Value = 4 }, Canceller(25, 1), Canceller(21, -5));

    [Fact]
    public void ACancelledValue_IsStillThereInAnother() =>
        Changes(null, ModelAggregate.Unique, On(20, 1) with { Value = 5 }, On(24) with { Value = 5 }, Canceller(21), Canceller(25, -1));

    private static Late On(int day, int first = 0, int second = 0) => new("a", day, first, second);

    private static Late Canceller(int day, int first = 0, int second = 0) => new("c", day, first, second);

    private static void Changes(ModelOnce? once, params Late[] events) => Changes(once, ModelAggregate.Count, events);

    // The oracle must say so, the receipts must say so, and the usage must be the oracle's.
    private static void Changes(ModelOnce? once, ModelAggregate aggregate, params Late[] events)
    {
        var cancel = events.Any(e => e.Type == "c") ? new ModelCancel("c", null, "k", TimeSpan.FromDays(2)) : null;
        var meter = new ModelMeter("m", ModelCatalog.Desk, "a", null, aggregate, once, cancel);
        var sent = events.Select((e, i) => e.At(i)).ToArray();
        var told = sent.Select((_, i) => (Counted(meter, sent[..(i + 1)], 0) - Counted(meter, sent[..i], 0), Counted(meter, sent[..(i + 1)], 1) - Counted(meter, sent[..i], 1)));
        Assert.Equal(events.Select(e => (new BigInteger(e.First), new BigInteger(e.Second))), told);

        var run = new ModelRun(ModelCase.Of([meter], []));
        for (var i = 0; i < events.Length; i++)
        {
            run.Deliver(Anchor.AddDays(33), sent[i]);
            Assert.Equal((new BigInteger(events[i].First), new BigInteger(events[i].Second)), (ReceiptOf(0), ReceiptOf(1)));
            run.AgreesFromNowOn();
        }

        BigInteger ReceiptOf(int period) =>
            run.Receipts[^1].Receipt.Meters.Where(m => m.Period == ModelRun.Period(period)).Aggregate(BigInteger.Zero, (sum, m) => sum + m.Quantity.ToUnscaled()) / NaiveUsage.One;
    }

    private static BigInteger Counted(ModelMeter meter, ModelEvent[] events, int period) =>
        new NaiveUsage(meter, events, Anchor).Quantity(ModelRun.Period(period), DateTimeOffset.MaxValue) / NaiveUsage.One;

    private sealed record Late(string Type, int Day, int First, int Second)
    {
        public string Channel { get; init; } = "email";

        public int Value { get; init; } = 1;

        public ModelEvent At(int index) => ModelEvent.At(
            Anchor.AddDays(Day), $"{index}", ("k", "1"), ("v", $"{Value}"), ("u", $"{Value}"), ("ch", $"\"{Channel}\"")) with { Type = Type };
    }
}
