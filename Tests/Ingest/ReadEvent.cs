using System.Text;
using Billing.Deduplication;
using Billing.Silo.Ingest;

namespace Billing.Tests.Ingest;

/// <summary>A CloudEvent that is read, kept beyond its reader.</summary>
internal sealed record ReadEvent(
    bool Accepted, string Source, string Id, string Subject, string Type, long TimeTicks, string Data, UInt128 KeyHash, uint Fingerprint, string? Reason, string? Field)
{
    public const string Envelope = """
        "specversion":"1.0","id":"evt-7","source":"gateway-1","type":"api.call","subject":"merchant-1","time":"2026-03-10T12:00:00Z"
        """;

    public static ReadEvent From(string json) => From(Encoding.UTF8.GetBytes(json));

    public static ReadEvent From(byte[] json) => From(new CloudEventReader(new SipKey(5, 6)), json);

    public static ReadEvent From(CloudEventReader reader, ReadOnlySpan<byte> json)
    {
        var e = default(CloudEvent);
        var accepted = reader.Read(json, ref e);
        return new ReadEvent(accepted, Text(e.Source), Text(e.Id), Text(e.Subject), Text(e.Type), e.TimeTicks, Text(e.Data), e.KeyHash, e.Fingerprint, e.Reason, e.Field);
    }

    /// <summary>An event that is right but for its data.</summary>
    public static ReadEvent WithData(string data) => From($"{{{Envelope},\"data\":{data}}}");

    /// <summary>An event with one attribute spelled otherwise, or left out.</summary>
    public static ReadEvent With(string attribute, string? value)
    {
        var members = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["specversion"] = "\"1.0\"",
            ["id"] = "\"evt-7\"",
            ["source"] = "\"gateway-1\"",
            ["type"] = "\"api.call\"",
            ["subject"] = "\"merchant-1\"",
            ["time"] = "\"2026-03-10T12:00:00Z\"",
        };
        if (value is null)
            members.Remove(attribute);
        else
            members[attribute] = value;

        return From("{" + string.Join(',', members.Select(member => $"\"{member.Key}\":{member.Value}")) + "}");
    }

    private static string Text(ReadOnlySpan<byte> utf8) => Encoding.UTF8.GetString(utf8);
}
