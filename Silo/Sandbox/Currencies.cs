namespace Billing.Silo.Sandbox;

/// <summary>The currencies that the sandbox takes, with the smallest charge of each in its minor unit, as Stripe lists them.</summary>
internal static class Currencies
{
    private static readonly Dictionary<string, long> Smallest = new(StringComparer.Ordinal)
    {
        ["usd"] = 50, ["aed"] = 200, ["aud"] = 50, ["bgn"] = 100, ["brl"] = 50, ["cad"] = 50, ["chf"] = 50, ["czk"] = 1500, ["dkk"] = 250,
        ["eur"] = 50, ["gbp"] = 30, ["hkd"] = 400, ["huf"] = 17500, ["inr"] = 50, ["jpy"] = 50, ["mxn"] = 1000, ["myr"] = 200, ["nok"] = 300,
        ["nzd"] = 50, ["pln"] = 200, ["ron"] = 200, ["sek"] = 300, ["sgd"] = 50, ["thb"] = 1000,
    };

    public static bool AreKnown(string currency) => Smallest.ContainsKey(currency);

    /// <summary>The smallest charge in minor units; less than it goes to the customer's balance.</summary>
    public static long SmallestCharge(string currency) => Smallest[currency];
}
