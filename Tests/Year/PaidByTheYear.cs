using static Billing.Tests.Year.Acts;

namespace Billing.Tests.Year;

/// <summary>
/// Pays its desk by the year, overage by the month, and once more when the year is over. Its ten talks of April are all taken back late: what
/// was paid for them becomes account credit, spent in July.
/// </summary>
internal static class PaidByTheYear
{
    public static Merchant Merchant { get; } = new(
        "yearly",
        [
            Opens("2026-01-01", "pro-year", "bot-1"),
            Sends("2026-03-10T12:00", 2_150),
            Talks("2026-04-20T12:00", 10, "april"),
            TakesOver("2026-05-10T12:00", 10, "april", written: "2026-04-22T12:00"),
            Looks("2026-06-04", "active: bot-1, pro-year; balance 10.00"),
            Sends("2026-06-10T12:00", 2_001),
            Looks("2026-07-04", "active: bot-1, pro-year; balance 0.00"),
            Sends("2026-09-10T12:00", 2_001),
            LooksAtCharge("2027-01-04", 13, "parked, pending: 3600.00 "),
            Asks("2027-01-04T12:00", "release", new { reason = "It is the second year." }, "200: 3600.00"),
        ],
        [
            new(1, "3600.00", "2026-01-01", "2026-02-01", "2026-01-01", "base bot-1 0.00, base pro-year 3600.00"),
            new(2, "0.00", "2026-02-01", "2026-03-01", "2026-02-04", "base bot-1 0.00, usage bot-1 0.00 for 0, usage pro-year 0.00 for 0"),
            new(3, "0.00", "2026-03-01", "2026-04-01", "2026-03-04", "base bot-1 0.00, usage bot-1 0.00 for 0, usage pro-year 0.00 for 0"),
            // 150 over 2,000: 2 × 36.00.
            new(4, "72.00", "2026-04-01", "2026-05-01", "2026-04-04", "base bot-1 0.00, usage bot-1 0.00 for 0, usage pro-year 72.00 for 2150"),
            new(5, "10.00", "2026-05-01", "2026-06-01", "2026-05-04", "base bot-1 0.00, usage bot-1 10.00 for 10, usage pro-year 0.00 for 0"),
            new(6, "-10.00", "2026-06-01", "2026-07-01", "2026-06-04", "base bot-1 0.00, usage bot-1 0.00 for 0, usage pro-year 0.00 for 0, adjustment bot-1 -10.00 for -10"),
            // 1 over 2,000: one block.
            new(7, "26.00", "2026-07-01", "2026-08-01", "2026-07-04", "base bot-1 0.00, usage bot-1 0.00 for 0, usage pro-year 36.00 for 2001, credit -10.00"),
            new(8, "0.00", "2026-08-01", "2026-09-01", "2026-08-04", "base bot-1 0.00, usage bot-1 0.00 for 0, usage pro-year 0.00 for 0"),
            new(9, "0.00", "2026-09-01", "2026-10-01", "2026-09-04", "base bot-1 0.00, usage bot-1 0.00 for 0, usage pro-year 0.00 for 0"),
            new(10, "36.00", "2026-10-01", "2026-11-01", "2026-10-04", "base bot-1 0.00, usage bot-1 0.00 for 0, usage pro-year 36.00 for 2001"),
            new(11, "0.00", "2026-11-01", "2026-12-01", "2026-11-04", "base bot-1 0.00, usage bot-1 0.00 for 0, usage pro-year 0.00 for 0"),
            new(12, "0.00", "2026-12-01", "2027-01-01", "2026-12-04", "base bot-1 0.00, usage bot-1 0.00 for 0, usage pro-year 0.00 for 0"),
            // More than ten times 36.00, the median of 3,600.00, 72.00, 10.00, 26.00, 36.00: a person lets it go.
            new(13, "3600.00", "2027-01-01", "2027-02-01", "2027-01-04", "base bot-1 0.00, base pro-year 3600.00, usage bot-1 0.00 for 0, usage pro-year 0.00 for 0") { PaidLater = "2027-01-04T12:00" },
        ],
        "active: bot-1, pro-year; balance 0.00",
        // 3,600.00 + 72.00 + 10.00 + 26.00 + 36.00 + 3,600.00 = 7,344.00 charged. The second year is not earned yet.
        "revenue 3744.00, deferred_revenue 3600.00, cash 7344.00")
    {
        Attempts = new Dictionary<int, string> { [13] = "settled, proven: 3600.00 settled 2027-01-04T12:00" },
    };
}
