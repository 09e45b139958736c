using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json;
using Billing.Metering;
using Billing.Rating;

namespace Billing.Plans;

/// <summary>What is wrong with a catalogue, and where.</summary>
/// <param name="Path">JSON path of the offending value, such as <c>$.products[0].plans[1].prices</c>.</param>
/// <param name="Detail">One sentence for the author of the catalogue.</param>
public sealed record CatalogProblem(string Path, string Detail);

/// <summary>Reads a catalogue from JSON and says what is wrong with it.</summary>
public static class CatalogReader
{
    private const int MaxPricePlaces = 12;
    private const int MaxPriceDigits = 28;
    private const int MaxDowngradePeriods = 24;
    private static readonly TimeSpan MaxDuration = TimeSpan.FromDays(3_660);

    /// <summary>Reads and validates a catalogue.</summary>
    /// <returns>The catalogue, or the first problem found. Nothing is stored either way.</returns>
    public static (Catalog? Catalog, CatalogProblem? Problem) Read(ReadOnlyMemory<byte> json)
    {
        try
        {
            using var document = JsonDocument.Parse(json, new JsonDocumentOptions { MaxDepth = 32 });
            var root = new Node(document.RootElement, "$");
            root.RefuseDoubleNames();
            return (ReadCatalog(root), null);
        }
        catch (JsonException broken)
        {
            return (null, new("$", $"The catalogue is not JSON: line {broken.LineNumber + 1}, byte {broken.BytePositionInLine + 1}."));
        }
        catch (InvalidOperationException)
        {
            return (null, new("$", "$ has a name with half of a surrogate pair as an escape."));
        }
        catch (InvalidCatalogException invalid)
        {
            return (null, invalid.Problem);
        }
    }

    /// <summary>Reads the transition rules of one product.</summary>
    /// <param name="json">An object as a product has under <c>transitions</c>.</param>
    /// <param name="path">Where it stands, for the problem.</param>
    public static (Transitions? Transitions, CatalogProblem? Problem) ReadTransitions(JsonElement json, string path)
    {
        try
        {
            var node = new Node(json, path);
            node.RefuseDoubleNames();
            return (ReadTransitions(node), null);
        }
        catch (InvalidOperationException)
        {
            return (null, new(path, $"{path} has a name with half of a surrogate pair as an escape."));
        }
        catch (InvalidCatalogException invalid)
        {
            return (null, invalid.Problem);
        }
    }

    private static Catalog ReadCatalog(Node root)
    {
        root.RefuseMisspelled("version", "currency", "late_usage", "grace", "dedup_window", "meters", "products");
        var version = root["version"].Text();
        var currency = root["currency"].Text();
        if (!Currencies.IsCode(currency)) throw root["currency"].Wrong("is no ISO 4217 code such as USD");
        if (root.Find("late_usage") is { } late && late.Text() != "next_invoice") throw late.Wrong("can only be \"next_invoice\"");

        var meters = root["meters"].Items().Select(ReadMeter).ToImmutableArray();
        RefuseTwice(root["meters"], meters.Select(m => m.Id), "meter");
        var products = root["products"].Items().Select(p => ReadProduct(p, currency, meters)).ToImmutableArray();
        RefuseTwice(root["products"], products.Select(p => p.Id), "product");
        RefuseTwice(root["products"], products.SelectMany(p => p.Plans).Select(p => p.Id), "plan");
        for (var i = 0; i < meters.Length; i++)
        {
            if (products.All(p => p.Id != meters[i].Product))
                throw root["meters"].At(i)["product"].Wrong($"names the product {meters[i].Product}, which the catalogue does not have");
        }

        return new(
            version,
            currency,
            root.Find("grace")?.Duration() ?? TimeSpan.FromHours(72),
            root.Find("dedup_window")?.Duration() ?? TimeSpan.FromDays(35),
            meters,
            products);
    }

    private static Meter ReadMeter(Node node)
    {
        node.RefuseMisspelled("id", "product", "event", "where", "aggregate", "value", "count_once", "cancelled_by");
        var aggregate = node["aggregate"].Text() switch
        {
            "count" => Aggregate.Count,
            "sum" => Aggregate.Sum,
            "max" => Aggregate.Max,
            "latest" => Aggregate.Latest,
            "unique" => Aggregate.Unique,
            _ => throw node["aggregate"].Wrong("is none of count, sum, max, latest, unique"),
        };
        var value = node.Find("value")?.Path();
        if (aggregate != Aggregate.Count && value is null) throw node.Wrong($"aggregates by {node["aggregate"].Text()} and so needs a \"value\" path");
        if (aggregate == Aggregate.Count && value is not null) throw node["value"].Wrong("is not used by the aggregate count");
        return new(
            node["id"].Text(),
            node["product"].Text(),
            node["event"].Text(),
            ReadWhere(node),
            aggregate,
            value,
            node.Find("count_once") is { } once ? ReadCountOnce(once, aggregate) : null,
            node.Find("cancelled_by") is { } cancelled ? ReadCancelledBy(cancelled) : null);
    }

