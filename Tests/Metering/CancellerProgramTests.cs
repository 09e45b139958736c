using System.Text;
using System.Text.Json;
using Billing.Metering;

namespace Billing.Tests.Metering;

/// <summary>What meters with <c>cancelled_by</c> read from the events they count and from those that cancel them.</summary>
public sealed class CancellerProgramTests
{
    [Theory]
    [InlineData("ticket", """{"ticket":"7"}""", nameof(MeterMatch.Yes), "s7", "s7")]
    [InlineData("ticket", """{"ticket":7.0}""", nameof(MeterMatch.Yes), "n7", "n7")]
    [InlineData("ticket", """{}""", nameof(MeterMatch.BadKey), "", "")]
    [InlineData("thread", """{"ticket":"7","thread":"x"}""", nameof(MeterMatch.Yes), "s7", "sx")]
    [InlineData("thread", """{"ticket":"7"}""", nameof(MeterMatch.BadCancelKey), "", "")]
    [InlineData("thread", """{"ticket":"7","thread":true}""", nameof(MeterMatch.BadCancelKey), "", "")]
    public void ACountedEvent_IsReadWithBothKeys(string cancelKey, string data, string wanted, string key, string shared)
    {
        var (program, slots) = Read(cancelKey, "answered", data);

        var match = Assert.Single(program.Meters).Match(Bytes(data), slots, new byte[2 * EventKeyText.BufferBytes], out var reading);

        Assert.Equal(wanted, match.ToString());
        if (match != MeterMatch.Yes) return;
        Assert.Equal((key, shared, false), (Encoding.UTF8.GetString(reading.Key), Encoding.UTF8.GetString(reading.CancelKey), reading.Cancels));
        Assert.Empty(program.Cancellers);
    }

    [Theory]
    [InlineData("""{"ticket":"7","by":"agent"}""", nameof(MeterMatch.Yes))]
    [InlineData("""{"ticket":"7","by":"bot"}""", nameof(MeterMatch.No))]
    [InlineData("""{"ticket":"7"}""", nameof(MeterMatch.No))]
    [InlineData("""{"by":"agent"}""", nameof(MeterMatch.BadCancelKey))]
    [InlineData("""{"by":"agent","ticket":[7]}""", nameof(MeterMatch.BadCancelKey))]
    public void ACanceller_IsReadWithTheKeyItShares(string data, string wanted)
    {
        var (program, slots) = Read("ticket", "written", data);

        var match = Assert.Single(program.Cancellers).Match(Bytes(data), slots, new byte[EventKeyText.BufferBytes], out var reading);

        Assert.Equal(wanted, match.ToString());
        if (match == MeterMatch.Yes) Assert.Equal((true, "s7"), (reading.Cancels, Encoding.UTF8.GetString(reading.CancelKey)));
        Assert.Empty(program.Meters);
    }

    [Theory]
    [InlineData("$.a", true)]
    [InlineData("$.a.b", true)]
    [InlineData("$.1.2.3.4.5.6.7.8.9.10.11.12.13.14.15.16", true)]
    [InlineData("$.1.2.3.4.5.6.7.8.9.10.11.12.13.14.15.16.17", false)]
    [InlineData("a.b", false)]
    [InlineData("x.a", false)]
    [InlineData("$", false)]
    [InlineData("$.", false)]
    [InlineData("$.a..b", false)]
    [InlineData("$.a[0]", false)]
    [InlineData("$.[a", false)]
    [InlineData("$.*", false)]
    [InlineData("$.a b", false)]
    public void APath_IsMemberNamesFromTheRoot(string text, bool isPath)
    {
        Assert.Equal(isPath, JsonPath.TryParse(text, out var path));
        if (!isPath) return;
        Assert.Equal(text, path.ToString());
        Assert.Equal(path, new JsonPath(path.Names));
        Assert.NotEqual(path, new JsonPath(path.Names.Add("x")));
        Assert.False(path.Equals(null));
    }

    private static (EventProgram Program, ValueSlot[] Slots) Read(string cancelKey, string type, string data)
    {
        var meter = new Meter(
            "answers", "desk", "answered", [], Aggregate.Count, null, new(new(["ticket"]), new CountOnceWindow.Period()),
            new("written", [new(new(["by"]), [JsonScalar.From(JsonDocument.Parse("\"agent\"").RootElement)!])], new([cancelKey]), TimeSpan.FromHours(72)));
        var program = new EventProgram(type, [meter]);
        var slots = new ValueSlot[program.Slots];
        program.Read(Bytes(data), slots);
        return (program, slots);
    }

    private static byte[] Bytes(string json) => Encoding.UTF8.GetBytes(json);
}
