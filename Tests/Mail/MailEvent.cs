using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace Billing.Tests.Mail;

/// <summary>A line as it was fed, and where the billing clock stood.</summary>
internal sealed record FedLine(byte[] Bytes, DateTimeOffset Clock);

/// <summary>What the oracle says of a line.</summary>
/// <param name="Outcome">The outcome as the contract spells it.</param>
/// <param name="NoSubscription">Accepted, but for a time before the subscription began: counted nowhere.</param>
internal readonly record struct Verdict(string Outcome, bool NoSubscription = false)
{
    public static readonly Verdict Duplicate = new("duplicate");
    public static readonly Verdict Conflict = new("conflict");
    public static readonly Verdict Quarantined = new("quarantined");
    public static readonly Verdict Rejected = new("rejected");
}

/// <summary>An event as the oracle reads it: the envelope, and the values that the meters of the mail catalogue look at.</summary>
internal sealed partial record MailEvent
{
    private const int BytesMax = 256 * 1024;

    public required string Account { get; init; }

    public required string Source { get; init; }

    public required string Id { get; init; }

    public required string Type { get; init; }

    public required DateTimeOffset Time { get; init; }

    public required JsonElement? Data { get; init; }

    public required DateTimeOffset Clock { get; init; }

    public bool IsMessage => Type == "ticket.message.sent";

    public bool IsOutbound =>
        IsMessage && Member("direction") is { ValueKind: JsonValueKind.String } direction && direction.GetString() == "outbound";

    /// <summary>The ticket, spelled so that the string "1" and the number 1 differ; null when missing or of another type.</summary>
    public string? Ticket =>
        Member("ticket_id") is { ValueKind: JsonValueKind.String or JsonValueKind.Number } ticket ? ticket.GetRawText() : null;

    /// <summary>The size in bytes; null when missing, negative or no number.</summary>
    public decimal? Bytes =>
        Member("bytes") is { ValueKind: JsonValueKind.Number } bytes && bytes.TryGetDecimal(out var value) && value >= 0 ? value : null;

    public (string Account, string Source, string Id) Key => (Account, Source, Id);

    /// <summary>Content is type, time as an instant, and data as a JSON value.</summary>
    public bool SameContentAs(MailEvent other) => Type == other.Type && Time == other.Time && SameJson(Data, other.Data);

    /// <summary>Reads a line; null when it is no CloudEvent with an account and an RFC 3339 time.</summary>
    public static MailEvent? Read(FedLine line)
    {
        if (line.Bytes.Length > BytesMax)
            return null;

        try
        {
            var envelope = JsonDocument.Parse(line.Bytes).RootElement;
            var time = Text(envelope, "time");
            if (Text(envelope, "specversion") != "1.0" || time is null || !Rfc3339().IsMatch(time))
                return null;

            return new MailEvent
            {
                Account = Text(envelope, "subject") ?? throw new FormatException("no subject"),
                Source = Text(envelope, "source") ?? throw new FormatException("no source"),
                Id = Text(envelope, "id") ?? throw new FormatException("no id"),
                Type = Text(envelope, "type") ?? throw new FormatException("no type"),
                Time = DateTimeOffset.Parse(time, CultureInfo.InvariantCulture).ToUniversalTime(),
                Data = envelope.TryGetProperty("data", out var data) ? data : null,
                Clock = line.Clock,
            };
        }
        catch (Exception unreadable) when (unreadable is JsonException or FormatException or InvalidOperationException)
        {
            return null;
        }
    }

    private JsonElement? Member(string name) =>
        Data is { ValueKind: JsonValueKind.Object } data && data.TryGetProperty(name, out var value) ? value : null;

    private static bool SameJson(JsonElement? one, JsonElement? other) =>
        one is null || other is null ? one is null && other is null : JsonElement.DeepEquals(one.Value, other.Value);

    private static string? Text(JsonElement envelope, string name) =>
        envelope.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String && value.GetString() is { Length: > 0 } text
            ? text
            : null;

    [GeneratedRegex(
        @"^\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)\z", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture)]
    private static partial Regex Rfc3339();
}
