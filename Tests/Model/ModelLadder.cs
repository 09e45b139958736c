using System.Collections.Immutable;
using System.Globalization;
using System.Xml;

namespace Billing.Tests.Model;

/// <summary>What the units over an allowance cost, in major units; its text is its JSON.</summary>
internal abstract record ModelPrice
{
    public sealed record PerUnit(decimal Price) : ModelPrice
    {
        public override string ToString() => $$"""{ "model": "per_unit", "unit_price": "{{Text(Price)}}" }""";
    }

    public sealed record Package(int Size, decimal Price) : ModelPrice
    {
        public override string ToString() => $$"""{ "model": "package", "size": {{Size.ToString(CultureInfo.InvariantCulture)}}, "package_price": "{{Text(Price)}}" }""";
    }

    /// <param name="Volume">Whether all units cost what the tier of their sum says.</param>
    /// <param name="UpTo">Where each tier ends, but for the last.</param>
    /// <param name="Prices">What a unit of each tier costs, one more than there are ends.</param>
    public sealed record Tiered(bool Volume, ImmutableArray<int> UpTo, ImmutableArray<decimal> Prices) : ModelPrice
    {
        public override string ToString()
        {
            var tiers = Prices.Select((price, i) => i < UpTo.Length
                ? $$"""{ "up_to": {{UpTo[i].ToString(CultureInfo.InvariantCulture)}}, "unit_price": "{{Text(price)}}" }"""
                : $$"""{ "unit_price": "{{Text(price)}}" }""");
            return $$"""{ "model": "{{(Volume ? "volume" : "graduated")}}", "tiers": [ {{string.Join(", ", tiers)}} ] }""";
        }
    }

    protected static string Text(decimal price) => price.ToString(CultureInfo.InvariantCulture);
}

/// <summary>A rung of the ladder; its text is its JSON.</summary>
internal sealed record ModelPlan(
    string Id, int Rank, bool Yearly, int Base, ImmutableSortedDictionary<string, decimal> Included, ImmutableSortedDictionary<string, ModelPrice> Prices)
{
    public override string ToString() => string.Concat(
        $$"""{ "id": "{{Id}}", "rank": {{Rank.ToString(CultureInfo.InvariantCulture)}}, "interval": "{{(Yearly ? "year" : "month")}}", "base_price": "{{Base.ToString(CultureInfo.InvariantCulture)}}", """,
        $$"""  "included": { {{string.Join(", ", Included.Select(i => $"\"{i.Key}\": {i.Value.ToString(CultureInfo.InvariantCulture)}"))}} }, """.TrimStart(),
        $$"""  "prices": { {{string.Join(", ", Prices.Select(p => $"\"{p.Key}\": {p.Value}"))}} } }""".TrimStart());
}

/// <summary>When usage moves an account down.</summary>
internal sealed record ModelDowngrade(int Periods, decimal Headroom);

/// <summary>The plans of the product <c>desk</c>, by rising rank, and how usage moves an account among them.</summary>
internal sealed record ModelLadder(string Currency, ImmutableArray<ModelPlan> Plans, bool Upgrade, ModelDowngrade? Downgrade, TimeSpan Cooldown)
{
    /// <summary>What the model's catalogue sells unless a test asks for more: each unit at 1.00, and nothing moves.</summary>
    public static ModelLadder OneRung(IEnumerable<ModelMeter> meters) => new(
        "USD",
        [new(ModelCatalog.Plan, 1, false, 5, None<decimal>(), meters.ToImmutableSortedDictionary(m => m.Id, ModelPrice (_) => new ModelPrice.PerUnit(1.00m), StringComparer.Ordinal))],
        false, null, TimeSpan.Zero);

    public ModelPlan Plan(string id) => Plans.Single(p => p.Id == id);

