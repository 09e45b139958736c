using Billing.Lifecycle;

namespace Billing.Metering;

/// <summary>Counts sessions: events of one key whose distance is at most the gap of the earlier one count once together.</summary>
internal sealed class SessionMeterState(Meter meter, CountOnceWindow.Session session, EventIdPool ids) : MeterState(meter)
{
    public SessionTimelines Timelines { get; } = new(ids);

    public override MeterChange Add(
        in MeterReading reading, UInt128 keyHash, in EventPlace at, BillingPeriod period, AccountCalendar calendar)
    {
        var usage = In(period);
        usage.EventCount++;
        var inserted = Timelines.Insert(keyHash, at, reading.GapSeconds);
        var own = inserted.Starts ? 1 : 0;
        if (inserted.NextDelta != 0)
        {
            calendar.TryPeriodOf(inserted.NextTimeTicks, out var nextPeriod);
            if (nextPeriod.Start == period.Start)
            {
                own += inserted.NextDelta;
            }
            else
            {
                In(nextPeriod).Quantity += Quantity.Of(inserted.NextDelta);
                Timelines.RememberFirstChange(inserted.Node, own, inserted.NextDelta, nextPeriod);
                usage.Quantity += Quantity.Of(own);
                return new(Quantity.Of(own), period, Quantity.Of(inserted.NextDelta), nextPeriod);
            }
        }

        Timelines.RememberFirstChange(inserted.Node, own);
        usage.Quantity += Quantity.Of(own);
        return new(Quantity.Of(own), period, default, default);
    }

    public override MeterChange FirstChange(in MeterReading reading, UInt128 keyHash, in EventPlace at, BillingPeriod period)
    {
        var (own, other, otherPeriod) = Timelines.FirstChange(keyHash, at);
        return new(Quantity.Of(own), period, Quantity.Of(other), otherPeriod);
    }

    public override void Forget(long windowStart) => Timelines.Forget(windowStart - session.LongestGap.Ticks);
}
