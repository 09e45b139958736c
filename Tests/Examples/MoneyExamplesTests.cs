using System.Text;
using Billing.Invoices;
using Billing.Plans;
using Billing.Rating;
using Billing.Tests.Accounts;
using static Billing.Tests.Examples.Sold;

namespace Billing.Tests.Examples;

/// <summary>Amounts to the minor unit. What is not said otherwise is used on 5 March and invoiced on 4 April.</summary>
public sealed class MoneyExamplesTests
{
    // Amounts are whole minor units: USD has 2 places, JPY none, KWD 3.
    [Theory]
    [InlineData("USD", "10.00", "0.40", "1.20", "11.20")] // 3 x 0.40
    [InlineData("JPY", "1000", "50", "150", "1150")] // 3 x 50
    [InlineData("KWD", "5.000", "0.125", "0.375", "5.375")] // 3 x 0.125
    public void AnInvoice_IsInMinorUnits(string currency, string fee, string unitPrice, string usage, string total)
    {
        var example = Rated(currency, fee, PerUnit(unitPrice), "3");

        example.Invoice(2, $"2 finalized 04-01..05-01 {total} {currency}", $"base desk-1 04-01..05-01: {fee}", $"usage desk 03-01..04-01: 3 -> {usage}");
        Assert.Equal(total.Replace(".", "", StringComparison.Ordinal), $"{example.Account.Invoices[1].Total}");
    }

    // The exact amount is rounded to the nearest minor unit; a half goes to the even one.
    [Theory]
    [InlineData("USD", "0.115", "1", "0.115 ~ 0.12")] // 11.5 cents: 12 is even
    [InlineData("USD", "0.125", "1", "0.125 ~ 0.12")] // 12.5 cents: 12 is even
    [InlineData("USD", "0.135", "1", "0.135 ~ 0.14")]
    [InlineData("USD", "0.005", "1", "0.005 ~ 0.00")]
    [InlineData("USD", "0.005", "3", "0.015 ~ 0.02")]
    [InlineData("USD", "0.125000000001", "1", "0.125000000001 ~ 0.13")] // more than a half
    [InlineData("USD", "0.134999999999", "1", "0.134999999999 ~ 0.13")] // less than a half
    [InlineData("JPY", "0.5", "5", "2.5 ~ 2")]
    [InlineData("JPY", "0.5", "7", "3.5 ~ 4")]
    [InlineData("KWD", "0.0405", "1", "0.0405 ~ 0.040")]
    [InlineData("KWD", "0.0415", "1", "0.0415 ~ 0.042")]
    public void AHalf_GoesToTheEvenUnit(string currency, string unitPrice, string units, string amount) =>
        Rated(currency, "0", PerUnit(unitPrice), units).Usage(2, $"usage desk 03-01..04-01: {units} -> {amount}");

    // Unit prices have up to 12 places.
    [Theory]
    [InlineData("0.000000000001", "1000000000000", "1.00")] // 10^12 x 10^-12
    [InlineData("0.000000000001", "5000000000", "0.005 ~ 0.00")]
    [InlineData("0.000000000001", "15000000000", "0.015 ~ 0.02")]
    [InlineData("0.123456789012", "1000", "123.456789012 ~ 123.46")]
    [InlineData("0.123456789012", "0.5", "0.061728394506 ~ 0.06")]
    public void UnitPrices_HaveUpToTwelvePlaces(string unitPrice, string units, string amount) =>
        Rated("USD", "0", PerUnit(unitPrice), units).Usage(2, $"usage desk 03-01..04-01: {units} -> {amount}");

    // More places of a unit price, or more of a base price than the currency has, are no catalogue.
    [Theory]
    [InlineData("USD", "10.00", "0.0000000000001", "$.products[0].plans[0].prices.desk.unit_price")]
    [InlineData("USD", "10.005", "0.40", "$.products[0].plans[0].base_price")]
    [InlineData("JPY", "10.5", "0.40", "$.products[0].plans[0].base_price")]
    public void MorePlaces_AreRefused(string currency, string fee, string unitPrice, string path) =>
        Assert.Equal(path, CatalogReader.Read(Encoding.UTF8.GetBytes(Catalog("v1", currency, new Sold("desk", fee, PerUnit(unitPrice))))).Problem?.Path);

    // A line is rounded once, after its tiers are summed: 0.005 + 0.005 = 0.01, and 0.015 + 0.015 = 0.03, where rounding each tier
    // would give 0.00 + 0.00 and 0.02 + 0.02.
    [Theory]
    [InlineData("0.005", "0.01", "0.005")]
    [InlineData("0.015", "0.03", "0.015")]
    public void Tiers_AreSummedBeforeTheRounding(string unitPrice, string amount, string step) =>
        Rated("USD", "0", $$"""{ "model": "graduated", "tiers": [ { "up_to": 1, "unit_price": "{{unitPrice}}" }, { "unit_price": "{{unitPrice}}" } ] }""", "2")
            .Usage(2, $"usage desk 03-01..04-01: 2 -> {amount}")
            .Steps(2, 2, $"1 x {unitPrice} = {step}", $"1 x {unitPrice} = {step}");

    // One line for all usage of a period: 3 events of 0.004 each are 0.012, not three times 0.00; the next period has a line of its own.
    [Fact]
    public void AllEventsOfAPeriod_AreRoundedOnce() =>
        Example.Begun("03-01", new Sold("desk", "0.00", PerUnit("0.004")))
            .Used("03-05", "1").Used("03-06", "1").Used("03-07", "1").Used("04-05", "1").At("05-04")
            .Usage(2, "usage desk 03-01..04-01: 3 -> 0.012 ~ 0.01").Usage(3, "usage desk 04-01..05-01: 1 -> 0.004 ~ 0.00");

