using System.Text;
using Billing.Deduplication;
using Billing.Silo.Ingest;
using static Billing.Tests.Ingest.ReadEvent;

namespace Billing.Tests.Ingest;

/// <summary>Fault F24: events made to break their reader. Each is refused with a reason, and in bounded memory.</summary>
public sealed class PoisonTests
{
    [Theory]
    [InlineData("NaN"), InlineData("Infinity"), InlineData("-"), InlineData("01"), InlineData("1."), InlineData(".5"), InlineData("0x10"), InlineData("+1")]
    [InlineData("'a'"), InlineData("undefined"), InlineData("tru"), InlineData("[1,]"), InlineData("{\"a\":1,}"), InlineData("{a:1}"), InlineData("1/*a*/")]
    [InlineData("\"\\x\""), InlineData("\"\\u12\""), InlineData("\"a\nb\""), InlineData("\"a\0b\""), InlineData("\ufeff1"), InlineData("1}, {\"b\":2"), InlineData("[1}"), InlineData("")]
    public void DataThatIsNotJson_IsRefusedWithItsPlace(string data)
    {
        var e = WithData(data);

        Assert.False(e.Accepted);
        Assert.Contains("not JSON: line 1, byte ", e.Reason, StringComparison.Ordinal);
        Assert.Equal(("gateway-1", "evt-7", "merchant-1"), (e.Source, e.Id, e.Subject));
    }

    [Theory]
    [InlineData(""), InlineData(" "), InlineData("["), InlineData("null"), InlineData("\"a\""), InlineData("[]"), InlineData("{"), InlineData("{\"id\""), InlineData("{\"id\":"), InlineData("{\"id\":\"\\")]
    [InlineData("{} {}"), InlineData("{}x"), InlineData("\0"), InlineData("{\"subject\" \"a\"}"), InlineData("{\"subject\":\"\\"), InlineData("{\"subject\":}"), InlineData("{,}")]
    public void ABodyThatIsNoEvent_IsRefusedAndNamesNoAccount(string json)
    {
        var e = From(json);

        Assert.False(e.Accepted);
        Assert.NotNull(e.Reason);
        Assert.Empty(e.Subject);
    }

