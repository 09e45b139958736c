using Billing.Plans;

namespace Billing.Tests.Plans;

public sealed class IsoDurationTests
{
    [Theory]
    [InlineData("P10D", 0, 864_000)]
    [InlineData("PT72H", 0, 259_200)]
    [InlineData("P2W", 0, 1_209_600)]
    [InlineData("PT5M", 0, 300)]
    [InlineData("P0D", 0, 0)]
    [InlineData("P1DT2H3M4S", 0, 93_784)] // 86,400 + 7,200 + 180 + 4
    [InlineData("P1M", 1, 0)]
    [InlineData("P1Y2M", 14, 0)]
    [InlineData("P1Y2M3W4DT5H6M7S", 14, 2_178_367)] // 25 days = 2,160,000, and 18,367
    public void ADuration_IsItsMonthsAndItsSeconds(string text, int months, long seconds)
    {
        Assert.True(IsoDuration.TryParse(text, out var duration));
        Assert.Equal(new(months, TimeSpan.FromSeconds(seconds)), duration);
        Assert.Equal(months == 0, IsoDuration.TryParseExact(text, out _));
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("P")]
    [InlineData("PT")]
    [InlineData("P1DT")]
    [InlineData("10D")]
    [InlineData("P10")]
    [InlineData("P1.5D")]
    [InlineData("P-1D")]
    [InlineData("-P1D")]
    [InlineData("p1d")]
    [InlineData("P1D ")]
    [InlineData("P1D\n")]
    [InlineData("P1DT\n")]
    [InlineData("P1H")]
    [InlineData("P1D1W")] // the wrong order
    [InlineData("P1001Y")]
    [InlineData("P999999W")] // beyond a thousand years
    [InlineData("P١D")] // a digit, but not one of ours
    [InlineData("P1DT9999999999999S")]
    public void WhatIsNoDuration_IsRefused(string? text) => Assert.False(IsoDuration.TryParse(text, out _));

    [Fact]
    public void Months_AreThoseOfTheCalendar()
    {
        Assert.True(IsoDuration.TryParse("P1MT1H", out var duration));

        Assert.Equal(
            new(2026, 2, 28, 1, 0, 0, TimeSpan.Zero),
            duration.After(new(2026, 1, 31, 0, 0, 0, TimeSpan.Zero)));
    }
}
