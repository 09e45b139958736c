using System.Collections;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Billing.Http;

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
        if (wrong is UnreadableValueException value)
        {
            if (value.Member is { } member) field = $"{field}.{member}";
            return value.Known.IsDefault ? Problems.Invalid($"{value.Message} Nothing was stored.", field) : Unknown(field, value.Known);
        }

        if (field.AsSpan().ContainsAny('.', '[')) return OfNested(field, type);
        return type.Properties.FirstOrDefault(p => p.Name == field) is { } property
            ? Problems.Invalid($"The field {field} is {KindOf(property.PropertyType)}, given once. Nothing was stored.", field)
            : Problems.Invalid($"This call has no field {field}. It has: {string.Join(", ", type.Properties.Select(p => p.Name))}. Nothing was stored.", field);
    }

    /// <summary>The problem of a member that the object around it does not have.</summary>
    /// <param name="field">Its path.</param>
    /// <param name="known">The members there are.</param>
    public static IResult Unknown(string field, IEnumerable<string> known) =>
        Problems.Invalid($"There is no field {field}. There it has: {string.Join(", ", known)}. Nothing was stored.", field);

    private static IResult OfNested(string field, JsonTypeInfo type)
    {
        var names = field.Split('.');
        var owner = names[..^1].Aggregate((JsonTypeInfo?)type, TypeOf);
        if (owner is not { Kind: JsonTypeInfoKind.Object } || names[^1].Contains('['))
            return Problems.Invalid($"The field {field} has a value of the wrong kind, or is there twice. Nothing was stored.", field);
        return owner.Properties.FirstOrDefault(p => p.Name == names[^1]) is { } property
            ? Problems.Invalid($"The field {field} is {KindOf(property.PropertyType)}, given once. Nothing was stored.", field)
            : Unknown(field, owner.Properties.Select(p => p.Name));
    }

    // What a member holds, or each item of it.
    private static JsonTypeInfo? TypeOf(JsonTypeInfo? owner, string name)
    {
        var bracket = name.IndexOf('[', StringComparison.Ordinal);
        var member = bracket < 0 ? name : name[..bracket];
        if (owner?.Properties.FirstOrDefault(p => p.Name == member)?.PropertyType is not { } type) return null;
        var kind = Nullable.GetUnderlyingType(type) ?? type;
        if (bracket < 0) return owner.Options.GetTypeInfo(kind);
        return kind.GetGenericArguments() is [var item] ? owner.Options.GetTypeInfo(item) : null;
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
