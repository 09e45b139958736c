using System.Text;
using System.Text.Json;

namespace Billing.Metering;

/// <summary>A JSON string, number, true, false or null that an event's value is compared with; number spelling does not matter.</summary>
public sealed class JsonScalar : IEquatable<JsonScalar>
{
    private JsonScalar(JsonTokenType kind, byte[] text)
    {
        Kind = kind;
        Text = text;
    }

    internal JsonTokenType Kind { get; }

    /// <summary>A string unescaped, a number canonical, else empty; UTF-8.</summary>
    internal byte[] Text { get; }

    /// <summary>A scalar from the catalogue; null for an object or an array.</summary>
    public static JsonScalar? From(JsonElement element) => element.ValueKind switch
    {
        JsonValueKind.String => new(JsonTokenType.String, Encoding.UTF8.GetBytes(element.GetString()!)),
        JsonValueKind.Number when JsonNumber.Canonical(element.GetRawText()) is { } canonical =>
            new(JsonTokenType.Number, Encoding.UTF8.GetBytes(canonical)),
        JsonValueKind.True => new(JsonTokenType.True, []),
        JsonValueKind.False => new(JsonTokenType.False, []),
        JsonValueKind.Null => new(JsonTokenType.Null, []),
        _ => null,
    };

    /// <inheritdoc/>
    public bool Equals(JsonScalar? other) => other is not null && Kind == other.Kind && Text.AsSpan().SequenceEqual(other.Text);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as JsonScalar);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(Kind, Text.Length);
}
