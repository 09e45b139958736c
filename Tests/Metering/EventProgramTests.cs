using System.Text;
using System.Text.Json;
using Billing.Metering;
using Billing.Plans;

namespace Billing.Tests.Metering;

public sealed class EventProgramTests
{
    private const string Sum = """{ "id": "m", "product": "p", "event": "e", "where": { "$.on": true }, "aggregate": "sum", "value": "$.size" }""";
    private const string Sessions = """
        { "id": "m", "product": "p", "event": "e", "aggregate": "count",
          "count_once": { "key": "$.ticket.id", "window": { "session": { "gap": "P10D", "by": { "path": "$.channel", "gaps": { "chat": "P3D", "e-mail ü": "P5D" } } } } } }
        """;

    [Theory]
    [InlineData("""{"on":true,"size":12.5}""", "12.5")]
    [InlineData("""{"size":125e-1,"on":true}""", "12.5")]
    [InlineData("""{ "other": {"on": false, "size": [1, {"on": 2}]}, "on" : true , "size" : 0 }""", "0")]
    [InlineData("""{"\u006f\u006e":true,"si\u007ae":3}""", "3")] // names with escapes
    public void MatchingData_GivesTheValue(string data, string value)
    {
        var (match, read, _, _) = Match(Sum, data);

        Assert.Equal(MeterMatch.Yes, match);
        Assert.Equal(value, read.ToString());
    }

    [Theory]
    [InlineData("")]
    [InlineData("null")]
    [InlineData("[]")]
    [InlineData("""[{"on":true,"size":1}]""")]
    [InlineData("\"on\"")]
    [InlineData("7")]
    [InlineData("{}")]
    [InlineData("""{"size":1}""")]
    [InlineData("""{"on":false,"size":1}""")]
    [InlineData("""{"on":null,"size":1}""")]
    [InlineData("""{"on":"true","size":1}""")]
    [InlineData("""{"on":1,"size":1}""")]
    [InlineData("""{"on":[true],"size":1}""")]
    [InlineData("""{"on":{"on":true},"size":1}""")]
    [InlineData("""{"On":true,"size":1}""")]
    [InlineData("""{"a":{"on":true},"size":1}""")]
    public void AFilterThatDoesNotHoldOrHasNoValue_DoesNotMatch(string data) => Assert.Equal(MeterMatch.No, Match(Sum, data).Match);

    [Theory]
    [InlineData("""{"on":true}""")]
    [InlineData("""{"on":true,"size":null}""")]
    [InlineData("""{"on":true,"size":"12"}""")]
    [InlineData("""{"on":true,"size":true}""")]
    [InlineData("""{"on":true,"size":[12]}""")]
    [InlineData("""{"on":true,"size":{"size":12}}""")]
    [InlineData("""{"on":true,"size":-1}""")]
    [InlineData("""{"on":true,"size":1e400}""")]
    public void AMatchingEventWithoutAUsableValue_HasABadValue(string data) => Assert.Equal(MeterMatch.BadValue, Match(Sum, data).Match);

    [Theory]
    [InlineData("\"outbound\"", "\"outbound\"", MeterMatch.Yes)]
    [InlineData("\"outbound\"", "\"out\\u0062ound\"", MeterMatch.Yes)]
    [InlineData("\"out\\u0062ound\"", "\"outbound\"", MeterMatch.Yes)]
    [InlineData("\"a/b\"", "\"a\\/b\"", MeterMatch.Yes)]
    [InlineData("\"grün 😀\"", "\"gr\\u00fcn \\ud83d\\ude00\"", MeterMatch.Yes)]
    [InlineData("\"outbound\"", "\"Outbound\"", MeterMatch.No)]
    [InlineData("\"outbound\"", "\"outbound \"", MeterMatch.No)]
    [InlineData("[\"in\", \"out\", 3]", "\"out\"", MeterMatch.Yes)]
    [InlineData("[\"in\", \"out\", 3]", "3.0", MeterMatch.Yes)]
    [InlineData("[\"in\", \"out\", 3]", "\"3\"", MeterMatch.No)]
    [InlineData("[\"in\", \"out\", 3]", "\"inout\"", MeterMatch.No)]
    [InlineData("100", "1e2", MeterMatch.Yes)]
    [InlineData("1.0", "1", MeterMatch.Yes)]
    [InlineData("0", "-0.0", MeterMatch.Yes)]
    [InlineData("9007199254740993", "9007199254740992", MeterMatch.No)] // 2^53 + 1 and 2^53
    [InlineData("null", "null", MeterMatch.Yes)]
    [InlineData("null", "false", MeterMatch.No)]
    [InlineData("false", "false", MeterMatch.Yes)]
    [InlineData("\"\"", "\"\"", MeterMatch.Yes)]
    public void AFilter_ComparesValuesNotSpellings(string wanted, string found, object match)
    {
        var meter = $$"""{ "id": "m", "product": "p", "event": "e", "where": { "$.v": {{wanted}} }, "aggregate": "count" }""";

        Assert.Equal((MeterMatch)match, Match(meter, $$"""{"v":{{found}}}""").Match);
    }

