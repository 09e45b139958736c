using System.Globalization;
using System.Text.Json;
using System.Text.Unicode;

namespace Billing.Silo.Stripe;

/// <summary>An object of Stripe's lacks a field or has it in another form; the message names the field and shows no value.</summary>
internal sealed class UnreadableObjectException(string message) : Exception(message);

/// <summary>Reads the fields of Stripe's objects.</summary>
internal static class StripeJson
{
    /// <summary>The JSON object in a body; null when the body is none, is cut off, or has texts that are no Unicode.</summary>
    public static JsonElement? Parse(ReadOnlyMemory<byte> body)
    {
        try
        {
            if (!Utf8.IsValid(body.Span) || HasHalfCharacters(body.Span)) return null;
            using var document = JsonDocument.Parse(body);
            return document.RootElement.ValueKind == JsonValueKind.Object ? document.RootElement.Clone() : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    /// <summary>A field that is there and not null.</summary>
    public static JsonElement? Field(this JsonElement from, string name) =>
        from.ValueKind == JsonValueKind.Object && from.TryGetProperty(name, out var value) && value.ValueKind != JsonValueKind.Null ? value : null;

    /// <summary>A text; null when there is none.</summary>
    public static string? TextOrNull(this JsonElement from, string name) =>
        from.Field(name) is not { } value ? null : value.ValueKind == JsonValueKind.String ? value.GetString() : throw Unreadable(from, name, "a text");

    /// <summary>A text that must be there.</summary>
    public static string Text(this JsonElement from, string name) => from.TextOrNull(name) ?? throw Unreadable(from, name, "a text");

    /// <summary>A whole number that must be there.</summary>
    public static long Whole(this JsonElement from, string name) =>
        from.Field(name) is { ValueKind: JsonValueKind.Number } value && value.TryGetInt64(out var number) ? number : throw Unreadable(from, name, "a whole number");

    /// <summary>An instant that must be there; Stripe counts seconds since 1970-01-01 UTC.</summary>
    public static DateTimeOffset Instant(this JsonElement from, string name)
    {
        var seconds = from.Whole(name);
        return seconds >= DateTimeOffset.MinValue.ToUnixTimeSeconds() && seconds <= DateTimeOffset.MaxValue.ToUnixTimeSeconds()
            ? DateTimeOffset.FromUnixTimeSeconds(seconds)
            : throw Unreadable(from, name, "a time");
    }

    /// <summary>The object's own id.</summary>
    public static string Id(this JsonElement from) => from.Text("id") is var id && StripePath.IsId(id) ? id : throw Unreadable(from, "id", "an id");

    /// <summary>The id in a field that holds an id or the whole object; null when there is none.</summary>
    public static string? IdOrNull(this JsonElement from, string name) => from.Field(name) switch
    {
        null => null,
        { ValueKind: JsonValueKind.Object } whole => whole.Id(),
        _ => from.Text(name) is var id && StripePath.IsId(id) ? id : throw Unreadable(from, name, "an id"),
    };

    /// <summary>A value of the object's metadata; null when there is none.</summary>
    public static string? Metadata(this JsonElement from, string name) => from.Field("metadata")?.TextOrNull(name);

    /// <summary>A whole number of the object's metadata; null when there is none that can be read.</summary>
    public static int? MetadataNumber(this JsonElement from, string name) =>
        int.TryParse(from.Metadata(name), NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : null;

    /// <summary>The items of a list object.</summary>
    public static List<JsonElement> Items(JsonElement list) =>
        list.Field("data") is { ValueKind: JsonValueKind.Array } items ? [.. items.EnumerateArray()] : throw Unreadable(list, "data", "a list");

    /// <summary>Whether a list object goes on beyond its items.</summary>
    public static bool HasMore(JsonElement list) => list.Field("has_more") is { ValueKind: JsonValueKind.True or JsonValueKind.False } more ? more.GetBoolean() : throw Unreadable(list, "has_more", "yes or no");

    // Half of a surrogate pair, as \ud800, is valid JSON that has no text.
    private static bool HasHalfCharacters(ReadOnlySpan<byte> body)
    {
        var reader = new Utf8JsonReader(body);
        while (reader.Read())
        {
            if (!reader.ValueIsEscaped) continue;
            try
            {
                reader.GetString();
            }
            catch (InvalidOperationException)
            {
                return true;
            }
        }

        return false;
    }

    private static UnreadableObjectException Unreadable(JsonElement from, string name, string what)
    {
        var kind = from.ValueKind == JsonValueKind.Object && from.TryGetProperty("object", out var word) && word.ValueKind == JsonValueKind.String ? word.GetString() : "object";
        return new($"{name} of a Stripe {kind} is not {what}.");
    }
}
