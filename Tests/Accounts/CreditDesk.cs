using static Billing.Tests.Accounts.AccountRun;

namespace Billing.Tests.Accounts;

/// <summary>
/// A desk on which late messages lower what was billed by more than the base fee: 1.00 a month, and each session of a ticket
/// costs 3.00. A session is 10 days, so a message between two of them merges them.
/// </summary>
internal static class CreditDesk
{
    private const string Catalog = """
        {
          "version": "credit-1", "currency": "USD",
          "meters": [
            { "id": "desk.tickets", "product": "desk", "event": "sent", "aggregate": "count",
              "count_once": { "key": "$.ticket", "window": { "session": { "gap": "P10D" } } } }
          ],
          "products": [
            { "id": "desk", "plans": [ { "id": "desk-1", "rank": 1, "base_price": "1.00",
              "prices": { "desk.tickets": { "model": "per_unit", "unit_price": "3.00" } } } ] }
          ]
        }
        """;

    /// <summary>An account since <see cref="Anchor"/>.</summary>
    public static AccountRun Opened()
    {
        var account = On(Anchor, Catalog);
        Assert.Null(account.Open("desk-1"));
        return account;
    }

    /// <summary>An account with 5.00 of credit from its third invoice: 1.00 base less two sessions of 3.00 that late messages merged.</summary>
    public static AccountRun WithCredit()
    {
        var account = Opened().At(FirstEnd.AddDays(-1));
        foreach (var ticket in new[] { "1", "2" })
            account.Send(Event.Message($"a{ticket}", Anchor.AddDays(5), ticket), Event.Message($"c{ticket}", Anchor.AddDays(19), ticket));
        account.At(FirstEnd.AddHours(72));
        foreach (var ticket in new[] { "1", "2" }) account.SendOne(Event.Message($"b{ticket}", Anchor.AddDays(12), ticket));
        return account.At(Anchor.AddMonths(2).AddHours(72));
    }
}
