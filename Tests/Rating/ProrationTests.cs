using System.Globalization;
using System.Numerics;
using Billing.Invoices;
using Billing.Rating;
using FsCheck.Fluent;

namespace Billing.Tests.Rating;

public sealed class ProrationTests
{
    // 30 days, 2,592,000 seconds.
    private static readonly BillingPeriod April = new(Utc(4, 1), Utc(5, 1));

    private static readonly long[] Fees =
        [0, 1, 2, 3, 6_000, 90_000, 99_999_999, Rater.MaxAmountMinor - 1, Rater.MaxAmountMinor, long.MaxValue - 1, long.MaxValue];

    [Theory]
    [InlineData(6000, 10, 2000)] // a third of 60.00
    [InlineData(6000, 15, 3000)]
    [InlineData(6000, 0, 0)]
    [InlineData(6000, 30, 6000)]
    [InlineData(1000, 10, 333)] // 333.33…
    [InlineData(1000, 20, 667)] // 666.66…
    [InlineData(1, 15, 0)] // a half, to the even 0
    [InlineData(3, 15, 2)] // 1.5, to the even 2
    [InlineData(5, 15, 2)] // 2.5, to the even 2
    [InlineData(-1, 15, 0)]
    [InlineData(-3, 15, -2)]
    [InlineData(-1000, 20, -667)]
    public void AFee_AccruesEvenlyOverItsPeriod(long fee, int days, long accrued) =>
        Assert.Equal(accrued, Proration.Accrued(fee, April, April.Start.AddDays(days)));

    [Fact]
    public void AHalf_GoesToTheEvenNeighbourOfTheAccrualNotOfThePart()
    {
        var middle = April.Start.AddDays(15);

        Assert.Equal((2, 1), (Proration.Of(3, April, April.Start, middle), Proration.Of(3, April, middle, April.End)));
        Assert.Equal((0, 1), (Proration.Of(1, April, April.Start, middle), Proration.Of(1, April, middle, April.End)));
    }

    // Goal: a plan change neither loses nor makes a cent. Method: cut the period anywhere, add the parts.
    [Fact]
    public void PartsThatTileAPeriod_AddUpToTheFee() =>
        Prop.ForAll(Periods, Generated.Numbers(int.MaxValue), FeesOfAnySize, (seconds, points, fee) =>
        {
            var period = Period(seconds);
            var cuts = Cuts(period, points);

            var parts = cuts.Zip(cuts.Skip(1), (from, to) => Proration.Of(fee, period, from, to)).ToList();

            Assert.Equal(fee, parts.Aggregate(BigInteger.Zero, (sum, part) => sum + part));
            Assert.All(parts, part => Assert.True(part == 0 || long.Sign(part) == long.Sign(fee)));
        }).Holds();

    [Fact]
    public void AnAccrual_IsTheRoundedShareOfTheSeconds() =>
        Prop.ForAll(Periods, Generated.Number(int.MaxValue), FeesOfAnySize, (seconds, point, fee) =>
        {
            var elapsed = point % (seconds + 1);

            var accrued = Proration.Accrued(fee, Period(seconds), April.Start.AddSeconds(elapsed));

            Assert.Equal(HalfToEven.Of((BigInteger)fee * elapsed, seconds), accrued);
        }).Holds();

    [Fact]
    public void ACredit_AccruesAsTheFeeWould() =>
        Prop.ForAll(Periods, Generated.Number(int.MaxValue), Generated.Number(int.MaxValue), (seconds, point, fee) =>
        {
            var at = April.Start.AddSeconds(point % (seconds + 1));

            Assert.Equal(-Proration.Accrued(fee, Period(seconds), at), Proration.Accrued(-fee, Period(seconds), at));
        }).Holds();

