using System.Collections.Immutable;
using System.Globalization;
using Billing.Plans;
using Billing.Rating;
using FsCheck.Fluent;

namespace Billing.Tests.Rating;

public sealed class RaterTests
{
    private static readonly ImmutableArray<Tier> Tiers = [new(Quantity.Of(50), 0.405m), new(null, 0.355m)];

    [Theory]
    [InlineData("0", 0)]
    [InlineData("49", 0)]
    [InlineData("50", 0)]
    [InlineData("51", 40)] // 1 × 0.40
    [InlineData("120", 2800)] // 70 × 0.40
    [InlineData("50.25", 10)] // 0.25 × 0.40
    public void PerUnit_PricesWhatIsOverTheAllowance(string used, long cents) =>
        Assert.Equal(cents, Rate(used, "50", new Price.PerUnit(0.40m)));

    [Theory]
    [InlineData("300", 0)]
    [InlineData("300.0000000000000000000000000001", 4000)] // the first block has begun
    [InlineData("301", 4000)] // 1 × 40.00
    [InlineData("400", 4000)] // 1 × 40.00, full
    [InlineData("401", 8000)] // 2 × 40.00
    [InlineData("1000", 28000)] // 7 × 40.00
    public void Package_PricesStartedBlocks(string used, long cents) =>
        Assert.Equal(cents, Rate(used, "300", new Price.Package(Quantity.Of(100), 40.00m)));

    [Theory]
    [InlineData("20", 0)]
    [InlineData("21", 40)] // 0.405 = 40.5 cents, to the even 40
    [InlineData("70", 2025)] // 50 × 0.405: the bound belongs to its tier
    [InlineData("71", 2060)] // 20.25 + 0.355 = 20.605 = 2,060.5 cents, to the even 2,060
    [InlineData("73", 2132)] // 20.25 + 3 × 0.355 = 21.315 = 2,131.5 cents, to the even 2,132
    [InlineData("100", 3090)] // 50 × 0.405 + 30 × 0.355 = 20.25 + 10.65
    public void Graduated_PricesEachUnitByItsTier(string used, long cents) =>
        Assert.Equal(cents, Rate(used, "20", new Price.Graduated(Tiers)));

    [Theory]
    [InlineData("20", 0)]
    [InlineData("70", 2025)] // 50 × 0.405: the bound belongs to its tier
    [InlineData("70.0000000000000000000000000001", 1775)] // a trace over 50, all at 0.355 = 17.75
    [InlineData("71", 1810)] // 51 × 0.355 = 18.105 = 1,810.5 cents, to the even 1,810
    [InlineData("100", 2840)] // 80 × 0.355
    public void Volume_PricesAllUnitsByTheTierOfTheirSum(string used, long cents) =>
        Assert.Equal(cents, Rate(used, "20", new Price.Volume(Tiers)));

    [Theory]
    [InlineData("1", 0)] // 0.5 cents, to the even 0
    [InlineData("3", 2)] // 1.5 cents, to the even 2
    [InlineData("5", 2)] // 2.5 cents, to the even 2
    [InlineData("1.0000000001", 1)] // over the half
    [InlineData("2.9999999999", 1)] // below 1.5
    public void HalfACent_GoesToTheEvenNeighbour(string used, long cents) =>
        Assert.Equal(cents, Rate(used, "0", new Price.PerUnit(0.005m)));

    [Fact]
    public void ALineOfSeveralTiers_IsRoundedOnce()
    {
        // Two steps of half a cent: 0.5 + 0.5 = 1. Rounded step by step it would be 0.
        var rated = Rater.Rate(
            Quantity.Of(2), Quantity.Zero, new Price.Graduated([new(Quantity.One, 0.005m), new(null, 0.005m)]), "USD");

        Assert.Equal(1, rated.AmountMinor);
        Assert.Equal(["0.5", "0.5"], rated.Steps.Select(s => s.Amount));
    }

    [Theory]
    [InlineData("JPY", "1", "0.5", 0)] // half a yen, to the even 0
    [InlineData("JPY", "3", "0.5", 2)] // 1.5 yen, to the even 2
    [InlineData("JPY", "7", "100", 700)] // the minor unit is the yen
    [InlineData("USD", "7", "100", 70000)]
    [InlineData("KWD", "7", "100", 700000)] // 1,000 fils a dinar
    [InlineData("KWD", "1", "0.0005", 0)] // half a fils, to the even 0
    [InlineData("KWD", "3", "0.0005", 2)] // 1.5 fils, to the even 2
    [InlineData("CLF", "7", "100", 7000000)] // 10,000 of them
    [InlineData("CLF", "1", "0.00005", 0)] // a half, to the even 0
    [InlineData("CLF", "3", "0.00005", 2)] // 1.5, to the even 2
    public void Amount_IsInTheMinorUnitOfTheCurrency(string currency, string used, string price, long minor) =>
        Assert.Equal(minor, Rater.Rate(Q(used), Quantity.Zero, new Price.PerUnit(decimal.Parse(price, CultureInfo.InvariantCulture)), currency).AmountMinor);

