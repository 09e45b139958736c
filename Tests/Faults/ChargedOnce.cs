using System.Text.Json;
using Billing.Tests.Support;

namespace Billing.Tests.Faults;

/// <summary>Whether each invoice was charged exactly once, read from Stripe's side and never from our own.</summary>
internal static class ChargedOnce
{
    /// <summary>
    /// Holds what the sandbox has charged to the invoices of the accounts, to the cent: one customer for an account, one invoice at Stripe and one charge
    /// that succeeded for each of ours, and nothing else (I3); every charge is settled (I8); the ledger's cash is what was charged (I4).
    /// </summary>
    /// <param name="api">The platform.</param>
    /// <param name="accounts">All its accounts.</param>
    /// <param name="invoices">How many invoices they have together.</param>
    public static async Task Check(ApiCaller api, IReadOnlyList<string> accounts, int invoices)
    {
        var stripe = (await api.Get("/v1/sandbox/stripe")).Json;
        Assert.Equal(accounts.Order(StringComparer.Ordinal), stripe.GetProperty("customers").EnumerateArray().Select(c => Metadata(c, "account")).Order(StringComparer.Ordinal));

        var asked = new List<(string Intent, long Amount, string Currency)>();
        foreach (var account in accounts)
        {
            var own = await Invoices(api, account);
            asked.AddRange(own);
            var charges = await Charges(api, account);
            Assert.True(charges.TrueForAll(c => c.GetProperty("state").GetString() == "settled"), $"{account}: {string.Join('\n', charges)}");
            Assert.Equal(own.Count, charges.Count);
            var ledger = await api.Get($"/v1/accounts/{account}/ledger?limit=1");
            Assert.True(ledger.Json.GetProperty("balances").GetProperty("cash").GetInt64() == own.Sum(o => o.Amount), ledger.Text);
        }

        Assert.Equal(invoices, asked.Count);
        Assert.Equal(asked.Order(), Charged(stripe).Order());
        Assert.Equal(
            asked.Select(a => (a.Intent, a.Amount, "paid")).Order(),
            stripe.GetProperty("invoices").EnumerateArray().Select(i => (Metadata(i, "intent"), i.GetProperty("amount_paid").GetInt64(), i.GetProperty("status").GetString()!)).Order());
    }

    /// <summary>Every charge that succeeded at Stripe.</summary>
    public static IEnumerable<(string Intent, long Amount, string Currency)> Charged(JsonElement stripe) => stripe.GetProperty("charges").EnumerateArray()
        .Where(c => c.GetProperty("status").GetString() == "succeeded")
        .Select(c => (Metadata(c, "intent"), c.GetProperty("amount").GetInt64(), c.GetProperty("currency").GetString()!));

    /// <summary>The charges of an account, as the platform shows them.</summary>
    public static async Task<List<JsonElement>> Charges(ApiCaller api, string account) =>
        [.. (await api.Get($"/v1/accounts/{account}/charges?limit=1000")).Json.GetProperty("items").EnumerateArray()];

    private static async Task<List<(string Intent, long Amount, string Currency)>> Invoices(ApiCaller api, string account) =>
    [
        .. (await api.Get($"/v1/accounts/{account}/invoices?limit=1000")).Json.GetProperty("items").EnumerateArray()
            .Where(i => i.GetProperty("status").GetString() is "finalized" or "paid")
            .Select(i => ($"{account}/{i.GetProperty("number").GetInt32()}/1", i.GetProperty("total").GetInt64(), i.GetProperty("currency").GetString()!.ToLowerInvariant())),
    ];

    private static string Metadata(JsonElement item, string name) => item.GetProperty("metadata").GetProperty(name).GetString()!;
}