    [Fact]
    public void FeesNearTheBounds_AccrueInFull() =>
        Assert.All(Fees.Concat(Fees.Select(fee => -fee)).Append(long.MinValue), fee =>
        {
            Assert.Equal(0, Proration.Accrued(fee, April, April.Start));
            Assert.Equal(fee, Proration.Accrued(fee, April, April.End));
            Assert.Equal(fee, Proration.Of(fee, April, April.Start, April.End));
            Assert.Equal(HalfToEven.Of(fee, 3), Proration.Of(fee, April, April.Start, April.Start.AddDays(10)));
        });

    [Fact]
    public void OutsideThePeriod_NothingAccrues()
    {
        Assert.Equal(0, Proration.Accrued(6000, April, April.Start.AddDays(-1)));
        Assert.Equal(6000, Proration.Accrued(6000, April, April.End.AddDays(1)));
        Assert.Equal(6000, Proration.Of(6000, April, April.Start.AddYears(-1), April.End.AddYears(1)));
    }

    [Fact]
    public void Instants_CountToTheSecondInUtc()
    {
        // A fee of one minor unit per second shows each second.
        var (fee, at) = (2_592_000, April.Start.AddSeconds(1000));

        Assert.Equal(1000, Proration.Accrued(fee, April, at));
        Assert.Equal(1000, Proration.Accrued(fee, April, at.AddTicks(TimeSpan.TicksPerSecond - 1)));
        Assert.Equal(1001, Proration.Accrued(fee, April, at.AddSeconds(1)));
        Assert.Equal(1000, Proration.Accrued(fee, April, at.ToOffset(TimeSpan.FromHours(9))));
        Assert.Equal(1000, Proration.Accrued(fee, new(April.Start.AddMilliseconds(999), April.End.AddMilliseconds(1)), at));
    }

    [Fact]
    public void APartThatEndsBeforeItBegins_IsRefused()
    {
        var at = April.Start.AddDays(3);

        Assert.Equal(0, Proration.Of(6000, April, at, at));
        Assert.Throws<ArgumentOutOfRangeException>(() => Proration.Of(6000, April, at, at.AddSeconds(-1)));
        Assert.Throws<ArgumentOutOfRangeException>(() => Proration.Included(Quantity.One, April, at, at.AddSeconds(-1)));
        Assert.Throws<ArgumentOutOfRangeException>(() => Proration.Steps(6000, April, at, at.AddSeconds(-1), "USD"));
    }

    [Fact]
    public void APeriodWithoutASecond_IsRefused()
    {
        var empty = new BillingPeriod(April.Start, April.Start);

        Assert.Throws<ArgumentOutOfRangeException>(() => Proration.Accrued(6000, empty, April.Start));
    }

    [Fact]
    public void Steps_ShowTheTimeServedAndBothAccruals()
    {
        var steps = Proration.Steps(9_000, April, April.Start.AddDays(10), April.Start.AddDays(25), "USD");

        Assert.Equal(
            (ArithmeticStep[])[
                new("1296000", "0", "0", "1296000 of 2592000 seconds of the period, which costs 90.00 USD"),
                new("1", "75", "7500", "accrued by 2026-04-26T00:00:00Z: 90.00 USD x 2160000/2592000, rounded: 75.00 USD"),
                new("-1", "30", "-3000", "less what had accrued by 2026-04-11T00:00:00Z: 90.00 USD x 864000/2592000, rounded: 30.00 USD"),
            ],
            steps);
    }

    [Fact]
    public void Steps_NameInstantsInUtc() =>
        Assert.Contains(
            "by 2026-04-11T00:00:00Z",
            Proration.Steps(9_000, April, April.Start.AddDays(10).ToOffset(TimeSpan.FromHours(9)), April.End, "JPY")[2].Text,
            StringComparison.Ordinal);