    private static CancelledBy ReadCancelledBy(Node node)
    {
        node.RefuseMisspelled("event", "where", "key", "within");
        return new(node["event"].Text(), ReadWhere(node), node["key"].Path(), node["within"].PositiveDuration());
    }

    private static ImmutableArray<Filter> ReadWhere(Node node) =>
        node.Find("where") is { } where
            ? [.. where.Members().Select(member => new Filter(
                JsonPath.TryParse(member.Name, out var path) ? path : throw where.Wrong($"has the path {member.Name}, which is not of the form $.name.name"),
                member.Value.IsArray ? [.. member.Value.NonEmpty().Items().Select(v => v.Scalar())] : [member.Value.Scalar()]))]
            : [];

    private static CountOnce ReadCountOnce(Node node, Aggregate aggregate)
    {
        if (aggregate is not (Aggregate.Count or Aggregate.Sum)) throw node.Wrong("goes with the aggregates count and sum only");
        node.RefuseMisspelled("key", "window");
        var window = node["window"];
        if (window.IsObject)
        {
            var session = window["session"];
            var gaps = ImmutableSortedDictionary<string, TimeSpan>.Empty.WithComparers(StringComparer.Ordinal);
            JsonPath? by = null;
            session.RefuseMisspelled("gap", "by");
            if (session.Find("by") is { } chosen)
            {
                by = chosen["path"].Path();
                gaps = gaps.AddRange(chosen["gaps"].Members().Select(m => KeyValuePair.Create(m.Name, m.Value.Duration())));
            }

            return new(node["key"].Path(), new CountOnceWindow.Session(session["gap"].Duration(), by, gaps));
        }

        return new(node["key"].Path(), window.Text() == "period" ? new CountOnceWindow.Period() : new CountOnceWindow.Span(window.PositiveDuration()));
    }

    private static Product ReadProduct(Node node, string currency, ImmutableArray<Meter> meters)
    {
        node.RefuseMisspelled("id", "transitions", "plans");
        var id = node["id"].Text();
        var plans = node["plans"].Items().Select(p => ReadPlan(p, id, currency, meters)).ToImmutableArray();
        if (plans.IsEmpty) throw node["plans"].Wrong("is empty: a product has at least one plan");
        for (var i = 0; i < plans.Length; i++)
        {
            if (plans.Take(i).Any(p => p.Rank == plans[i].Rank))
                throw node["plans"].At(i)["rank"].Wrong($"is the rank {plans[i].Rank} of another plan of {id}: ranks order the ladder and differ");
        }

        return new(id, plans, node.Find("transitions") is { } transitions ? ReadTransitions(transitions) : null);
    }

    private static Transitions ReadTransitions(Node node)
    {
        node.RefuseUnknown("upgrade", "downgrade", "cooldown");
        return new(
            node.Find("upgrade") is { } upgrade && ReadUpgrade(upgrade),
            node.Find("downgrade") is { } downgrade ? ReadDowngrade(downgrade) : null,
            node.Find("cooldown")?.Duration() ?? Transitions.UsualCooldown);
    }

    private static bool ReadUpgrade(Node node)
    {
        node.RefuseUnknown("when", "effective");
        node.Find("when")?.IsOnly("cheaper_plan");
        node.Find("effective")?.IsOnly("immediately");
        return true;
    }

    private static DowngradeRule ReadDowngrade(Node node)
    {
        node.RefuseUnknown("when", "periods", "headroom", "effective");
        node.Find("when")?.IsOnly("cheaper_plan");
        node.Find("effective")?.IsOnly("period_end");
        var periods = node.Find("periods")?.WholeNumber() ?? DowngradeRule.UsualPeriods;
        if (periods is < 1 or > MaxDowngradePeriods) throw node["periods"].Wrong($"is not between 1 and {MaxDowngradePeriods}");
        var headroom = node.Find("headroom")?.Price() ?? DowngradeRule.UsualHeadroom;
        if (headroom is <= 0 or > 1) throw node["headroom"].Wrong("is not above 0 and at most 1: it is a part of an allowance, such as \"0.80\"");
        return new(periods, headroom);
    }

