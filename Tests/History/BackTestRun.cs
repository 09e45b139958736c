using System.Text;
using Billing.Accounts;
using Billing.History;
using Billing.Plans;
using Billing.Tests.Accounts;

namespace Billing.Tests.History;

/// <summary>
/// Accounts on small ladders, whose histories are run again. Desk: <c>desk-1</c> 10.00 with 3 tickets, then 1.00 each; <c>desk-2</c> 15.00 with 10,
/// then 0.80; <c>desk-3</c> 30.00 with 30, then 0.80; <c>desk-trial</c> 40.00 with 50 after 7 days, then 0.80, <c>desk-year</c> 100.00 a year with 3. Bot:
/// <c>bot-1</c> free, 1.00 a talk that nobody takes back within three days; <c>bot-2</c> 5.00 with 20 talks. The anchor is 1 April.
/// </summary>
internal static class BackTestRun
{
    public const string Rules = """{ "upgrade": {}, "downgrade": { "periods": 2, "headroom": "0.80" }, "cooldown": "P30D" }""";

    public static readonly DateTimeOffset Anchor = new(2026, 4, 1, 0, 0, 0, TimeSpan.Zero);

    public static string Catalog(string version = "v1", string rules = Rules, string desk1 = "10.00", string meters = "", string currency = "USD") => $$"""
        { "version": "{{version}}", "currency": "{{currency}}",
          "meters": [
            { "id": "desk.tickets", "product": "desk", "event": "sent", "aggregate": "count" },{{meters}}
            { "id": "bot.talks", "product": "bot", "event": "talked", "aggregate": "count", "cancelled_by": { "event": "wrote", "key": "$.ticket", "within": "PT72H" } } ],
          "products": [
            { "id": "desk", "transitions": {{rules}}, "plans": [
              { "id": "desk-1", "rank": 1, "base_price": "{{desk1}}", "included": { "desk.tickets": 3 }, "prices": { "desk.tickets": { "model": "per_unit", "unit_price": "1.00" } } },
              { "id": "desk-2", "rank": 2, "base_price": "15.00", "included": { "desk.tickets": 10 }, "prices": { "desk.tickets": { "model": "per_unit", "unit_price": "0.80" } } },
              { "id": "desk-3", "rank": 3, "base_price": "30.00", "included": { "desk.tickets": 30 }, "prices": { "desk.tickets": { "model": "per_unit", "unit_price": "0.80" } } },
              { "id": "desk-trial", "rank": 4, "base_price": "40.00", "trial": "P7D", "included": { "desk.tickets": 50 }, "prices": { "desk.tickets": { "model": "per_unit", "unit_price": "0.80" } } },
              { "id": "desk-year", "rank": 5, "interval": "year", "base_price": "100.00", "included": { "desk.tickets": 3 }, "prices": { "desk.tickets": { "model": "per_unit", "unit_price": "1.00" } } } ] },
            { "id": "bot", "transitions": { "upgrade": {}, "downgrade": {} }, "plans": [
              { "id": "bot-1", "rank": 1, "base_price": "0.00", "prices": { "bot.talks": { "model": "per_unit", "unit_price": "1.00" } } },
              { "id": "bot-2", "rank": 2, "base_price": "5.00", "included": { "bot.talks": 20 }, "prices": { "bot.talks": { "model": "per_unit", "unit_price": "1.00" } } } ] } ] }
        """;

    public static AccountRun Opened(params string[] plans)
    {
        var account = AccountRun.On(Anchor, Catalog());
        Assert.Null(account.Open(plans is [] ? ["desk-1"] : plans));
        return account;
    }

    /// <summary>Sends events of one instant.</summary>
    public static AccountRun Use(this AccountRun account, int count, DateTimeOffset at, string type = "sent", string data = "{}")
    {
        if (count > 0) account.Send([.. Enumerable.Range(0, count).Select(i => new AccountRun.Event($"{type}-{account.Now:MMddHHmm}-{at:MMddHHmm}-{i}", at, data, type))]);
        return account;
    }

    /// <summary>Runs the history again by the rules, or the plans and rules, of a catalogue.</summary>
    public static AccountBackTest BackTest(this AccountRun account, string? catalog = null, bool withPlans = false, string? transitions = null, DateTimeOffset? from = null, DateTimeOffset? to = null)
    {
        var rules = BackTestCatalogs.Of(new(catalog ?? Catalog(), transitions, withPlans, null, null), account.Published);
        var test = new BackTest(account.Explaining(rules), rules, from, to);
        foreach (var entry in account.Entries) test.Take(entry.Span);
        return test.Result(account.Now);
    }

    /// <summary>The account as the rules of its own catalogue make it of its journal.</summary>
    public static JournalRerun Rerun(this AccountRun account)
    {
        var rerun = new JournalRerun(account.Explaining(account.Published));
        foreach (var entry in account.Entries)
        {
            var reader = new FactReader(entry.Span);
            rerun.Begin(reader.ReceivedAt);
            while (reader.TryRead(out var kind, out var content))
            {
                if (kind == FactKind.UsageRecorded) rerun.Take(FactReader.ReadUsageRecorded(content));
                else if (kind == FactKind.Json) rerun.Take(FactReader.ReadJson(content));
            }

            rerun.End();
        }

        return rerun;
    }

    /// <summary>The facts in the journal but those of events, in order.</summary>
    public static IEnumerable<AccountFact> Facts(this AccountRun account)
    {
        var facts = new List<AccountFact>();
        foreach (var entry in account.Entries)
        {
            var reader = new FactReader(entry.Span);
            while (reader.TryRead(out var kind, out var content))
                if (kind == FactKind.Json) facts.Add(FactReader.ReadJson(content));
        }

        return facts;
    }

    public static IEnumerable<(PlanRule, string, string)> Moved(IEnumerable<PlanMove> moves) => moves.Select(m => (m.Rule, m.From, m.To));

    public static Catalog Read(string json)
    {
        var (catalog, problem) = CatalogReader.Read(Encoding.UTF8.GetBytes(json));
        Assert.Null(problem);
        return catalog!;
    }
}
