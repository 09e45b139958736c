using System.Globalization;

namespace Billing.Tests.Examples;

/// <summary>
/// A product with one meter of its name and one plan, <c>desk-1</c> of <c>desk</c>, as an example needs it.
/// </summary>
/// <param name="Product">The product, and its meter.</param>
/// <param name="Base">The base price.</param>
/// <param name="Price">What the units over the allowance cost, as JSON.</param>
/// <param name="Included">The allowance.</param>
/// <param name="Meter">The meter as JSON; the sum of <c>$.n</c> of events such as <c>desk.used</c> where it is left out.</param>
/// <param name="More">Further members of the plan, as JSON.</param>
internal sealed record Sold(string Product, string Base, string Price, decimal Included = 0, string? Meter = null, string More = "")
{
    public static string PerUnit(string unitPrice) => $$"""{ "model": "per_unit", "unit_price": "{{unitPrice}}" }""";

    /// <summary>The catalogue version v1 of these products, in USD, with the grace of 72 hours and the window of 35 days.</summary>
    public static string Catalog(params Sold[] sold) => Catalog("v1", "USD", sold);

    public static string Catalog(string version, string currency, params Sold[] sold) => $$"""
        {
          "version": "{{version}}", "currency": "{{currency}}",
          "meters": [ {{string.Join(", ", sold.Select(s => s.MeterJson))}} ],
          "products": [ {{string.Join(", ", sold.Select(s => s.ProductJson))}} ]
        }
        """;

    private string MeterJson => $$"""{ "id": "{{Product}}", "product": "{{Product}}", {{Meter ?? $"\"event\": \"{Product}.used\", \"aggregate\": \"sum\", \"value\": \"$.n\""}} }""";

    private string ProductJson => $$"""
        { "id": "{{Product}}", "plans": [
          { "id": "{{Product}}-1", "rank": 1, "base_price": "{{Base}}", {{More}}
            "included": { "{{Product}}": {{Included.ToString(CultureInfo.InvariantCulture)}} }, "prices": { "{{Product}}": {{Price}} } } ] }
        """;
}
