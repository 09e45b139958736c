using static Billing.Tests.Year.Acts;

namespace Billing.Tests.Year;

/// <summary>Does not want its plan moved, and pays for that: 480.00 once, and 1,080.00, so unusual that a person has to let it go.</summary>
internal static class OptedOut
{
    public static Merchant Merchant { get; } = new(
        "opted-out",
        [
            Opens("2026-01-31T14:00", "basic"),
            Asks("2026-02-01", "settings", new { automatic_plan_changes = false, reason = "The merchant likes its plan." }),
            Sends("2026-03-10T12:00", 1_500),
            Sends("2026-06-10T12:00", 3_000),
            LooksAtCharge("2026-07-03T14:00", 6, "parked, pending: 1140.00 "),
            Asks("2026-07-05T12:00", "release", new { reason = "The merchant had a campaign." }, "200: 1140.00"),
        ],
        [
            new(1, "60.00", "2026-01-31T14:00", "2026-02-28T14:00", "2026-01-31T14:00", "base basic 60.00"),
            new(2, "60.00", "2026-02-28T14:00", "2026-03-31T14:00", "2026-03-03T14:00", "base basic 60.00, usage basic 0.00 for 0"),
            // 1,200 over 300: 12 × 40.00. Pro would have been 360.00.
            new(3, "540.00", "2026-03-31T14:00", "2026-04-30T14:00", "2026-04-03T14:00", "base basic 60.00, usage basic 480.00 for 1500"),
            new(4, "60.00", "2026-04-30T14:00", "2026-05-31T14:00", "2026-05-03T14:00", "base basic 60.00, usage basic 0.00 for 0"),
            new(5, "60.00", "2026-05-31T14:00", "2026-06-30T14:00", "2026-06-03T14:00", "base basic 60.00, usage basic 0.00 for 0"),
            // 2,700 over 300: 27 × 40.00. Above 1,000.00, and more than ten times 60.00, the median of 60.00, 60.00, 540.00, 60.00, 60.00.
            new(6, "1140.00", "2026-06-30T14:00", "2026-07-31T14:00", "2026-07-03T14:00", "base basic 60.00, usage basic 1080.00 for 3000") { PaidLater = "2026-07-05T12:00" },
            new(7, "60.00", "2026-07-31T14:00", "2026-08-31T14:00", "2026-08-03T14:00", "base basic 60.00, usage basic 0.00 for 0"),
            new(8, "60.00", "2026-08-31T14:00", "2026-09-30T14:00", "2026-09-03T14:00", "base basic 60.00, usage basic 0.00 for 0"),
            new(9, "60.00", "2026-09-30T14:00", "2026-10-31T14:00", "2026-10-03T14:00", "base basic 60.00, usage basic 0.00 for 0"),
            new(10, "60.00", "2026-10-31T14:00", "2026-11-30T14:00", "2026-11-03T14:00", "base basic 60.00, usage basic 0.00 for 0"),
            new(11, "60.00", "2026-11-30T14:00", "2026-12-31T14:00", "2026-12-03T14:00", "base basic 60.00, usage basic 0.00 for 0"),
            new(12, "60.00", "2026-12-31T14:00", "2027-01-31T14:00", "2027-01-03T14:00", "base basic 60.00, usage basic 0.00 for 0"),
        ],
        "active: basic; balance 0.00",
        // 12 × 60.00 + 480.00 + 1,080.00 = 2,280.00
        "revenue 2220.00, deferred_revenue 60.00, cash 2280.00")
    {
        Attempts = new Dictionary<int, string> { [6] = "settled, proven: 1140.00 settled 2026-07-05T12:00" },
    };
}
