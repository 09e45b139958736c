using System.Collections.Immutable;
using System.Numerics;
using Billing.Invoices;
using Billing.Plans;
using Billing.Rating;
using FsCheck.Fluent;

namespace Billing.Tests.Rating;

/// <summary>Rating over the allowances of a period's stretches, which are seldom decimals.</summary>
public sealed class StretchRatingTests
{
    private static readonly Allowance AThirdOf200 = Allowance.Of(Quantity.Of(200), 864_000, 2_592_000);

    [Theory]
    [InlineData(66, 0)]
    [InlineData(67, 27)] // 1/3 × 0.80 = 26.66… cents
    [InlineData(100, 2667)] // 33 1/3 × 0.80 = 2,666.66… cents
    public void UnitsOverAFractionOfAnAllowance_ArePricedToTheLastThird(int used, long cents) =>
        Assert.Equal(cents, Rater.Rate(Quantity.Of(used), AThirdOf200, new Price.PerUnit(0.80m), "USD").AmountMinor);

    // Shown to 12 places a third is below a third, and the half would be missed.
    [Theory]
    [InlineData("0.015", 0)] // a third of 1.5 cents is half a cent, to the even 0
    [InlineData("0.045", 2)] // 1.5 cents, to the even 2
    [InlineData("0.075", 2)] // 2.5 cents, to the even 2
    public void ThirdsThatComeToAHalf_GoToTheEvenNeighbour(string price, long cents) =>
        Assert.Equal(cents, Rater.Rate(Quantity.Of(67), AThirdOf200, new Price.PerUnit(Decimal(price)), "USD").AmountMinor);

    [Fact]
    public void ThirdsThatMakeAWhole_BeginNoFurtherBlock()
    {
        var allowance = AThirdOf200 + Allowance.Of(Quantity.Of(50), 1_728_000, 2_592_000);

        // 66 2/3 + 33 1/3 = 100 are free; 100 more are one block to the brim.
        var rated = Rater.Rate(Quantity.Of(200), allowance, new Price.Package(Quantity.Of(100), 40m), "USD");

        Assert.Equal(4000, rated.AmountMinor);
    }

    [Fact]
    public void ThirdsThatMakeATierFull_StayInIt()
    {
        ImmutableArray<Tier> tiers = [new(Quantity.Of(50), 0.405m), new(null, 0.355m)];
        var allowance = AThirdOf200 + Allowance.Of(Quantity.Of(50), 1_728_000, 2_592_000);

        Assert.Equal(2025, Rater.Rate(Quantity.Of(150), allowance, new Price.Volume(tiers), "USD").AmountMinor);
        Assert.Equal(["100", "50"], Rater.Rate(Quantity.Of(150), allowance, new Price.Graduated(tiers), "USD").Steps.Select(s => s.Quantity));
    }

    [Fact]
    public void Steps_ShowThirdsToTwelvePlacesAndNameThem()
    {
        var rated = Rater.Rate(Quantity.Of(100), AThirdOf200, new Price.PerUnit(0.80m), "USD");

        Assert.Equal(
            (ArithmeticStep[])[
                new("66.666666666667", "0", "0", "66.666666666667 of 66.666666666667 included: 200 x 864000/2592000 seconds of the period"),
                new("33.333333333333", "0.8", "2666.666666666667", "33.333333333333 (100/3) over the allowance at 0.8 USD"),
            ],
            rated.Steps);
    }

    [Fact]
    public void Steps_NameEachStretchAndTheFractionWithinATier()
    {
        var allowance = AThirdOf200 + Allowance.Of(Quantity.Of(50), 864_000, 2_592_000);

        var rated = Rater.Rate(Quantity.Of(100), allowance, new Price.Graduated([new(Quantity.Of(10), 0.5m), new(null, 0.25m)]), "USD");

        Assert.Equal(
            [
                "83.333333333333 of 83.333333333333 included: 200 x 864000/2592000 + 50 x 864000/2592000 seconds of the period",
                "10 over the allowance for up to 10 at 0.5 USD",
                "6.666666666667 (20/3) over the allowance above the last tier at 0.25 USD",
            ],
            rated.Steps.Select(s => s.Text));
    }

    [Fact]
    public void UsageBelowTheAllowance_IsAllFree()
    {
        var rated = Rater.Rate(Quantity.Of(66), AThirdOf200, new Price.PerUnit(0.80m), "USD");

        Assert.Equal(
            (ArithmeticStep[])[new("66", "0", "0", "66 of 66.666666666667 included: 200 x 864000/2592000 seconds of the period")],
            rated.Steps);
    }