    [Fact]
    public void Steps_ShowTheAllowanceThenEachTier()
    {
        var rated = Rater.Rate(Quantity.Of(100), Quantity.Of(20), new Price.Graduated(Tiers), "USD");

        Assert.Equal(
            [("20", "0", "0"), ("50", "0.405", "2025"), ("30", "0.355", "1065")],
            rated.Steps.Select(s => (s.Quantity, s.UnitPrice, s.Amount)));
    }

    [Fact]
    public void PricesOfTwelvePlaces_LoseNothing() =>
        // 10^15 × 0.000000000001 = 1,000.00
        Assert.Equal(100_000, Rate("1000000000000000", "0", new Price.PerUnit(0.000000000001m)));

    [Fact]
    public void TheLargestAmount_IsStillExact() =>
        // 10^17 × 0.01 is the bound itself.
        Assert.Equal(Rater.MaxAmountMinor, Rate("100000000000000000", "0", new Price.PerUnit(0.01m)));

    [Theory]
    [InlineData("100000000000000001", "0.01", "100000000000000001")] // one cent over the bound
    [InlineData("9999999999999999999999999999", "1000000", "999999999999999999999999999900000000")] // 28 nines × 10^6 × 100
    public void AnAmountBeyondTheBound_IsCutAndSaysSo(string used, string price, string exact)
    {
        var rated = Rater.Rate(Q(used), Quantity.Zero, new Price.PerUnit(decimal.Parse(price, CultureInfo.InvariantCulture)), "USD");

        Assert.Equal(Rater.MaxAmountMinor, rated.AmountMinor);
        Assert.Equal(
            new("1", "0", "0", $"The exact amount, {exact} in minor units, is beyond what one line can bear and was cut."),
            rated.Steps[^1]);
    }

    [Theory]
    [InlineData("100000000000000000", "-0.01", -Rater.MaxAmountMinor, 1)] // the bound itself
    [InlineData("100000000000000001", "-0.01", -Rater.MaxAmountMinor, 2)] // one cent over it, and a step says so
    public void ACredit_IsCutAtTheSameBound(string used, string price, long minor, int steps)
    {
        var rated = Rater.Rate(Q(used), Quantity.Zero, new Price.PerUnit(decimal.Parse(price, CultureInfo.InvariantCulture)), "USD");

        Assert.Equal((minor, steps), (rated.AmountMinor, rated.Steps.Length));
    }

    [Fact]
    public void AnAmountThatRoundsToTheBound_IsNotCut()
    {
        // 10^17 minor units and 0.4 of one.
        var rated = Rater.Rate(Q("100000000000000000.4"), Quantity.Zero, new Price.PerUnit(0.01m), "USD");

        Assert.Equal((Rater.MaxAmountMinor, 1), (rated.AmountMinor, rated.Steps.Length));
    }

    [Theory]
    [InlineData("1.0", "1")]
    [InlineData("0100.500", "100.5")]
    [InlineData("73.0000000000000000000000000000", "73")]
    [InlineData("-0", "0")]
    public void TheSpellingOfANumber_ChangesNothing(string spelt, string plain)
    {
        Price[] prices =
        [
            new Price.PerUnit(0.405m), new Price.Package(Q("3"), 4m), new Price.Graduated(Tiers), new Price.Volume(Tiers),
        ];
        Price[] speltPrices =
        [
            new Price.PerUnit(0.405000m), new Price.Package(Q("3.00"), 4.00m),
            new Price.Graduated([new(Q("050.0"), 0.40500m), new(null, 0.3550m)]), new Price.Volume([new(Q("050.0"), 0.40500m), new(null, 0.3550m)]),
        ];

        Assert.All(prices.Zip(speltPrices), pair =>
        {
            var once = Rater.Rate(Q(plain), Q("20"), pair.First, "USD");
            var again = Rater.Rate(Q(spelt), Q("20.000"), pair.Second, "USD");

            Assert.Equal(once.AmountMinor, again.AmountMinor);
            Assert.Equal(once.Steps.AsEnumerable(), again.Steps);
        });
    }

