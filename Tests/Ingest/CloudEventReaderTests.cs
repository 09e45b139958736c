using System.Text;
using Billing.Deduplication;
using Billing.Silo.Ingest;
using static Billing.Tests.Ingest.ReadEvent;

namespace Billing.Tests.Ingest;

public sealed class CloudEventReaderTests
{
    [Fact]
    public void ACloudEvent_IsReadWhole()
    {
        var e = WithData("""{"tickets": 1}""");

        Assert.True(e.Accepted, e.Reason);
        Assert.Equal(("gateway-1", "evt-7", "api.call", "merchant-1"), (e.Source, e.Id, e.Type, e.Subject));
        Assert.Equal(new DateTime(2026, 3, 10, 12, 0, 0, DateTimeKind.Utc).Ticks, e.TimeTicks);
        Assert.Equal("""{"tickets": 1}""", e.Data);
        Assert.Equal(EventKey.Hash(new SipKey(5, 6), "gateway-1"u8, "evt-7"u8), e.KeyHash);
        Assert.Null(e.Reason);
        Assert.Null(e.Field);
    }

    [Fact]
    public void AnEventWithoutData_HasNone()
    {
        var e = From($"{{{Envelope}}}");

        Assert.True(e.Accepted);
        Assert.Empty(e.Data);
    }

    [Fact]
    public void EscapesInAttributes_AreTakenOut()
    {
        var escaped = string.Concat("merchant-1".Select(character => $"\\u{(int)character:x4}"));
        var e = From("""{"specversi\u006fn":"\u0031.0","\u0069d":"\u00e9\ud83d\ude00\"","source":"a\/b","type":"t\n","subject":"SUBJECT","time":"2026\u002d03-10T12:00:00Z"}"""
            .Replace("SUBJECT", escaped, StringComparison.Ordinal));

        Assert.True(e.Accepted, e.Reason);
        Assert.Equal(("a/b", "é😀\"", "t\n", "merchant-1"), (e.Source, e.Id, e.Type, e.Subject));
        Assert.Equal(new DateTime(2026, 3, 10, 12, 0, 0, DateTimeKind.Utc).Ticks, e.TimeTicks);
    }

    [Fact]
    public void AttributesOfTheGreatestLengthAllEscaped_AreRead()
    {
        static string Escaped(int length) => "\"" + string.Concat(Enumerable.Repeat("\\u0061", length)) + "\"";
        var e = From($$"""{"id":{{Escaped(1_024)}},"source":{{Escaped(1_024)}},"subject":{{Escaped(256)}},"type":{{Escaped(1_024)}},"specversion":"1.0","time":"2026-03-10T12:00:00Z"}""");

        Assert.True(e.Accepted, e.Reason);
        Assert.Equal(new string('a', 1_024), e.Type);
        Assert.Equal(new string('a', 1_024), e.Id);
        Assert.Equal(new string('a', 256), e.Subject);
    }

    [Theory]
    [InlineData("traceparent", "\"00-ab\""), InlineData("datacontenttype", "\"application/json\""), InlineData("partitionkey", "7"), InlineData("x", "{\"a\":[1]}")]
    public void OtherAttributes_AreNoContent(string name, string value)
    {
        var without = From($"{{{Envelope}}}");
        var with = From($"{{{Envelope},\"{name}\":{value}}}");

        Assert.True(with.Accepted, with.Reason);
        Assert.Equal((without.KeyHash, without.Fingerprint), (with.KeyHash, with.Fingerprint));
    }

