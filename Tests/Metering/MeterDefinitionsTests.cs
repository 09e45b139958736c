using Billing.Metering;
using Billing.Plans;

namespace Billing.Tests.Metering;

/// <summary>Whether two catalogue versions count an event alike.</summary>
public sealed class MeterDefinitionsTests
{
    private const string Filters = """
        "where": { "$.direction": "outbound", "$.priority": [1, 1.5, true, null, "high"] }, "aggregate": "count",
        "count_once": { "key": "$.ticket", "window": { "session": { "gap": "P1D", "by": { "path": "$.channel", "gaps": { "email": "P7D", "chat": "P3D" } } } } },
        "cancelled_by": { "event": "undone", "where": { "$.kind": "spam" }, "key": "$.ticket", "within": "P2D" }
        """;

    [Fact]
    public void SampleCatalogueReadTwice_CountsAlike()
    {
        var json = Repository.Read("Silo/catalog.sample.json");

        foreach (var (one, other) in Meters(json).Zip(Meters(json))) Assert.Empty(MeterDefinitions.Differences(one, other));
    }

    [Fact]
    public void DefinitionsOfEveryKindReadTwice_AreTheSame() => Assert.Empty(Differences(Filters, Filters));

    [Theory]
    [InlineData("\"outbound\"", "\"inbound\"", "where")]
    [InlineData("\"high\"", "\"low\"", "where")]
    [InlineData("1.5", "1.50", null)] // the same number
    [InlineData("1.5", "\"1.5\"", "where")] // a text is not a number
    [InlineData("true", "false", "where")]
    [InlineData("\"chat\": \"P3D\"", "\"chat\": \"P4D\"", "count_once")]
    [InlineData("\"spam\"", "\"test\"", "cancelled_by")]
    [InlineData("\"P2D\"", "\"P3D\"", "cancelled_by")]
    public void AnotherValue_IsNamedByItsMember(string value, string other, string? member) =>
        Assert.Equal(member is null ? [] : [member], Differences(Filters, Filters.Replace(value, other, StringComparison.Ordinal)));

    private static IEnumerable<string> Differences(string one, string other) => MeterDefinitions.Differences(Meters(Catalog(one))[0], Meters(Catalog(other))[0]);

    private static string Catalog(string meter) => $$"""
        { "version": "v1", "currency": "USD", "grace": "PT72H", "dedup_window": "P35D",
          "meters": [ { "id": "desk.tickets", "product": "desk", "event": "sent", {{meter}} } ],
          "products": [ { "id": "desk", "plans": [ { "id": "desk-1", "rank": 1, "base_price": "1.00" } ] } ] }
        """;

    private static List<Meter> Meters(string json) => [.. CatalogReader.Read(System.Text.Encoding.UTF8.GetBytes(json)).Catalog!.Meters];
}
