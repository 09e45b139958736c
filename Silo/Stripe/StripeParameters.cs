using System.Collections;
using System.Globalization;

namespace Billing.Silo.Stripe;

/// <summary>Parameters of a request in Stripe's form: nested ones as <c>metadata[account]</c>, listed ones as <c>lines[0][amount]</c> or <c>expand[]</c>.</summary>
/// <remarks>Pairs stay in the order in which they were added: the same call gives the same bytes, which an idempotency key asks for.</remarks>
internal sealed class StripeParameters : IEnumerable<KeyValuePair<string, string>>
{
    private readonly List<KeyValuePair<string, string>> _pairs = [];

    /// <summary>Adds a text; null is left out, an empty one unsets the field at Stripe.</summary>
    public void Add(string name, string? value)
    {
        if (value is not null) _pairs.Add(new(name, value));
    }

    /// <summary>Adds a whole number.</summary>
    public void Add(string name, long value) => Add(name, value.ToString(CultureInfo.InvariantCulture));

    /// <summary>Adds yes or no.</summary>
    public void Add(string name, bool value) => Add(name, value ? "true" : "false");

    /// <summary>Adds an instant in whole seconds since 1970-01-01 UTC, rounded down.</summary>
    public void Add(string name, DateTimeOffset value) => Add(name, value.ToUnixTimeSeconds());

    /// <summary>Adds parameters one level down.</summary>
    public void Add(string name, StripeParameters nested)
    {
        foreach (var (inner, value) in nested._pairs)
        {
            var nameEnd = inner.IndexOf('[', StringComparison.Ordinal);
            Add(nameEnd < 0 ? $"{name}[{inner}]" : $"{name}[{inner[..nameEnd]}]{inner[nameEnd..]}", value);
        }
    }

    /// <summary>Adds a list of parameters, counted from 0.</summary>
    public void Add(string name, IEnumerable<StripeParameters> list)
    {
        var index = 0;
        foreach (var nested in list) Add($"{name}[{index++}]", nested);
    }

    /// <summary>Adds a list of texts.</summary>
    public void Add(string name, IEnumerable<string> list)
    {
        foreach (var value in list) Add($"{name}[]", value);
    }

    /// <summary>These and one more; these stay as they are.</summary>
    public StripeParameters With(string name, string? value)
    {
        var more = new StripeParameters();
        more._pairs.AddRange(_pairs);
        more.Add(name, value);
        return more;
    }

    /// <summary>As the body of a form or the query of an address, in UTF-8 and percent-encoded; brackets of names stay.</summary>
    public string Encode() => string.Join('&', _pairs.Select(pair => $"{EscapeName(pair.Key)}={Uri.EscapeDataString(pair.Value)}"));

    /// <summary>How many there are: values are not shown.</summary>
    public override string ToString() => $"{_pairs.Count} parameters";

    /// <inheritdoc/>
    public IEnumerator<KeyValuePair<string, string>> GetEnumerator() => _pairs.GetEnumerator();

    /// <inheritdoc/>
    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    private static string EscapeName(string name) =>
        Uri.EscapeDataString(name).Replace("%5B", "[", StringComparison.Ordinal).Replace("%5D", "]", StringComparison.Ordinal);
}
