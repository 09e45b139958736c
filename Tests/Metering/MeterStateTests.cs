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

    private static MeterRun Run(Aggregate aggregate) => new(new("m", "p", "e", [], aggregate, new(["v"]), null, null));
}
