using System.Buffers;
using Billing.Metering;
using Billing.Tests.Accounts;
using Billing.Tests.Plans;
using FsCheck.Fluent;
using static Billing.Tests.Lifecycle.LifeRun;

namespace Billing.Tests.Metering;

/// <summary>The forecast of a meter follows the account's own week.</summary>
public sealed class DailyUsageTests
{
    // A Monday.
    private static readonly DateTimeOffset Monday = new(2026, 6, 1, 0, 0, 0, TimeSpan.Zero);

    [Fact]
    public void ShopThatIsClosedOnWeekends_IsForecastWithoutThem()
    {
        var usage = Weeks(4, day => day % 7 < 5 ? 10 : 0);

        // From a Monday: two whole weeks and a Saturday and Sunday less than three.
        Assert.Equal(Quantity.Of(100), usage.Expected(Monday, Monday.AddDays(28), Monday.AddDays(42)));
        Assert.Equal(Quantity.Of(50), usage.Expected(Monday, Monday.AddDays(28), Monday.AddDays(35)));
        Assert.Equal(Quantity.Zero, usage.Expected(Monday, Monday.AddDays(33), Monday.AddDays(35)));
    }

    [Fact]
    public void PartOfADay_CountsAsThatPart()
    {
        var usage = Weeks(4, _ => 24);

        Assert.Equal(Quantity.Of(7), usage.Expected(Monday, Monday.AddDays(28).AddHours(17), Monday.AddDays(29)));
    }

    [Fact]
    public void DaysWithoutUsageSinceTheBeginning_CountAsZero()
    {
        var usage = new DailyUsage();
        usage.Add(Monday.UtcTicks, Quantity.Of(30)); // 30 on one of three Mondays

        Assert.Equal(Quantity.Of(10), usage.Expected(Monday, Monday.AddDays(21), Monday.AddDays(28)));
    }

    [Fact]
    public void LessThanAWeekBehind_SaysNothing()
    {
        var usage = Weeks(1, _ => 10);

        Assert.Null(usage.Expected(Monday, Monday.AddDays(6).AddHours(23), Monday.AddDays(30)));
        Assert.Null(usage.Expected(Monday.AddHours(1), Monday.AddDays(7), Monday.AddDays(30))); // the first day was not a whole one
        Assert.Equal(Quantity.Of(10), usage.Expected(Monday, Monday.AddDays(7), Monday.AddDays(8)));
    }

    [Fact]
    public void OrderOfTheEvents_ChangesNothing() => Prop.ForAll(Generated.SomeNumbers(int.MaxValue), Generated.Number(1000), (numbers, seed) =>
    {
        var (one, other) = (new DailyUsage(), new DailyUsage());
        foreach (var n in numbers) Add(one, n);
        foreach (var n in Generated.Shuffled(numbers, seed)) Add(other, n);

        Assert.Equal(Bytes(one), Bytes(other));

        void Add(DailyUsage usage, int n) => usage.Add(Monday.AddHours(n % 3000).UtcTicks, Quantity.Of(n % 7 - 1));
    }).Holds(300);

    [Fact]
    public void WhatWasRead_IsWhatWasWritten()
    {
        var usage = Weeks(6, day => day);
        var read = new DailyUsage();

        var reader = new SnapshotReader(Bytes(usage));
        read.Read(ref reader);

        Assert.Equal(Bytes(usage), Bytes(read));
        Assert.True(reader.Rest.IsEmpty);
    }

    [Fact]
    public void QuantitiesBeyondAllMeasure_AreTakenWithoutAnError()
    {
        var usage = new DailyUsage();
        for (var i = 0; i < 3; i++) usage.Add(Monday.UtcTicks, Huge);

        Assert.True(usage.Expected(Monday, Monday.AddDays(7), Monday.AddDays(8)) > Quantity.Of(9_000_000_000_000 - 1));
    }

    [Fact]
    public void Account_IsForecastByItsWeekOnceItHasOneBehind()
    {
        var account = Begun("desk-1");
        var days = Enumerable.Range(0, 10).Select(d => AccountRun.Anchor.AddDays(d)).ToList();
        foreach (var day in days)
            if (day.DayOfWeek is not (DayOfWeek.Saturday or DayOfWeek.Sunday)) account.At(day).Send(AccountRun.Event.Message($"{day:dd}", day, $"{day:dd}"));

        // Anchor is Tuesday, 31 March, noon; Friday, 10 April, noon: 9 so far, and 20 days to come, 13.5 of them working days.
        account.At(AccountRun.Anchor.AddDays(10));

        var shown = View(account).Usage.Single(u => u.Meter == "desk.tickets");
        Assert.Equal((Quantity.Of(8), Quantity.Of(8 + 14)), (shown.Quantity, shown.Forecast));
    }

    [Theory]
    [InlineData(1, 300)] // 10 a day, no week behind
    [InlineData(10, 300)] // each day of the week like those before it
    public void PendingUsage_IsForecastAsUsageOfItsDay(int days, int forecast)
    {
        var account = LadderRun.Opened("bot-2");
        for (var day = 0; day < days; day++)
        {
            var at = LadderRun.Anchor.AddDays(day).AddHours(12);
            account.At(at).Send([.. Enumerable.Range(0, 10).Select(i => new AccountRun.Event($"{day}-{i}", at, $$"""{"ticket":"{{day}}-{{i}}"}""", "talked"))]);
        }

        account.At(LadderRun.Anchor.AddDays(days));

        var shown = View(account).Usage.Single(u => u.Meter == "bot.talks");
        Assert.Equal(Quantity.Of(10 * int.Min(days, 3)), shown.Pending); // 72 hours
        Assert.Equal(Quantity.Of(forecast), shown.Forecast);
    }

    private static Quantity Huge => Quantity.TryParse("170000000000000000000000000000", out var huge) ? huge : throw new InvalidOperationException("no quantity");

    private static DailyUsage Weeks(int weeks, Func<int, int> ofDay)
    {
        var usage = new DailyUsage();
        for (var day = 0; day < weeks * 7; day++) usage.Add(Monday.AddDays(day).AddHours(day % 24).UtcTicks, Quantity.Of(ofDay(day)));
        return usage;
    }

    private static byte[] Bytes(DailyUsage usage)
    {
        var bytes = new ArrayBufferWriter<byte>();
        usage.Write(new SnapshotWriter(bytes));
        return bytes.WrittenSpan.ToArray();
    }
}
