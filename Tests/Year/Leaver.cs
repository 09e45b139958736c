using static Billing.Tests.Year.Acts;

namespace Billing.Tests.Year;

/// <summary>Leaves at the end of June. What comes late is on a closing invoice 35 days after, what comes later still on none.</summary>
internal static class Leaver
{
    public static Merchant Merchant { get; } = new(
        "leaver",
        [
            Opens("2026-01-31T18:00", "basic"),
            .. Months(2, 6, m => Sends($"{m}-10T12:00", 250)),
            Asks("2026-06-12T12:00", "cancel", new { reason = "The shop closes." }),
            Looks("2026-06-30T17:59", "active: basic (cancellation at 2026-06-30T18:00); balance 0.00"),
            Looks("2026-06-30T18:00", "cancelled: no plan; balance 0.00"),
            SendsOne("2026-07-01", "2026-06-30T18:00", "accepted no_subscription"),
            Sends("2026-07-10T12:00", 149, written: "2026-06-20T12:00"),
            SendsOne("2026-07-11", "2026-06-30T17:59", "accepted, adjustment on the invoice of 2026-06-30T18:00"),
            SendsOne("2026-08-10", "2026-06-30T17:58", "quarantined"),
        ],
        [
            new(1, "60.00", "2026-01-31T18:00", "2026-02-28T18:00", "2026-01-31T18:00", "base basic 60.00"),
            new(2, "60.00", "2026-02-28T18:00", "2026-03-31T18:00", "2026-03-03T18:00", "base basic 60.00, usage basic 0.00 for 250"),
            new(3, "60.00", "2026-03-31T18:00", "2026-04-30T18:00", "2026-04-03T18:00", "base basic 60.00, usage basic 0.00 for 250"),
            new(4, "60.00", "2026-04-30T18:00", "2026-05-31T18:00", "2026-05-03T18:00", "base basic 60.00, usage basic 0.00 for 250"),
            new(5, "60.00", "2026-05-31T18:00", "2026-06-30T18:00", "2026-06-03T18:00", "base basic 60.00, usage basic 0.00 for 250"),
            new(6, "0.00", "2026-06-30T18:00", "2026-07-31T18:00", "2026-07-03T18:00", "usage basic 0.00 for 250"),
            // 150 late ones: 100 over 300, one block.
            new(7, "40.00", "2026-06-30T18:00", "2026-08-04T18:00", "2026-08-04T18:00", "adjustment basic 40.00 for 150"),
        ],
        "cancelled: no plan; balance 0.00",
        // 5 × 60.00 + 40.00 = 340.00
        "revenue 340.00, cash 340.00");
}
