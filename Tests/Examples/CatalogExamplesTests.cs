using Billing.Tests.Accounts;
using static Billing.Tests.Examples.Sold;

namespace Billing.Tests.Examples;

/// <summary>What plans and prices make of a quantity.</summary>
public sealed class CatalogExamplesTests
{
    private const string Each = """{ "model": "per_unit", "unit_price": "0.405" }""";
    private const string Blocks = """{ "model": "package", "size": 25, "package_price": "9.00" }""";
    private const string Graduated = """{ "model": "graduated", "tiers": [ { "up_to": 50, "unit_price": "0.405" }, { "unit_price": "0.355" } ] }""";
    private const string Volume = """{ "model": "volume", "tiers": [ { "up_to": 50, "unit_price": "0.405" }, { "unit_price": "0.355" } ] }""";

    // Only the units over the allowance cost, here over 20, and tiers count only those.
    // Per unit at 0.405: 80 x 0.405 = 32.40.
    // Started blocks of 25 at 9.00: 80 over are 3.2, so 4 blocks: 4 x 9.00 = 36.00.
    // Graduated: the first 50 at 0.405, what is above at 0.355: 50 x 0.405 + 30 x 0.355 = 20.25 + 10.65 = 30.90.
    // Volume: all at the price of the tier that the number over falls in: 80 x 0.355 = 28.40.
    [Theory]
    [InlineData(Each, "0", "0.00")]
    [InlineData(Each, "20", "0.00")]
    [InlineData(Each, "20.5", "0.2025 ~ 0.20")] // 0.5 x 0.405
    [InlineData(Each, "21", "0.405 ~ 0.40")] // a half cent goes to the even cent
    [InlineData(Each, "100", "32.40")]
    [InlineData(Blocks, "20", "0.00")]
    [InlineData(Blocks, "20.5", "9.00")] // half a unit starts a block
    [InlineData(Blocks, "45", "9.00")] // 25 over fill one block
    [InlineData(Blocks, "46", "18.00")]
    [InlineData(Blocks, "100", "36.00")]
    [InlineData(Graduated, "20", "0.00")]
    [InlineData(Graduated, "70", "20.25")] // 50 over are all in the first tier: 50 x 0.405
    [InlineData(Graduated, "71", "20.605 ~ 20.60")] // 20.25 + 1 x 0.355
    [InlineData(Graduated, "100", "30.90")]
    [InlineData(Volume, "20", "0.00")]
    [InlineData(Volume, "70", "20.25")] // 50 over are still in the first tier
    [InlineData(Volume, "71", "18.105 ~ 18.10")] // 51 x 0.355: one unit more costs less
    [InlineData(Volume, "100", "28.40")]
    public void APrice_IsForTheUnitsOverTheAllowance(string price, string units, string amount) =>
        Example.Begun("03-01", new Sold("desk", "0.00", price, Included: 20))
            .Used("03-05", units).At("04-04").Usage(2, $"usage desk 03-01..04-01: {units} -> {amount}");

    // The invoice shows the allowance, then each tier or the blocks, each as quantity x price = amount.
    [Theory]
    [InlineData(Each, "20 x 0 = 0.00", "80 x 0.405 = 32.40")]
    [InlineData(Blocks, "20 x 0 = 0.00", "4 x 9 = 36.00")]
    [InlineData(Graduated, "20 x 0 = 0.00", "50 x 0.405 = 20.25", "30 x 0.355 = 10.65")]
    [InlineData(Volume, "20 x 0 = 0.00", "80 x 0.355 = 28.40")]
    public void TheStepsOfAHundredUnits_AreOnTheLine(string price, params string[] steps) =>
        Example.Begun("03-01", new Sold("desk", "0.00", price, Included: 20)).Used("03-05", "100").At("04-04").Steps(2, 2, steps);

    // Without an allowance all units cost.
    [Fact]
    public void WithoutAnAllowance_TheFirstUnitCosts() =>
        Example.Begun("03-01", new Sold("desk", "0.00", Graduated)).Used("03-05", "100")
            .At("04-04").Usage(2, "usage desk 03-01..04-01: 100 -> 38.00"); // 50 x 0.405 + 50 x 0.355 = 20.25 + 17.75

