using System.Buffers;
using System.Text;
using Billing.Lifecycle;
using Billing.Metering;

namespace Billing.Tests.Metering;

/// <summary>An event as a meter reads it. Keys are numbers, values whole.</summary>
internal sealed record Sent(string Id, DateTimeOffset Time, int Key = 0, int GapDays = 0, string Source = "s", int Value = 1, int? CancelKey = null)
{
    public HashedReading Reading => new((UInt128)Key, (UInt128)(CancelKey ?? Key), Quantity.Of(Value), GapDays * 86_400);

    public EventPlace Place => new(Time.UtcTicks, Encoding.UTF8.GetBytes(Source), Encoding.UTF8.GetBytes(Id));
}

/// <summary>One meter with an account's calendar, without an account.</summary>
internal sealed class MeterRun
{
    /// <summary>The first period begins here.</summary>
    public static readonly DateTimeOffset Anchor = new(2026, 1, 31, 12, 0, 0, TimeSpan.Zero);

    /// <summary>28 Feb 12:00, the end of the first period, since February clamps the 31st.</summary>
    public static readonly DateTimeOffset Boundary = new(2026, 2, 28, 12, 0, 0, TimeSpan.Zero);

    private readonly AccountCalendar _calendar = new();
    private readonly UsageChanges _changes = new();
    private readonly Meter _definition;

    public MeterRun(Meter definition)
    {
        _definition = definition;
        _calendar.Begin(Anchor);
        Meter = NewMeter();
    }

    private MeterRun(MeterRun other)
    {
        _definition = other._definition;
        _calendar.Begin(Anchor);
        Meter = other.MeterReadAgain();
    }

    public MeterState Meter { get; }

    /// <summary>Adds an event and tells what it changed: the period's start and the quantity, its own period first.</summary>
    public List<(DateTimeOffset Period, string Change)> Add(Sent sent)
    {
        Meter.Add(sent.Reading, sent.Place, PeriodOf(sent.Time), _changes);
        return Rows();
    }

    /// <summary>Adds an event that cancels those of a key.</summary>
    public List<(DateTimeOffset Period, string Change)> Cancel(int key, DateTimeOffset time, int name = 0)
    {
        Meter.Cancel((UInt128)key, (UInt128)name, time.UtcTicks, _changes);
        return Rows();
    }

    public List<(DateTimeOffset Period, string Change)> FirstAdded(Sent sent)
    {
        Meter.FirstAdded(sent.Reading, sent.Place, PeriodOf(sent.Time), _changes);
        return Rows();
    }

    public List<(DateTimeOffset Period, string Change)> FirstCancelled(int key, DateTimeOffset time, int name = 0)
    {
        Meter.FirstCancelled((UInt128)key, (UInt128)name, time.UtcTicks, _changes);
        return Rows();
    }

    /// <summary>The quantity of the period that begins then, pending usage included.</summary>
    public string Usage(DateTimeOffset periodStart) => (Meter.Find(PeriodOf(periodStart))?.Quantity ?? Quantity.Zero).ToString();

    /// <summary>What is billed and what is pending of the period that begins then.</summary>
    public (string Quantity, string Pending, long Events) UsageAt(DateTimeOffset periodStart, DateTimeOffset clock)
    {
        var usage = Meter.UsageAt(PeriodOf(periodStart), clock);
        return (usage.Quantity.ToString(), usage.Pending.ToString(), usage.EventCount);
    }

    public (string Share, Usage.EventStanding Standing) ShareOf(Sent sent, DateTimeOffset clock)
    {
        (Quantity Share, Usage.EventStanding Standing) share = default;
        Meter.AsBilledAt(clock, () => share = Meter.ShareOf(sent.Reading, sent.Place, PeriodOf(sent.Time), clock));
        return (share.Share.ToString(), share.Standing);
    }

    public BillingPeriod PeriodOf(DateTimeOffset time) => _calendar.PeriodOf(time.UtcTicks);

    /// <summary>The bytes that equal states share, quantities included.</summary>
    public string Canonical() => Canonical(Meter);

    /// <summary>How many bytes the meter needs to place late events.</summary>
    public int HeldBytes
    {
        get
        {
            var written = new ArrayBufferWriter<byte>();
            Meter.Write(new(written), canonical: false);
            return written.WrittenCount;
        }
    }

    /// <summary>Another run that goes on from a snapshot of this one.</summary>
    public MeterRun ReadAgain() => new(this);

    /// <summary>The meter written to a snapshot and read again, as the same bytes.</summary>
    public string CanonicalReadAgain() => Canonical(MeterReadAgain());

    private MeterState MeterReadAgain()
    {
        var written = new ArrayBufferWriter<byte>();
        Meter.Write(new(written), canonical: false);
        var again = NewMeter();
        foreach (var period in Meter.Periods) (again.In(period.Period).Quantity, again.In(period.Period).EventCount) = (period.Quantity, period.EventCount);
        var reader = new SnapshotReader(written.WrittenSpan);
        again.Read(ref reader);
        Assert.True(reader.Rest.IsEmpty);
        return again;
    }

    private static string Canonical(MeterState meter)
    {
        var written = new ArrayBufferWriter<byte>();
        meter.Write(new(written), canonical: true);
        var periods = meter.Periods.Where(p => !p.Quantity.IsZero || p.EventCount != 0).Select(p => $"{p.Period.Start:O} {p.Quantity} {p.EventCount}");
        return Convert.ToHexString(written.WrittenSpan) + string.Join(';', periods);
    }

    private MeterState NewMeter() => new(_definition, "v1", new(), _calendar);

    private List<(DateTimeOffset Period, string Change)> Rows() => [.. _changes.Rows.ToArray().Select(r => (r.Period.Start, r.Change.ToString()))];
}
