using System.Globalization;
using Billing.Rating;

namespace Billing.Tests.Rating;

public sealed class CurrenciesTests
{
    // ISO 4217, list one of 2026: the codes whose minor unit is not a hundredth.
    [Theory]
    [InlineData(0, "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF")]
    [InlineData(2, "USD EUR GBP CHF AUD CAD INR BRL HUF TWD MGA MRU")]
    [InlineData(3, "BHD IQD JOD KWD LYD OMR TND")]
    [InlineData(4, "CLF UYW")]
    public void AMinorUnit_HasThePlacesOfItsCurrency(int places, string codes) =>
        Assert.All(codes.Split(' '), code =>
        {
            Assert.Equal(places, Currencies.PlacesOf(code));
            Assert.Equal(12_345m / (decimal)Math.Pow(10, places), Currencies.ToMajor(12_345, code));
        });

    [Theory]
    [InlineData("USD", true)]
    [InlineData("AAZ", true)]
    [InlineData("usd", false)]
    [InlineData("US", false)]
    [InlineData("USDT", false)]
    [InlineData("US1", false)]
    [InlineData("US[", false)]
    [InlineData("U@D", false)]
    [InlineData("", false)]
    public void ACode_IsThreeCapitals(string text, bool isCode) => Assert.Equal(isCode, Currencies.IsCode(text));

    [Theory]
    [InlineData("USD JPY KWD CLF", "USD JPY KWD")]
    [InlineData("EUR XAU XTS XXX DEM usd", "EUR")]
    public void CurrenciesInUse_AreThoseThatPeoplePayIn(string codes, string inUse) => Assert.Equal(inUse.Split(' '), codes.Split(' ').Where(Currencies.IsInUse));

    [Theory]
    [InlineData(123450, "USD", "1,234.50 USD")]
    [InlineData(-5, "USD", "-0.05 USD")]
    [InlineData(1234567, "JPY", "1,234,567 JPY")]
    [InlineData(1234567, "KWD", "1,234.567 KWD")]
    [InlineData(1234567, "CLF", "123.4567 CLF")]
    public void AnAmount_IsWrittenWithThePlacesOfItsCurrency(long minor, string currency, string text) =>
        Assert.Equal(text, Currencies.Format(minor, currency));

    [Theory]
    [InlineData("10.00", "USD", 1000)]
    [InlineData("10.000", "USD", 1000)] // a place of nothing is no place
    [InlineData("0.01", "USD", 1)]
    [InlineData("-0.01", "USD", -1)]
    [InlineData("7", "JPY", 7)]
    [InlineData("0.001", "KWD", 1)]
    [InlineData("0.0001", "CLF", 1)]
    [InlineData("1000000000000", "USD", 100_000_000_000_000)] // the bound itself
    [InlineData("-1000000000000", "USD", -100_000_000_000_000)]
    public void AMajorAmount_IsReadInMinorUnits(string major, string currency, long minor)
    {
        Assert.True(Currencies.TryToMinor(Decimal(major), currency, out var read));
        Assert.Equal(minor, read);
        Assert.Equal(Decimal(major), Currencies.ToMajor(minor, currency));
    }

    [Theory]
    [InlineData("0.001", "USD")]
    [InlineData("0.5", "JPY")]
    [InlineData("0.0001", "KWD")]
    [InlineData("0.00001", "CLF")]
    [InlineData("1000000000000.01", "USD")] // over the bound
    [InlineData("-1000000000000.01", "USD")]
    public void AnAmountThatIsNoMinorUnits_IsRefused(string major, string currency) =>
        Assert.False(Currencies.TryToMinor(Decimal(major), currency, out _));

    private static decimal Decimal(string text) => decimal.Parse(text, CultureInfo.InvariantCulture);
}