    [Theory]
    [InlineData("\"\\ud800\""), InlineData("\"\\udc00\""), InlineData("\"\\ud800\\ud800\""), InlineData("\"\\ud83d x\""), InlineData("\"\\ud83d\\n\"")]
    [InlineData("{\"\\udfff\":1}"), InlineData("[{\"a\":[\"\\ud800\"]}]")]
    public void ALoneSurrogate_IsRefusedWhereverItStands(string data)
    {
        Assert.Contains("surrogate", WithData(data).Reason, StringComparison.Ordinal);
        Assert.Contains("surrogate", From($"{{{Envelope},\"extension\":{data}}}").Reason, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("{\"a\":1,\"a\":1}", "\"a\""), InlineData("[[{\"x\":{\"b\":1,\"c\":2,\"b\":3}}]]", "\"b\""), InlineData("{\"a\":1,\"\\u0061\":2}", "\"\\u0061\"")]
    [InlineData("{\"\":1,\"\":1}", "\"\"")]
    public void AMemberThatStandsTwice_IsRefusedByName(string data, string name)
    {
        Assert.Contains($"member {name} twice", WithData(data).Reason, StringComparison.Ordinal);
        Assert.Contains("twice", From($"{{{Envelope},\"extension\":{data}}}").Reason, StringComparison.Ordinal);
    }

    [Fact]
    public void AnExtensionThatStandsTwice_IsRefusedByName() =>
        Assert.Contains("member \"ext\" twice", From($"{{{Envelope},\"ext\":1,\"ext\":1}}").Reason, StringComparison.Ordinal);

    [Fact]
    public void TheSameNameInSeveralObjects_IsNoDouble() =>
        Assert.True(WithData("{\"a\":{\"a\":{\"a\":1}},\"b\":[{\"a\":1},{\"a\":1}]}").Accepted);

    [Fact]
    public void ADoubleAmongTwentyThousandMembers_IsFoundByName()
    {
        var members = string.Join(',', Enumerable.Range(0, 20_000).Select(i => $"\"{i}\":0"));

        Assert.True(WithData($"{{{members}}}").Accepted);
        Assert.Contains("member \"777\" twice", WithData($"{{{members},\"777\":0}}").Reason, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(63, true), InlineData(64, false), InlineData(65, false), InlineData(10_000, false)]
    public void Nesting_IsTakenToSixtyFourLevels(int levelsOfData, bool accepted)
    {
        var arrays = WithData(new string('[', levelsOfData) + new string(']', levelsOfData));
        var objects = WithData(string.Concat(Enumerable.Repeat("{\"a\":", levelsOfData - 1)) + "{}" + new string('}', levelsOfData - 1));

        Assert.Equal((accepted, accepted), (arrays.Accepted, objects.Accepted));
        if (!accepted)
            Assert.All([arrays, objects], e => Assert.Contains("deeper than 64", e.Reason, StringComparison.Ordinal));
    }

    [Fact]
    public void ARefusedEvent_NamesItsAccountAlsoBehindThePoison()
    {
        var deep = new string('[', 10_000) + new string(']', 10_000);

        Assert.Equal("merchant-1", From($"{{\"data\":{deep},{Envelope}}}").Subject);
        Assert.Equal("merchant-1", From($"{{\"data\":NaN,{Envelope}}}").Subject);
        Assert.Equal("merchant-1", From($"\ufeff{{{Envelope}}}").Subject);
        Assert.Equal("merchant-1", From($"{{\"data\":\"{new string('x', 10_000_000)}\",{Envelope}}}").Subject);
    }

    [Fact]
    public void AnEvent_MayHave256KiBAndNoMore()
    {
        var room = CloudEventReader.BytesMax - Encoding.UTF8.GetByteCount($"{{{Envelope},\"data\":\"\"}}");

        Assert.True(WithData("\"" + new string('x', room) + "\"").Accepted);
        var tooLarge = WithData("\"" + new string('x', room + 1) + "\"");
        Assert.False(tooLarge.Accepted);
        Assert.Contains("262145 bytes", tooLarge.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public void ByteOrderMarks_AreRefused() => Assert.Contains("byte order mark", From($"\ufeff{{{Envelope}}}").Reason, StringComparison.Ordinal);

    [Theory]
    [InlineData(new byte[] { 0xff }), InlineData(new byte[] { 0xc3 }), InlineData(new byte[] { 0xc0, 0x80 }), InlineData(new byte[] { 0xed, 0xa0, 0x80 }), InlineData(new byte[] { 0xf4, 0x90, 0x80, 0x80 })]
    public void BytesThatAreNotUtf8_AreRefused(byte[] bytes)
    {
        var e = From([.. Encoding.UTF8.GetBytes($"{{{Envelope},\"data\":\""), .. bytes, .. "\"}"u8]);

        Assert.Contains("UTF-8", e.Reason, StringComparison.Ordinal);
        Assert.Equal("merchant-1", e.Subject);
    }

    [Theory]
    [InlineData("1e400", true), InlineData("-0", true), InlineData("1e1000000", true), InlineData("1e-1000000", true), InlineData("1e+0001000000", true)]
    [InlineData("1e1000001", false), InlineData("1e-1000001", false), InlineData("0e99999999999999999999", false)]
    public void Exponents_AreTakenToAMillion(string number, bool accepted) => Assert.Equal(accepted, WithData(number).Accepted);

    [Fact]
    public void Numbers_AreTakenToAThousandDigits()
    {
        Assert.True(WithData(new string('9', 500) + "." + new string('9', 500)).Accepted);
        Assert.Contains("1000 digits", WithData(new string('9', 501) + "." + new string('9', 500)).Reason, StringComparison.Ordinal);
    }

    // Goal: never an exception, whatever comes. Method: cut a good event at every byte, and turn every bit of it.
    [Fact]
    public void AnEventCutOrTurnedAnywhere_IsReadOrRefused()
    {
        var reader = new CloudEventReader(new SipKey(5, 6));
        var json = Encoding.UTF8.GetBytes($$$"""{{{{Envelope}}},"x":"\u0061é","data":{"a":[1.5e3,"\ud83d\ude00",true,null],"b":{"c":-0} } }""");
        for (var length = 0; length < json.Length; length++)
            Assert.False(From(reader, json.AsSpan(0, length)).Accepted);

        for (var bit = 0; bit < json.Length * 8; bit++)
        {
            var turned = (byte[])json.Clone();
            turned[bit / 8] ^= (byte)(1 << (bit % 8));
            var e = From(reader, turned);
            Assert.Equal(e.Accepted, e.Reason is null);
        }
    }
}
