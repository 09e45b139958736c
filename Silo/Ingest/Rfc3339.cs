namespace Billing.Silo.Ingest;

/// <summary>A point in time as an event states it, with every digit.</summary>
/// <param name="UtcTicks">100 ns since 0001-01-01 UTC, rounded down, kept inside the years 1 to 9999.</param>
/// <param name="ExactTicks">The same where no year bounds it, so that two times outside the bounds still differ.</param>
/// <param name="BelowTick">What lies below a tick, in 10^-32 s.</param>
internal readonly record struct ExactTime(long UtcTicks, long ExactTicks, UInt128 BelowTick);

/// <summary>Reads times as RFC 3339 writes them.</summary>
internal static class Rfc3339
{
    /// <summary>The most digits a fraction of a second may have.</summary>
    public const int FractionDigitsMax = 32;

    private const int TickDigits = 7;
    private const int DateTimeLength = 19;
    private const int MinutesPerDay = 1_440;

    /// <summary>Days from 0000-03-01 to 0001-01-01, which is tick 0.</summary>
    private const int DaysToYearOne = 306;

    private static readonly UInt128[] TenTo = PowersOfTen();

    /// <summary>
    /// Reads a time: a four-digit year, <c>T</c> or <c>t</c>, any offset or <c>Z</c> or <c>z</c>, a fraction of up to 32 digits.
    /// </summary>
    /// <returns>Whether the text is such a time, and the day and hour exist.</returns>
    /// <remarks>
    /// A leap second, :60 at 23:59 UTC, is the first instant of the next minute, whatever its fraction; the fraction stays
    /// in <see cref="ExactTime.BelowTick"/>.
    /// </remarks>
    public static bool TryParse(ReadOnlySpan<byte> utf8, out ExactTime time)
    {
        time = default;
        if (utf8.Length <= DateTimeLength
            || !TryDigits(utf8[..4], out var year) || utf8[4] != '-'
            || !TryDigits(utf8[5..7], out var month) || utf8[7] != '-'
            || !TryDigits(utf8[8..10], out var day) || (utf8[10] | 0x20) != 't'
            || !TryDigits(utf8[11..13], out var hour) || utf8[13] != ':'
            || !TryDigits(utf8[14..16], out var minute) || utf8[16] != ':'
            || !TryDigits(utf8[17..19], out var second))
        {
            return false;
        }

        if (month is < 1 or > 12 || day < 1 || day > DaysInMonth(year, month) || hour > 23 || minute > 59 || second > 60)
            return false;

        var rest = utf8[DateTimeLength..];
        if (!TryFraction(ref rest, out var fractionTicks, out var belowTick) || !TryOffset(rest, out var offsetMinutes))
            return false;

        var utcMinute = ((DaysSinceYearOne(year, month, day) * MinutesPerDay) + (hour * 60) + minute) - offsetMinutes;
        if (second == 60)
        {
            if ((((utcMinute + 1) % MinutesPerDay) + MinutesPerDay) % MinutesPerDay != 0)
                return false;

            // Above all that a fraction of an ordinary second leaves below a tick: it must not meet one.
            var fraction = ((UInt128)fractionTicks * TenTo[FractionDigitsMax - TickDigits]) + belowTick;
            belowTick = fraction == 0 ? 0 : fraction + TenTo[FractionDigitsMax];
            fractionTicks = 0;
        }

        var ticks = (utcMinute * TimeSpan.TicksPerMinute) + (second * TimeSpan.TicksPerSecond) + fractionTicks;
        time = new ExactTime(Math.Clamp(ticks, DateTime.MinValue.Ticks, DateTime.MaxValue.Ticks), ticks, belowTick);
        return true;
    }

    private static bool TryFraction(ref ReadOnlySpan<byte> rest, out long ticks, out UInt128 belowTick)
    {
        ticks = 0;
        belowTick = 0;
        if (rest[0] != '.')
            return true;

        var digits = rest[1..].IndexOfAnyExceptInRange((byte)'0', (byte)'9');
        if (digits is < 1 or > FractionDigitsMax)
            return false;

        for (var i = 1; i <= TickDigits; i++)
            ticks = (ticks * 10) + (i <= digits ? rest[i] - '0' : 0);

        if (digits > TickDigits)
        {
            for (var i = TickDigits + 1; i <= digits; i++)
                belowTick = (belowTick * 10) + (UInt128)(rest[i] - '0');

            belowTick *= TenTo[FractionDigitsMax - digits];
        }

        rest = rest[(digits + 1)..];
        return true;
    }

    private static bool TryOffset(ReadOnlySpan<byte> text, out int minutes)
    {
        minutes = 0;
        if (text.Length == 1)
            return (text[0] | 0x20) == 'z';

        if (text.Length != 6 || text[0] is not ((byte)'+' or (byte)'-') || text[3] != ':'
            || !TryDigits(text[1..3], out var hours) || !TryDigits(text[4..6], out minutes) || hours > 23 || minutes > 59)
        {
            return false;
        }

        minutes += hours * 60;
        if (text[0] == '-')
            minutes = -minutes;

        return true;
    }

    private static bool TryDigits(ReadOnlySpan<byte> text, out int number)
    {
        number = 0;
        foreach (var character in text)
        {
            if (character is < (byte)'0' or > (byte)'9')
                return false;

            number = (number * 10) + (character - '0');
        }

        return true;
    }

    private static UInt128[] PowersOfTen()
    {
        var powers = new UInt128[FractionDigitsMax + 1];
        powers[0] = 1;
        for (var i = 1; i < powers.Length; i++)
            powers[i] = powers[i - 1] * 10;

        return powers;
    }

    private static int DaysInMonth(int year, int month) => month switch
    {
        2 => year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28,
        4 or 6 or 9 or 11 => 30,
        _ => 31,
    };

    /// <summary>Counts with years that begin in March, so that the leap day is their last. The year 0 is before day 0.</summary>
    private static long DaysSinceYearOne(int year, int month, int day)
    {
        var monthFromMarch = (month + 9) % 12;
        var marchYear = month <= 2 ? year - 1 : year;

        // 400 years are 146,097 days; added so that the division below never sees a negative year.
        marchYear += 400;
        return (365L * marchYear) + (marchYear / 4) - (marchYear / 100) + (marchYear / 400)
            + (((153 * monthFromMarch) + 2) / 5) + day - 1 - DaysToYearOne - 146_097;
    }
}
