using System.Numerics;
using static Billing.Tests.Accounts.AccountRun;

namespace Billing.Tests.Model;

/// <summary>The oracle against cases worked out by hand: it judges the product, so it must be right first. Days count from the anchor; a period has 30.</summary>
public sealed class NaiveUsageTests
{
    private static readonly ModelOnce ThreeDaySpans = new ModelOnce.Span(TimeSpan.FromDays(3));
    private static readonly ModelOnce ThreeDaySessions = new ModelOnce.Session(TimeSpan.FromDays(3), TimeSpan.FromDays(1));
    private static readonly DateTimeOffset End = Anchor.AddDays(200);

    [Theory]
    [InlineData(nameof(ModelAggregate.Count), "4", "1")]
    [InlineData(nameof(ModelAggregate.Sum), "6.5", "2")]
    [InlineData(nameof(ModelAggregate.Max), "3", "2")]
    [InlineData(nameof(ModelAggregate.Latest), "1.50", "2")]
    public void Aggregates_LookAtThePeriodsOwnEvents(string aggregate, string first, string second)
    {
        var meter = Meter(Enum.Parse<ModelAggregate>(aggregate));

        Assert.Equal((Units(first), Units(second), Units("0")), Used(meter, On(0, v: "2"), On(5, v: "3"), On(29, v: "1.50"), On(28, v: "0"), On(30, v: "2")));
    }

    [Fact]
    public void Unique_KnowsNumbersFromTextsAndNotTheirSpellings()
    {
        var events = new[] { "7", "7.0", "70e-1", "\"7\"", "\"\\u0037\"", "8" }.Select((u, i) => On(i, u: u)).ToArray();

        Assert.Equal(Units("3"), Used(Meter(ModelAggregate.Unique), events).First);
    }

    [Fact]
    public void OncePerPeriod_TakesTheFirstOfEachKey() =>
        Assert.Equal(
            (Units("7"), Units("9"), Units("0")),
            Used(Meter(ModelAggregate.Sum, new ModelOnce.Period()), On(4, v: "5", k: "1"), On(3, v: "3", k: "1"), On(9, v: "4", k: "2"), On(30, v: "9", k: "1")));

    [Theory]
    [InlineData("1", 0, 1, 2)]
    [InlineData("2", 0, 1, 2, 3)] // the span's end is not inside
    [InlineData("2", 0, 2, 4)] // the second opens none, so the third is outside the first's only
    [InlineData("2", 0, 2, 4, 5)]
    [InlineData("0", -1)]
    [InlineData("1", -1, 1)] // before the subscription no span opens
    public void Spans_AreOpenedByEventsOutsideOfEarlierOnes(string count, params int[] days) =>
        Assert.Equal(Units(count), Used(Meter(ModelAggregate.Count, ThreeDaySpans), [.. days.Select(day => On(day))]).First);

    [Fact]
    public void SpanOverAPeriodEnd_CountsInThePeriodOfItsFirstEvent() =>
        Assert.Equal((Units("1"), Units("1"), Units("0")), Used(Meter(ModelAggregate.Count, ThreeDaySpans), On(29), On(31), On(32)));

    [Theory]
    [InlineData("1", 0, 3, 6)] // the gap is inside
    [InlineData("2", 0, 4)]
    [InlineData("1", 0, 4, 2)] // a late one merges two
    public void Sessions_EndWithALongerPauseThanTheGap(string count, params int[] days) =>
        Assert.Equal(Units(count), Used(Meter(ModelAggregate.Count, ThreeDaySessions), [.. days.Select(day => On(day))]).First);

    [Fact]
    public void TheGapOfTheEarlierNeighbour_Holds()
    {
        Assert.Equal(Units("1"), Used(Meter(ModelAggregate.Count, ThreeDaySessions), On(0), On(3, ch: "\"chat\"")).First);
        Assert.Equal(Units("2"), Used(Meter(ModelAggregate.Count, ThreeDaySessions), On(0, ch: "\"chat\""), On(3)).First);
        Assert.Equal(Units("2"), Used(Meter(ModelAggregate.Count, ThreeDaySessions), On(0), On(3), On(1, ch: "\"chat\"")).First);
    }