    [Fact]
    public void EachModel_SaysInWordsWhatItPrices()
    {
        Assert.Equal("50 over the allowance at 0.4 USD", Words(new Price.PerUnit(0.40m)));
        Assert.Equal("50 over the allowance: 2 started blocks of 30 at 12.5 USD", Words(new Price.Package(Quantity.Of(30), 12.50m)));
        Assert.Equal("50 over the allowance, all at the price for up to 50, 0.405 USD", Words(new Price.Volume(Tiers)));
        Assert.Equal("50 over the allowance for up to 50 at 0.405 USD", Words(new Price.Graduated(Tiers)));

        static string Words(Price price) => Rater.Rate(Quantity.Of(70), Quantity.Of(20), price, "USD").Steps[1].Text;
    }

    [Fact]
    public void WithoutAnAllowance_NoStepSpeaksOfOne()
    {
        Assert.Equal(["3 over the allowance at 1 USD"], Rater.Rate(Quantity.Of(3), Quantity.Zero, new Price.PerUnit(1m), "USD").Steps.Select(s => s.Text));
        Assert.Empty(Rater.Rate(Quantity.Zero, Quantity.Zero, new Price.PerUnit(1m), "USD").Steps);
        Assert.Equal(["0 of 20 included"], Rater.Rate(Quantity.Zero, Quantity.Of(20), new Price.PerUnit(1m), "USD").Steps.Select(s => s.Text));
    }

    // Goal: tiers are nothing but prices of single units. Method: price whole units one by one.
    [Fact]
    public void GraduatedTiers_CostWhatTheirUnitsCost() =>
        Prop.ForAll(Generated.Numbers(200), Generated.Number(40), Generated.Number(400), (numbers, included, used) =>
        {
            var (tiers, priceOf) = TiersOf(numbers);

            var rated = Rater.Rate(Quantity.Of(used), Quantity.Of(included), new Price.Graduated(tiers), "USD");

            var exact = Enumerable.Range(1, int.Max(0, used - included)).Sum(priceOf);
            Assert.Equal(decimal.Round(exact * 100, 0, MidpointRounding.ToEven), rated.AmountMinor);
        }).Holds();

    [Fact]
    public void VolumeTiers_CostAllUnitsAtThePriceOfTheLast() =>
        Prop.ForAll(Generated.Numbers(200), Generated.Number(40), Generated.Number(400), (numbers, included, used) =>
        {
            var (tiers, priceOf) = TiersOf(numbers);
            var over = int.Max(0, used - included);

            var rated = Rater.Rate(Quantity.Of(used), Quantity.Of(included), new Price.Volume(tiers), "USD");

            var exact = over == 0 ? 0 : over * priceOf(over);
            Assert.Equal(decimal.Round(exact * 100, 0, MidpointRounding.ToEven), rated.AmountMinor);
        }).Holds();

    [Fact]
    public void Steps_AddUpToTheAmountWithinHalfAMinorUnit() =>
        Prop.ForAll(Generated.Numbers(200), Generated.Number(1_000_000), (numbers, thousandths) =>
        {
            var used = Q((thousandths / 1000m).ToString(CultureInfo.InvariantCulture));

            var rated = Rater.Rate(used, Quantity.Of(10), new Price.Graduated(TiersOf(numbers).Tiers), "KWD");

            var sum = rated.Steps.Sum(s => decimal.Parse(s.Amount, CultureInfo.InvariantCulture));
            Assert.InRange(rated.AmountMinor - sum, -0.5m, 0.5m);
        }).Holds();

    // Odd and even places alternate as width and price, in thousandths; the last tier has no end.
    private static (ImmutableArray<Tier> Tiers, Func<int, decimal> PriceOf) TiersOf(int[] numbers)
    {
        var tiers = ImmutableArray.CreateBuilder<Tier>();
        var bound = 0;
        foreach (var pair in numbers.Chunk(2).Where(p => p.Length == 2).Take(5))
        {
            bound += 1 + (pair[0] % 60);
            tiers.Add(new(Quantity.Of(bound), pair[1] / 1000m));
        }

        tiers.Add(new(null, 0.0125m));
        var all = tiers.ToImmutable();
        return (all, unit => all.First(t => t.UpTo is not { } upTo || Quantity.Of(unit) <= upTo).UnitPrice);
    }

    private static long Rate(string used, string included, Price price) => Rater.Rate(Q(used), Q(included), price, "USD").AmountMinor;

    private static Quantity Q(string text) =>
        Quantity.TryParse(text, out var quantity) ? quantity : throw new ArgumentException($"{text} is no quantity.", nameof(text));
}
