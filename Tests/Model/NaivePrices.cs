using System.Numerics;

namespace Billing.Tests.Model;

/// <summary>
/// What the billing rules say that plans cost. It shares no code with the product. Quantities are whole numbers of 10^-28 units,
/// amounts of minor units.
/// </summary>
/// <param name="currency">ISO 4217.</param>
internal sealed class NaivePrices(string currency)
{
    private static readonly BigInteger PriceParts = BigInteger.Pow(10, 12);

    private BigInteger MinorPerMajor => currency switch { "JPY" => 1, "KWD" => 1000, _ => 100 };

    /// <summary>The base prices of stretches that tile a period, each accrued to the second and rounded.</summary>
    public long BaseOf(BillingPeriod period, IEnumerable<(DateTimeOffset From, DateTimeOffset To, ModelPlan Plan)> stretches) => stretches
        .Where(s => !s.Plan.Yearly)
        .Sum(s => Accrued(s.Plan, period, s.To) - Accrued(s.Plan, period, s.From));

    /// <summary>What a quantity costs on the last plan over the sum of what all stretches include.</summary>
    public long Overage(BigInteger quantity, string meter, BillingPeriod period, IReadOnlyList<(DateTimeOffset From, DateTimeOffset To, ModelPlan Plan)> stretches)
    {
        if (stretches[^1].Plan.Prices.GetValueOrDefault(meter) is not { } price) return 0;
        var seconds = Seconds(period.Start, period.End);
        var over = (quantity * seconds) - Included(meter, stretches);
        return over.Sign <= 0 ? 0 : (long)HalfToEven(PartsOf(price, over, NaiveUsage.One * seconds) * MinorPerMajor, NaiveUsage.One * seconds * PriceParts);
    }

    /// <summary>What all stretches include of a meter, in units of 10^-28 by the seconds of the period.</summary>
    public static BigInteger Included(string meter, IEnumerable<(DateTimeOffset From, DateTimeOffset To, ModelPlan Plan)> stretches) => stretches
        .Aggregate(BigInteger.Zero, (sum, s) => sum + (Scaled(s.Plan.Included.GetValueOrDefault(meter), NaiveUsage.One) * Seconds(s.From, s.To)));

    public static BigInteger Seconds(DateTimeOffset from, DateTimeOffset to) => (to - from).Ticks / TimeSpan.TicksPerSecond;

    public static BigInteger Scaled(decimal value, BigInteger one) => new BigInteger(value * 1_000_000_000_000m) * one / PriceParts;

    private long Accrued(ModelPlan plan, BillingPeriod period, DateTimeOffset to) =>
        (long)HalfToEven(plan.Base * MinorPerMajor * Seconds(period.Start, to), Seconds(period.Start, period.End));

    // Units over the allowance, `one` of them to a unit, by the price in 10^-12 major units.
    private static BigInteger PartsOf(ModelPrice price, BigInteger over, BigInteger one)
    {
        switch (price)
        {
            case ModelPrice.PerUnit each:
                return over * Parts(each.Price);
            case ModelPrice.Package package:
                var blocks = (over + (package.Size * one) - 1) / (package.Size * one);
                return blocks * one * Parts(package.Price);
            case ModelPrice.Tiered { Volume: true } volume:
                var all = volume.UpTo.TakeWhile(end => over > end * one).Count();
                return over * Parts(volume.Prices[all]);
            default:
                var graduated = (ModelPrice.Tiered)price;
                var (sum, floor) = (BigInteger.Zero, BigInteger.Zero);
                for (var i = 0; i < graduated.Prices.Length && floor < over; i++)
                {
                    var end = i < graduated.UpTo.Length ? BigInteger.Min(over, graduated.UpTo[i] * one) : over;
                    sum += (end - floor) * Parts(graduated.Prices[i]);
                    floor = end;
                }

                return sum;
        }
    }

    private static BigInteger Parts(decimal price) => Scaled(price, PriceParts);

    private static BigInteger HalfToEven(BigInteger above, BigInteger below)
    {
        var whole = BigInteger.Divide(above, below);
        var twice = 2 * (above - (whole * below));
        return twice > below || (twice == below && !whole.IsEven) ? whole + 1 : whole;
    }
}
