namespace Billing.Rating;

/// <summary>What a part of a billing period costs. A fee accrues evenly over the seconds of its period.</summary>
/// <remarks>Instants count to the second: a fraction of one is dropped. Before the period nothing has accrued, after it the whole fee.</remarks>
internal static class Proration
{
    /// <summary>What has accrued of a fee.</summary>
    /// <param name="feeMinor">The fee of the whole period, in minor units; negative for a credit.</param>
    /// <param name="period">What the fee pays for; at least a second long.</param>
    /// <param name="at">By when.</param>
    /// <returns>Minor units: fee × seconds elapsed / seconds of the period, rounded half to even; between nothing and the fee.</returns>
    public static long Accrued(long feeMinor, BillingPeriod period, DateTimeOffset at)
    {
        var length = SecondOf(period.End) - SecondOf(period.Start);
        var elapsed = long.Clamp(SecondOf(at) - SecondOf(period.Start), 0, length);

        // Int128: a year of seconds times the largest line is more than a long holds.
        var (whole, rest) = Int128.DivRem((Int128)feeMinor * elapsed, length);
        var twice = Int128.Abs(rest) * 2;
        var away = twice > length || (twice == length && !Int128.IsEvenInteger(whole));
        return (long)(away ? whole + long.Sign(feeMinor) : whole);
    }

    private static long SecondOf(DateTimeOffset instant) => instant.UtcTicks / TimeSpan.TicksPerSecond;
}