    [Fact]
    public void AllFilters_MustHold()
    {
        const string Meter = """{ "id": "m", "product": "p", "event": "e", "where": { "$.a": 1, "$.b.c": "x" }, "aggregate": "count" }""";

        Assert.Equal(MeterMatch.Yes, Match(Meter, """{"b":{"z":0,"c":"x"},"a":1}""").Match);
        Assert.Equal(MeterMatch.No, Match(Meter, """{"b":{"c":"y"},"a":1}""").Match);
        Assert.Equal(MeterMatch.No, Match(Meter, """{"b":{"c":"x"}}""").Match);
        Assert.Equal(MeterMatch.No, Match(Meter, """{"b.c":"x","a":1}""").Match);
    }

    [Fact]
    public void APathInsideAnother_IsReadToo()
    {
        const string Meter = """{ "id": "m", "product": "p", "event": "e", "where": { "$.a": "x" }, "aggregate": "sum", "value": "$.a.b" }""";

        Assert.Equal(MeterMatch.No, Match(Meter, """{"a":{"b":5}}""").Match);
        Assert.Equal(MeterMatch.BadValue, Match(Meter, """{"a":"x"}""").Match);
    }

    [Fact]
    public void SlotsOfTheEventBefore_LeaveNoTrace()
    {
        var program = Program(Sum);
        var slots = new ValueSlot[program.Slots];

        program.Read("""{"on":true,"size":1}"""u8, slots);
        program.Read("{}"u8, slots);

        Assert.All(slots, slot => Assert.Equal(JsonTokenType.None, slot.Kind));
    }

    [Theory]
    [InlineData("7", "7.0", true)]
    [InlineData("7", "70e-1", true)]
    [InlineData("7", "\"7\"", false)]
    [InlineData("\"a\"", "\"\\u0061\"", true)]
    [InlineData("\"a\"", "\"A\"", false)]
    [InlineData("\"\"", "\"\"", true)]
    [InlineData("1", "10", false)]
    [InlineData("9007199254740993", "9007199254740992", false)]
    public void Keys_AreEqualWhenTheirValuesAre(string one, string other, bool equal)
    {
        var first = Match(Sessions, $$$"""{"ticket":{"id":{{{one}}}}}""");
        var second = Match(Sessions, $$$"""{"ticket":{"id":{{{other}}}}}""");

        Assert.Equal(MeterMatch.Yes, first.Match);
        Assert.Equal(equal, first.Key == second.Key);
    }

    [Theory]
    [InlineData("""{}""")]
    [InlineData("""{"ticket":7}""")]
    [InlineData("""{"ticket":{}}""")]
    [InlineData("""{"ticket":{"id":null}}""")]
    [InlineData("""{"ticket":{"id":true}}""")]
    [InlineData("""{"ticket":{"id":[1]}}""")]
    public void AKeyThatIsNeitherStringNorNumber_IsBad(string data) => Assert.Equal(MeterMatch.BadKey, Match(Sessions, data).Match);

    [Fact]
    public void AKeyOfAKilobyte_IsTheLongest()
    {
        Assert.Equal(MeterMatch.Yes, Match(Sessions, $$$"""{"ticket":{"id":"{{{new string('k', 1024)}}}"}}""").Match);
        Assert.Equal(MeterMatch.BadKey, Match(Sessions, $$$"""{"ticket":{"id":"{{{new string('k', 1025)}}}"}}""").Match);
        var escaped = string.Concat(Enumerable.Repeat("\\u006b", 1024));
        Assert.Equal(Match(Sessions, $$$"""{"ticket":{"id":"{{{new string('k', 1024)}}}"}}""").Key, Match(Sessions, $$$"""{"ticket":{"id":"{{{escaped}}}"}}""").Key);
        Assert.Equal(MeterMatch.BadKey, Match(Sessions, $$$"""{"ticket":{"id":"{{{escaped}}}k"}}""").Match);
    }