    // The base price is paid in advance, overage in arrears: the invoice of April bears the base of April and the overage of March.
    [Fact]
    public void Base_IsInAdvance_AndOverageInArrears() =>
        Example.Begun("03-01", new Sold("desk", "25.00", Each, Included: 20)).Used("03-05", "100").At("04-04")
            .Invoice(1, "1 finalized 03-01..04-01 25.00 USD", "base desk-1 03-01..04-01: 25.00")
            .Invoice(2, "2 finalized 04-01..05-01 57.40 USD", "base desk-1 04-01..05-01: 25.00", "usage desk 03-01..04-01: 100 -> 32.40");

    // The allowance is one period's: what is left of it does not go into the next.
    [Fact]
    public void AnAllowance_IsForOnePeriod() =>
        Example.Begun("03-01", new Sold("desk", "0.00", PerUnit("1.00"), Included: 20)).Used("03-05", "5").Used("04-05", "25").At("05-04")
            .Usage(2, "usage desk 03-01..04-01: 5 -> 0.00").Usage(3, "usage desk 04-01..05-01: 25 -> 5.00"); // 25 - 20 = 5 x 1.00

    // A subscription keeps the version it began with while a newer one is published; who comes later begins with the newer one.
    [Fact]
    public void ASubscription_PinsItsVersion()
    {
        string[] published = [Catalog("v1", "USD", new Sold("desk", "10.00", PerUnit("0.40"))), Catalog("v2", "USD", new Sold("desk", "12.00", PerUnit("0.50")))];

        var earlier = Example.BegunOn("v1", "03-01", published, "desk-1").Used("03-05", "3").At("04-04");
        var later = Example.BegunOn("v2", "03-01", published, "desk-1").Used("03-05", "3").At("04-04");

        // 10.00 + 3 x 0.40 = 11.20; 12.00 + 3 x 0.50 = 13.50
        earlier.Invoice(2, "2 finalized 04-01..05-01 11.20 USD", "base desk-1 04-01..05-01: 10.00", "usage desk 03-01..04-01: 3 -> 1.20");
        later.Invoice(2, "2 finalized 04-01..05-01 13.50 USD", "base desk-1 04-01..05-01: 12.00", "usage desk 03-01..04-01: 3 -> 1.50");
        Assert.All(earlier.Account.Invoices[1].Lines, l => Assert.Equal("v1", l.CatalogVersion));
        Assert.All(later.Account.Invoices[1].Lines, l => Assert.Equal("v2", l.CatalogVersion));
    }

    // A product that is added from a newer version leaves the others on theirs.
    [Fact]
    public void AProductOfANewerVersion_LeavesTheOthersOnTheirs()
    {
        Sold desk = new("desk", "10.00", PerUnit("0.40"));
        Sold voice = new("voice", "30.00", PerUnit("0.02"));
        var example = Example.BegunOn("v1", "04-01", [Catalog("v1", "USD", desk), Catalog("v2", "USD", desk with { Base = "99.00" }, voice)], "desk-1");

        example.At("04-16").Added("voice").At("05-04");

        Assert.Equal([("desk-1", "v1", 1000L), ("voice-1", "v2", 3000L)], example.Account.Invoices[2].Lines.Where(l => l.Meter is null).Select(l => (l.Plan!, l.CatalogVersion!, l.Amount)));
    }

    // One subscription per product, each on one plan.
    [Fact]
    public void TwoPlansOfOneProduct_AreRefused()
    {
        var account = AccountRun.On(Example.Instant("03-01"), Repository.Read("Silo/catalog.sample.json"));

        Assert.Equal("plans[1]", account.Open("helpdesk-pro", "helpdesk-advanced")?.Field);
        Assert.Null(account.Open("helpdesk-pro", "automation-payg"));
    }

    // All products share the account's anchor and periods; so does one that is added later.
    [Fact]
    public void AllProducts_ShareThePeriods() =>
        Example.Begun("03-15 14:30", Desk("10.00"), Voice("0.00", 0)).At("04-15 14:30")
            .Invoices("1 finalized 03-15 14:30..04-15 14:30 10.00 USD", "draft 04-15 14:30..05-15 14:30 10.00 USD")
            .Invoice(
                2,
                "draft 04-15 14:30..05-15 14:30 10.00 USD",
                "base desk-1 04-15 14:30..05-15 14:30: 10.00",
                "base voice-1 04-15 14:30..05-15 14:30: 0.00",
                "usage desk 03-15 14:30..04-15 14:30: 0 -> 0.00",
                "usage voice 03-15 14:30..04-15 14:30: 0 -> 0.00");

