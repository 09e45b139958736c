using System.Numerics;
using Billing.Usage;
using FsCheck;
using FsCheck.Fluent;
using static Billing.Tests.Model.ModelAggregate;

namespace Billing.Tests.Model;

/// <summary>Usage against the oracle: however events come, it is what the rules say of the set of them.</summary>
public sealed class UsageModelTests
{
    [Fact]
    public void AnyMeters_CountWhatTheOracleCounts() =>
        Agrees(ModelCase.Spread, 600);

    [Fact]
    public void Aggregates_CountWhatTheOracleCounts() =>
        Agrees(ModelCase.With(_ => null, _ => null, Count, Sum, Max, Latest, Unique), 150);

    [Fact]
    public void OncePerPeriod_CountsWhatTheOracleCounts() =>
        Agrees(ModelCase.With(_ => new ModelOnce.Period(), _ => null, Count, Sum), 150);

    [Fact]
    public void Spans_CountWhatTheOracleCounts() =>
        Agrees(ModelCase.With(ModelCatalog.AnySpan, _ => null, Count, Sum), 150);

    [Fact]
    public void Sessions_CountWhatTheOracleCounts() =>
        Agrees(ModelCase.With(ModelCatalog.AnySession, _ => null, Count, Sum), 150);

    [Fact]
    public void Cancellations_CountWhatTheOracleCounts() =>
        Agrees(ModelCase.With(_ => null, ModelCatalog.AnyCancel, Count, Sum, Max, Latest, Unique), 200);

    [Fact]
    public void CancellationsOfWhatCountsOnce_CountWhatTheOracleCounts() =>
        Agrees(ModelCase.With(draw => ModelCatalog.AnyOnce(draw) ?? new ModelOnce.Period(), ModelCatalog.AnyCancel, Count, Sum), 300);

    // Goal: receipts tell the whole truth. Method: what they say changed in a period must add up to its usage, pending included.
    [Fact]
    public void Receipts_AddUpToTheUsage() =>
        Prop.ForAll(ModelCase.Spread, tried =>
        {
            var run = ModelRun.Delivered(tried);
            foreach (var meter in run.Subscribed)
            {
                for (var index = 0; index < 5; index++)
                {
                    var period = ModelRun.Period(index);
                    var told = run.Receipts.Where(r => r.Receipt.Outcome == UsageOutcome.Accepted)
                        .SelectMany(r => r.Receipt.Meters)
                        .Where(m => m.Meter == meter.Id && m.Period == period)
                        .Aggregate(BigInteger.Zero, (sum, m) => sum + m.Quantity.ToUnscaled());
                    var oracle = run.Oracle(meter);
                    var counted = oracle.Quantity(period, run.Account.Now) + oracle.Pending(period, run.Account.Now);
                    Assert.True(told == counted, $"{meter.Id} in the period from {ModelEvent.Ago(period.Start)}: the receipts say {told}e-28, the oracle {counted}e-28.");
                }
            }
        }).Holds(300);

    // Goal: a retry is answered as the first try was. Method: after each batch send again whatever is still inside the window.
    [Fact]
    public void Duplicates_CarryTheFirstReceipt() =>
        Prop.ForAll(ModelCase.Spread, tried =>
        {
            ModelRun.Delivered(tried, run =>
            {
                var first = run.Receipts.Where(r => r.Receipt.Outcome == UsageOutcome.Accepted && r.Event.Time >= run.Account.Now.AddDays(-35)).ToList();
                var again = run.Account.Send([.. first.Select(r => r.Event.Sent)]);

                foreach (var ((sent, receipt), repeated) in first.Zip(again))
                {
                    Assert.Equal((UsageOutcome.Duplicate, receipt.Reason), (repeated.Outcome, repeated.Reason));
                    Assert.True(
                        receipt.Meters.SequenceEqual(repeated.Meters),
                        $"{sent} was answered with [{string.Join(", ", receipt.Meters)}], and again with [{string.Join(", ", repeated.Meters)}].");
                }
            });
        }).Holds(200);

    private static void Agrees(Arbitrary<ModelCase> cases, int count) =>
        Prop.ForAll(cases, tried => ModelRun.Delivered(tried, run => run.AgreesAt(run.Account.Now)).AgreesFromNowOn()).Holds(count);
}
