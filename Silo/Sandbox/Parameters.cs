using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;

namespace Billing.Silo.Sandbox;

/// <summary>
/// The parameters of a request, in Stripe's form: <c>a[b]=1&amp;list[0][c]=2</c>. A value that is read and cannot be what it should be is
/// refused with the parameter's name.
/// </summary>
internal sealed class Parameters
{
    private readonly Node _node;
    private readonly string _name;

    private Parameters(Node node, string name)
    {
        _node = node;
        _name = name;
    }

    /// <summary>A name for the parameters and their values; the order in which they were sent does not matter.</summary>
    public string Fingerprint
    {
        get
        {
            var lines = Flat(_node, []).Select(p => $"{Name(p.Path)}={p.Value}").Order(StringComparer.Ordinal);
            return Convert.ToHexString(SHA256.HashData(Encoding.UTF8.GetBytes(string.Join('\0', lines))));
        }
    }

    /// <summary>Reads forms or queries; of a name sent twice the last value counts.</summary>
    public static Parameters Read(params string[] forms)
    {
        var root = new Node();
        foreach (var pair in forms.SelectMany(form => form.Split('&', StringSplitOptions.RemoveEmptyEntries)))
        {
            var at = pair.IndexOf('=', StringComparison.Ordinal);
            var node = root;
            foreach (var step in PathOf(Decode(at < 0 ? pair : pair[..at])))
            {
                // a[]=x&a[]=y are the items 0 and 1.
                var name = step.Length == 0 && node != root ? node.Children.Count.ToString(CultureInfo.InvariantCulture) : step;
                if (!node.Children.TryGetValue(name, out var child)) node.Children[name] = child = new();
                node = child;
            }

            node.Value = Decode(at < 0 ? "" : pair[(at + 1)..]);
        }

        return new(root, "");
    }

    /// <summary>Refuses a parameter that the method does not have.</summary>
    /// <param name="known">Names with dots, <c>#</c> for the number of an item, <c>*</c> for any name.</param>
    public void RefuseUnknown(IReadOnlyList<string[]> known)
    {
        foreach (var (path, value) in Flat(_node, []))
        {
            if (known.Any(k => Fits(k, path) && (k.Length == path.Count || value.Length == 0))) continue;
            throw StripeRefusal.WrongParameter($"Received unknown parameter: {Name(path)}", Name(path), "parameter_unknown");
        }

        // A longer name that is sent empty empties the list or object: metadata= or lines=.
        static bool Fits(string[] known, IReadOnlyList<string> path)
        {
            if (known.Length < path.Count) return false;
            for (var i = 0; i < path.Count; i++)
                if (known[i] != "*" && (known[i] == "#" ? !IsNumber(path[i]) : known[i] != path[i])) return false;
            return true;
        }
    }

    /// <summary>The parameters inside one, such as <c>b</c> in <c>a[b]</c>.</summary>
    public Parameters Within(string name) => new(_node.Children.GetValueOrDefault(name) ?? new Node(), NameOf(name));

    /// <summary>The items of a list in their order.</summary>
    public IReadOnlyList<Parameters> Items(string name)
    {
        var list = Within(name);
        return [.. list._node.Children.Keys.OrderBy(Place).Select(list.Within)];
    }

    /// <summary>The plain values of a list in their order.</summary>
    public IReadOnlyList<string> Values(string name) =>
        [.. Within(name)._node.Children.OrderBy(c => Place(c.Key)).Select(c => c.Value.Value).OfType<string>()];

    /// <summary>Whether it was sent, empty or not; an object when anything in it was.</summary>
    public bool Has(string name) => _node.Children.ContainsKey(name);

    /// <summary>The text; null when it was left out or sent empty.</summary>
    public string? Text(string name)
    {
        var value = Sent(name);
        if (value?.Length > 5000) throw StripeRefusal.WrongParameter($"{NameOf(name)} may be at most 5000 characters long.", NameOf(name));
        return string.IsNullOrEmpty(value) ? null : value;
    }

    /// <summary>The text, which must be there.</summary>
    public string NeededText(string name)
    {
        if (Sent(name) is null) throw Missing(name);
        return Text(name) ?? throw StripeRefusal.WrongParameter($"{NameOf(name)} was sent empty and is needed.", NameOf(name), "parameter_invalid_empty");
    }

