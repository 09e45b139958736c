using Billing.Lifecycle;
using Billing.Metering;
using FsCheck.Fluent;

namespace Billing.Tests.Metering;

public sealed class MeterStateTests
{
    private static readonly DateTimeOffset Anchor = new(2026, 3, 1, 0, 0, 0, TimeSpan.Zero);

    [Fact]
    public void ASum_IsThatOfItsEvents_AndAMaximumItsLargest_InAnyOrder() =>
        Prop.ForAll(Generated.Numbers(1000), Generated.Number(1000), (values, shuffle) =>
        {
            var sum = new SumMeterState(new("m", "p", "e", [], Aggregate.Sum, new(["v"]), null, null));
            var max = new MaxMeterState(new("m", "p", "e", [], Aggregate.Max, new(["v"]), null, null));
            var events = values.Select((value, index) => (Value: value, Period: index % 3)).ToArray();

            foreach (var (value, period) in Generated.Shuffled(events, shuffle))
            {
                Add(sum, value, period);
                Add(max, value, period);
            }

            foreach (var period in events.GroupBy(e => e.Period))
            {
                Assert.Equal(Quantity.Of(period.Sum(e => (long)e.Value)), sum.Find(PeriodAt(period.Key))!.Quantity);
                Assert.Equal(Quantity.Of(period.Max(e => e.Value)), max.Find(PeriodAt(period.Key))!.Quantity);
                Assert.Equal(period.Count(), sum.Find(PeriodAt(period.Key))!.EventCount);
            }

            Assert.Equal(sum.Periods.Select(p => p.Period).OrderBy(p => p.Start), sum.Periods.Select(p => p.Period));
        }).Holds();

    private static BillingPeriod PeriodAt(int index) => BillingCalendar.PeriodAt(Anchor, index);

    private static void Add(MeterState state, int value, int period) =>
        state.Add(new() { Value = Quantity.Of(value) }, UInt128.Zero, new(0, "s"u8, "i"u8), PeriodAt(period), new());
}
