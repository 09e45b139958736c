using System.Collections.Immutable;
using System.Globalization;
using Billing.Invoices;

namespace Billing.Rating;

/// <summary>
/// What a part of a billing period costs and gives. A fee accrues evenly over the seconds of its period; a part costs what has
/// accrued by its end less what has accrued by its start, each rounded, so parts that tile a period always add up to the fee.
/// </summary>
/// <remarks>Instants count to the second: a fraction of one is dropped. Before the period nothing has accrued, after it the whole fee.</remarks>
internal static class Proration
{
    /// <summary>What has accrued of a fee.</summary>
    /// <param name="feeMinor">The fee of the whole period, in minor units; negative for a credit.</param>
    /// <param name="period">What the fee pays for; at least a second long.</param>
    /// <param name="at">By when.</param>
    /// <returns>Minor units: fee × seconds elapsed / seconds of the period, rounded half to even; between nothing and the fee.</returns>
    public static long Accrued(long feeMinor, BillingPeriod period, DateTimeOffset at) =>
        (long)(Exact.Of(feeMinor) * Exact.Fraction(Elapsed(period, at), Seconds(period))).RoundHalfToEven();

    /// <summary>The part of a fee for the time from <paramref name="from"/>, included, to <paramref name="to"/>, excluded.</summary>
    /// <param name="feeMinor">The fee of the whole period, in minor units; negative for a credit.</param>
    /// <param name="period">What the fee pays for; at least a second long.</param>
    /// <param name="from">The first instant of the part.</param>
    /// <param name="to">The first instant after the part, not before <paramref name="from"/>.</param>
    /// <returns>Minor units: the difference of the two accruals.</returns>
    public static long Of(long feeMinor, BillingPeriod period, DateTimeOffset from, DateTimeOffset to)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(to, from);
        return Accrued(feeMinor, period, to) - Accrued(feeMinor, period, from);
    }

    /// <summary>The part of an allowance for the time from <paramref name="from"/>, included, to <paramref name="to"/>, excluded; not rounded.</summary>
    /// <param name="included">The allowance of the whole period, in the meter's unit; zero or more.</param>
    /// <param name="period">The period the allowance is for; at least a second long.</param>
    /// <param name="from">The first instant of the part.</param>
    /// <param name="to">The first instant after the part, not before <paramref name="from"/>.</param>
    public static Allowance Included(Quantity included, BillingPeriod period, DateTimeOffset from, DateTimeOffset to) =>
        Allowance.Of(included, Served(period, from, to), Seconds(period));

    /// <summary>The arithmetic of <see cref="Of"/>: the time served, then both accruals; the amounts add up to the part.</summary>
    /// <param name="feeMinor">The fee of the whole period, in minor units; negative for a credit.</param>
    /// <param name="period">What the fee pays for; at least a second long.</param>
    /// <param name="from">The first instant of the part.</param>
    /// <param name="to">The first instant after the part, not before <paramref name="from"/>.</param>
    /// <param name="currency">ISO 4217; the fee is in its minor unit.</param>
    public static ImmutableArray<ArithmeticStep> Steps(long feeMinor, BillingPeriod period, DateTimeOffset from, DateTimeOffset to, string currency)
    {
        var fee = Currencies.Format(feeMinor, currency);
        var served = Served(period, from, to).ToString(CultureInfo.InvariantCulture);
        return
        [
            new(served, "0", "0", $"{served} of {Seconds(period)} seconds of the period, which costs {fee}"),
            Step(1, "accrued", to),
            Step(-1, "less what had accrued", from),
        ];

        ArithmeticStep Step(int sign, string words, DateTimeOffset at)
        {
            var accrued = Accrued(feeMinor, period, at);
            var second = at.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);
            return new(
                sign.ToString(CultureInfo.InvariantCulture),
                Exact.Of(Currencies.ToMajor(accrued, currency)).ToString(),
                (Exact.Of(sign) * Exact.Of(accrued)).ToString(),
                $"{words} by {second}: {fee} x {Elapsed(period, at)}/{Seconds(period)}, rounded: {Currencies.Format(accrued, currency)}");
        }
    }

    private static long Served(BillingPeriod period, DateTimeOffset from, DateTimeOffset to)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(to, from);
        return Elapsed(period, to) - Elapsed(period, from);
    }

    private static long Elapsed(BillingPeriod period, DateTimeOffset at) =>
        long.Clamp(SecondOf(at) - SecondOf(period.Start), 0, Seconds(period));

    private static long Seconds(BillingPeriod period) => SecondOf(period.End) - SecondOf(period.Start);

    private static long SecondOf(DateTimeOffset instant) => instant.UtcTicks / TimeSpan.TicksPerSecond;
}