    /// <summary>A whole number; null when it was left out.</summary>
    public long? Number(string name)
    {
        if (Sent(name) is not { Length: > 0 } text) return null;
        return long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number)
            ? number
            : throw StripeRefusal.WrongParameter($"Invalid integer: {text}", NameOf(name), "parameter_invalid_integer");
    }

    /// <summary>An amount in minor units, within what Stripe can hold (12 digits here).</summary>
    public long? Amount(string name)
    {
        var amount = Number(name);
        if (amount is > 999_999_999_999 or < -999_999_999_999)
            throw StripeRefusal.WrongParameter($"{NameOf(name)} is beyond the largest amount.", NameOf(name), amount > 0 ? "amount_too_large" : "amount_too_small");
        return amount;
    }

    public long NeededAmount(string name) => Amount(name) ?? throw Missing(name);

    public bool? Flag(string name) => Sent(name) switch
    {
        null or "" => null,
        "true" => true,
        "false" => false,
        var other => throw StripeRefusal.WrongParameter($"Invalid boolean: {other}", NameOf(name)),
    };

    /// <summary>One of a few words; null when it was left out.</summary>
    public string? OneOf(string name, params string[] words)
    {
        if (Text(name) is not { } text) return null;
        return words.Contains(text, StringComparer.Ordinal)
            ? text
            : throw StripeRefusal.WrongParameter($"Invalid {NameOf(name)}: must be one of {string.Join(", ", words)}", NameOf(name));
    }

    /// <summary>Lays metadata over what is there: an empty value removes its key, metadata sent empty removes all.</summary>
    public void LayMetadata(JsonObject target, string name = "metadata")
    {
        if (!Has(name)) return;
        var metadata = target["metadata"]?.AsObject() ?? [];
        target["metadata"] = metadata.DeepClone();
        metadata = target["metadata"]!.AsObject();
        if (Within(name)._node.Value is "") metadata.Clear();
        foreach (var (key, node) in Within(name)._node.Children)
        {
            if (node.Value is not { } value) throw StripeRefusal.WrongParameter("Metadata values are text.", NameOf(name));
            if (key.Length > 40) throw StripeRefusal.WrongParameter("A metadata key has at most 40 characters.", NameOf(name));
            if (value.Length > 500) throw StripeRefusal.WrongParameter("A metadata value has at most 500 characters.", NameOf(name));
            if (value.Length == 0) metadata.Remove(key);
            else metadata[key] = value;
        }

        if (metadata.Count > 50) throw StripeRefusal.WrongParameter("An object has at most 50 metadata keys.", NameOf(name));
    }

    /// <summary>Lays texts over the members of the same names; one sent empty becomes null.</summary>
    public void LayTexts(JsonObject target, params string[] names)
    {
        foreach (var name in names)
            if (Has(name)) target[name] = Text(name);
    }

    /// <summary>The name as the caller wrote it.</summary>
    public string NameOf(string name) => _name.Length == 0 ? name : $"{_name}[{name}]";

    public StripeRefusal Missing(string name) =>
        StripeRefusal.WrongParameter($"Missing required param: {NameOf(name)}.", NameOf(name), "parameter_missing");

    private string? Sent(string name)
    {
        if (!_node.Children.TryGetValue(name, out var node)) return null;
        return node.Value ?? throw StripeRefusal.WrongParameter($"Invalid {NameOf(name)}: a plain value is needed.", NameOf(name));
    }

    private static IEnumerable<(IReadOnlyList<string> Path, string Value)> Flat(Node node, List<string> path)
    {
        if (node.Value is { } value) yield return ([.. path], value);
        foreach (var (name, child) in node.Children)
        {
            path.Add(name);
            foreach (var below in Flat(child, path)) yield return below;
            path.RemoveAt(path.Count - 1);
        }
    }

    private static long Place(string item) => IsNumber(item) ? long.Parse(item, CultureInfo.InvariantCulture) : long.MaxValue;

    private static bool IsNumber(string text) => text.Length is > 0 and < 10 && text.All(char.IsAsciiDigit);

    private static string Name(IReadOnlyList<string> path) => path[0] + string.Concat(path.Skip(1).Select(p => $"[{p}]"));

    private static string[] PathOf(string name)
    {
        var open = name.IndexOf('[', StringComparison.Ordinal);
        if (open <= 0 || !name.EndsWith(']')) return [name];
        return [name[..open], .. name[(open + 1)..^1].Split("][")];
    }

    private static string Decode(string text) => Uri.UnescapeDataString(text.Replace('+', ' '));

    private sealed class Node
    {
        public Dictionary<string, Node> Children { get; } = new(StringComparer.Ordinal);

        public string? Value { get; set; }
    }
}