    private static Plan ReadPlan(Node node, string product, string currency, ImmutableArray<Meter> meters)
    {
        node.RefuseMisspelled("id", "rank", "interval", "base_price", "trial", "included", "prices", "features");
        var interval = (node.Find("interval")?.Text() ?? "month") switch
        {
            "month" => PlanInterval.Month,
            "year" => PlanInterval.Year,
            _ => throw node["interval"].Wrong("is neither month nor year"),
        };
        var basePrice = node["base_price"].Price();
        if (!Currencies.TryToMinor(basePrice, currency, out var basePriceMinor))
            throw node["base_price"].Wrong($"has more places than {currency} has, or is beyond what can be charged");

        var included = MetersOf(node.Find("included")).ToImmutableSortedDictionary(m => m.Name, m => m.Value.Quantity(), StringComparer.Ordinal);
        var prices = MetersOf(node.Find("prices")).ToImmutableSortedDictionary(m => m.Name, m => ReadPrice(m.Value), StringComparer.Ordinal);
        return new(
            node["id"].Text(), product, node["rank"].WholeNumber(), interval, basePriceMinor, node.Find("trial")?.Duration(), included, prices, ReadFeatures(node.Find("features")));

        IEnumerable<(string Name, Node Value)> MetersOf(Node? map)
        {
            foreach (var member in map?.Members() ?? [])
            {
                var meter = meters.FirstOrDefault(m => m.Id == member.Name)
                    ?? throw member.Value.Wrong("names a meter that the catalogue does not have");
                if (meter.Product != product) throw member.Value.Wrong($"names a meter of the product {meter.Product}, not of {product}");
                yield return member;
            }
        }
    }

    private static ImmutableSortedDictionary<string, Feature> ReadFeatures(Node? node) =>
        (node?.Members() ?? []).ToImmutableSortedDictionary(m => m.Name, m => m.Value.Feature(), StringComparer.Ordinal);

    private static Price ReadPrice(Node node)
    {
        node.RefuseMisspelled("model", "unit_price", "size", "package_price", "tiers");
        return ReadPriceModel(node);
    }

    private static Price ReadPriceModel(Node node) => node["model"].Text() switch
    {
        "per_unit" => new Price.PerUnit(node["unit_price"].Price()),
        "package" => new Price.Package(
            node["size"].Quantity() is { IsZero: false } size ? size : throw node["size"].Wrong("is 0: a block has at least one unit"),
            node["package_price"].Price()),
        "graduated" => new Price.Graduated(ReadTiers(node["tiers"])),
        "volume" => new Price.Volume(ReadTiers(node["tiers"])),
        _ => throw node["model"].Wrong("is none of per_unit, package, graduated, volume"),
    };

    private static ImmutableArray<Tier> ReadTiers(Node node)
    {
        var tiers = node.Items().Select(t => new Tier(t.Find("up_to")?.Quantity(), t["unit_price"].Price())).ToImmutableArray();
        if (tiers.IsEmpty) throw node.Wrong("is empty: there is at least one tier");
        for (var i = 0; i < tiers.Length; i++)
        {
            var last = i == tiers.Length - 1;
            if (last != (tiers[i].UpTo is null))
                throw node.At(i).Wrong(last ? "has an \"up_to\": the last tier goes on without end" : "has no \"up_to\", which only the last tier may leave out");
            if (i > 0 && !last && tiers[i].UpTo <= tiers[i - 1].UpTo) throw node.At(i)["up_to"].Wrong("is not above the tier before: tiers rise");
            if (i == 0 && tiers[i].UpTo is { IsZero: true }) throw node.At(i)["up_to"].Wrong("is 0: the first tier would be empty");
        }

        return tiers;
    }

    private static void RefuseTwice(Node node, IEnumerable<string> ids, string what)
    {
        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach (var id in ids)
            if (!seen.Add(id)) throw node.Wrong($"has the {what} {id} twice");
    }

    /// <summary>Leaves the reader with its first finding; it never leaves <see cref="CatalogReader"/>.</summary>
    private sealed class InvalidCatalogException(CatalogProblem problem) : Exception(problem.Detail)
    {
        public CatalogProblem Problem => problem;
    }

