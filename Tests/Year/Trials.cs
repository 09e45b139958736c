using static Billing.Tests.Year.Acts;

namespace Billing.Tests.Year;

/// <summary>Merchants who begin with the 14 days of trial of the telephone. All their plans begin with its end.</summary>
internal static class Trials
{
    /// <summary>Stays: the trial is free, for what comes late as well, and moves no plan.</summary>
    public static Merchant Tester { get; } = new(
        "tester",
        [
            Opens("2026-01-17T10:00", "basic", "voice-1"),
            Sends("2026-01-20T12:00", 1_100),
            Looks("2026-01-20T12:00", "trialing: basic, voice-1; balance 0.00"),
            Looks("2026-01-31T10:00", "active: basic, voice-1; balance 0.00"),
            Sends("2026-02-05T12:00", 1_000, written: "2026-01-31T09:59"),
            .. Months(2, 12, m => Sends($"{m}-10T12:00", 300)),
            .. Months(2, 12, m => Calls($"{m}-11T12:00", 150)),
        ],
        [
            new(1, "91.00", "2026-01-31T10:00", "2026-02-28T10:00", "2026-01-31T10:00", "base basic 60.00, base voice-1 31.00"),
            // All 300 tickets are included, and 100 of the 150 minutes: 50 × 0.405.
            new(2, "111.25", "2026-02-28T10:00", "2026-03-31T10:00", "2026-03-03T10:00", "base basic 60.00, base voice-1 31.00, usage basic 0.00 for 300, usage voice-1 20.25 for 150"),
            new(3, "111.25", "2026-03-31T10:00", "2026-04-30T10:00", "2026-04-03T10:00", "base basic 60.00, base voice-1 31.00, usage basic 0.00 for 300, usage voice-1 20.25 for 150"),
            new(4, "111.25", "2026-04-30T10:00", "2026-05-31T10:00", "2026-05-03T10:00", "base basic 60.00, base voice-1 31.00, usage basic 0.00 for 300, usage voice-1 20.25 for 150"),
            new(5, "111.25", "2026-05-31T10:00", "2026-06-30T10:00", "2026-06-03T10:00", "base basic 60.00, base voice-1 31.00, usage basic 0.00 for 300, usage voice-1 20.25 for 150"),
            new(6, "111.25", "2026-06-30T10:00", "2026-07-31T10:00", "2026-07-03T10:00", "base basic 60.00, base voice-1 31.00, usage basic 0.00 for 300, usage voice-1 20.25 for 150"),
            new(7, "111.25", "2026-07-31T10:00", "2026-08-31T10:00", "2026-08-03T10:00", "base basic 60.00, base voice-1 31.00, usage basic 0.00 for 300, usage voice-1 20.25 for 150"),
            new(8, "111.25", "2026-08-31T10:00", "2026-09-30T10:00", "2026-09-03T10:00", "base basic 60.00, base voice-1 31.00, usage basic 0.00 for 300, usage voice-1 20.25 for 150"),
            new(9, "111.25", "2026-09-30T10:00", "2026-10-31T10:00", "2026-10-03T10:00", "base basic 60.00, base voice-1 31.00, usage basic 0.00 for 300, usage voice-1 20.25 for 150"),
            new(10, "111.25", "2026-10-31T10:00", "2026-11-30T10:00", "2026-11-03T10:00", "base basic 60.00, base voice-1 31.00, usage basic 0.00 for 300, usage voice-1 20.25 for 150"),
            new(11, "111.25", "2026-11-30T10:00", "2026-12-31T10:00", "2026-12-03T10:00", "base basic 60.00, base voice-1 31.00, usage basic 0.00 for 300, usage voice-1 20.25 for 150"),
            new(12, "111.25", "2026-12-31T10:00", "2027-01-31T10:00", "2027-01-03T10:00", "base basic 60.00, base voice-1 31.00, usage basic 0.00 for 300, usage voice-1 20.25 for 150"),
        ],
        "active: basic, voice-1; balance 0.00",
        // 91.00 + 11 × 111.25 = 1,314.75
        "revenue 1223.75, deferred_revenue 91.00, cash 1314.75");

    /// <summary>Gives no payment method: the trial ends it, and nothing is ever billed.</summary>
    public static Merchant Tourist { get; } = new(
        "tourist",
        [
            OpensWithoutCard("2026-01-17T11:00", "basic", "voice-1"),
            Sends("2026-01-20T12:00", 50),
            Looks("2026-01-31T10:59", "trialing: basic, voice-1; balance 0.00"),
            Looks("2026-01-31T11:00", "cancelled: no plan; balance 0.00"),
            SendsOne("2026-02-01", "2026-01-31T10:59", "accepted trial"),
            SendsOne("2026-02-01", "2026-01-31T11:00", "accepted no_subscription"),
        ],
        [],
        "cancelled: no plan; balance 0.00",
        "");
}