    // A product added later pays its base price to the period's end at once, with its allowance prorated alike and not rounded.
    // On 16 April 15 of 30 days are left: 30.00 x 15/30 = 15.00; 25 x 15/30 = 12.5 units; 13 used are 0.5 over: 0.5 x 0.40 = 0.20.
    [Fact]
    public void AProductAddedLater_PaysAndGetsItsPartOfThePeriod() =>
        Added("04-16", Voice("30.00", 25))
            .Invoice(2, "2 finalized 04-16..05-01 15.00 USD", "proration voice-1 04-16..05-01: 15.00").Dated(2, "04-16", "04-16")
            .Used("04-20", "13", "voice").Used("05-05", "26", "voice").At("06-04")
            .Invoice(
                3,
                "3 finalized 05-01..06-01 40.20 USD",
                "base desk-1 05-01..06-01: 10.00",
                "base voice-1 05-01..06-01: 30.00",
                "usage desk 04-01..05-01: 0 -> 0.00",
                "usage voice 04-01..05-01: 13 -> 0.20")
            .Steps(3, 4, "12.5 x 0 = 0.00", "0.5 x 0.4 = 0.20")
            .Usage(4, "usage desk 05-01..06-01: 0 -> 0.00", "usage voice 05-01..06-01: 26 -> 0.40"); // the whole allowance: 26 - 25 = 1 x 0.40

    // On 21 April 10 of 30 days are left: 100 x 10/30 = 33 1/3 units; 34 used are 2/3 over: 2/3 x 0.60 = 0.40 exactly. An allowance rounded
    // to 33 would make it 0.60, one rounded to 33.33 would make it 0.402.
    [Fact]
    public void AProratedAllowance_IsNotRounded() =>
        Added("04-21", new("voice", "0.00", PerUnit("0.60"), Included: 100)).Used("04-25", "34", "voice").At("05-04")
            .Usage(2, "usage desk 04-01..05-01: 0 -> 0.00", "usage voice 04-01..05-01: 34 -> 0.40");

    // A yearly plan pays its base price once a year from a period start; allowance, overage and invoices stay monthly.
    [Fact]
    public void AYearlyPlan_PaysItsBaseOnceAYear()
    {
        var example = Example.Begun("03-01", new Sold("desk", "120.00", PerUnit("0.40"), Included: 2, More: """ "interval": "year", """))
            .Used("03-05", "5").Used("04-05", "3").At("2027-03-04");

        example.Invoice(1, "1 finalized 03-01..04-01 120.00 USD", "base desk-1 03-01..2027-03-01: 120.00")
            .Invoice(2, "2 finalized 04-01..05-01 1.20 USD", "usage desk 03-01..04-01: 5 -> 1.20") // 5 - 2 = 3 x 0.40
            .Invoice(3, "3 paid 05-01..06-01 0.40 USD", "usage desk 04-01..05-01: 3 -> 0.40") // 3 - 2 = 1 x 0.40
            .Invoice(12, "12 paid 2027-02-01..2027-03-01 0.40 USD", "usage desk 2027-01-01..2027-02-01: 0 -> 0.00", "credit 0.40") // too small to be charged, and carried over
            .Invoice(
                13,
                "13 finalized 2027-03-01..2027-04-01 120.40 USD",
                "base desk-1 2027-03-01..2028-03-01: 120.00",
                "usage desk 2027-02-01..2027-03-01: 0 -> 0.00",
                "credit 0.40");
    }

    private static Sold Desk(string basePrice) => new("desk", basePrice, PerUnit("0.40"));

    private static Sold Voice(string basePrice, decimal included) => new("voice", basePrice, PerUnit("0.40"), included);

    /// <summary>An account on desk since 1 April that adds a product then.</summary>
    private static Example Added(string when, Sold product) =>
        Example.Begun("04-01", Catalog(Desk("10.00"), product), "desk", "desk-1").At(when).Added(product.Product);
}
