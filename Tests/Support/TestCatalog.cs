namespace Billing.Tests.Support;

/// <summary>
/// A catalogue with round prices, in USD: <c>desk-basic</c> costs 10.00 a month, includes 2 tickets and asks 0.50 for each more;
/// <c>voice-payg</c> asks 0.02 a minute. The other plans are there to be refused.
/// </summary>
internal static class TestCatalog
{
    public const string Json = """
        {
          "version": "test-1", "currency": "USD", "late_usage": "next_invoice", "grace": "PT72H", "dedup_window": "P35D",
          "meters": [
            { "id": "desk.tickets", "product": "desk", "event": "ticket.sent", "aggregate": "count" },
            { "id": "voice.minutes", "product": "voice", "event": "call.ended", "aggregate": "sum", "value": "$.minutes" }
          ],
          "products": [
            { "id": "desk", "plans": [
              { "id": "desk-basic", "rank": 1, "interval": "month", "base_price": "10.00", "included": { "desk.tickets": 2 },
                "prices": { "desk.tickets": { "model": "per_unit", "unit_price": "0.50" } }, "features": {} },
              { "id": "desk-pro", "rank": 2, "interval": "month", "base_price": "50.00", "included": { "desk.tickets": 100 },
                "prices": { "desk.tickets": { "model": "per_unit", "unit_price": "0.40" } }, "features": {} },
              { "id": "desk-trial", "rank": 3, "interval": "month", "base_price": "60.00", "trial": "P7D", "included": {},
                "prices": { "desk.tickets": { "model": "per_unit", "unit_price": "0.40" } }, "features": {} },
              { "id": "desk-year", "rank": 4, "interval": "year", "base_price": "500.00", "included": {},
                "prices": { "desk.tickets": { "model": "per_unit", "unit_price": "0.40" } }, "features": {} } ] },
            { "id": "voice", "plans": [
              { "id": "voice-payg", "rank": 1, "interval": "month", "base_price": "0.00", "included": {},
                "prices": { "voice.minutes": { "model": "per_unit", "unit_price": "0.02" } }, "features": {} } ] }
          ]
        }
        """;
}
