using System.Globalization;
using Billing.Accounts;
using Billing.Invoices;
using Billing.Tests.Accounts;

namespace Billing.Tests.Plans;

/// <summary>
/// An account on a support desk's ladder: basic 60.00 with 300 tickets, then 40.00 per started 100; pro 360.00 with 2,000, then 36.00 per
/// 100; advanced 900.00 with 5,000, then the same; basic and pro also by the year.
/// </summary>
internal static class LadderRun
{
    public const string Tickets = "desk.tickets";

    /// <summary>30 days long, so that thirds of it are whole seconds.</summary>
    public static readonly DateTimeOffset Anchor = new(2026, 4, 1, 0, 0, 0, TimeSpan.Zero);

    public static string Catalog(string version = "v1", string transitions = """{ "upgrade": {}, "downgrade": { "periods": 2, "headroom": "0.80" }, "cooldown": "P30D" }""", string more = "") => $$"""
        { "version": "{{version}}", "currency": "USD",
          "meters": [
            { "id": "desk.tickets", "product": "desk", "event": "sent", "aggregate": "count" },
            { "id": "bot.talks", "product": "bot", "event": "talked", "aggregate": "count", "cancelled_by": { "event": "wrote", "key": "$.ticket", "within": "PT72H" } } ],
          "products": [
            { "id": "desk", "transitions": {{transitions}}, "plans": [
              { "id": "basic", "rank": 1, "base_price": "60.00", "included": { "desk.tickets": 300 }, "prices": { "desk.tickets": { "model": "package", "size": 100, "package_price": "40.00" } }, "features": { "macros": true, "roles": false, "agents": 3 } },
              { "id": "pro", "rank": 2, "base_price": "360.00", "included": { "desk.tickets": 2000 }, "prices": { "desk.tickets": { "model": "package", "size": 100, "package_price": "36.00" } }, "features": { "macros": true, "roles": true, "agents": 500 } },
              { "id": "advanced", "rank": 3, "base_price": "900.00", "included": { "desk.tickets": 5000 }, "prices": { "desk.tickets": { "model": "package", "size": 100, "package_price": "36.00" } } },
              { "id": "basic-year", "rank": 4, "interval": "year", "base_price": "600.00", "included": { "desk.tickets": 300 }, "prices": { "desk.tickets": { "model": "package", "size": 100, "package_price": "40.00" } } },
              { "id": "pro-year", "rank": 5, "interval": "year", "base_price": "3600.00", "included": { "desk.tickets": 2000 }, "prices": { "desk.tickets": { "model": "package", "size": 100, "package_price": "36.00" } } } ] },
            { "id": "bot", "transitions": { "upgrade": {} }, "plans": [
              { "id": "bot-1", "rank": 1, "base_price": "0.00", "prices": { "bot.talks": { "model": "per_unit", "unit_price": "1.00" } } },
              { "id": "bot-2", "rank": 2, "base_price": "5.00", "included": { "bot.talks": 100 }, "prices": { "bot.talks": { "model": "per_unit", "unit_price": "1.00" } } } ] }{{more}} ] }
        """;

    public static AccountRun Opened(string plan = "basic", params string[] catalogs)
    {
        var account = AccountRun.On(Anchor, catalogs is [] ? [Catalog()] : catalogs);
        Assert.Null(account.Open([plan]));
        return account;
    }

    /// <summary>Sends tickets of one instant, numbered on from those before.</summary>
    public static AccountRun Use(this AccountRun account, int tickets, DateTimeOffset at, string name = "t")
    {
        foreach (var chunk in Enumerable.Range(0, tickets).Chunk(500))
            account.Send([.. chunk.Select(i => new AccountRun.Event($"{name}-{at:MMddHHmm}-{i}", at, "{}"))]);
        return account;
    }

    public static string Plan(this AccountRun account, string product = "desk") => account.State.Subscriptions.Single(s => s.Product == product).Plan;

    /// <summary>The lines of all final invoices in order: kind, plan, amount.</summary>
    public static IEnumerable<(int Invoice, InvoiceLineKind Kind, string? Plan, long Amount)> Lines(this AccountRun account) =>
        account.Invoices.Where(i => i.Number is not null).SelectMany(i => i.Lines.Select(l => (i.Number!.Value, l.Kind, l.Plan, l.Amount)));

    public static AccountRun With(this AccountRun account, UsageAlert alert)
    {
        Assert.Null(account.Set(new(null, "They asked for it.", false, null, [alert])).Refusal);
        return account;
    }

    public static DateTimeOffset On(string date) => DateTimeOffset.Parse(date, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal);

    public static AccountChangeAnswer Move(this AccountRun account, string plan, PlanChangeTime when = PlanChangeTime.Now, string? version = null, bool dryRun = false, string product = "desk", string? commandId = null) =>
        account.ChangePlans(new ChangePlans([new(product, plan)], version, when, "They asked for it.", dryRun, commandId));
}
