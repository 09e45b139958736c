using Billing.Accounts;
using Billing.Tests.Accounts;

namespace Billing.Tests.Lifecycle;

/// <summary>
/// A catalogue with trials and yearly plans, in USD. Two tickets are included in each desk plan, each further one costs 0.40; a session is
/// 10 days. <c>voice-1</c> includes 100 minutes, each further one costs 0.02. <c>files-year</c> has no meter at all.
/// </summary>
internal static class LifeRun
{
    public const string Minutes = "voice.minutes";

    public const string Json = """
        {
          "version": "life-1", "currency": "USD", "grace": "PT72H", "dedup_window": "P35D",
          "meters": [
            { "id": "desk.tickets", "product": "desk", "event": "sent", "where": { "$.direction": "out" }, "aggregate": "count",
              "count_once": { "key": "$.ticket", "window": { "session": { "gap": "P10D" } } } },
            { "id": "voice.minutes", "product": "voice", "event": "called", "aggregate": "sum", "value": "$.minutes" }
          ],
          "products": [
            { "id": "desk", "plans": [
              { "id": "desk-1", "rank": 1, "base_price": "25.00", "included": { "desk.tickets": 2 },
                "prices": { "desk.tickets": { "model": "per_unit", "unit_price": "0.40" } } },
              { "id": "desk-trial", "rank": 2, "base_price": "30.00", "trial": "P7D", "included": { "desk.tickets": 2 },
                "prices": { "desk.tickets": { "model": "per_unit", "unit_price": "0.40" } } },
              { "id": "desk-year", "rank": 3, "interval": "year", "base_price": "240.00", "included": { "desk.tickets": 2 },
                "prices": { "desk.tickets": { "model": "per_unit", "unit_price": "0.40" } } } ] },
            { "id": "voice", "plans": [
              { "id": "voice-1", "rank": 1, "base_price": "31.00", "included": { "voice.minutes": 100 },
                "prices": { "voice.minutes": { "model": "per_unit", "unit_price": "0.02" } } },
              { "id": "voice-trial", "rank": 2, "base_price": "15.00", "trial": "P14D", "included": {},
                "prices": { "voice.minutes": { "model": "per_unit", "unit_price": "0.02" } } } ] },
            { "id": "files", "plans": [ { "id": "files-year", "rank": 1, "interval": "year", "base_price": "120.00" } ] },
            { "id": "free", "plans": [ { "id": "free-1", "rank": 1, "base_price": "0.00" } ] }
          ]
        }
        """;

    /// <summary>No account yet, on this catalogue.</summary>
    public static AccountRun Run(DateTimeOffset? now = null) => AccountRun.On(now ?? AccountRun.Anchor, Json);

    /// <summary>An account on these plans, with a payment method.</summary>
    public static AccountRun Begun(params string[] plans) => BegunAt(AccountRun.Anchor, plans);

    /// <summary>An account that was made then, with a payment method.</summary>
    public static AccountRun BegunAt(DateTimeOffset now, params string[] plans)
    {
        var account = Run(now);
        Assert.Null(account.Open(plans));
        return account;
    }

    /// <summary>An account without a payment method.</summary>
    public static AccountRun BegunUnpaid(params string[] plans)
    {
        var account = Run();
        Assert.Null(account.Open(AccountRun.Command(plans) with { CatalogVersion = "life-1", PaymentMethod = null }));
        return account;
    }

    /// <summary>A call of so many minutes.</summary>
    public static AccountRun.Event Call(string id, DateTimeOffset time, int minutes) =>
        new(id, time, $$"""{"minutes":{{minutes}}}""", "called", "phone");

    /// <summary>The account as it is shown.</summary>
    public static AccountView View(AccountRun account) => AccountViews.Account(account.State, account.Now);
}