    /// <summary>The product's transitions as JSON.</summary>
    public string Transitions => string.Create(
        CultureInfo.InvariantCulture,
        $"{{ {(Upgrade ? "\"upgrade\": {}, " : "")}{(Downgrade is { } rule ? $"\"downgrade\": {{ \"periods\": {rule.Periods}, \"headroom\": \"{Text(rule.Headroom)}\" }}, " : "")}\"cooldown\": \"{XmlConvert.ToString(Cooldown)}\" }}");

    public override string ToString() => $"{Currency} {Transitions}\n  {string.Join("\n  ", Plans)}";

    private static string Text(decimal number) => number.ToString(CultureInfo.InvariantCulture);

    private static ImmutableSortedDictionary<string, T> None<T>() => ImmutableSortedDictionary.Create<string, T>(StringComparer.Ordinal);
}

/// <summary>Makes ladders: half of them as they are sold, where a higher plan has a higher base price, a larger allowance and lower prices, and half with anything.</summary>
internal static class ModelLadders
{
    private static readonly int[] Bases = [0, 0, 1, 2, 2, 3, 5, 8, 13];
    private static readonly decimal[] Prices = [0, 0.5m, 1, 1, 2, 3, 0.333m, 0.005m, 3.333333333333m];
    private static readonly decimal[] Allowances = [0, 1, 2, 3, 2.5m, 6];

    /// <param name="draw">Decides.</param>
    /// <param name="meters">The meters that plans may price.</param>
    /// <param name="currencies">One of these is the catalogue's.</param>
    public static ModelLadder Any(Draw draw, IEnumerable<ModelMeter> meters, params string[] currencies)
    {
        string[] priced = [.. meters.Where(m => m.Product == ModelCatalog.Desk).Select(m => m.Id)];
        var asSold = draw.Chance(50);
        var count = draw.From(1, 5);
        var rank = draw.From(-1, 2);
        var plans = ImmutableArray.CreateBuilder<ModelPlan>();
        for (var i = 0; i < count; i++)
        {
            rank += draw.From(1, 2);
            var (step, id) = (i, i == 0 ? ModelCatalog.Plan : $"desk-{(i + 1).ToString(CultureInfo.InvariantCulture)}");
            plans.Add(asSold
                ? new(id, rank, false, (step * step) + step + 1, Of(priced, _ => step * 2m), Of(priced, _ => Sold(draw, step)))
                : new(id, rank, draw.Chance(12), draw.Of(Bases), Of(priced.Where(_ => draw.Chance(65)), _ => draw.Of(Allowances)), Of(priced.Where(_ => draw.Chance(90)), _ => Price(draw))));
        }

        return new(
            draw.Of(currencies), plans.ToImmutable(), draw.Chance(90), draw.Chance(75) ? new(draw.From(1, 3), draw.Of(0.80m, 1m, 0.5m)) : null,
            TimeSpan.FromDays(draw.Of(0, 0, 10, 30, 45, 100)));
    }

    private static ModelPrice Sold(Draw draw, int step) =>
        draw.Chance(50) ? new ModelPrice.PerUnit(2m / (1 << step)) : new ModelPrice.Package(2, 4m / (1 << step));

    private static ModelPrice Price(Draw draw)
    {
        if (draw.Chance(30)) return new ModelPrice.PerUnit(draw.Of(Prices));
        if (draw.Chance(30)) return new ModelPrice.Package(draw.From(1, 5), draw.Of(Prices));
        var ends = ImmutableArray.CreateBuilder<int>();
        for (int i = draw.From(0, 2), end = 0; i > 0; i--) ends.Add(end += draw.From(1, 4));
        return new ModelPrice.Tiered(draw.Chance(50), ends.ToImmutable(), [.. Enumerable.Range(0, ends.Count + 1).Select(_ => draw.Of(Prices))]);
    }

    private static ImmutableSortedDictionary<string, T> Of<T>(IEnumerable<string> meters, Func<string, T> value) =>
        meters.ToImmutableSortedDictionary(m => m, value, StringComparer.Ordinal);
}
