using System.Collections;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace Billing.Silo.Api;

/// <summary>Says what is wrong with a JSON body, in terms of the call.</summary>
internal static class JsonProblems
{
    /// <summary>The problem of a body that cannot be read as a message.</summary>
    public static IResult Of(JsonException wrong, JsonTypeInfo type)
    {
        if (wrong.Path is not { Length: > 2 } path)
            return Problems.Invalid($"The body is not a JSON object of this call (line {wrong.LineNumber + 1}, byte {wrong.BytePositionInLine + 1}). Nothing was stored.", null);

        var field = path[2..];
        if (field.AsSpan().ContainsAny('.', '['))
            return Problems.Invalid($"The field {field} has a value of the wrong kind, or is there twice. Nothing was stored.", field);
        return type.Properties.FirstOrDefault(p => p.Name == field) is { } property
            ? Problems.Invalid($"The field {field} is {KindOf(property.PropertyType)}, given once. Nothing was stored.", field)
            : Problems.Invalid($"This call has no field {field}. It has: {string.Join(", ", type.Properties.Select(p => p.Name))}. Nothing was stored.", field);
    }

    private static string KindOf(Type type)
    {
        var kind = Nullable.GetUnderlyingType(type) ?? type;
        return kind == typeof(bool) ? "true or false"
            : kind == typeof(string) ? "a text"
            : kind == typeof(int) || kind == typeof(long) ? "a whole number"
            : kind == typeof(DateTimeOffset) ? "an RFC 3339 time such as 2026-11-01T00:00:00Z"
            : kind.IsAssignableTo(typeof(IDictionary)) ? "an object"
            : kind.IsAssignableTo(typeof(IEnumerable)) ? "a list"
            : "of another kind than this value";
    }
}
