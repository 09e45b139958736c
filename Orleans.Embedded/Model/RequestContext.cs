namespace Orleans.Runtime;

/// <summary>
/// Values that travel with calls: what a caller has set is seen by the grain it calls, and by those that one calls.
/// What the callee sets stays with the callee. Values must be immutable.
/// </summary>
public static class RequestContext
{
    // Never changed once it is published here: others may hold it.
    private static readonly AsyncLocal<Dictionary<string, object>?> Values = new();

    /// <summary>The keys that are set.</summary>
    public static IEnumerable<string> Keys => Values.Value?.Keys ?? Enumerable.Empty<string>();

    /// <summary>All keys and values.</summary>
    public static IEnumerable<KeyValuePair<string, object>> Entries =>
        Values.Value ?? Enumerable.Empty<KeyValuePair<string, object>>();

    /// <summary>The value of a key, or null.</summary>
    public static object? Get(string key) => Values.Value?.GetValueOrDefault(key);

    /// <summary>Sets a value for the calls made from here on.</summary>
    public static void Set(string key, object value) =>
        Values.Value = Values.Value is { } values ? new(values) { [key] = value } : new() { [key] = value };

    /// <summary>Removes a key. False: it was not set.</summary>
    public static bool Remove(string key)
    {
        if (Values.Value is not { } values || !values.ContainsKey(key)) return false;

        var rest = new Dictionary<string, object>(values);
        rest.Remove(key);
        Values.Value = rest.Count == 0 ? null : rest;
        return true;
    }

    /// <summary>Removes all keys.</summary>
    public static void Clear()
    {
        if (Values.Value is not null) Values.Value = null;
    }

    internal static Dictionary<string, object>? Export() => Values.Value;

    internal static void Import(Dictionary<string, object>? values)
    {
        if (!ReferenceEquals(Values.Value, values)) Values.Value = values;
    }
}
