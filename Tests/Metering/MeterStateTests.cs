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

    private static MeterRun Run(Aggregate aggregate) => new(new("m", "p", "e", [], aggregate, new(["v"]), null, null));
}
