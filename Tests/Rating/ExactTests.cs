using System.Globalization;
using System.Numerics;
using Billing.Rating;
using FsCheck.Fluent;

namespace Billing.Tests.Rating;

public sealed class ExactTests
{
    private static readonly BigInteger Unit = BigInteger.Pow(10, Quantity.MaxPlaces);

    [Fact]
    public void QuantitiesAndPrices_CalculateLikeWholeNumbersOfTheirLastPlace() =>
        Prop.ForAll(QuantityTests.Quantities, Generated.Number(int.MaxValue), Generated.Number(13), (digits, mantissa, places) =>
        {
            // A price of up to 12 places: mantissa × 10^-places.
            var price = new decimal(mantissa, 0, 0, false, (byte)places);
            var (quantity, exact) = QuantityTests.From(digits);
            var power = BigInteger.Pow(10, places);

            var product = Exact.Of(quantity) * Exact.Of(price);
            var sum = Exact.Of(quantity) + Exact.Of(price);
            var difference = Exact.Of(price) - Exact.Of(quantity);

            Assert.Equal(HalfToEven.Of(exact * mantissa, Unit * power), product.RoundHalfToEven());
            Assert.Equal(HalfToEven.Of((exact * power) + (mantissa * Unit), Unit * power), sum.RoundHalfToEven());
            Assert.Equal(HalfToEven.Of((mantissa * Unit) - (exact * power), Unit * power), difference.RoundHalfToEven());
            Assert.Equal((exact * power).CompareTo(mantissa * Unit), Math.Sign(Exact.Of(quantity).CompareTo(Exact.Of(price))));
            Assert.Equal(Exact.Of(quantity), sum - Exact.Of(price));
        }).Holds();

    // Goal: no fraction is lost. Method: calculate with numerators over one common denominator.
    [Fact]
    public void Fractions_CalculateLikeNumeratorsOfACommonDenominator() =>
        Prop.ForAll(Generated.Number(100_000), Generated.Number(100_000), Generated.Number(5_000), (first, second, third) =>
        {
            var (left, right, whole) = (first - 50_000, second - 50_000, third + 1);
            var (a, b) = (Exact.Fraction(left, whole), Exact.Fraction(right, whole));

            Assert.Equal(Exact.Fraction(left + right, whole), a + b);
            Assert.Equal(Exact.Fraction(left - right, whole), a - b);
            Assert.Equal(HalfToEven.Of((BigInteger)left * right, (BigInteger)whole * whole), (a * b).RoundHalfToEven());
            Assert.Equal(HalfToEven.Of(left, whole), a.RoundHalfToEven());
            Assert.Equal(left.CompareTo(right), a.CompareTo(b));
            Assert.Equal(left == right, a.Equals(b));
            Assert.Equal((left == 0, left > 0), (a.IsZero, a.IsPositive));
            Assert.Equal(Exact.Of(left), a * Exact.Of(whole));
        }).Holds();

    [Fact]
    public void TheSameNumber_IsEqualHoweverItCameAbout()
    {
        Exact[] halves = [Exact.Of(0.5m), Exact.Of(0.500m), Exact.Fraction(1, 2), Exact.Fraction(1_296_000, 2_592_000), Exact.Fraction(1, 3) + Exact.Fraction(1, 6)];
        Exact[] nothings = [Exact.Zero, default, Exact.Of(0), Exact.Fraction(0, 7), Exact.Of(0.000m), Exact.Fraction(1, 3) - Exact.Fraction(1, 3)];

        Assert.All(halves, half => Assert.Equal((halves[0], halves[0].GetHashCode()), (half, half.GetHashCode())));
        Assert.All(nothings, nothing => Assert.Equal((Exact.Zero, Exact.Zero.GetHashCode()), (nothing, nothing.GetHashCode())));
        Assert.NotEqual(Exact.Of(1), Exact.Fraction(1, 2));
        Assert.NotEqual(Exact.Of(3), Exact.Of(2));
        Assert.False(Exact.Of(1).Equals((object)1));
        Assert.True(Exact.Of(1).Equals((object)Exact.Fraction(7, 7)));
    }

