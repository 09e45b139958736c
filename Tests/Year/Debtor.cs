using static Billing.Tests.Year.Acts;

namespace Billing.Tests.Year;

/// <summary>
/// Gives a card that is declined: past due, suspended after seven days, no new period, back with a new card and a new anchor.
/// </summary>
internal static class Debtor
{
    public static Merchant Merchant { get; } = new(
        "debtor",
        [
            Opens("2026-01-31T16:00", "basic"),
            Asks("2026-04-20T12:00", "payment-method", new { payment_method = "pm_card_chargeCustomerFail", reason = "The old card runs out." }),
            Looks("2026-05-03T15:59", "active: basic; balance 0.00"),
            Looks("2026-05-03T16:00", "past_due: basic; balance 0.00"),
            Sends("2026-05-10T12:00", 350),
            Looks("2026-05-10T15:59", "past_due: basic; balance 0.00"),
            Looks("2026-05-10T16:00", "suspended: basic; balance 0.00"),
            SendsOne("2026-06-12T12:00", "2026-06-10T12:00", "accepted no_subscription"),
            Asks("2026-06-15T09:00", "payment-method", new { payment_method = "pm_card_visa", reason = "A new card." }),
            Looks("2026-06-15T09:01", "active: basic; balance 0.00"),
            SendsOne("2026-06-16T12:00", "2026-06-15T08:59", "accepted no_subscription"),
            SendsOne("2026-06-16T12:00", "2026-06-15T09:00", "accepted, usage on the invoice of 2026-07-15T09:00"),
        ],
        [
            new(1, "60.00", "2026-01-31T16:00", "2026-02-28T16:00", "2026-01-31T16:00", "base basic 60.00"),
            new(2, "60.00", "2026-02-28T16:00", "2026-03-31T16:00", "2026-03-03T16:00", "base basic 60.00, usage basic 0.00 for 0"),
            new(3, "60.00", "2026-03-31T16:00", "2026-04-30T16:00", "2026-04-03T16:00", "base basic 60.00, usage basic 0.00 for 0"),
            new(4, "60.00", "2026-04-30T16:00", "2026-05-31T16:00", "2026-05-03T16:00", "base basic 60.00, usage basic 0.00 for 0") { PaidLater = "2026-06-15T09:00" },
            // The period that ran when it was suspended: 50 over 300, one block. None begins.
            new(5, "40.00", "2026-05-31T16:00", "2026-06-30T16:00", "2026-06-03T16:00", "usage basic 40.00 for 350") { PaidLater = "2026-06-15T09:00" },
            // The new anchor.
            new(6, "60.00", "2026-06-15T09:00", "2026-07-15T09:00", "2026-06-15T09:00", "base basic 60.00"),
            new(7, "60.00", "2026-07-15T09:00", "2026-08-15T09:00", "2026-07-18T09:00", "base basic 60.00, usage basic 0.00 for 1"),
            new(8, "60.00", "2026-08-15T09:00", "2026-09-15T09:00", "2026-08-18T09:00", "base basic 60.00, usage basic 0.00 for 0"),
            new(9, "60.00", "2026-09-15T09:00", "2026-10-15T09:00", "2026-09-18T09:00", "base basic 60.00, usage basic 0.00 for 0"),
            new(10, "60.00", "2026-10-15T09:00", "2026-11-15T09:00", "2026-10-18T09:00", "base basic 60.00, usage basic 0.00 for 0"),
            new(11, "60.00", "2026-11-15T09:00", "2026-12-15T09:00", "2026-11-18T09:00", "base basic 60.00, usage basic 0.00 for 0"),
            new(12, "60.00", "2026-12-15T09:00", "2027-01-15T09:00", "2026-12-18T09:00", "base basic 60.00, usage basic 0.00 for 0"),
        ],
        "active: basic; balance 0.00",
        // 11 × 60.00 + 40.00 = 700.00
        "revenue 640.00, deferred_revenue 60.00, cash 700.00")
    {
        // Tried again on days 1, 3, 5 and 7, and at once with the new card.
        Attempts = new Dictionary<int, string>
        {
            [4] = "settled, proven: 60.00 declined 2026-05-03T16:00, declined 2026-05-04T16:00, declined 2026-05-06T16:00, declined 2026-05-08T16:00, declined 2026-05-10T16:00, settled 2026-06-15T09:00",
            [5] = "settled, proven: 40.00 declined 2026-06-03T16:00, declined 2026-06-04T16:00, declined 2026-06-06T16:00, declined 2026-06-08T16:00, declined 2026-06-10T16:00, settled 2026-06-15T09:00",
        },
        Declined = ["60.00", "60.00", "60.00", "60.00", "60.00", "40.00", "40.00", "40.00", "40.00", "40.00"],
    };
}
