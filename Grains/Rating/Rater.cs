using System.Collections.Immutable;
using System.Numerics;
using Billing.Invoices;
using Billing.Plans;

namespace Billing.Rating;

/// <summary>The price of a quantity: the rounded amount and the steps that lead to it.</summary>
/// <param name="AmountMinor">Minor units: the exact sum of the steps, rounded once, half to even.</param>
/// <param name="Steps">The steps, the allowance first.</param>
/// <param name="ExactMinor">Minor units: the sum of the steps before the rounding; the amount itself where it was cut.</param>
internal sealed record RatedUsage(long AmountMinor, ImmutableArray<ArithmeticStep> Steps, Exact ExactMinor);

/// <summary>Prices the usage of one meter in one billing period.</summary>
internal static class Rater
{
    /// <summary>The largest amount a line can bear, either way, in minor units; beyond it the amount stays here and the step says so.</summary>
    public const long MaxAmountMinor = 100_000_000_000_000_000;

    /// <summary>Prices a quantity on a plan that gave its whole allowance.</summary>
    /// <param name="quantity">The usage of the period, in the meter's unit; zero or more.</param>
    /// <param name="included">The allowance, in the meter's unit; free of charge.</param>
    /// <param name="price">What the units over the allowance cost.</param>
    /// <param name="currency">ISO 4217; its minor unit is that of the amount.</param>
    /// <returns>The amount in minor units, rounded half to even, and its steps.</returns>
    public static RatedUsage Rate(Quantity quantity, Quantity included, Price price, string currency) =>
        Rate(quantity, Allowance.Of(included), price, currency);

    /// <summary>Prices a quantity over an allowance that need be no decimal.</summary>
    /// <param name="quantity">The usage of the period, in the meter's unit; zero or more.</param>
    /// <param name="allowance">What the stretches of the period gave; free of charge.</param>
    /// <param name="price">What the units over the allowance cost.</param>
    /// <param name="currency">ISO 4217; its minor unit is that of the amount.</param>
    /// <returns>The amount in minor units, rounded half to even, and its steps.</returns>
    public static RatedUsage Rate(Quantity quantity, Allowance allowance, Price price, string currency)
    {
        var steps = ImmutableArray.CreateBuilder<ArithmeticStep>();
        var sum = Sum(quantity, allowance, price, currency, steps);
        var amount = sum.RoundHalfToEven();
        if (BigInteger.Abs(amount) <= MaxAmountMinor) return new((long)amount, steps.ToImmutable(), sum);

        steps.Add(new("1", "0", "0", $"The exact amount, {sum.ToWords()} in minor units, is beyond what one line can bear and was cut."));
        return new(amount.Sign * MaxAmountMinor, steps.ToImmutable(), Exact.Of(amount.Sign * MaxAmountMinor));
    }

    /// <summary>The amount of <see cref="Rate(Quantity, Allowance, Price, string)"/> alone.</summary>
    public static long AmountOf(Quantity quantity, Allowance allowance, Price price, string currency)
    {
        var amount = Sum(quantity, allowance, price, currency, null).RoundHalfToEven();
        return BigInteger.Abs(amount) <= MaxAmountMinor ? (long)amount : amount.Sign * MaxAmountMinor;
    }

    // The exact sum in minor units; its steps where somebody asks.
    private static Exact Sum(Quantity quantity, Allowance allowance, Price price, string currency, ImmutableArray<ArithmeticStep>.Builder? steps)
    {
        var minorPerMajor = Exact.Of(BigInteger.Pow(10, Currencies.PlacesOf(currency)));
        var sum = Exact.Zero;

        var used = Exact.Of(quantity);
        var included = allowance.Units;
        var over = used - included;
        var free = over.IsPositive ? included : used;
        if (!included.IsZero) steps?.Add(new(free.ToString(), "0", "0", $"{free} of {included} included{allowance.Origin()}"));

        if (over.IsPositive)
        {
            var excess = steps is null ? "" : $"{over.ToWords()} over the allowance";
            switch (price)
            {
                case Price.PerUnit each:
                    Add(over, each.UnitPrice, $"{excess} at {Text(each.UnitPrice)} {currency}");
                    break;

                case Price.Package package:
                    var blocks = Exact.Of(over.StartedBlocksOf(Exact.Of(package.Size)));
                    Add(blocks, package.PackagePrice, $"{excess}: {blocks} started blocks of {package.Size} at {Text(package.PackagePrice)} {currency}");
                    break;

                case Price.Volume volume:
                    var tier = volume.Tiers.First(t => t.UpTo is not { } upTo || over.CompareTo(Exact.Of(upTo)) <= 0);
                    Add(over, tier.UnitPrice, $"{excess}, all at the price {Range(tier)}, {Text(tier.UnitPrice)} {currency}");
                    break;

                case Price.Graduated graduated:
                    var floor = Exact.Zero;
                    foreach (var step in graduated.Tiers)
                    {
                        var ceiling = step.UpTo is { } upTo && Exact.Of(upTo).CompareTo(over) < 0 ? Exact.Of(upTo) : over;
                        var within = ceiling - floor;
                        if (!within.IsPositive) break;
                        Add(within, step.UnitPrice, $"{within.ToWords()} over the allowance {Range(step)} at {Text(step.UnitPrice)} {currency}");
                        floor = ceiling;
                    }

                    break;
            }
        }

        return sum;

        void Add(Exact units, decimal unitPrice, FormattableString text)
        {
            var exact = units * Exact.Of(unitPrice) * minorPerMajor;
            sum += exact;
            steps?.Add(new(units.ToString(), Text(unitPrice), exact.ToString(), FormattableString.Invariant(text)));
        }

        static string Text(decimal unitPrice) => Exact.Of(unitPrice).ToString();

        static string Range(Tier tier) => tier.UpTo is { } upTo ? $"for up to {upTo}" : "above the last tier";
    }
}