    [Fact]
    public void APartOfNothing_IsNoNumber()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => Exact.Fraction(1, 0));
        Assert.Throws<ArgumentOutOfRangeException>(() => Exact.Fraction(1, -2));
    }

    [Theory]
    [InlineData(0, 100, 0)]
    [InlineData(1, 100, 1)]
    [InlineData(100, 100, 1)]
    [InlineData(101, 100, 2)]
    [InlineData(200, 100, 2)]
    public void ABlock_IsStartedByItsFirstTrace(int units, int size, int blocks)
    {
        Assert.Equal(blocks, Exact.Of(units).StartedBlocksOf(Exact.Of(size)));
        Assert.Equal(blocks, Exact.Fraction(units, 7).StartedBlocksOf(Exact.Fraction(size, 7)));
        Assert.Equal(blocks, (Exact.Of(units) * Exact.Of(0.1m)).StartedBlocksOf(Exact.Of(size) * Exact.Of(0.1m)));
    }

    [Theory]
    [InlineData(0, 0)]
    [InlineData(5, 0)] // 0.5
    [InlineData(6, 1)]
    [InlineData(14, 1)]
    [InlineData(15, 2)] // 1.5
    [InlineData(25, 2)] // 2.5
    [InlineData(-5, 0)]
    [InlineData(-15, -2)]
    [InlineData(-25, -2)]
    [InlineData(-26, -3)]
    public void Tenths_RoundHalfToEven(int tenths, int whole) =>
        Assert.Equal(whole, (int)Exact.Of(new decimal(int.Abs(tenths), 0, 0, tenths < 0, 1)).RoundHalfToEven());

    [Theory]
    [InlineData("1.50", "1.5")]
    [InlineData("-0.0005", "-0.0005")]
    [InlineData("1000", "1000")]
    [InlineData("0.000", "0")]
    [InlineData("0.0000000000000000000000000001", "0.0000000000000000000000000001")] // 28 places, and all are shown
    public void ADecimalWithAnEnd_IsWrittenInFullWithoutTrailingZeros(string price, string text)
    {
        var exact = Exact.Of(decimal.Parse(price, CultureInfo.InvariantCulture));

        Assert.Equal(text, exact.ToString());
        Assert.Equal(text, exact.ToWords());
    }

    [Theory]
    [InlineData(1, 8, "0.125", "0.125")]
    [InlineData(1, 3125, "0.00032", "0.00032")]
    [InlineData(1, 4_294_967_296, "0.00000000023283064365386962890625", "0.00000000023283064365386962890625")] // 2^-32: 32 places, an end
    [InlineData(1, 3, "0.333333333333", "0.333333333333 (1/3)")]
    [InlineData(2, 3, "0.666666666667", "0.666666666667 (2/3)")]
    [InlineData(-2, 3, "-0.666666666667", "-0.666666666667 (-2/3)")]
    [InlineData(200 * 864_000L, 2_592_000, "66.666666666667", "66.666666666667 (200/3)")]
    [InlineData(1, 30, "0.033333333333", "0.033333333333 (1/30)")]
    [InlineData(29_999_999_999_999, 30_000_000_000_000, "1", "1 (29999999999999/30000000000000)")] // the shown places are all nought
    [InlineData(-1, 30_000_000_000_000, "0", "0 (-1/30000000000000)")] // no minus on nothing
    public void AFraction_IsShownAsADecimalAndNamedWhenThatHasNoEnd(long part, long whole, string text, string words)
    {
        Assert.Equal(text, Exact.Fraction(part, whole).ToString());
        Assert.Equal(words, Exact.Fraction(part, whole).ToWords());
    }

    // Goal: any price is read exactly. Method: all bit patterns a decimal has, compared by text.
    [Fact]
    public void AnyDecimal_IsReadExactly()
    {
        var random = new Random(20260301);
        for (var i = 0; i < 2_000; i++)
        {
            var value = new decimal(random.Next(int.MinValue, int.MaxValue), random.Next(int.MinValue, int.MaxValue), random.Next(int.MinValue, int.MaxValue), random.Next(2) == 0, (byte)random.Next(29));
            var text = value.ToString(CultureInfo.InvariantCulture);
            if (text.Contains('.')) text = text.TrimEnd('0').TrimEnd('.');

            Assert.Equal(text is "-0" ? "0" : text, Exact.Of(value).ToString());
        }
    }
}