    [Fact]
    public void StretchesOnOnePlan_CostWhatTheWholePeriodCosts() =>
        Prop.ForAll(Prices, Generated.SomeNumbers(100), Generated.Number(400), (price, lengths, used) =>
        {
            var seconds = lengths.Sum() + 1;
            var stretches = lengths.Append(1).Select(length => Allowance.Of(Quantity.Of(20), length, seconds));

            var rated = Rater.Rate(Quantity.Of(used), stretches.Aggregate(Allowance.None, (sum, next) => sum + next), price, "USD");

            Assert.Equal(Rater.Rate(Quantity.Of(used), Quantity.Of(20), price, "USD").AmountMinor, rated.AmountMinor);
        }).Holds();

    // Goal: the amount is what the price list says, whatever the allowance's fraction. Method: cut each unit into as many grains
    // as the period has seconds, so that an allowance is whole grains, and pay grain by grain.
    [Fact]
    public void AnyPrice_CostsWhatItsGrainsCost() =>
        Prop.ForAll(Prices, Generated.Number(30), Generated.Numbers(60), (price, length, numbers) =>
        {
            var seconds = length + 1;
            var used = numbers.Sum();
            var (first, second) = (numbers.ElementAtOrDefault(0), numbers.ElementAtOrDefault(1));
            var cut = first % (seconds + 1);
            var allowance = Allowance.Of(Quantity.Of(first), cut, seconds) + Allowance.Of(Quantity.Of(second), seconds - cut, seconds);

            foreach (var (currency, places) in new[] { ("JPY", 0), ("USD", 2), ("KWD", 3), ("CLF", 4) })
            {
                var over = (used * seconds) - (first * cut) - (second * (seconds - cut));
                var cost = over <= 0 ? 0 : CostOfGrains(price, over, seconds);

                var rated = Rater.Rate(Quantity.Of(used), allowance, price, currency);

                Assert.Equal(HalfToEven.Of(cost * BigInteger.Pow(10, places), (BigInteger)seconds * TenThousand), rated.AmountMinor);
            }
        }).Holds();

    private const int TenThousand = 10_000;

    // In major units × grains of a unit × 10,000, so that a price of four places is whole.
    private static BigInteger CostOfGrains(Price price, int grains, int grainsOfUnit)
    {
        var cost = BigInteger.Zero;
        switch (price)
        {
            case Price.PerUnit each:
                for (var grain = 1; grain <= grains; grain++) cost += (int)(each.UnitPrice * TenThousand);
                break;

            case Price.Graduated graduated:
                for (var grain = 1; grain <= grains; grain++) cost += PriceAt(graduated.Tiers, grain);
                break;

            case Price.Volume volume:
                for (var grain = 1; grain <= grains; grain++) cost += PriceAt(volume.Tiers, grains);
                break;

            case Price.Package package:
                for (var paid = 0; paid < grains; paid += (int)package.Size.Whole * grainsOfUnit)
                    cost += (BigInteger)(int)(package.PackagePrice * TenThousand) * grainsOfUnit;
                break;
        }

        return cost;

        int PriceAt(ImmutableArray<Tier> tiers, int grain)
        {
            foreach (var tier in tiers)
                if (tier.UpTo is not { } upTo || grain <= (int)upTo.Whole * grainsOfUnit) return (int)(tier.UnitPrice * TenThousand);
            throw new InvalidOperationException("The last tier has no end.");
        }
    }

    // All four models; a price has up to four places, a tier up to 60 units.
    private static FsCheck.Arbitrary<Price> Prices =>
        FsCheck.Fluent.Arb.From(
            from model in Gen.Choose(0, 3)
            from price in Gen.Choose(0, 20_000)
            from size in Gen.Choose(1, 60)
            from widths in Gen.Choose(1, 60).ArrayOf()
            from prices in Gen.Choose(0, 20_000).ArrayOf(widths.Length + 1)
            let bounds = widths.Select((_, index) => (Quantity?)Quantity.Of(widths.Take(index + 1).Sum())).Append(null)
            let tiers = bounds.Zip(prices, (upTo, unit) => new Tier(upTo, unit / (decimal)TenThousand)).ToImmutableArray()
            select model switch
            {
                0 => new Price.PerUnit(price / (decimal)TenThousand),
                1 => new Price.Package(Quantity.Of(size), price / (decimal)TenThousand),
                2 => new Price.Graduated(tiers),
                _ => (Price)new Price.Volume(tiers),
            });

    private static decimal Decimal(string text) => decimal.Parse(text, System.Globalization.CultureInfo.InvariantCulture);
}
