using System.Globalization;
using Billing.Lifecycle;
using FsCheck.Fluent;

namespace Billing.Tests.Lifecycle;

public sealed class BillingCalendarTests
{
    [Theory]
    [InlineData("2026-01-31T08:30:00Z", "2026-02-28T08:30:00Z", "2026-03-31T08:30:00Z", "2026-04-30T08:30:00Z")]
    [InlineData("2024-01-31T00:00:00Z", "2024-02-29T00:00:00Z", "2024-03-31T00:00:00Z", "2024-04-30T00:00:00Z")] // a leap year
    [InlineData("2024-02-29T23:59:59Z", "2024-03-29T23:59:59Z", "2024-04-29T23:59:59Z", "2024-05-29T23:59:59Z")]
    [InlineData("2026-11-30T12:00:00Z", "2026-12-30T12:00:00Z", "2027-01-30T12:00:00Z", "2027-02-28T12:00:00Z")]
    public void PeriodStarts_ClampToTheMonthAndComeBack(params string[] starts)
    {
        var anchor = Utc(starts[0]);

        for (var i = 1; i < starts.Length; i++)
        {
            Assert.Equal(new(Utc(starts[i - 1]), Utc(starts[i])), BillingCalendar.PeriodAt(anchor, i - 1));
            Assert.Equal(new(Utc(starts[i - 1]), Utc(starts[i])), BillingCalendar.PeriodContaining(anchor, Utc(starts[i]).AddTicks(-1)));
            Assert.Equal(Utc(starts[i]), BillingCalendar.PeriodContaining(anchor, Utc(starts[i])).Start);
        }
    }

    [Theory]
    [InlineData(2027, 28)]
    [InlineData(2028, 29)]
    [InlineData(2100, 28)]
    public void AnAnchorOnALeapDay_MeetsFebruaryOfEveryYear(int year, int day)
    {
        var anchor = Utc("2024-02-29T06:00:00Z");

        var period = BillingCalendar.PeriodContaining(anchor, new(year, 3, 1, 0, 0, 0, TimeSpan.Zero));

        Assert.Equal(new(year, 2, day, 6, 0, 0, TimeSpan.Zero), period.Start);
        Assert.Equal(new(year, 3, 29, 6, 0, 0, TimeSpan.Zero), period.End);
    }

    [Fact]
    public void AnInstantBeforeTheAnchor_IsInNoPeriod()
    {
        var anchor = Utc("2026-01-31T00:00:00Z");
        var calendar = new AccountCalendar();

        Assert.False(calendar.TryPeriodOf(anchor.UtcTicks, out _));
        calendar.Begin(anchor);

        Assert.False(calendar.TryPeriodOf(anchor.UtcTicks - 1, out _));
        Assert.True(calendar.TryPeriodOf(anchor.UtcTicks, out _));
        Assert.Throws<ArgumentOutOfRangeException>(() => BillingCalendar.PeriodContaining(anchor, anchor.AddTicks(-1)));
    }

    // Goal: periods tile. Method: any anchor, any later instant; its period and those beside it.
    [Fact]
    public void AnyInstant_LiesInExactlyOnePeriodAndPeriodsMeet() =>
        Prop.ForAll(Generated.Number(5_000 * 1440), Generated.Number(5_000 * 1440), (anchorMinutes, laterMinutes) =>
        {
            var anchor = Utc("2020-01-01T00:00:00Z").AddMinutes(anchorMinutes);
            var instant = anchor.AddMinutes(laterMinutes);

            var period = BillingCalendar.PeriodContaining(anchor, instant);

            Assert.True(period.Contains(instant));
            Assert.InRange(period.Length, TimeSpan.FromDays(28), TimeSpan.FromDays(31));
            Assert.Equal(1, Enumerable.Range(0, 180).Count(i => BillingCalendar.PeriodAt(anchor, i).Contains(instant)));
            Assert.Equal(period.End, BillingCalendar.PeriodAfter(anchor, period).Start);
            if (period.Start > anchor) Assert.Equal(period.Start, BillingCalendar.PeriodContaining(anchor, period.Start.AddTicks(-1)).End);
        }).Holds(1000);

    [Fact]
    public void TheCalendarOfAnAccount_AnswersAlikeInAnyOrderOfQuestions() =>
        Prop.ForAll(Generated.Numbers(1_000_000), minutes =>
        {
            var anchor = Utc("2024-01-31T10:00:00Z");
            var calendar = new AccountCalendar();
            calendar.Begin(anchor);

            Assert.All(minutes, m =>
            {
                Assert.True(calendar.TryPeriodOf(anchor.AddMinutes(m).UtcTicks, out var period));
                Assert.Equal(BillingCalendar.PeriodContaining(anchor, anchor.AddMinutes(m)), period);
            });
        }).Holds();

    private static DateTimeOffset Utc(string text) => DateTimeOffset.Parse(text, CultureInfo.InvariantCulture);
}