    [Fact]
    public void Steps_AddUpToThePart() =>
        Prop.ForAll(Periods, Generated.Numbers(int.MaxValue), FeesOfAnySize, (seconds, points, fee) =>
        {
            var period = Period(seconds);
            var cuts = Cuts(period, points);

            var steps = Proration.Steps(fee, period, cuts[^2], cuts[^1], "KWD");

            var part = Proration.Of(fee, period, cuts[^2], cuts[^1]);
            Assert.Equal(part, steps.Aggregate(BigInteger.Zero, (sum, step) => sum + BigInteger.Parse(step.Amount, CultureInfo.InvariantCulture)));
            Assert.All(steps, step => Assert.Equal(
                decimal.Parse(step.Amount, CultureInfo.InvariantCulture),
                decimal.Parse(step.Quantity, CultureInfo.InvariantCulture) * decimal.Parse(step.UnitPrice, CultureInfo.InvariantCulture) * 1000));
        }).Holds();

    [Fact]
    public void AllowancesOfStretchesThatTileAPeriod_AddUpToTheWhole() =>
        Prop.ForAll(Periods, Generated.Numbers(int.MaxValue), Generated.Number(int.MaxValue), (seconds, points, thousandths) =>
        {
            var period = Period(seconds);
            var included = Thousandths(thousandths);
            var cuts = Cuts(period, points);

            var stretches = cuts.Zip(cuts.Skip(1), (from, to) => Proration.Included(included, period, from, to));

            Assert.Equal(Exact.Of(included), stretches.Aggregate(Allowance.None, (sum, stretch) => sum + stretch).Units);
        }).Holds();

    [Fact]
    public void AStretchsAllowance_IsItsShareOfTheSecondsUnrounded()
    {
        var allowance = Proration.Included(Quantity.Of(200), April, April.Start.AddDays(5), April.Start.AddDays(15));

        Assert.Equal(Exact.Fraction(200, 3), allowance.Units);
        Assert.Equal(": 200 x 864000/2592000 seconds of the period", allowance.Origin());
    }

    [Fact]
    public void AWholeAllowance_HasNoOriginToName()
    {
        Assert.Equal("", Allowance.Of(Quantity.Of(200)).Origin());
        Assert.Equal("", Proration.Included(Quantity.Of(200), April, April.Start, April.End).Origin());
        Assert.Equal("", Allowance.None.Origin());
        Assert.Equal(Exact.Zero, Allowance.None.Units);
    }

    [Fact]
    public void StretchesThatGiveNothing_AreNotNamed()
    {
        var middle = April.Start.AddDays(15);

        var allowance = Proration.Included(Quantity.Zero, April, April.Start, middle)
            + Proration.Included(Quantity.Of(50), April, middle, middle)
            + Proration.Included(Quantity.Of(300), April, middle, April.End);

        Assert.Equal(Exact.Of(150), allowance.Units);
        Assert.Equal(": 300 x 1296000/2592000 seconds of the period", allowance.Origin());
    }

    // From a second to somewhat over a year.
    private static FsCheck.Arbitrary<int> Periods => Generated.Number(32_000_000).Filter(seconds => seconds > 0);

    private static FsCheck.Arbitrary<long> FeesOfAnySize =>
        FsCheck.Fluent.Arb.From(
            from index in Gen.Choose(0, Fees.Length + 3)
            from any in Gen.Choose(0, int.MaxValue)
            from sign in Gen.Elements(-1, 1)
            select sign * (index < Fees.Length ? Fees[index] : any));

    private static BillingPeriod Period(int seconds) => new(April.Start, April.Start.AddSeconds(seconds));

    // The period's ends and the points between, in order; a point may be hit twice.
    private static List<DateTimeOffset> Cuts(BillingPeriod period, int[] points) =>
        [period.Start, .. points.Select(p => period.Start.AddSeconds(p % (long)period.Length.TotalSeconds)).Order(), period.End];

    private static Quantity Thousandths(int thousandths) =>
        Quantity.FromParts(thousandths / 1000, thousandths % 1000 * Int128.Parse("10000000000000000000000000", CultureInfo.InvariantCulture));

    private static DateTimeOffset Utc(int month, int day) => new(2026, month, day, 0, 0, 0, TimeSpan.Zero);
}
