using System.Numerics;

namespace Billing.Metering;

/// <summary>
/// The usage of one meter by the days of the last four weeks, and what goes on like that comes to. A day is a UTC day of the events' own
/// times; what a canceller takes away counts on the day of the canceller, and what an event takes over from a
/// later one that came before it stays on that one's day. So it may differ a little by the order in which events came, as the usage itself never does. Kept in millionths of the meter's unit, for forecasts alone.
/// </summary>
internal sealed class DailyUsage
{
    /// <summary>How many days are kept.</summary>
    public const int Days = 28;

    private const int DaysOfWeek = 7;

    private const long Millionths = 1_000_000;
    private const long UnitsMax = 9_000_000_000_000;
    private static readonly Int128 FractionPerMillionth = Int128.Parse("1" + new string('0', Quantity.MaxPlaces - 6), System.Globalization.CultureInfo.InvariantCulture);

    // Most meters of most accounts have no usage.
    private (int Day, long Millionths)[] _days = [];

    /// <summary>Adds what an event changed. What is older than the days that are kept changes nothing.</summary>
    /// <param name="timeTicks">Its time, UTC ticks.</param>
    /// <param name="change">In the meter's unit; below zero for what was taken away.</param>
    public void Add(long timeTicks, Quantity change)
    {
        if (_days.Length == 0) _days = new (int, long)[Days];
        var day = (int)(timeTicks / TimeSpan.TicksPerDay);
        var added = (Int128.Clamp(change.Whole, -UnitsMax, UnitsMax) * Millionths) + (change.Fraction / FractionPerMillionth);
        ref var kept = ref _days[day % Days];
        if (kept.Day == day) kept.Millionths = (long)Int128.Clamp(kept.Millionths + added, long.MinValue, long.MaxValue);
        else if (kept.Day < day) kept = (day, (long)added);
    }

    /// <summary>
    /// What the time from an instant to another adds if each day of the week is like those before it; null when less than a whole week is
    /// behind. Rounded down to whole units.
    /// </summary>
    /// <param name="since">From when on there could be usage.</param>
    /// <param name="from">Now.</param>
    /// <param name="to">The end, at or after now.</param>
    public Quantity? Expected(DateTimeOffset since, DateTimeOffset from, DateTimeOffset to)
    {
        var today = (int)(from.UtcTicks / TimeSpan.TicksPerDay);
        var first = int.Max((int)((since.UtcTicks + TimeSpan.TicksPerDay - 1) / TimeSpan.TicksPerDay), today - Days + 1);
        if (today - first < DaysOfWeek) return null;

        var (sums, counts, ticks) = (new BigInteger[DaysOfWeek], new int[DaysOfWeek], new long[DaysOfWeek]);
        for (var day = first; day < today; day++)
        {
            counts[day % DaysOfWeek]++;
            if (_days.Length > 0 && _days[day % Days] is var kept && kept.Day == day) sums[day % DaysOfWeek] += kept.Millionths;
        }

        for (var at = from.UtcTicks; at < to.UtcTicks;)
        {
            var day = at / TimeSpan.TicksPerDay;
            var end = long.Min((day + 1) * TimeSpan.TicksPerDay, to.UtcTicks);
            ticks[day % DaysOfWeek] += end - at;
            at = end;
        }

        // One division at the end: the common multiple of the counts is small.
        var multiple = counts.Aggregate(BigInteger.One, static (all, count) => all * count / BigInteger.GreatestCommonDivisor(all, count));
        var sum = BigInteger.Zero;
        for (var day = 0; day < DaysOfWeek; day++) sum += sums[day] * ticks[day] * (multiple / counts[day]);
        var whole = sum / (multiple * TimeSpan.TicksPerDay * Millionths);
        return whole.Sign <= 0 ? Quantity.Zero : whole > long.MaxValue ? null : Quantity.Of((long)whole);
    }

    /// <summary>Writes the days that are kept.</summary>
    public void Write(SnapshotWriter writer)
    {
        var kept = _days.Where(d => d.Day != 0).OrderBy(d => d.Day).ToList();
        writer.Byte((byte)kept.Count);
        foreach (var (day, millionths) in kept)
        {
            writer.Int(day);
            writer.Long(millionths);
        }
    }

    /// <summary>Reads what <see cref="Write"/> wrote.</summary>
    public void Read(ref SnapshotReader reader)
    {
        var left = reader.Byte();
        if (left > 0) _days = new (int, long)[Days];
        for (; left > 0; left--)
        {
            var day = reader.Int();
            _days[day % Days] = (day, reader.Long());
        }
    }
}
