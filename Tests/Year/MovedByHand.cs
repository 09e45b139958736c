using static Billing.Tests.Year.Acts;

namespace Billing.Tests.Year;

/// <summary>Merchants who ask for the plan they want.</summary>
internal static class MovedByHand
{
    /// <summary>
    /// Moves up when a third of April is over, and adds the telephone when half of June is. April and June have 30 days. On pro it sends 300
    /// tickets a month, more than 80 % of the 300 of basic, so usage does not move it down.
    /// </summary>
    public static Merchant Mover { get; } = new(
        "mover",
        [
            Opens("2026-01-01", "basic"),
            // 20 of 30 days are left: 60.00 × 2/3 are given back, 360.00 × 2/3 asked for.
            Moves("2026-04-11", "desk", "pro", "now", "200: 200.00", dryRun: true),
            Moves("2026-04-11", "desk", "pro", "now", "200: 200.00"),
            Sends("2026-04-12", 1_534),
            .. Months(5, 12, m => Sends($"{m}-10T12:00", 300)),
            Moves("2026-06-16", "voice", "voice-1", "now", "200: 15.50"),
            Calls("2026-06-20", 52),
            Calls("2026-07-20", 101),
            Calls("2026-08-20", 103),
            Calls("2026-09-20", 200),
        ],
        [
            new(1, "60.00", "2026-01-01", "2026-02-01", "2026-01-01", "base basic 60.00"),
            new(2, "60.00", "2026-02-01", "2026-03-01", "2026-02-04", "base basic 60.00, usage basic 0.00 for 0"),
            new(3, "60.00", "2026-03-01", "2026-04-01", "2026-03-04", "base basic 60.00, usage basic 0.00 for 0"),
            new(4, "60.00", "2026-04-01", "2026-05-01", "2026-04-04", "base basic 60.00, usage basic 0.00 for 0"),
            new(5, "200.00", "2026-04-11", "2026-05-01", "2026-04-11", "proration basic -40.00, proration pro 240.00"),
            // 300 × 1/3 + 2,000 × 2/3 = 1,433 1/3 are included: 100 2/3 over are two blocks of 36.00.
            new(6, "432.00", "2026-05-01", "2026-06-01", "2026-05-04", "base pro 360.00, usage pro 72.00 for 1534"),
            new(7, "360.00", "2026-06-01", "2026-07-01", "2026-06-04", "base pro 360.00, usage pro 0.00 for 300"),
            // 31.00 less the 15.50 that would have accrued by the 16th.
            new(8, "15.50", "2026-06-16", "2026-07-01", "2026-06-16", "proration voice-1 15.50"),
            // Half of 100 minutes are included: 2 × 0.405.
            new(9, "391.81", "2026-07-01", "2026-08-01", "2026-07-04", "base pro 360.00, base voice-1 31.00, usage pro 0.00 for 300, usage voice-1 0.81 for 52"),
            // 1 × 0.405: half to even, 0.40.
            new(10, "391.40", "2026-08-01", "2026-09-01", "2026-08-04", "base pro 360.00, base voice-1 31.00, usage pro 0.00 for 300, usage voice-1 0.40 for 101"),
            // 3 × 0.405 = 1.215: half to even, 1.22.
            new(11, "392.22", "2026-09-01", "2026-10-01", "2026-09-04", "base pro 360.00, base voice-1 31.00, usage pro 0.00 for 300, usage voice-1 1.22 for 103"),
            // 50 × 0.405 = 20.25, 50 × 0.355 = 17.75.
            new(12, "429.00", "2026-10-01", "2026-11-01", "2026-10-04", "base pro 360.00, base voice-1 31.00, usage pro 0.00 for 300, usage voice-1 38.00 for 200"),
            new(13, "391.00", "2026-11-01", "2026-12-01", "2026-11-04", "base pro 360.00, base voice-1 31.00, usage pro 0.00 for 300, usage voice-1 0.00 for 0"),
            new(14, "391.00", "2026-12-01", "2027-01-01", "2026-12-04", "base pro 360.00, base voice-1 31.00, usage pro 0.00 for 300, usage voice-1 0.00 for 0"),
            new(15, "391.00", "2027-01-01", "2027-02-01", "2027-01-04", "base pro 360.00, base voice-1 31.00, usage pro 0.00 for 300, usage voice-1 0.00 for 0"),
        ],
        "active: pro, voice-1; balance 0.00",
        // 4 × 60.00 + 200.00 + 432.00 + 360.00 + 15.50 + 391.81 + 391.40 + 392.22 + 429.00 + 3 × 391.00 = 4,024.93
        "revenue 3633.93, deferred_revenue 391.00, cash 4024.93");

