using Billing.Lifecycle;

namespace Billing.Metering;

/// <summary>What one event changed in one meter.</summary>
/// <param name="Own">The change of usage in the event's own period, in the meter's unit.</param>
/// <param name="Period">The event's own period.</param>
/// <param name="Other">The change in the period of the session that the event moved or merged, if that is another one.</param>
/// <param name="OtherPeriod">That other period; meaningful only when <paramref name="Other"/> is not zero.</param>
internal readonly record struct MeterChange(Quantity Own, BillingPeriod Period, Quantity Other, BillingPeriod OtherPeriod);

/// <summary>The usage of one meter of an account: a quantity per billing period, and what is needed to place late events.</summary>
internal abstract class MeterState(Meter meter)
{
    private readonly List<PeriodUsage> _periods = [];

    public Meter Meter { get; } = meter;

    /// <summary>The periods that have usage or a bill, in order of time.</summary>
    public IReadOnlyList<PeriodUsage> Periods => _periods;

    public static MeterState For(Meter meter, EventIdPool ids) => meter switch
    {
        { CountOnce.Window: CountOnceWindow.Session session } => new SessionMeterState(meter, session, ids),
        { Aggregate: Aggregate.Max } => new MaxMeterState(meter),
        _ => new SumMeterState(meter),
    };

    /// <summary>Why accounts cannot use the meter yet; null when they can.</summary>
    public static string? NotBuilt(Meter meter) => meter switch
    {
        { CancelledBy: not null } => "cancelled_by",
        { Aggregate: Aggregate.Latest } => "the aggregate latest",
        { Aggregate: Aggregate.Unique } => "the aggregate unique",
        { CountOnce.Window: CountOnceWindow.Session, Aggregate: not Aggregate.Count } => "sum once per session",
        { CountOnce.Window: CountOnceWindow.Span or CountOnceWindow.Period } => "count_once by period or span",
        _ => null,
    };

    /// <summary>Counts an accepted event; the result does not depend on the order in which events come.</summary>
    /// <param name="reading">What the meter reads from the event.</param>
    /// <param name="keyHash">Keyed hash of the reading's key; zero for a meter without one.</param>
    /// <param name="at">When it happened, and its name.</param>
    /// <param name="period">The billing period of its time.</param>
    /// <param name="calendar">Finds the periods of its neighbours.</param>
    public abstract MeterChange Add(
        in MeterReading reading, UInt128 keyHash, in EventPlace at, BillingPeriod period, AccountCalendar calendar);

    /// <summary>What <see cref="Add"/> answered for an event that was counted before.</summary>
    public abstract MeterChange FirstChange(in MeterReading reading, UInt128 keyHash, in EventPlace at, BillingPeriod period);

    /// <summary>Forgets what no event at or after the horizon can touch.</summary>
    /// <param name="windowStart">The oldest time that an event may still have, UTC ticks.</param>
    public virtual void Forget(long windowStart)
    {
    }

    public PeriodUsage In(BillingPeriod period)
    {
        for (var i = _periods.Count - 1; i >= 0; i--)
        {
            if (_periods[i].Period.Start == period.Start) return _periods[i];
            if (_periods[i].Period.Start < period.Start) return Insert(i + 1);
        }

        return Insert(0);

        PeriodUsage Insert(int index)
        {
            var usage = new PeriodUsage(period);
            _periods.Insert(index, usage);
            return usage;
        }
    }

    public PeriodUsage? Find(BillingPeriod period) => _periods.Find(p => p.Period.Start == period.Start);
}

/// <summary>When an event happened, and its name for the order among events of one instant.</summary>
internal readonly ref struct EventPlace(long timeTicks, ReadOnlySpan<byte> source, ReadOnlySpan<byte> id)
{
    public long TimeTicks { get; } = timeTicks;

    public ReadOnlySpan<byte> Source { get; } = source;

    public ReadOnlySpan<byte> Id { get; } = id;
}

/// <summary>Counts events or adds their values.</summary>
internal sealed class SumMeterState(Meter meter) : MeterState(meter)
{
    public override MeterChange Add(
        in MeterReading reading, UInt128 keyHash, in EventPlace at, BillingPeriod period, AccountCalendar calendar)
    {
        var usage = In(period);
        usage.EventCount++;
        usage.Quantity += reading.Value;
        return new(reading.Value, period, default, default);
    }

    public override MeterChange FirstChange(in MeterReading reading, UInt128 keyHash, in EventPlace at, BillingPeriod period) =>
        new(reading.Value, period, default, default);
}

/// <summary>Keeps the largest value of a period. Its receipts name the value read, which is what a duplicate can repeat.</summary>
internal sealed class MaxMeterState(Meter meter) : MeterState(meter)
{
    public override MeterChange Add(
        in MeterReading reading, UInt128 keyHash, in EventPlace at, BillingPeriod period, AccountCalendar calendar)
    {
        var usage = In(period);
        usage.EventCount++;
        if (reading.Value > usage.Quantity) usage.Quantity = reading.Value;
        return new(reading.Value, period, default, default);
    }

    public override MeterChange FirstChange(in MeterReading reading, UInt128 keyHash, in EventPlace at, BillingPeriod period) =>
        new(reading.Value, period, default, default);
}