    private readonly record struct Node(JsonElement Element, string Where)
    {
        public Node this[string name] => Find(name) ?? throw Wrong($"has no \"{name}\"");

        public bool IsObject => Element.ValueKind == JsonValueKind.Object;

        public bool IsArray => Element.ValueKind == JsonValueKind.Array;

        public Node? Find(string name)
        {
            if (!IsObject) throw Wrong("is not an object");
            return Element.TryGetProperty(name, out var value) ? new Node(value, $"{Where}.{name}") : null;
        }

        /// <summary>Refuses an object that has a name twice, here and below.</summary>
        public void RefuseDoubleNames()
        {
            if (IsObject)
                foreach (var (_, value) in Members()) value.RefuseDoubleNames();
            else if (IsArray)
                foreach (var item in Items()) item.RefuseDoubleNames();
        }

        /// <summary>Refuses a name that is unknown and close to a known one: what is meant would be left out in silence.</summary>
        public void RefuseMisspelled(params string[] known)
        {
            foreach (var (name, value) in Members())
                if (NearName.Of(name, known) is { } meant) throw value.Wrong($"is not a name of a catalogue; is \"{meant}\" meant?");
        }

        /// <summary>Refuses any other name: a rule that is left out in silence would move plans, or not, unlike its author wants.</summary>
        public void RefuseUnknown(params string[] known)
        {
            RefuseMisspelled(known);
            foreach (var (name, value) in Members())
                if (!known.Contains(name)) throw value.Wrong($"is not known here; there are {string.Join(", ", known)}");
        }

        public Node NonEmpty() => Element.GetArrayLength() > 0 ? this : throw Wrong("is an empty list, so that no event would match");

        public Node At(int index) => new(Element[index], $"{Where}[{index}]");

        public IEnumerable<Node> Items()
        {
            if (!IsArray) throw Wrong("is not an array");
            var self = this;
            return Enumerable.Range(0, Element.GetArrayLength()).Select(self.At);
        }

        public IEnumerable<(string Name, Node Value)> Members()
        {
            if (!IsObject) throw Wrong("is not an object");
            var where = Where;
            var seen = new HashSet<string>(StringComparer.Ordinal);
            foreach (var member in Element.EnumerateObject())
            {
                if (!seen.Add(member.Name)) throw Wrong($"has \"{member.Name}\" twice");
                yield return (member.Name, new Node(member.Value, IsPlain(member.Name) ? $"{where}.{member.Name}" : $"{where}['{member.Name}']"));
            }
        }

        private static bool IsPlain(string name) => name.Length > 0 && name.All(c => char.IsAsciiLetterOrDigit(c) || c == '_');

        public string Text() =>
            Element.ValueKind == JsonValueKind.String && Unescaped() is { Length: > 0 and <= 256 } text
                ? text
                : throw Wrong("is not a text of 1 to 256 characters");

        public int WholeNumber() =>
            Element.ValueKind == JsonValueKind.Number && Element.TryGetInt32(out var number) ? number : throw Wrong("is not a whole number");

        public TimeSpan Duration()
        {
            if (!IsoDuration.TryParseExact(Text(), out var length)) throw Wrong("is not an ISO 8601 duration of days and smaller parts, such as P10D or PT72H");
            return length <= MaxDuration ? length : throw Wrong($"is longer than {MaxDuration.TotalDaysText()}");
        }

        public TimeSpan PositiveDuration() => Duration() is { Ticks: > 0 } length ? length : throw Wrong("is no time at all: it must be longer than 0");

        public JsonPath Path() => JsonPath.TryParse(Text(), out var path) ? path : throw Wrong("is not a path of the form $.name.name");

        public JsonScalar Scalar()
        {
            if (Element.ValueKind == JsonValueKind.String) Unescaped();
            return JsonScalar.From(Element) ?? throw Wrong("is not a string, number, true, false or null");
        }

        public Quantity Quantity() =>
            Element.ValueKind == JsonValueKind.Number
            && JsonNumber.TryReadQuantity(System.Text.Encoding.UTF8.GetBytes(Element.GetRawText()), out var quantity)
                ? quantity
                : throw Wrong("is not a number of zero or more with at most 28 digits");

        public Feature Feature() => Element.ValueKind switch
        {
            JsonValueKind.True => new(true, null),
            JsonValueKind.False => new(false, null),
            JsonValueKind.Number when Quantity() is var limit => new(!limit.IsZero, limit),
            _ => throw Wrong("is not true, false or a limit: a number of zero or more"),
        };

        public void IsOnly(string word)
        {
            if (Text() != word) throw Wrong($"can only be \"{word}\"");
        }

        public decimal Price()
        {
            var text = Text();
            if (!decimal.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var price))
                throw Wrong("is not a price: a decimal string such as \"0.40\"");
            var places = text.Contains('.') ? text.TrimEnd('0').Length - text.IndexOf('.') - 1 : 0;
            if (places > MaxPricePlaces) throw Wrong($"has more than {MaxPricePlaces} places");
            var digits = text.TrimStart('0').Count(char.IsAsciiDigit);
            return digits <= MaxPriceDigits ? price : throw Wrong($"has more than {MaxPriceDigits} digits");
        }

        public InvalidCatalogException Wrong(string what) => new(new(Where, $"{Where} {what}."));

        // JsonElement throws on an escape that is one half of a character.
        private string? Unescaped()
        {
            try
            {
                return Element.GetString();
            }
            catch (InvalidOperationException)
            {
                throw Wrong("has half of a surrogate pair as an escape");
            }
        }
    }
}
