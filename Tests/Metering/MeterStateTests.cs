using Billing.Metering;
using FsCheck.Fluent;

namespace Billing.Tests.Metering;

public sealed class MeterStateTests
{
    [Fact]
    public void ASum_IsThatOfItsEvents_AMaximumItsLargest_AndLatestItsLast_InAnyOrder() =>
        Prop.ForAll(Generated.Numbers(1000), Generated.Number(1000), (values, shuffle) =>
        {
            var (sum, max, latest) = (Run(Aggregate.Sum), Run(Aggregate.Max), Run(Aggregate.Latest));
            var events = values.Select((value, index) => new Sent($"{index:d4}", MeterRun.Anchor.AddDays(value % 90), Value: value)).ToArray();

            foreach (var sent in Generated.Shuffled(events, shuffle))
            {
                sum.Add(sent);
                max.Add(sent);
                latest.Add(sent);
            }

            foreach (var period in events.GroupBy(e => sum.PeriodOf(e.Time)))
            {
                var start = period.Key.Start;
                Assert.Equal($"{period.Sum(e => (long)e.Value)}", sum.Usage(start));
                Assert.Equal($"{period.Max(e => e.Value)}", max.Usage(start));
                Assert.Equal($"{period.OrderBy(e => e.Time).ThenBy(e => e.Id, StringComparer.Ordinal).Last().Value}", latest.Usage(start));
                Assert.Equal(period.Count(), sum.Meter.Find(period.Key)!.EventCount);
            }

            Assert.Equal(sum.Meter.Periods.Select(p => p.Period).OrderBy(p => p.Start), sum.Meter.Periods.Select(p => p.Period));
        }).Holds();

    [Fact]
    public void ADuplicateOfASum_IsToldItsOwnValueAgain()
    {
        var sum = Run(Aggregate.Sum);
        var sent = new Sent("a", MeterRun.Boundary, Value: 7);
        sum.Add(sent);
        sum.Add(new("b", MeterRun.Boundary, Value: 5));

        Assert.Equal([(MeterRun.Boundary, "7")], sum.FirstAdded(sent));
        Assert.Equal((0, null), (sum.Meter.HeldEvents, sum.Meter.PendingUntil(sent.Time.UtcTicks)));
    }

    [Fact]
    public void TheLargestAndTheLatest_BearAll_TheOthersNothing()
    {
        foreach (var (aggregate, bearer) in new[] { (Aggregate.Max, "b"), (Aggregate.Latest, "c") })
        {
            var run = Run(aggregate);
            var events = new[] { new Sent("a", MeterRun.Boundary, Value: 3), new Sent("b", MeterRun.Boundary.AddDays(1), Value: 9), new Sent("c", MeterRun.Boundary.AddDays(2), Value: 4) };
            foreach (var sent in events) run.Add(sent);

            foreach (var sent in events)
                Assert.Equal(sent.Id == bearer ? ($"{sent.Value}", Billing.Usage.EventStanding.Counted) : ("0", Billing.Usage.EventStanding.Covered), run.ShareOf(sent, sent.Time));
            Assert.Equal([(MeterRun.Boundary, "0")], run.FirstAdded(new("never", MeterRun.Boundary.AddDays(3))));
            Assert.Equal(3, run.Meter.HeldEvents);
        }
    }

    [Fact]
    public void WhatIsBilled_AddsUpOverInvoices()
    {
        var usage = new PeriodUsage(new(MeterRun.Anchor, MeterRun.Boundary));
        usage.Bill("plan-1", "v1", 500, Quantity.Of(5), 6);
        usage.Bill("plan-1", "v1", -100, Quantity.Of(-1), -2);

        Assert.Equal((400L, Quantity.Of(4), 4L), (usage.BilledAmount, usage.BilledQuantity, usage.BilledEventCount));
    }

    [Fact]
    public void AQuantityInASnapshot_KeepsItsPlacesBehindThePoint()
    {
        Assert.True(JsonNumber.TryReadQuantity("12.000000000000000000000001"u8, out var quantity));
        var written = new System.Buffers.ArrayBufferWriter<byte>();

        new SnapshotWriter(written).Quantity(quantity);

        Assert.Equal(quantity, new SnapshotReader(written.WrittenSpan).Quantity());
    }

    // The forgotten event of the same value came first, so it bears the usage.
    [Fact]
    public void ALateEventAsLargeAsAForgottenOne_AddsNothing_AndALargerOneTheDifference()
    {
        var run = Run(Aggregate.Max);
        run.Add(new("first", MeterRun.Anchor, Value: 9));
        run.Meter.Forget(MeterRun.Anchor.AddDays(20).UtcTicks);
        var equal = new Sent("equal", MeterRun.Anchor.AddDays(25), Value: 9);

        Assert.Equal([(MeterRun.Anchor, "0")], run.Add(equal));
        Assert.Equal(("0", Billing.Usage.EventStanding.Covered), run.ShareOf(equal, equal.Time));
        Assert.Equal([(MeterRun.Anchor, "1")], run.Add(new("larger", MeterRun.Anchor.AddDays(26), Value: 10)));
    }

    // Goal: of a period only the largest is kept. Method: forget one after the other, each larger than those before.
    [Fact]
    public void OfForgottenEvents_OnlyTheLargestIsHeld()
    {
        var run = Run(Aggregate.Max);
        run.Add(new("0", MeterRun.Anchor));
        run.Meter.Forget(MeterRun.Anchor.AddDays(1).UtcTicks);
        var held = run.HeldBytes;

        for (var day = 1; day < 20; day++)
        {
            run.Add(new($"{day}", MeterRun.Anchor.AddDays(day), Value: day));
            run.Meter.Forget(MeterRun.Anchor.AddDays(day + 1).UtcTicks);
        }

        Assert.Equal((0, held), (run.Meter.HeldEvents, run.HeldBytes));
    }

    // Goal: what is kept of a session reaches back by the longest gap that data can choose. Method: a twin that never forgets.
    [Fact]
    public void AMeterWithGapsByData_KeepsEventsForTheLongestOfThem()
    {
        var sessions = new Meter(
            "m", "p", "e", [], Aggregate.Count, null,
            new(new(["k"]), new CountOnceWindow.Session(TimeSpan.FromDays(1), new(["c"]), System.Collections.Immutable.ImmutableSortedDictionary<string, TimeSpan>.Empty.Add("chat", TimeSpan.FromDays(10)))), null);
        var (forgetful, keeper) = (new MeterRun(sessions), new MeterRun(sessions));
        var windowStart = MeterRun.Anchor.AddDays(12);
        foreach (var run in new[] { forgetful, keeper }) run.Add(new("opens", MeterRun.Anchor.AddDays(3), GapDays: 10));

        forgetful.Meter.Forget(windowStart.UtcTicks);

        var late = new Sent("late", windowStart.AddHours(1), GapDays: 1);
        Assert.Equal(keeper.Add(late), forgetful.Add(late));
    }

    private static MeterRun Run(Aggregate aggregate) => new(new("m", "p", "e", [], aggregate, new(["v"]), null, null));
}