    /// <summary>
    /// Wants basic, takes that back, wants it again. 500 tickets a month are more than 80 % of the 300 of basic, so usage does not move it there.
    /// In September 600 tickets come too late, and August's period settles once more.
    /// </summary>
    public static Merchant Waverer { get; } = new(
        "waverer",
        [
            Opens("2026-01-15T16:00", "pro"),
            .. Months(1, 11, m => Sends($"{m}-20T12:00", 500)),
            Moves("2026-02-21T12:00", "desk", "basic", "period_end", "200: 60.00"), // the base price from 15 March on
            Looks("2026-02-21T12:00", "active: pro (basic at 2026-03-15T16:00); balance 0.00"),
            TakesBack("2026-03-01T12:00", "plans/scheduled/desk"),
            Looks("2026-03-01T12:00", "active: pro; balance 0.00"),
            Moves("2026-04-21T12:00", "desk", "basic", "period_end", "200: 60.00"),
            Looks("2026-05-15T15:59", "active: pro (basic at 2026-05-15T16:00); balance 0.00"),
            Looks("2026-05-15T16:00", "active: basic; balance 0.00"),
            Sends("2026-09-25T12:00", 600, written: "2026-09-14T12:00"),
        ],
        [
            new(1, "360.00", "2026-01-15T16:00", "2026-02-15T16:00", "2026-01-15T16:00", "base pro 360.00"),
            new(2, "360.00", "2026-02-15T16:00", "2026-03-15T16:00", "2026-02-18T16:00", "base pro 360.00, usage pro 0.00 for 500"),
            new(3, "360.00", "2026-03-15T16:00", "2026-04-15T16:00", "2026-03-18T16:00", "base pro 360.00, usage pro 0.00 for 500"),
            new(4, "360.00", "2026-04-15T16:00", "2026-05-15T16:00", "2026-04-18T16:00", "base pro 360.00, usage pro 0.00 for 500"),
            new(5, "60.00", "2026-05-15T16:00", "2026-06-15T16:00", "2026-05-18T16:00", "base basic 60.00, usage pro 0.00 for 500"),
            // 200 over 300: 2 × 40.00.
            new(6, "140.00", "2026-06-15T16:00", "2026-07-15T16:00", "2026-06-18T16:00", "base basic 60.00, usage basic 80.00 for 500"),
            new(7, "140.00", "2026-07-15T16:00", "2026-08-15T16:00", "2026-07-18T16:00", "base basic 60.00, usage basic 80.00 for 500"),
            new(8, "140.00", "2026-08-15T16:00", "2026-09-15T16:00", "2026-08-18T16:00", "base basic 60.00, usage basic 80.00 for 500"),
            new(9, "140.00", "2026-09-15T16:00", "2026-10-15T16:00", "2026-09-18T16:00", "base basic 60.00, usage basic 80.00 for 500"),
            // 1,100 tickets: basic 60.00 + 8 × 40.00 = 380.00, pro 360.00. Billed so far: 60.00 of base price and 80.00 of usage.
            new(10, "360.00", "2026-10-15T16:00", "2026-11-15T16:00", "2026-10-18T16:00", "base basic 60.00, usage basic 80.00 for 500, adjustment pro 300.00, adjustment pro -80.00 for 600"),
            new(11, "140.00", "2026-11-15T16:00", "2026-12-15T16:00", "2026-11-18T16:00", "base basic 60.00, usage basic 80.00 for 500"),
            new(12, "140.00", "2026-12-15T16:00", "2027-01-15T16:00", "2026-12-18T16:00", "base basic 60.00, usage basic 80.00 for 500"),
        ],
        "active: basic; balance 0.00",
        // 4 × 360.00 + 60.00 + 6 × 140.00 + 360.00 = 2,700.00
        "revenue 2640.00, deferred_revenue 60.00, cash 2700.00");
}
