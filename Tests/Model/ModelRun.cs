using System.Globalization;
using System.Numerics;
using Billing.Tests.Accounts;
using Billing.Usage;

namespace Billing.Tests.Model;

/// <summary>An account and the oracle side by side: both get the same events, and what they say must agree.</summary>
internal sealed class ModelRun
{
    /// <summary>How many periods the events of a case can lie in.</summary>
    private const int Periods = 5;

    private readonly ModelMeter[] meters;
    private readonly NaiveInbox inbox;

    public ModelRun(ModelCase tried)
    {
        meters = [.. tried.Meters];
        inbox = new(meters);
        Account = AccountRun.On(AccountRun.Anchor, ModelCatalog.Json(meters));
        Assert.Null(Account.Open(ModelCatalog.Plan));
    }

    public AccountRun Account { get; }

    /// <summary>The meters that the account subscribes to.</summary>
    public IEnumerable<ModelMeter> Subscribed => meters.Where(m => m.Product == ModelCatalog.Desk);

    /// <summary>The accepted events.</summary>
    public IReadOnlyCollection<ModelEvent> Accepted => inbox.Accepted;

    /// <summary>What was sent, each with the answer.</summary>
    public List<(ModelEvent Event, UsageReceipt Receipt)> Receipts { get; } = [];

    public static BillingPeriod Period(int index) => new(AccountRun.Anchor.AddMonths(index), AccountRun.Anchor.AddMonths(index + 1));

    /// <summary>Delivers a whole case, what comes at one clock as one batch.</summary>
    public static ModelRun Delivered(ModelCase tried, Action<ModelRun>? afterBatch = null)
    {
        var run = new ModelRun(tried);
        foreach (var batch in tried.Deliveries.GroupBy(d => d.Clock))
        {
            run.Deliver(batch.Key, [.. batch.Select(d => d.Event)]);
            afterBatch?.Invoke(run);
        }

        return run;
    }

    /// <summary>Sends a batch at a clock; the outcomes must be the oracle's.</summary>
    public void Deliver(DateTimeOffset clock, params ModelEvent[] batch)
    {
        var receipts = Account.Unawakened(clock).Send([.. batch.Select(e => e.Sent)]);
        Assert.Equal(batch.Select(e => inbox.Judge(e, clock)), receipts.Select(r => r.Outcome));
        Receipts.AddRange(batch.Zip(receipts));
    }

    public NaiveUsage Oracle(ModelMeter meter) => new(meter, Accepted, AccountRun.Anchor);

    /// <summary>The usage of every meter and period by a clock must be the oracle's.</summary>
    public void AgreesAt(DateTimeOffset clock)
    {
        foreach (var meter in Subscribed)
        {
            var oracle = Oracle(meter);
            foreach (var period in Enumerable.Range(0, Periods).Select(Period))
            {
                var expected = (oracle.Quantity(period, clock), oracle.Pending(period, clock), oracle.EventCount(period, clock));
                var (quantity, pending, events) = Account.UsageAt(meter.Id, period.Start, clock);
                var actual = (quantity.ToUnscaled(), pending.ToUnscaled(), (int)events);
                Assert.True(
                    expected == actual,
                    $"{meter.Id} in the period from {ModelEvent.Ago(period.Start)}, by the clock {ModelEvent.Ago(clock)}: expected {Shown(expected)}, was {Shown(actual)}.");
            }
        }
    }

    /// <summary>The same, by the clock now, and by each later one at which an event stops being pending, and a tick after it.</summary>
    public void AgreesFromNowOn()
    {
        var ends =
            from meter in Subscribed
            where meter.Cancel is not null
            from sent in Accepted
            let end = sent.Time + meter.Cancel!.Within
            where end > Account.Now
            from clock in new[] { end, end.AddTicks(1) }
            select clock;
        foreach (var clock in ends.Prepend(Account.Now).Distinct()) AgreesAt(clock);
    }

    private static string Shown((BigInteger Quantity, BigInteger Pending, int Events) usage) =>
        $"{Text(usage.Quantity)} and {Text(usage.Pending)} pending, of {usage.Events.ToString(CultureInfo.InvariantCulture)} events";

    private static string Text(BigInteger units) => (units % NaiveUsage.One).IsZero ? $"{units / NaiveUsage.One}" : $"{units}e-28";
}
