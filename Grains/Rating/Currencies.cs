using System.Collections.Frozen;
using System.Globalization;

namespace Billing.Rating;

/// <summary>Minor units of currencies. Source: ISO 4217.</summary>
public static class Currencies
{
    private static readonly FrozenSet<string> WithoutPlaces = new[]
    {
        "BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "UYI", "VND", "VUV", "XAF", "XOF", "XPF",
    }.ToFrozenSet();

    private static readonly FrozenSet<string> WithThreePlaces = new[] { "BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND" }.ToFrozenSet();

    private static readonly FrozenSet<string> WithFourPlaces = new[] { "CLF", "UYW" }.ToFrozenSet();

    // Those in which something can be paid: no funds, metals, or codes for testing.
    private static readonly FrozenSet<string> InUse = (
        "AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CLP CNY COP CRC CUP CVE CZK "
        + "DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ GYD HKD HNL HTG HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF "
        + "KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK "
        + "PHP PKR PLN PYG QAR RON RSD RUB RWF SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS UAH UGX "
        + "USD UYU UZS VED VES VND VUV WST XAF XCD XCG XOF XPF YER ZAR ZMW ZWG").Split(' ').ToFrozenSet();

    /// <summary>Whether the text is the code of a currency that is in use.</summary>
    public static bool IsInUse(string text) => InUse.Contains(text);

    /// <summary>Whether the text looks like an ISO 4217 code: three upper-case letters.</summary>
    public static bool IsCode(string text) => text.Length == 3 && text.AsSpan().IndexOfAnyExceptInRange('A', 'Z') < 0;

    /// <summary>How many decimal places the minor unit has: USD 2, JPY 0, KWD 3.</summary>
    public static int PlacesOf(string currency) =>
        WithoutPlaces.Contains(currency) ? 0 : WithThreePlaces.Contains(currency) ? 3 : WithFourPlaces.Contains(currency) ? 4 : 2;

    /// <summary>An amount of minor units in major units, exact.</summary>
    public static decimal ToMajor(long minor, string currency) => new decimal(minor) / PowerOfTen(PlacesOf(currency));

    /// <summary>An amount in minor units as a person reads it: <c>1,234.50 USD</c>.</summary>
    public static string Format(long minor, string currency)
    {
        var places = PlacesOf(currency);
        var amount = ToMajor(minor, currency);
        return string.Create(CultureInfo.InvariantCulture, $"{amount.ToString($"N{places}", CultureInfo.InvariantCulture)} {currency}");
    }

    /// <summary>Minor units of an amount in major units; false when it has more places than the currency.</summary>
    public static bool TryToMinor(decimal major, string currency, out long minor)
    {
        minor = 0;
        if (major is < -1_000_000_000_000m or > 1_000_000_000_000m) return false;
        var scaled = major * PowerOfTen(PlacesOf(currency));
        if (decimal.Truncate(scaled) != scaled) return false;
        minor = (long)scaled;
        return true;
    }

    private static decimal PowerOfTen(int places) => places switch { 0 => 1m, 2 => 100m, 3 => 1000m, _ => 10_000m };
}
