using System.Numerics;
using Billing.Invoices;
using Billing.Usage;
using FsCheck.Fluent;

namespace Billing.Tests.Model;

/// <summary>What is billed for usage: at each finalising, all that stands then and was not billed before.</summary>
public sealed class BillingModelTests
{
    private static readonly TimeSpan Grace = TimeSpan.FromHours(72);

    // Goal: nothing is unbilled, nothing billed twice. Method: after each finalised invoice, the sum of all lines of a period must be the
    // price of what the oracle counts in it at that instant, of the events that had come.
    [Fact]
    public void EachInvoice_BringsThePeriodToWhatTheOracleCountsThen() =>
        Prop.ForAll(ModelCase.Spread, tried =>
        {
            var run = ModelRun.Delivered(tried);
            var came = FirstSeen(tried, run);
            run.Account.At(ModelRun.Period(8).Start);

            var lines = new List<InvoiceLine>();
            foreach (var invoice in run.Account.Invoices.Where(i => i.Number is not null))
            {
                lines.AddRange(invoice.Lines);
                var finalized = invoice.FinalizedAt!.Value;
                foreach (var meter in run.Subscribed)
                {
                    var oracle = new NaiveUsage(meter, [.. came.Where(c => c.Clock < finalized).Select(c => c.Event)], Accounts.AccountRun.Anchor);
                    for (var index = 0; ModelRun.Period(index).End + Grace <= finalized; index++)
                    {
                        var period = ModelRun.Period(index);
                        var billed = lines.Where(l => l.Meter == meter.Id && l.Period == period).Sum(l => l.Amount);
                        var due = Cents(oracle.Quantity(period, finalized));
                        Assert.True(
                            billed == due,
                            $"{meter.Id} in the period from {ModelEvent.Ago(period.Start)}: the invoices up to {ModelEvent.Ago(finalized)} say {billed} cents, the oracle {due}.");
                    }
                }
            }
        }).Holds(300);

    [Fact]
    public void WhenEverythingIsFinal_TheSumOfTheLinesIsThePriceOfTheUsage() =>
        Prop.ForAll(ModelCase.Spread, tried =>
        {
            var run = ModelRun.Delivered(tried);
            run.Account.At(ModelRun.Period(8).Start);

            var lines = run.Account.Invoices.Where(i => i.Number is not null).SelectMany(i => i.Lines).ToList();
            foreach (var meter in run.Subscribed)
            {
                var oracle = run.Oracle(meter);
                for (var index = 0; index < 6; index++)
                {
                    var period = ModelRun.Period(index);
                    Assert.True(oracle.Pending(period, run.Account.Now).IsZero);
                    Assert.Equal(Cents(oracle.Quantity(period, run.Account.Now)), lines.Where(l => l.Meter == meter.Id && l.Period == period).Sum(l => l.Amount));
                }
            }
        }).Holds(200);

    [Fact]
    public void AnInvoice_HasOneLinePerPeriodAndMeter() =>
        Prop.ForAll(ModelCase.Spread, tried =>
        {
            var account = ModelRun.Delivered(tried).Account.At(ModelRun.Period(8).Start);
            foreach (var invoice in account.Invoices)
            {
                var lines = invoice.Lines.Where(l => l.Meter is not null).ToList();
                Assert.Distinct(lines.Select(l => (l.Meter, l.Period)));
                Assert.All(lines.Where(l => l.Kind == InvoiceLineKind.Adjustment), l => Assert.NotEqual(0, l.Amount));
                Assert.All(lines.Where(l => l.Kind == InvoiceLineKind.Usage), l => Assert.Equal(invoice.Period.Start, l.Period.End));
                Assert.Equal(invoice.Lines.Sum(l => l.Amount), invoice.Total);
            }
        }).Holds(200);

    /// <summary>The accepted events, each with the clock at which it was.</summary>
    private static List<Delivery> FirstSeen(ModelCase tried, ModelRun run) =>
    [
        .. run.Receipts.Zip(tried.Deliveries)
            .Where(r => r.First.Receipt.Outcome == UsageOutcome.Accepted)
            .Select(r => new Delivery(r.First.Event, r.Second.Clock)),
    ];

    /// <summary>What a quantity costs at 1.00 a unit, half a cent rounded to the even neighbour.</summary>
    private static long Cents(BigInteger quantity)
    {
        var cent = NaiveUsage.One / 100;
        var whole = BigInteger.Divide(quantity, cent);
        var twice = 2 * (quantity - (whole * cent));
        return (long)(twice > cent || (twice == cent && !whole.IsEven) ? whole + 1 : whole);
    }
}