    [Fact]
    public void EqualTimes_AreOrderedByTheBytesOfSourceAndId()
    {
        var meter = Meter(ModelAggregate.Latest);

        Assert.Equal(Units("2"), Used(meter, On(1, v: "2") with { Source = "a", Id = "1" }, On(1, v: "3") with { Source = "B", Id = "9" }).First);
        Assert.Equal(Units("2"), Used(meter, On(1, v: "2") with { Source = "s-", Id = "1" }, On(1, v: "3") with { Source = "s", Id = "9" }).First);
        Assert.Equal(Units("2"), Used(meter, On(1, v: "2") with { Id = "\U00010000" }, On(1, v: "3") with { Id = "\uFF5E" }).First);
    }

    [Theory]
    [InlineData(0, 0, "1")] // of the same instant
    [InlineData(0, 1, "0")]
    [InlineData(TimeSpan.TicksPerDay * 2, 0, "0")] // the end is inside
    [InlineData(TimeSpan.TicksPerDay * 2, 1, "1")]
    public void ACanceller_FollowsInsideTheTime(long after, long ticks, string count) =>
        Assert.Equal(Units(count), Used(Cancelled(), On(1), Canceller(1, after + ticks)).First);

    [Fact]
    public void ACanceller_HasTheSameKeyAndMatchesItsFilter()
    {
        Assert.Equal(Units("0"), Used(Cancelled(), On(1, k: "7"), Canceller(2, k: "7.0")).First);
        Assert.Equal(Units("1"), Used(Cancelled(), On(1, k: "7"), Canceller(2, k: "\"7\"")).First);
        Assert.Equal(Units("1"), Used(Cancelled(), On(1), Canceller(2, by: "\"bot\"")).First);
    }

    [Fact]
    public void ACancelledEvent_OpensNoSpan() =>
        Assert.Equal(Units("1"), Used(Cancelled(ThreeDaySpans), On(0), Canceller(1), On(2), On(4)).First);

    [Theory]
    [InlineData(-1, "0", "2", 0)]
    [InlineData(0, "0", "2", 0)] // the first event can be cancelled up to this very instant
    [InlineData(1, "1", "1", 1)]
    [InlineData(TimeSpan.TicksPerDay, "1", "1", 1)]
    [InlineData(TimeSpan.TicksPerDay + 1, "2", "0", 2)]
    public void WhatCanStillBeCancelled_IsPending(long afterTheFirst, string quantity, string pending, int events)
    {
        var oracle = new NaiveUsage(Cancelled(), [On(1), On(2)], Anchor);
        var clock = Anchor.AddDays(3).AddTicks(afterTheFirst);

        Assert.Equal(
            (Units(quantity), Units(pending), events),
            (oracle.Quantity(ModelRun.Period(0), clock), oracle.Pending(ModelRun.Period(0), clock), oracle.EventCount(ModelRun.Period(0), clock)));
    }

    [Fact]
    public void AFallingLatestValueThatIsPending_IsLessThanNothing()
    {
        var oracle = new NaiveUsage(Meter(ModelAggregate.Latest) with { Cancel = Cancelled().Cancel }, [On(0, v: "5"), On(2, v: "1")], Anchor);

        Assert.Equal(Units("5"), oracle.Quantity(ModelRun.Period(0), Anchor.AddDays(3)));
        Assert.Equal(Units("-4"), oracle.Pending(ModelRun.Period(0), Anchor.AddDays(3)));
    }

    private static BigInteger Units(string json) => NaiveUsage.Units(json);

    private static (BigInteger First, BigInteger Second, BigInteger Third) Used(ModelMeter meter, params ModelEvent[] events)
    {
        var oracle = new NaiveUsage(meter, events, Anchor);
        return (oracle.Quantity(ModelRun.Period(0), End), oracle.Quantity(ModelRun.Period(1), End), oracle.Quantity(ModelRun.Period(2), End));
    }

    private static ModelMeter Meter(ModelAggregate aggregate, ModelOnce? once = null) => new("m", ModelCatalog.Desk, "a", null, aggregate, once, null);

    private static ModelMeter Cancelled(ModelOnce? once = null) =>
        Meter(ModelAggregate.Count, once) with { Cancel = new("c", new("by", "\"agent\""), "k", TimeSpan.FromDays(2)) };

    private static ModelEvent On(int day, string v = "1", string k = "1", string u = "1", string ch = "null") =>
        ModelEvent.At(Anchor.AddDays(day), $"{v}-{k}-{u}-{ch}-{day}", ("v", v), ("k", k), ("u", u), ("ch", ch));

    private static ModelEvent Canceller(int day, long ticks = 0, string k = "1", string by = "\"agent\"") =>
        ModelEvent.At(Anchor.AddDays(day).AddTicks(ticks), $"c-{day}", ("k", k), ("by", by)) with { Type = "c" };
}
