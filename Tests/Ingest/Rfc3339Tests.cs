using System.Globalization;
using System.Text;
using Billing.Silo.Ingest;
using FsCheck.Fluent;

namespace Billing.Tests.Ingest;

public sealed class Rfc3339Tests
{
    [Theory]
    [InlineData("2026-03-10T12:00:00Z", "2026-03-10T12:00:00.0000000")]
    [InlineData("2026-03-10t12:00:00z", "2026-03-10T12:00:00.0000000")]
    [InlineData("2026-03-10T12:00:00+02:00", "2026-03-10T10:00:00.0000000")]
    [InlineData("2026-03-10T00:30:00+05:45", "2026-03-09T18:45:00.0000000")]
    [InlineData("2025-12-31T23:59:59.9-00:01", "2026-01-01T00:00:59.9000000")]
    [InlineData("2026-03-10T12:00:00-00:00", "2026-03-10T12:00:00.0000000")]
    [InlineData("2024-02-29T23:59:59.1234567Z", "2024-02-29T23:59:59.1234567")]
    [InlineData("2024-02-29T23:59:59.12345678999999999999999999999999Z", "2024-02-29T23:59:59.1234567")]
    [InlineData("2000-02-29T00:00:00Z", "2000-02-29T00:00:00.0000000")]
    [InlineData("2016-12-31T23:59:60Z", "2017-01-01T00:00:00.0000000")]
    [InlineData("2017-01-01T08:59:60.5+09:00", "2017-01-01T00:00:00.0000000")]
    [InlineData("0001-01-01T00:00:00+01:00", "0001-01-01T00:00:00.0000000")]
    [InlineData("0000-12-31T00:00:00Z", "0001-01-01T00:00:00.0000000")]
    [InlineData("9999-12-31T23:59:59-23:59", "9999-12-31T23:59:59.9999999")]
    public void ATimeOfRfc3339_IsItsInstant(string text, string expected) =>
        Assert.Equal(expected, new DateTime(Parsed(text).UtcTicks).ToString("yyyy-MM-ddTHH:mm:ss.fffffff", CultureInfo.InvariantCulture));

    [Theory]
    [InlineData(""), InlineData("2026"), InlineData("2026-03-10"), InlineData("2026-03-10T12:00:00"), InlineData("2026-03-10 12:00:00Z")]
    [InlineData("102-05-01T00:00:00Z"), InlineData("12026-03-10T12:00:00Z"), InlineData("+2026-03-10T12:00:00Z"), InlineData("2026-3-10T12:00:00Z")]
    [InlineData("2026-02-30T12:00:00Z"), InlineData("2026-02-29T12:00:00Z"), InlineData("1900-02-29T12:00:00Z"), InlineData("2026-04-31T12:00:00Z")]
    [InlineData("2026-00-10T12:00:00Z"), InlineData("2026-13-10T12:00:00Z"), InlineData("2026-03-00T12:00:00Z"), InlineData("2026-03-10T24:00:00Z")]
    [InlineData("2026-03-10T12:60:00Z"), InlineData("2026-03-10T12:00:61Z"), InlineData("2026-03-10T12:00:60Z"), InlineData("2016-12-31T23:59:60+01:00")]
    [InlineData("2026-03-10T12:00:00.Z"), InlineData("2026-03-10T12:00:00,5Z"), InlineData("2026-03-10T12:00:00.5"), InlineData("2026-03-10T12:00:00.")]
    [InlineData("2026-03-10T12:00:00.123456789012345678901234567890123Z"), InlineData("2026-03-10T12:00:00+24:00"), InlineData("2026-03-10T12:00:00+01:60")]
    [InlineData("2026-03-10T12:00:00+0100"), InlineData("2026-03-10T12:00:00+01"), InlineData("2026-03-10T12:00:00ZZ"), InlineData("2026-03-10T12:00:00 Z")]
    [InlineData("2026-03-10T12:00:00Zz"), InlineData(" 2026-03-10T12:00:00Z"), InlineData("2O26-03-10T12:00:00Z"), InlineData("２026-03-10T12:00:00Z")]
    public void AnyOtherText_IsNoTime(string text) => Assert.False(Rfc3339.TryParse(Encoding.UTF8.GetBytes(text), out _));

    [Theory]
    [InlineData("2026-03-10T12:00:00Z", "2026-03-10T13:00:00.000000000000+01:00")]
    [InlineData("2026-03-10T12:00:00.12345678Z", "2026-03-10T12:00:00.123456780000Z")]
    [InlineData("2016-12-31T23:59:60Z", "2017-01-01T00:00:00Z")]
    [InlineData("2016-12-31T23:59:60.50Z", "2017-01-01T00:59:60.5+01:00")]
    public void SpellingsOfOneInstant_AreEqual(string one, string other) => Assert.Equal(Parsed(one), Parsed(other));

    [Theory]
    [InlineData("2026-03-10T12:00:00.00000001Z", "2026-03-10T12:00:00.00000002Z")]
    [InlineData("2026-03-10T12:00:00.00000000000000000000000000000001Z", "2026-03-10T12:00:00Z")]
    [InlineData("2016-12-31T23:59:60.5Z", "2017-01-01T00:00:00Z")]
    [InlineData("2016-12-31T23:59:60.00000000000000000000000000000001Z", "2017-01-01T00:00:00.00000000000000000000000000000001Z")]
    [InlineData("0001-01-01T00:00:00+01:00", "0001-01-01T00:00:00+02:00")]
    [InlineData("9999-12-31T23:59:59-01:00", "9999-12-31T23:59:59-02:00")]
    public void InstantsThatShareATick_StillDiffer(string one, string other)
    {
        Assert.Equal(Parsed(one).UtcTicks, Parsed(other).UtcTicks);
        Assert.NotEqual(Parsed(one), Parsed(other));
    }

    // Goal: the calendar is the one of DateTime. Method: any tick, written at any offset, reads as itself.
    [Fact]
    public void AnyTickAtAnyOffset_ReadsAsItself()
    {
        var ticks = Gen.Choose(0, 3_650_000).SelectMany(day => Gen.Choose(0, int.MaxValue), (day, part) => (day * TimeSpan.TicksPerDay) + (part * 402L));
        var times = ticks.SelectMany(_ => Gen.Choose(-840, 840), (tick, offset) => (Tick: tick, Offset: offset));

        Prop.ForAll(Arb.From(times), time =>
        {
            var offset = TimeSpan.FromMinutes(time.Offset);
            var ticksThere = Math.Clamp(time.Tick + offset.Ticks, 0, DateTime.MaxValue.Ticks);
            var text = new DateTime(ticksThere).ToString("yyyy-MM-ddTHH:mm:ss.fffffff", CultureInfo.InvariantCulture)
                + (time.Offset < 0 ? "-" : "+") + offset.ToString(@"hh\:mm", CultureInfo.InvariantCulture);

            Assert.Equal(ticksThere - offset.Ticks, Parsed(text).ExactTicks);
        }).Holds();
    }

    private static ExactTime Parsed(string text)
    {
        Assert.True(Rfc3339.TryParse(Encoding.UTF8.GetBytes(text), out var time), text);
        return time;
    }
}
