using System.Text;
using Billing.Metering;
using Billing.Plans;
using Billing.Tests.Mail;

namespace Billing.Tests.Plans;

public sealed class CatalogReaderTests
{
    private const string Valid = """
        {
          "version": "v1", "currency": "USD", "late_usage": "next_invoice", "grace": "PT72H", "dedup_window": "P35D",
          "meters": [
            { "id": "desk.tickets", "product": "desk", "event": "sent", "where": { "$.direction": ["out", 1, true, null] }, "aggregate": "count",
              "count_once": { "key": "$.ticket", "window": { "session": { "gap": "P10D", "by": { "path": "$.channel", "gaps": { "chat": "P3D" } } } } } },
            { "id": "desk.bytes", "product": "desk", "event": "sent", "aggregate": "sum", "value": "$.size.bytes" },
            { "id": "bot.answers", "product": "bot", "event": "answered", "aggregate": "count",
              "cancelled_by": { "event": "sent", "key": "$.ticket", "within": "PT1H" } }
          ],
          "products": [
            { "id": "desk", "plans": [
              { "id": "desk-1", "rank": 1, "interval": "month", "base_price": "10.00", "trial": "P7D", "included": { "desk.tickets": 50 },
                "prices": { "desk.tickets": { "model": "per_unit", "unit_price": "0.405" }, "desk.bytes": { "model": "package", "size": 100, "package_price": "4" } } },
              { "id": "desk-2", "rank": 2, "interval": "year", "base_price": "99",
                "prices": { "desk.tickets": { "model": "volume", "tiers": [ { "up_to": 20, "unit_price": "0.3" }, { "up_to": 30.5, "unit_price": "0.2" }, { "unit_price": "0.1" } ] } } } ] },
            { "id": "bot", "plans": [ { "id": "bot-1", "rank": 1, "base_price": "0" } ] }
          ]
        }
        """;

    [Fact]
    public void AValidCatalogue_IsReadWhole()
    {
        var catalog = Read(Valid);

        Assert.Equal(("v1", "USD", TimeSpan.FromHours(72), TimeSpan.FromDays(35)), (catalog.Version, catalog.Currency, catalog.Grace, catalog.DedupWindow));
        Assert.Equal(["desk.tickets", "desk.bytes"], catalog.MetersOf("desk").Select(m => m.Id));
        var session = Assert.IsType<CountOnceWindow.Session>(catalog.Meters[0].CountOnce!.Window);
        Assert.Equal((TimeSpan.FromDays(10), TimeSpan.FromDays(3), TimeSpan.FromDays(10)), (session.Gap, session.Gaps["chat"], session.LongestGap));
        Assert.Equal(4, Assert.Single(catalog.Meters[0].Where).Allowed.Length);
        Assert.Equal("$.size.bytes", catalog.Meters[1].Value!.ToString());
        Assert.Equal(TimeSpan.FromHours(1), catalog.Meters[2].CancelledBy!.Within);
        var plan = catalog.FindPlan("desk-1")!;
        Assert.Equal((1, PlanInterval.Month, 1000L, TimeSpan.FromDays(7)), (plan.Rank, plan.Interval, plan.BasePriceMinor, plan.Trial));
        Assert.Equal(Quantity.Of(50), plan.Included["desk.tickets"]);
        Assert.Equal(new Price.PerUnit(0.405m), plan.Prices["desk.tickets"]);
        Assert.Equal(new Price.Package(Quantity.Of(100), 4m), plan.Prices["desk.bytes"]);
        var tiers = Assert.IsType<Price.Volume>(catalog.FindPlan("desk-2")!.Prices["desk.tickets"]).Tiers;
        Assert.Equal(["20", "30.5", null], tiers.Select(t => t.UpTo?.ToString()));
        Assert.Equal((PlanInterval.Year, 9900L), (catalog.FindPlan("desk-2")!.Interval, catalog.FindPlan("desk-2")!.BasePriceMinor));
        Assert.Equal((PlanInterval.Month, null), (catalog.FindPlan("bot-1")!.Interval, catalog.FindPlan("bot-1")!.Trial));
        Assert.Null(catalog.FindPlan("desk-3"));
    }

