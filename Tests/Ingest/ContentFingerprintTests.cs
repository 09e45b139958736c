using FsCheck;
using FsCheck.Fluent;
using static Billing.Tests.Ingest.ReadEvent;

namespace Billing.Tests.Ingest;

public sealed class ContentFingerprintTests
{
    [Theory]
    [InlineData("1", "1.0"), InlineData("1", "1e0"), InlineData("1", "10e-1"), InlineData("1", "0.1E+1"), InlineData("1", "1.000"), InlineData("100", "1e2")]
    [InlineData("0", "-0"), InlineData("0", "0.0e7"), InlineData("-0.0", "0e-3"), InlineData("1e400", "10e399"), InlineData("-12.50", "-125e-1")]
    [InlineData("\"a\"", "\"\\u0061\""), InlineData("\"/\"", "\"\\/\""), InlineData("\"😀\"", "\"\\ud83d\\uDE00\""), InlineData("\"\\n\"", "\"\\u000a\"")]
    [InlineData("{\"a\":1,\"b\":2}", " { \"b\" : 2 ,\t\"a\" : 1 } "), InlineData("{\"a\":1}", "{\"\\u0061\":1.0}"), InlineData("[1,2]", "[ 1 ,\r\n2.0]")]
    [InlineData("\"\\u0000\"", "\"\\u0000\"")]
    public void SpellingsOfOneValue_AreOneContent(string one, string other) => Assert.Equal(Content(one), Content(other));

    [Theory]
    [InlineData("1", "\"1\""), InlineData("{}", "[]"), InlineData("{}", "null"), InlineData("[]", "null"), InlineData("null", "\"null\""), InlineData("true", "false")]
    [InlineData("true", "\"true\""), InlineData("0", "null"), InlineData("0", "\"\""), InlineData("0", "false"), InlineData("1", "-1"), InlineData("1", "10"), InlineData("1e400", "1e401")]
    [InlineData("9007199254740993", "9007199254740992"), InlineData("0.1", "0.10000000000000000000000000000000001")]
    [InlineData("[1,2]", "[2,1]"), InlineData("[1,1]", "[1]"), InlineData("[[1],2]", "[1,[2]]"), InlineData("[[]]", "[]"), InlineData("[[1,2]]", "[[1],[2]]"), InlineData("[null]", "[]")]
    [InlineData("{\"a\":{\"b\":1}}", "{\"a.b\":1}"), InlineData("{\"a\":1,\"b\":2}", "{\"a\":2,\"b\":1}"), InlineData("{\"a\":1}", "{\"b\":1}"), InlineData("{\"a\":1}", "{\"a\":1,\"b\":null}")]
    [InlineData("{\"a\":{\"b\":1},\"c\":{\"d\":1}}", "{\"a\":{\"d\":1},\"c\":{\"b\":1}}"), InlineData("{\"a\":{\"x\":1,\"y\":2}}", "{\"a\":{\"x\":1},\"y\":2}")]
    [InlineData("{\"a\":[1,2]}", "{\"a\":1,\"b\":2}"), InlineData("{\"a\":{}}", "{\"a\":[]}"), InlineData("{\"\":1}", "{\"a\":1}"), InlineData("[{\"a\":1},{\"b\":2}]", "[{\"a\":1,\"b\":2}]")]
    [InlineData("{\"a\":\"b\"}", "{\"ab\":\"\"}"), InlineData("\"é\"", "\"e\u0301\""), InlineData("\"a\"", "\"A\""), InlineData("\" a\"", "\"a\"")]
    public void ValuesThatDiffer_AreDifferentContent(string one, string other) => Assert.NotEqual(Content(one), Content(other));

    [Fact]
    public void NoData_DiffersFromNullAndFromBase64()
    {
        var none = From($"{{{Envelope}}}").Fingerprint;
        var base64 = From($"{{{Envelope},\"data_base64\":\"AQI=\"}}").Fingerprint;

        Assert.Distinct([none, base64, Content("null"), Content("\"AQI=\""), Content("\"\""), Content("{}")]);
    }

    [Fact]
    public void TypeAndTime_AreContentAndOtherAttributesAreNot()
    {
        var fingerprint = With("id", "\"evt-7\"").Fingerprint;

        Assert.Equal(fingerprint, With("id", "\"evt-8\"").Fingerprint);
        Assert.Equal(fingerprint, With("source", "\"gateway-2\"").Fingerprint);
        Assert.Equal(fingerprint, With("subject", "\"merchant-2\"").Fingerprint);
        Assert.Equal(fingerprint, With("type", "\"api\\u002ecall\"").Fingerprint);
        Assert.NotEqual(fingerprint, With("type", "\"api.Call\"").Fingerprint);
        Assert.Equal(fingerprint, With("time", "\"2026-03-10T13:00:00.000+01:00\"").Fingerprint);
        Assert.NotEqual(fingerprint, With("time", "\"2026-03-10T12:00:00.0000001Z\"").Fingerprint);
        Assert.NotEqual(fingerprint, With("time", "\"2026-03-10T12:00:00.00000000001Z\"").Fingerprint);
    }

    // Goal: the fingerprint is one of the value, not of its spelling. Method: any value, spelled twice at random.
    [Fact]
    public void AnyValueSpelledOtherwise_IsTheSameContent() =>
        Prop.ForAll(Arb.From(Seeds()), seeds =>
        {
            var value = JsonValue.Random(new Random(seeds.Value), depth: 4);
            var spelled = value.Spell(new Random(seeds.Spelling));

            Assert.Equal(Content(value.Spell(new Random(0))), Content(spelled));
        }).Holds();

    // Goal: what differs anywhere differs in content. Method: any value, and the same with one leaf changed.
    [Fact]
    public void AnyValueChangedInOnePlace_IsOtherContent() =>
        Prop.ForAll(Arb.From(Seeds()), seeds =>
        {
            var value = JsonValue.Random(new Random(seeds.Value), depth: 4);
            var changed = value.ChangedOnce(new Random(seeds.Spelling));

            Assert.NotEqual(Content(value.Spell(new Random(0))), Content(changed.Spell(new Random(seeds.Spelling))));
        }).Holds();

    private static Gen<(int Value, int Spelling)> Seeds() =>
        Gen.Choose(0, int.MaxValue).SelectMany(_ => Gen.Choose(0, int.MaxValue), (value, spelling) => (value, spelling));

    private static uint Content(string data)
    {
        var e = WithData(data);
        Assert.True(e.Accepted, e.Reason);
        return e.Fingerprint;
    }
}