    // A line for each product and meter, each rounded; the total is the sum of the lines: 0.12 + 0.12 = 0.24, though 0.125 + 0.125 = 0.25.
    [Fact]
    public void TheTotal_IsTheSumOfTheRoundedLines() =>
        Example.Begun("03-01", new Sold("desk", "0.00", PerUnit("0.125")), new Sold("voice", "0.00", PerUnit("0.125")))
            .Used("03-05", "1").Used("03-05", "1", "voice").At("04-04")
            .Invoice(
                2,
                "2 paid 04-01..05-01 0.24 USD",
                "base desk-1 04-01..05-01: 0.00",
                "base voice-1 04-01..05-01: 0.00",
                "usage desk 03-01..04-01: 1 -> 0.125 ~ 0.12",
                "usage voice 03-01..04-01: 1 -> 0.125 ~ 0.12");

    // A product added later pays what accrues to the end of April (30 days) less what has accrued when it is added, each rounded half to even.
    [Theory]
    [InlineData("USD", "10.00", "04-11", "6.67")] // 10.00 - 10.00 x 10/30 = 10.00 - 3.33
    [InlineData("USD", "10.00", "04-21", "3.33")] // 10.00 - 10.00 x 20/30 = 10.00 - 6.67
    [InlineData("USD", "0.01", "04-16", "0.01")] // 1 - 0.5, and 0.5 rounds to 0
    [InlineData("USD", "0.03", "04-16", "0.01")] // 3 - 1.5, and 1.5 rounds to 2
    [InlineData("USD", "0.05", "04-16", "0.03")] // 5 - 2.5, and 2.5 rounds to 2
    [InlineData("JPY", "1000", "04-11", "667")] // 1000 - 333
    [InlineData("KWD", "1.000", "04-21", "0.333")] // 1.000 - 0.667
    [InlineData("USD", "25920.00", "04-30 23:59:59", "0.01")] // 2,592,000 seconds at 0.01: one is left
    [InlineData("USD", "25920.00", "04-30 23:59", "0.60")]
    [InlineData("USD", "25920.00", "04-01 00:00:01", "25919.99")]
    public void AProductAddedLater_PaysWhatStillAccrues(string currency, string fee, string when, string amount)
    {
        Sold desk = new("desk", "0", PerUnit("1"));
        Sold voice = new("voice", fee, PerUnit("1"));

        var example = Example.Begun("04-01", Catalog("v1", currency, desk, voice), "desk", "desk-1").At(when).Added("voice");

        // Less than 0.50 USD is not charged: it is carried over to the next invoice.
        var status = currency == "USD" && amount is ['0', '.', '0', ..] ? "paid" : "finalized";
        example.Invoice(2, $"2 {status} {when}..05-01 {amount} {currency}", $"proration voice-1 {when}..05-01: {amount}");
    }

    // Parts that tile a period add up to the fee: April in three parts, cut on the 11th and the 21st, and in halves.
    [Theory]
    [InlineData(1000, "04-11 04-21", 333, 334, 333)] // accrued 333, 667, 1000
    [InlineData(100, "04-11 04-21", 33, 34, 33)] // 33, 67, 100
    [InlineData(1, "04-11 04-21", 0, 1, 0)] // 0.33, 0.67 and 1 round to 0, 1, 1
    [InlineData(3, "04-16", 2, 1)] // 1.5 rounds to 2
    [InlineData(5, "04-16", 2, 3)] // 2.5 rounds to 2
    [InlineData(2_592_000, "04-01 00:00:01", 1, 2_591_999)] // one second, as many minor units as seconds
    public void PartsThatTileAPeriod_AddUpToTheFee(long fee, string cuts, params int[] parts)
    {
        var period = new BillingPeriod(Example.Instant("04-01"), Example.Instant("05-01"));
        DateTimeOffset[] cut = cuts.Contains(':')
            ? [period.Start, Example.Instant(cuts), period.End]
            : [period.Start, .. cuts.Split(' ').Select(Example.Instant), period.End];

        var amounts = cut.Zip(cut.Skip(1), (from, to) => Proration.Of(fee, period, from, to)).ToList();

        Assert.Equal(parts.Select(p => (long)p), amounts);
        Assert.Equal(fee, amounts.Sum());
    }

    // One currency per account: it is that of the catalogue it begins with, and a product in another one cannot join.
    [Fact]
    public void AnAccount_HasOneCurrency()
    {
        string[] published = [Catalog("v1", "USD", new Sold("desk", "1.00", PerUnit("1"))), Catalog("v2", "KWD", new Sold("voice", "1.000", PerUnit("1")))];
        var account = AccountRun.On(Example.Instant("03-01"), published);

        Assert.Equal("currency", account.Open(AccountRun.Command("desk-1") with { Currency = "KWD" })?.Field);
        Assert.Null(account.Open(AccountRun.Command("desk-1")));
        Assert.Equal("catalog_version", account.Add("voice", "voice-1").Refusal?.Field);

        Assert.All(account.At(Example.Instant("05-04")).Invoices, i => Assert.Equal("USD", i.Currency));
    }

    // Amounts are net, and by default there is no line of tax: base and usage are all.
    [Fact]
    public void WithoutATaxPort_NoLineOfTaxIsThere() =>
        Assert.Equal([InvoiceLineKind.Base, InvoiceLineKind.Usage], Rated("USD", "10.00", PerUnit("0.40"), "3").Account.Invoices[1].Lines.Select(l => l.Kind));

    private static Example Rated(string currency, string fee, string price, string units) =>
        Example.Begun("03-01", Catalog("v1", currency, new Sold("desk", fee, price)), "desk", "desk-1").Used("03-05", units).At("04-04");
}