    [Fact]
    public void AKeyOfAThousandDigits_IsTheLongestNumber()
    {
        Assert.Equal(MeterMatch.Yes, Match(Sessions, $$$"""{"ticket":{"id":{{{new string('7', 1024)}}}}}""").Match);
        Assert.Equal(MeterMatch.BadKey, Match(Sessions, $$$"""{"ticket":{"id":{{{new string('7', 1025)}}}}}""").Match);
    }

    [Fact]
    public void AUniqueMeter_CountsByItsValue_AndSaysWhenThatIsNoKey()
    {
        const string unique = """{ "id": "m", "product": "p", "event": "e", "aggregate": "unique", "value": "$.agent" }""";

        Assert.Equal((MeterMatch.Yes, Quantity.One, "sada"), Matched("""{"agent":"ada"}"""));
        Assert.Equal(MeterMatch.BadValue, Matched("""{"agent":[1]}""").Match);

        (MeterMatch Match, Quantity Value, string Key) Matched(string data) => Match(unique, data) is var read ? (read.Match, read.Value, read.Key) : default;
    }

    [Fact]
    public void ASum_HasNoKey()
    {
        const string sum = """{ "id": "m", "product": "p", "event": "e", "aggregate": "sum", "value": "$.size" }""";

        var read = Match(sum, """{"size":12}""");

        Assert.Equal((MeterMatch.Yes, Quantity.Of(12), ""), (read.Match, read.Value, read.Key));
    }

    [Theory]
    [InlineData("", 10)]
    [InlineData(",\"channel\":\"chat\"", 3)]
    [InlineData(",\"channel\":\"ch\\u0061t\"", 3)]
    [InlineData(",\"channel\":\"e-mail \\u00fc\"", 5)]
    [InlineData(",\"channel\":\"fax\"", 10)]
    [InlineData(",\"channel\":null", 10)]
    [InlineData(",\"channel\":{\"chat\":1}", 10)]
    public void TheGap_IsChosenByTheDataOrElseTheUsualOne(string channel, int days) =>
        Assert.Equal(days * 86_400, Match(Sessions, $$"""{"ticket":{"id":1}{{channel}}}""").GapSeconds);

    [Fact]
    public void MetersOfOneType_ReadTheirValuesInOnePass()
    {
        var catalog = CatalogReader.Read(Encoding.UTF8.GetBytes(CatalogOf(
            Sum, """{ "id": "n", "product": "p", "event": "e", "aggregate": "max", "value": "$.size" }""", """{ "id": "o", "product": "p", "event": "f", "aggregate": "count" }"""))).Catalog!;

        var programs = new CompiledCatalog(catalog).Programs;

        Assert.Equal(["e", "f"], programs.Select(p => Encoding.UTF8.GetString(p.EventType)));
        Assert.Equal(["m", "n"], programs[0].Meters.Select(m => m.Definition.Id));
        Assert.Equal(2, programs[0].Slots); // $.on and $.size, which both meters share
    }

    private static (MeterMatch Match, Quantity Value, string Key, int GapSeconds) Match(string meter, string data)
    {
        var program = Program(meter);
        var slots = new ValueSlot[program.Slots];
        var json = Encoding.UTF8.GetBytes(data);
        var buffer = new byte[EventKeyText.BufferBytes + 32];

        program.Read(json, slots);
        var match = program.Meters[0].Match(json, slots, buffer, out var reading);
        return (match, reading.Value, Encoding.UTF8.GetString(reading.Key), reading.GapSeconds);
    }

    private static EventProgram Program(string meter)
    {
        var (catalog, problem) = CatalogReader.Read(Encoding.UTF8.GetBytes(CatalogOf(meter)));
        return new("e", (catalog ?? throw new ArgumentException(problem!.Detail, nameof(meter))).Meters);
    }

    private static string CatalogOf(params string[] meters) => $$"""
        { "version": "1", "currency": "USD", "meters": [{{string.Join(',', meters)}}],
          "products": [{ "id": "p", "plans": [{ "id": "p-1", "rank": 1, "base_price": "0" }] }] }
        """;
}