    [Theory]
    [InlineData("specversion", null), InlineData("specversion", "\"0.3\""), InlineData("specversion", "1.0")]
    [InlineData("id", null), InlineData("id", "\"\""), InlineData("id", "7"), InlineData("id", "null"), InlineData("id", "\"a\\u0000\"")]
    [InlineData("source", null), InlineData("source", "\"\""), InlineData("source", "{}")]
    [InlineData("type", null), InlineData("type", "\"\""), InlineData("type", "[]"), InlineData("type", "true")]
    [InlineData("subject", null), InlineData("subject", "\"\""), InlineData("subject", "12"), InlineData("subject", "\"a\\u0000\"")]
    [InlineData("subject", "\"a\\nb\""), InlineData("subject", "\"a\u007f\""), InlineData("subject", "\"a\u0085\""), InlineData("subject", "\"\\u009f\"")]
    [InlineData("time", null), InlineData("time", "\"\""), InlineData("time", "1773144000"), InlineData("time", "\"yesterday\""), InlineData("time", "\"2026-02-30T00:00:00Z\"")]
    [InlineData("id", "\"\\ud800\""), InlineData("subject", "\"\\udc00\\ud800\"")]
    [InlineData("data_base64", "7"), InlineData("data_base64", "\"a\"")]
    public void AnAttributeThatIsWrong_IsNamedInTheRefusal(string attribute, string? value)
    {
        var e = With(attribute, value);

        Assert.False(e.Accepted);
        Assert.Equal(attribute, e.Field);
        Assert.StartsWith($"`{attribute}` ", e.Reason, StringComparison.Ordinal);
        Assert.EndsWith(". The event was not counted.", e.Reason, StringComparison.Ordinal);
        Assert.Equal(attribute == "subject" ? "" : "merchant-1", e.Subject);
        Assert.Equal(attribute == "id" ? "" : "evt-7", e.Id);
    }

    [Theory]
    [InlineData("id", 1_024), InlineData("source", 1_024), InlineData("type", 1_024), InlineData("subject", 256)]
    public void AnAttribute_MayBeAsLongAsItsBoundAndNoLonger(string attribute, int bytes)
    {
        Assert.True(With(attribute, "\"" + new string('a', bytes) + "\"").Accepted);
        Assert.Equal(attribute, With(attribute, "\"" + new string('a', bytes + 1) + "\"").Field);
        Assert.Equal(attribute, With(attribute, "\"\\u0061" + new string('a', bytes) + "\"").Field);
        Assert.Equal(attribute, With(attribute, "\"\\u0061" + new string('a', 7 * bytes) + "\"").Field);
    }

    [Fact]
    public void DataAndDataBase64_AreNotBothTaken()
    {
        Assert.True(From($$"""{{{Envelope}},"data_base64":"AQI="}""").Accepted);
        Assert.Contains("both", From($$"""{{{Envelope}},"data":1,"data_base64":"AQI="}""").Reason, StringComparison.Ordinal);
        Assert.Contains("both", From($$"""{{{Envelope}},"data_base64":"AQI=","data":1}""").Reason, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{"subject":"a","subject":"b","source":"s"}""", "subject", "", "s")]
    [InlineData("""{"subject":"a","\u0073ubject":"b","source":"s"}""", "subject", "", "s")]
    [InlineData("""{"subject":"a","source":"s","source":"s"}""", "source", "a", "")]
    [InlineData("""{"subject":"a","data":1,"data":1}""", "data", "a", "")]
    public void AnAttributeThatStandsTwice_IsRefusedAndNamesNothing(string json, string field, string subject, string source)
    {
        var e = From(json);

        Assert.False(e.Accepted);
        Assert.Equal((field, subject, source), (e.Field, e.Subject, e.Source));
    }

    [Fact]
    public void AReaderUsedAgain_RemembersNothing()
    {
        var reader = new CloudEventReader(new SipKey(5, 6));
        var good = Encoding.UTF8.GetBytes($$$"""{{{{Envelope}}},"data":{"a":1,"b":[1,2]}}""");
        var first = From(reader, good);
        foreach (var bad in new[] { "{", "", "[]", $$"""{{{Envelope}},"data":{"a":1,"a":{"b":""" })
            Assert.False(From(reader, Encoding.UTF8.GetBytes(bad)).Accepted);

        Assert.Equal(first, From(reader, good));
    }

    [Fact]
    public void AGoodEvent_AllocatesNothing()
    {
        var reader = new CloudEventReader(new SipKey(5, 6));
        var json = Encoding.UTF8.GetBytes($$$"""{{{{Envelope}}},"data":{"a":1.50,"b":[1,"\u0061",null],"c":"text"}}""");
        var e = default(CloudEvent);
        for (var i = 0; i < 100; i++)
            Assert.True(reader.Read(json, ref e));
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 100; i++)
            reader.Read(json, ref e);

        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());
    }
}
