using System.Globalization;
using System.Text.Json;

namespace Billing.Feeder;

/// <summary>
/// One line of an event file. <see cref="Bytes"/> is sent as it stands; the other members are what could be made out of it,
/// because a line that the feeder cannot read must still reach the platform, which judges it.
/// </summary>
/// <param name="Number">The line's number in its file, from 1.</param>
/// <param name="Bytes">The line without its line feed.</param>
/// <param name="ReceivedAt">The attribute <c>receivedat</c>, UTC; null when missing or unreadable.</param>
/// <param name="Subject">The attribute <c>subject</c>, the account; null when missing or unreadable.</param>
internal sealed record EventLine(int Number, ReadOnlyMemory<byte> Bytes, DateTimeOffset? ReceivedAt, string? Subject)
{
    /// <summary>Makes a line of raw bytes. Never throws.</summary>
    public static EventLine Read(int number, ReadOnlyMemory<byte> bytes)
    {
        try
        {
            using var document = JsonDocument.Parse(bytes);
            if (document.RootElement.ValueKind == JsonValueKind.Object)
            {
                var received = Text(document.RootElement, "receivedat");
                return new(number, bytes, Instant(received), Text(document.RootElement, "subject"));
            }
        }
        catch (Exception unreadable) when (unreadable is JsonException or InvalidOperationException)
        {
            // Not JSON, or a string that is no Unicode: the platform's to reject.
        }

        return new(number, bytes, null, null);
    }

    private static string? Text(JsonElement envelope, string name) =>
        envelope.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    private static DateTimeOffset? Instant(string? text) =>
        DateTimeOffset.TryParse(
            text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out var instant)
            ? instant
            : null;
}
