namespace Billing.Tests.Year;

/// <summary>
/// What the twelve merchants buy, in USD. A support desk: <c>basic</c> 60.00 with 300 tickets, then 40.00 per started 100; <c>pro</c> 360.00 with
/// 2,000, then 36.00 per started 100; <c>advanced</c> 900.00 with 5,000, then 36.00; <c>pro-year</c> 3,600.00 a year, each month as <c>pro</c>. Usage moves between
/// the monthly ones: upwards when it is cheaper, downwards after two periods below 80 % of the lower plan's allowance.
/// A bot: nothing a month, 1.00 a talk unless an agent writes within five days. Telephone: 31.00 with 100 minutes, then 0.405 for 50, then 0.355; 14 days of trial.
/// </summary>
internal static class YearCatalog
{
    public const string Json = """
        {
          "version": "year-1", "currency": "USD", "late_usage": "next_invoice", "grace": "PT72H", "dedup_window": "P35D",
          "meters": [
            { "id": "desk.tickets", "product": "desk", "event": "sent", "aggregate": "count" },
            { "id": "bot.talks", "product": "bot", "event": "talked", "aggregate": "count", "cancelled_by": { "event": "wrote", "key": "$.ticket", "within": "P5D" } },
            { "id": "voice.minutes", "product": "voice", "event": "called", "aggregate": "sum", "value": "$.minutes" }
          ],
          "products": [
            { "id": "desk", "transitions": { "upgrade": {}, "downgrade": { "periods": 2, "headroom": "0.80" }, "cooldown": "P30D" }, "plans": [
              { "id": "basic", "rank": 1, "base_price": "60.00", "included": { "desk.tickets": 300 },
                "prices": { "desk.tickets": { "model": "package", "size": 100, "package_price": "40.00" } } },
              { "id": "pro", "rank": 2, "base_price": "360.00", "included": { "desk.tickets": 2000 },
                "prices": { "desk.tickets": { "model": "package", "size": 100, "package_price": "36.00" } } },
              { "id": "advanced", "rank": 3, "base_price": "900.00", "included": { "desk.tickets": 5000 },
                "prices": { "desk.tickets": { "model": "package", "size": 100, "package_price": "36.00" } } },
              { "id": "pro-year", "rank": 4, "interval": "year", "base_price": "3600.00", "included": { "desk.tickets": 2000 },
                "prices": { "desk.tickets": { "model": "package", "size": 100, "package_price": "36.00" } } } ] },
            { "id": "bot", "plans": [
              { "id": "bot-1", "rank": 1, "base_price": "0.00", "prices": { "bot.talks": { "model": "per_unit", "unit_price": "1.00" } } } ] },
            { "id": "voice", "plans": [
              { "id": "voice-1", "rank": 1, "base_price": "31.00", "trial": "P14D", "included": { "voice.minutes": 100 },
                "prices": { "voice.minutes": { "model": "graduated", "tiers": [ { "up_to": 50, "unit_price": "0.405" }, { "unit_price": "0.355" } ] } } } ] }
          ]
        }
        """;
}
