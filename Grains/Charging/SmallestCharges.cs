using System.Collections.Frozen;

namespace Billing.Charging;

/// <summary>The smallest amount that Stripe charges in a currency. Source: Stripe, "Minimum and maximum charge amounts".</summary>
internal static class SmallestCharges
{
    private static readonly FrozenDictionary<string, long> Amounts = new Dictionary<string, long>(StringComparer.Ordinal)
    {
        ["AED"] = 200, ["AUD"] = 50, ["BGN"] = 100, ["BRL"] = 50, ["CAD"] = 50, ["CHF"] = 50, ["CZK"] = 1_500, ["DKK"] = 250, ["EUR"] = 50,
        ["GBP"] = 30, ["HKD"] = 400, ["HUF"] = 17_500, ["INR"] = 50, ["JPY"] = 50, ["MXN"] = 1_000, ["MYR"] = 200, ["NOK"] = 300, ["NZD"] = 50,
        ["PLN"] = 200, ["RON"] = 200, ["SEK"] = 300, ["SGD"] = 50, ["THB"] = 1_000, ["USD"] = 50,
    }.ToFrozenDictionary(StringComparer.Ordinal);

    /// <summary>The smallest charge in minor units; 1 for a currency without a known bound.</summary>
    public static long Of(string currency) => Amounts.GetValueOrDefault(currency, 1);

    /// <summary>Whether an amount is owed and yet too small to be charged.</summary>
    public static bool IsTooSmall(long minor, string currency) => minor > 0 && minor < Of(currency);
}
