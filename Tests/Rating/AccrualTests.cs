using Billing.Rating;
using FsCheck.Fluent;

namespace Billing.Tests.Rating;

public sealed class AccrualTests
{
    private static readonly DateTimeOffset January = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);
    private static readonly BillingPeriod Year = new(January, January.AddYears(1));

    [Theory]
    [InlineData(120_000, "2026-02-01", 10_192)] // 120,000 × 31 / 365 = 10,191.78
    [InlineData(120_000, "2026-03-01", 19_397)] // 120,000 × 59 / 365 = 19,397.26
    [InlineData(-120_000, "2026-03-01", -19_397)]
    [InlineData(120_000, "2025-12-31", 0)]
    [InlineData(120_000, "2026-01-01", 0)]
    [InlineData(120_000, "2027-01-01", 120_000)]
    [InlineData(120_000, "2030-01-01", 120_000)]
    [InlineData(100_000_000_000_000_000, "2026-03-15", 20_000_000_000_000_000)] // 73 of 365 days
    public void PartOfAYear_HasEarnedItsShare(long amount, string day, long accrued) =>
        Assert.Equal(accrued, Proration.Accrued(amount, Year, DateTimeOffset.Parse(day + "T00:00:00Z")));

    [Theory]
    [InlineData(1, 0)] // 0.5
    [InlineData(2, 1)]
    [InlineData(3, 2)] // 1.5
    [InlineData(5, 2)] // 2.5
    [InlineData(-1, 0)]
    [InlineData(-3, -2)]
    [InlineData(-5, -2)]
    public void AHalf_GoesToTheEvenNeighbour(long amount, long accrued) =>
        Assert.Equal(accrued, Proration.Accrued(amount, new(January, January.AddMinutes(1)), January.AddSeconds(30)));

    [Fact]
    public void TheFractionOfASecond_DoesNotCount()
    {
        var tenSeconds = new BillingPeriod(January, January.AddSeconds(10));

        Assert.Equal(40, Proration.Accrued(100, tenSeconds, January.AddSeconds(4.999)));
        Assert.Equal(50, Proration.Accrued(100, tenSeconds, January.AddSeconds(5)));
    }

    // Goal: no minor unit is lost or made. Method: the exact share of any instant is at most half a unit away, and time takes nothing back.
    [Fact]
    public void WhatHasAccrued_IsTheNearestWholeShare_AndNeverFalls() =>
        Prop.ForAll(Generated.Number(10_000_000), Generated.Number(31_536_000), (amount, second) =>
        {
            var at = January.AddSeconds(second);
            var accrued = Proration.Accrued(amount, Year, at);

            Assert.InRange((2 * accrued * 31_536_000L) - (2L * amount * second), -31_536_000L, 31_536_000L);
            Assert.Equal(-accrued, Proration.Accrued(-amount, Year, at));
            Assert.True(Proration.Accrued(amount, Year, at.AddHours(1)) >= accrued);
        }).Holds(1000);
}
