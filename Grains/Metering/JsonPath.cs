using System.Collections.Immutable;

namespace Billing.Metering;

/// <summary>Leads to one value of an event's data: <c>$.ticket_id</c>, <c>$.customer.country</c>.</summary>
/// <param name="Names">The member names from the root on; at least one.</param>
public sealed record JsonPath(ImmutableArray<string> Names)
{
    /// <summary>Reads a path of member names; array indexes, wildcards and filters are not part of it.</summary>
    public static bool TryParse(string text, out JsonPath path)
    {
        path = new([]);
        if (!text.StartsWith("$.", StringComparison.Ordinal)) return false;
        var names = text[2..].Split('.');
        if (names.Length > 16 || names.Any(n => n.Length == 0 || n.AsSpan().IndexOfAny("[]*?@()'\" ") >= 0)) return false;
        path = new([.. names]);
        return true;
    }

    /// <inheritdoc/>
    public bool Equals(JsonPath? other) => other is not null && Names.SequenceEqual(other.Names);

    /// <inheritdoc/>
    public override int GetHashCode() => ToString().GetHashCode(StringComparison.Ordinal);

    /// <inheritdoc/>
    public override string ToString() => "$." + string.Join('.', Names);
}