    [Fact]
    public void GraceAndWindowLeftOut_AreThoseOfTheRules()
    {
        var catalog = Read(Valid.Replace("\"grace\": \"PT72H\", \"dedup_window\": \"P35D\",", "", StringComparison.Ordinal));

        Assert.Equal((TimeSpan.FromHours(72), TimeSpan.FromDays(35)), (catalog.Grace, catalog.DedupWindow));
    }

    [Theory]
    [InlineData("\"version\": \"v1\", ", "", "$")]
    [InlineData("\"v1\"", "\"\"", "$.version")]
    [InlineData("\"v1\"", "1", "$.version")]
    [InlineData("\"v1\"", "\"\\ud800\"", "$.version")] // half of a surrogate pair
    [InlineData("\"USD\"", "\"usd\"", "$.currency")]
    [InlineData("\"USD\"", "\"USDT\"", "$.currency")]
    [InlineData("\"next_invoice\"", "\"never\"", "$.late_usage")]
    [InlineData("\"PT72H\"", "\"72 hours\"", "$.grace")]
    [InlineData("\"PT72H\"", "\"P1M\"", "$.grace")] // a month has no length
    [InlineData("\"P35D\"", "\"P35D\\n\"", "$.dedup_window")]
    [InlineData("\"P35D\"", "\"P50000D\"", "$.dedup_window")] // ids could not be remembered so long
    [InlineData("\"P35D\"", "35", "$.dedup_window")]
    [InlineData("\"meters\": [", "\"meters\": {}, \"x\": [", "$.meters")]
    [InlineData("\"id\": \"desk.bytes\"", "\"id\": \"desk.tickets\"", "$.meters")] // twice
    [InlineData("\"product\": \"bot\"", "\"product\": \"bots\"", "$.meters[2].product")]
    [InlineData("\"aggregate\": \"sum\"", "\"aggregate\": \"avg\"", "$.meters[1].aggregate")]
    [InlineData(", \"value\": \"$.size.bytes\"", "", "$.meters[1]")]
    [InlineData("\"event\": \"answered\"", "\"value\": \"$.x\", \"event\": \"answered\"", "$.meters[2].value")]
    [InlineData("\"$.size.bytes\"", "\"size.bytes\"", "$.meters[1].value")]
    [InlineData("\"$.size.bytes\"", "\"$.size[0]\"", "$.meters[1].value")]
    [InlineData("\"$.size.bytes\"", "\"$.size..bytes\"", "$.meters[1].value")]
    [InlineData("\"$.direction\"", "\"direction\"", "$.meters[0].where")]
    [InlineData("\"$.direction\": [\"out\", 1, true, null]", "\"$.direction\": {}", "$.meters[0].where['$.direction']")]
    [InlineData("[\"out\", 1, true, null]", "[\"out\", []]", "$.meters[0].where['$.direction'][1]")]
    [InlineData("[\"out\", 1, true, null]", "\"\\ud800\"", "$.meters[0].where['$.direction']")]
    [InlineData("\"$.direction\": [", "\"\\ud800\": [", "$")]
    [InlineData("\"$.direction\": [", "\"$.direction\": 1, \"$.direction\": [", "$.meters[0].where")]
    [InlineData("\"key\": \"$.ticket\", \"window\"", "\"window\"", "$.meters[0].count_once")]
    [InlineData("\"gap\": \"P10D\"", "\"gap\": \"P10\"", "$.meters[0].count_once.window.session.gap")]
    [InlineData("\"gap\": \"P10D\"", "\"gap\": \"P30000D\"", "$.meters[0].count_once.window.session.gap")] // beyond what a gap can be
    [InlineData("{ \"chat\": \"P3D\" }", "{ \"chat\": 3 }", "$.meters[0].count_once.window.session.by.gaps.chat")]
    [InlineData("\"aggregate\": \"count\",\n      \"count_once\"", "\"aggregate\": \"max\", \"value\": \"$.v\",\n      \"count_once\"", "$.meters[0].count_once")]
    [InlineData("\"within\": \"PT1H\"", "\"within\": \"1h\"", "$.meters[2].cancelled_by.within")]
    [InlineData("\"within\": \"PT1H\"", "\"within\": \"PT0S\"", "$.meters[2].cancelled_by.within")]
    [InlineData("\"cancelled_by\": {", "\"count_once\": { \"key\": \"$.t\", \"window\": \"PT0S\" }, \"cancelled_by\": {", "$.meters[2].count_once.window")]
    [InlineData("\"cancelled_by\": {", "\"count_once\": { \"key\": \"$.t\", \"window\": \"month\" }, \"cancelled_by\": {", "$.meters[2].count_once.window")]
    [InlineData("\"count_once\":", "\"count_onse\":", "$.meters[0].count_onse")] // misspelled: every message would be a ticket
    [InlineData("\"cancelled_by\":", "\"canceled_by\":", "$.meters[2].canceled_by")]
    [InlineData("\"prices\": { \"desk.tickets\": { \"model\": \"per_unit\"", "\"price\": { \"desk.tickets\": { \"model\": \"per_unit\"", "$.products[0].plans[0].price")]
    [InlineData("\"grace\":", "\"grade\":", "$.grade")]
    [InlineData("[\"out\", 1, true, null]", "[]", "$.meters[0].where['$.direction']")]
    [InlineData("\"id\": \"bot\"", "\"id\": \"desk\"", "$.products")]
    [InlineData("\"id\": \"bot-1\"", "\"id\": \"desk-1\"", "$.products")]
    [InlineData("[ { \"id\": \"bot-1\", \"rank\": 1, \"base_price\": \"0\" } ]", "[]", "$.products[1].plans")]
    [InlineData("\"rank\": 2", "\"rank\": 1", "$.products[0].plans[1].rank")]
    [InlineData("\"rank\": 2", "\"rank\": 2.5", "$.products[0].plans[1].rank")]
    [InlineData("\"rank\": 2", "\"rank\": \"2\"", "$.products[0].plans[1].rank")]
    [InlineData("\"year\"", "\"week\"", "$.products[0].plans[1].interval")]
    [InlineData("\"10.00\"", "\"10.005\"", "$.products[0].plans[0].base_price")]
    [InlineData("\"10.00\"", "\"-10\"", "$.products[0].plans[0].base_price")]
    [InlineData("\"10.00\"", "10", "$.products[0].plans[0].base_price")]
    [InlineData("\"10.00\"", "\"1e1\"", "$.products[0].plans[0].base_price")]
    [InlineData("\"10.00\"", "\"1,000\"", "$.products[0].plans[0].base_price")]
    [InlineData("\"10.00\"", "\"1000000000001\"", "$.products[0].plans[0].base_price")]
    [InlineData("\"P7D\"", "\"a week\"", "$.products[0].plans[0].trial")]
    [InlineData("\"included\": { \"desk.tickets\"", "\"included\": { \"desk.seats\"", "$.products[0].plans[0].included['desk.seats']")]
    [InlineData("\"included\": { \"desk.tickets\": 50 }", "\"included\": { \"desk.tickets\": -1 }", "$.products[0].plans[0].included['desk.tickets']")]
    [InlineData("\"prices\": { \"desk.tickets\": { \"model\": \"per_unit\"", "\"prices\": { \"desk.calls\": { \"model\": \"per_unit\"", "$.products[0].plans[0].prices['desk.calls']")]
    [InlineData("\"prices\": { \"desk.tickets\": { \"model\": \"per_unit\"", "\"prices\": { \"bot.answers\": { \"model\": \"per_unit\"", "$.products[0].plans[0].prices['bot.answers']")]
    [InlineData("\"per_unit\"", "\"free\"", "$.products[0].plans[0].prices['desk.tickets'].model")]
    [InlineData("\"0.405\"", "\"0.4050000000001\"", "$.products[0].plans[0].prices['desk.tickets'].unit_price")] // 13 places
    [InlineData("\"0.405\"", "\"79228162514264337593543950336\"", "$.products[0].plans[0].prices['desk.tickets'].unit_price")]
    [InlineData("\"0.405\"", "\"12345678901234567890123.123456789012\"", "$.products[0].plans[0].prices['desk.tickets'].unit_price")] // 35 digits: more than would be kept
    [InlineData("\"size\": 100", "\"size\": 0", "$.products[0].plans[0].prices['desk.bytes'].size")]
    [InlineData("{ \"up_to\": 20,", "{ \"up_to\": 30.5,", "$.products[0].plans[1].prices['desk.tickets'].tiers[1].up_to")] // equal bounds
    [InlineData("{ \"up_to\": 20,", "{ \"up_to\": 40,", "$.products[0].plans[1].prices['desk.tickets'].tiers[1].up_to")]
    [InlineData("{ \"up_to\": 20,", "{ \"up_to\": 0,", "$.products[0].plans[1].prices['desk.tickets'].tiers[0].up_to")]
    [InlineData("{ \"up_to\": 20,", "{", "$.products[0].plans[1].prices['desk.tickets'].tiers[0]")] // without end in the middle
    [InlineData("{ \"unit_price\": \"0.1\" }", "{ \"up_to\": 40, \"unit_price\": \"0.1\" }", "$.products[0].plans[1].prices['desk.tickets'].tiers[2]")]
    [InlineData("[ { \"up_to\": 20, \"unit_price\": \"0.3\" }, { \"up_to\": 30.5, \"unit_price\": \"0.2\" }, { \"unit_price\": \"0.1\" } ]", "[]", "$.products[0].plans[1].prices['desk.tickets'].tiers")]
    public void AProblem_NamesItsPath(string part, string instead, string path)
    {
        var broken = Valid.ReplaceLineEndings("\n").Replace(part, instead, StringComparison.Ordinal);
        Assert.NotEqual(Valid, broken);

        var (catalog, problem) = CatalogReader.Read(Encoding.UTF8.GetBytes(broken));

        Assert.Null(catalog);
        Assert.Equal(path, problem?.Path);
        Assert.StartsWith(path, problem?.Detail, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("")]
    [InlineData("{")]
    [InlineData("nope")]
    [InlineData("{\"a\":NaN}")]
    [InlineData("{} {}")]
    [InlineData("[1,]")]
    public void WhatIsNotJson_IsSaidToBeSoWithItsPlace(string text)
    {
        var (catalog, problem) = CatalogReader.Read(Encoding.UTF8.GetBytes(text));

        Assert.Null(catalog);
        Assert.Equal("$", problem?.Path);
        Assert.Contains("not JSON", problem?.Detail, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("[]")]
    [InlineData("null")]
    [InlineData("7")]
    public void WhatIsNoObject_IsRefused(string text) =>
        Assert.Equal("$", CatalogReader.Read(Encoding.UTF8.GetBytes(text)).Problem?.Path);

    [Fact]
    public void TheSampleCatalogue_IsValidAndCompiles()
    {
        var catalog = Read(File.ReadAllText(Path.Combine(Repository.Root, "Silo", "catalog.sample.json")));

        Assert.Equal("2026-11-01", catalog.Version);
        Assert.Equal(["helpdesk", "automation", "voice", "sms"], catalog.Products.Select(p => p.Id));
        Assert.Equal(8, catalog.Plans.Count());
        Assert.Equal(5, new CompiledCatalog(catalog).Programs.Length); // one per event type
    }

    [Fact]
    public void TheMailCatalogue_IsValidAndCompiles()
    {
        var catalog = Read(File.ReadAllText(MailData.CatalogPath));

        Assert.Equal(2, Assert.Single(new CompiledCatalog(catalog).Programs).Meters.Length);
        Assert.Equal(2500, catalog.FindPlan("mail-flat")!.BasePriceMinor);
    }

    private static Catalog Read(string json)
    {
        var (catalog, problem) = CatalogReader.Read(Encoding.UTF8.GetBytes(json));
        Assert.Null(problem);
        return catalog!;
    }
}
