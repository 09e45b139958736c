using static Billing.Tests.Year.Acts;

namespace Billing.Tests.Year;

/// <summary>Merchants whose usage alone decides what they pay.</summary>
internal static class MovedByUsage
{
    /// <summary>
    /// The same each month: 350 tickets, 50 over the allowance of basic, one block of 40.00; five talks of the bot, one of them taken over in
    /// time, 4 × 1.00. Two talks differ: one is taken back late, one is still pending when its period's invoice becomes final.
    /// </summary>
    public static Merchant Steady { get; } = new(
        "steady",
        [
            Opens("2026-01-31T10:00", "basic", "bot-1"),
            .. Months(2, 12, m => Sends($"{m}-10T12:00", 350)),
            .. Months(2, 12, m => Talks($"{m}-11T12:00", 5, m)),
            .. Months(2, 12, m => TakesOver($"{m}-13T12:00", 1, m)),
            Talks("2026-05-12T12:00", 1, "taken back"),
            TakesOver("2026-06-10T12:00", 1, "taken back", written: "2026-05-17T12:00"), // five days after the talk, the last instant
            TakesOver("2026-06-10T12:00", 1, "2026-05", written: "2026-05-17T12:00"), // taken over before; six days after, it would not be
            Talks("2026-08-31T09:00", 1, "pending"),
        ],
        [
            new(1, "60.00", "2026-01-31T10:00", "2026-02-28T10:00", "2026-01-31T10:00", "base bot-1 0.00, base basic 60.00"),
            new(2, "104.00", "2026-02-28T10:00", "2026-03-31T10:00", "2026-03-03T10:00", "base bot-1 0.00, base basic 60.00, usage bot-1 4.00 for 4, usage basic 40.00 for 350"),
            new(3, "104.00", "2026-03-31T10:00", "2026-04-30T10:00", "2026-04-03T10:00", "base bot-1 0.00, base basic 60.00, usage bot-1 4.00 for 4, usage basic 40.00 for 350"),
            new(4, "104.00", "2026-04-30T10:00", "2026-05-31T10:00", "2026-05-03T10:00", "base bot-1 0.00, base basic 60.00, usage bot-1 4.00 for 4, usage basic 40.00 for 350"),
            // May has a sixth talk: 5 × 1.00.
            new(5, "105.00", "2026-05-31T10:00", "2026-06-30T10:00", "2026-06-03T10:00", "base bot-1 0.00, base basic 60.00, usage bot-1 5.00 for 5, usage basic 40.00 for 350"),
            // It is taken back a week after that: 4.00 less 5.00.
            new(6, "103.00", "2026-06-30T10:00", "2026-07-31T10:00", "2026-07-03T10:00", "base bot-1 0.00, base basic 60.00, usage bot-1 4.00 for 4, usage basic 40.00 for 350, adjustment bot-1 -1.00 for -1"),
            new(7, "104.00", "2026-07-31T10:00", "2026-08-31T10:00", "2026-08-03T10:00", "base bot-1 0.00, base basic 60.00, usage bot-1 4.00 for 4, usage basic 40.00 for 350"),
            // The talk of 31 August can be taken over until 5 September.
            new(8, "104.00", "2026-08-31T10:00", "2026-09-30T10:00", "2026-09-03T10:00", "base bot-1 0.00, base basic 60.00, usage bot-1 4.00 for 4, usage basic 40.00 for 350"),
            new(9, "105.00", "2026-09-30T10:00", "2026-10-31T10:00", "2026-10-03T10:00", "base bot-1 0.00, base basic 60.00, usage bot-1 4.00 for 4, usage basic 40.00 for 350, adjustment bot-1 1.00 for 1"),
            new(10, "104.00", "2026-10-31T10:00", "2026-11-30T10:00", "2026-11-03T10:00", "base bot-1 0.00, base basic 60.00, usage bot-1 4.00 for 4, usage basic 40.00 for 350"),
            new(11, "104.00", "2026-11-30T10:00", "2026-12-31T10:00", "2026-12-03T10:00", "base bot-1 0.00, base basic 60.00, usage bot-1 4.00 for 4, usage basic 40.00 for 350"),
            new(12, "104.00", "2026-12-31T10:00", "2027-01-31T10:00", "2027-01-03T10:00", "base bot-1 0.00, base basic 60.00, usage bot-1 4.00 for 4, usage basic 40.00 for 350"),
        ],
        "active: basic, bot-1; balance 0.00",
        // 60.00 + 11 × 104.00 + 1.00 − 1.00 + 1.00; the base price of the running period is not earned yet.
        "revenue 1145.00, deferred_revenue 60.00, cash 1205.00");

    /// <summary>Grows from basic over pro to advanced, then shrinks to pro when the headroom is there.</summary>
    public static Merchant Grower { get; } = new(
        "grower",
        [
            Opens("2026-01-31T08:30", "basic"),
            Sends("2026-02-10T12:00", 200),
            Sends("2026-03-15T12:00", 1_001),
            Looks("2026-03-15T12:00", "active: pro (upgrade from basic at 2026-02-28T08:30); balance 0.00"),
            SendsAgain("2026-03-16T12:00", 1_001, "2026-03-15T12:00"),
            Sends("2026-04-10T12:00", 3_400),
            Sends("2026-05-02T12:00", 200, written: "2026-04-29T12:00"),
            Looks("2026-05-02T12:00", "active: pro (upgrade from basic at 2026-02-28T08:30); balance 0.00"),
            Looks("2026-05-03T08:30", "active: advanced (settling from pro at 2026-03-31T08:30); balance 0.00"),
            Sends("2026-05-10T12:00", 5_100),
            Sends("2026-06-10T12:00", 1_600),
            Sends("2026-07-10T12:00", 1_599),
            Sends("2026-08-10T12:00", 1_599),
            .. Months(9, 12, m => Sends($"{m}-10T12:00", 300)),
        ],
        [
            new(1, "60.00", "2026-01-31T08:30", "2026-02-28T08:30", "2026-01-31T08:30", "base basic 60.00"),
            new(2, "60.00", "2026-02-28T08:30", "2026-03-31T08:30", "2026-03-03T08:30", "base basic 60.00, usage basic 0.00 for 200"),
            // 1,001 tickets: basic 60.00 + 8 × 40.00 = 380.00, pro 360.00. 300.00 more of base price.
            new(3, "300.00", "2026-02-28T08:30", "2026-03-31T08:30", "2026-03-15T12:00", "upgrade pro 300.00"),
            new(4, "360.00", "2026-03-31T08:30", "2026-04-30T08:30", "2026-04-03T08:30", "base pro 360.00, usage pro 0.00 for 1001"),
            // 3,400 tickets: pro 360.00 + 14 × 36.00 = 864.00, less than 900.00. 3,600, known in the grace: 936.00. The closed period
            // settles on advanced, 900.00 less the 360.00 invoiced; the next begins on it.
            new(5, "1440.00", "2026-04-30T08:30", "2026-05-31T08:30", "2026-05-03T08:30", "base advanced 900.00, usage advanced 0.00 for 3600, upgrade advanced 540.00"),
            // 100 over 5,000: one block.
            new(6, "936.00", "2026-05-31T08:30", "2026-06-30T08:30", "2026-06-03T08:30", "base advanced 900.00, usage advanced 36.00 for 5100"),
            new(7, "900.00", "2026-06-30T08:30", "2026-07-31T08:30", "2026-07-03T08:30", "base advanced 900.00, usage advanced 0.00 for 1600"),
            // 1,600 is 80 % of the 2,000 of pro, not less.
            new(8, "900.00", "2026-07-31T08:30", "2026-08-31T08:30", "2026-08-03T08:30", "base advanced 900.00, usage advanced 0.00 for 1599"),
            // Twice 1,599.
            new(9, "360.00", "2026-08-31T08:30", "2026-09-30T08:30", "2026-09-03T08:30", "base pro 360.00, usage advanced 0.00 for 1599"),
            // 300 is more than 80 % of the 300 of basic.
            new(10, "360.00", "2026-09-30T08:30", "2026-10-31T08:30", "2026-10-03T08:30", "base pro 360.00, usage pro 0.00 for 300"),
            new(11, "360.00", "2026-10-31T08:30", "2026-11-30T08:30", "2026-11-03T08:30", "base pro 360.00, usage pro 0.00 for 300"),
            new(12, "360.00", "2026-11-30T08:30", "2026-12-31T08:30", "2026-12-03T08:30", "base pro 360.00, usage pro 0.00 for 300"),
            new(13, "360.00", "2026-12-31T08:30", "2027-01-31T08:30", "2027-01-03T08:30", "base pro 360.00, usage pro 0.00 for 300"),
        ],
        "active: pro (downgrade from advanced at 2026-08-31T08:30); balance 0.00",
        // 2 × 60.00 + 300.00 + 360.00 + 1,440.00 + 936.00 + 2 × 900.00 + 5 × 360.00 = 6,756.00
        "revenue 6396.00, deferred_revenue 360.00, cash 6756.00");

    /// <summary>On advanced with next to no usage: down to pro after two periods, and down again when the cooldown of 30 days is just over.</summary>
    public static Merchant Shrinker { get; } = new(
        "shrinker",
        [
            Opens("2026-01-31T12:00", "advanced"),
            Sends("2026-02-10T12:00", 239),
            .. Months(3, 12, m => Sends($"{m}-10T12:00", 100)),
            Looks("2026-04-03T11:59", "active: advanced; balance 0.00"),
            Looks("2026-04-03T12:00", "active: pro (downgrade from advanced at 2026-03-31T12:00); balance 0.00"),
        ],
        [
            new(1, "900.00", "2026-01-31T12:00", "2026-02-28T12:00", "2026-01-31T12:00", "base advanced 900.00"),
            new(2, "900.00", "2026-02-28T12:00", "2026-03-31T12:00", "2026-03-03T12:00", "base advanced 900.00, usage advanced 0.00 for 239"),
            new(3, "360.00", "2026-03-31T12:00", "2026-04-30T12:00", "2026-04-03T12:00", "base pro 360.00, usage advanced 0.00 for 100"),
            // The last two periods would have cost 60.00 each on basic; 31 March to 30 April are 30 days.
            new(4, "60.00", "2026-04-30T12:00", "2026-05-31T12:00", "2026-05-03T12:00", "base basic 60.00, usage pro 0.00 for 100"),
            new(5, "60.00", "2026-05-31T12:00", "2026-06-30T12:00", "2026-06-03T12:00", "base basic 60.00, usage basic 0.00 for 100"),
            new(6, "60.00", "2026-06-30T12:00", "2026-07-31T12:00", "2026-07-03T12:00", "base basic 60.00, usage basic 0.00 for 100"),
            new(7, "60.00", "2026-07-31T12:00", "2026-08-31T12:00", "2026-08-03T12:00", "base basic 60.00, usage basic 0.00 for 100"),
            new(8, "60.00", "2026-08-31T12:00", "2026-09-30T12:00", "2026-09-03T12:00", "base basic 60.00, usage basic 0.00 for 100"),
            new(9, "60.00", "2026-09-30T12:00", "2026-10-31T12:00", "2026-10-03T12:00", "base basic 60.00, usage basic 0.00 for 100"),
            new(10, "60.00", "2026-10-31T12:00", "2026-11-30T12:00", "2026-11-03T12:00", "base basic 60.00, usage basic 0.00 for 100"),
            new(11, "60.00", "2026-11-30T12:00", "2026-12-31T12:00", "2026-12-03T12:00", "base basic 60.00, usage basic 0.00 for 100"),
            new(12, "60.00", "2026-12-31T12:00", "2027-01-31T12:00", "2027-01-03T12:00", "base basic 60.00, usage basic 0.00 for 100"),
        ],
        "active: basic (downgrade from pro at 2026-04-30T12:00); balance 0.00",
        // 2 × 900.00 + 360.00 + 9 × 60.00 = 2,700.00
        "revenue 2640.00, deferred_revenue 60.00, cash 2700.00");

    /// <summary>One great day in the grace of the period before: up to pro, and back to basic after two quiet periods.</summary>
    public static Merchant Spiker { get; } = new(
        "spiker",
        [
            Opens("2026-01-15T09:00", "basic"),
            Sends("2026-01-20T12:00", 100),
            Sends("2026-02-20T12:00", 100),
            Sends("2026-03-16T12:00", 1_101),
            Looks("2026-03-16T12:00", "active: pro (upgrade from basic at 2026-03-15T09:00); balance 0.00"),
            .. Months(4, 11, m => Sends($"{m}-20T12:00", 100)),
        ],
        [
            new(1, "60.00", "2026-01-15T09:00", "2026-02-15T09:00", "2026-01-15T09:00", "base basic 60.00"),
            new(2, "60.00", "2026-02-15T09:00", "2026-03-15T09:00", "2026-02-18T09:00", "base basic 60.00, usage basic 0.00 for 100"),
            // 1,101 tickets: basic 60.00 + 9 × 40.00 = 420.00, pro 360.00; 60.00 stand on the draft that becomes invoice 4.
            new(3, "300.00", "2026-03-15T09:00", "2026-04-15T09:00", "2026-03-16T12:00", "upgrade pro 300.00"),
            new(4, "60.00", "2026-03-15T09:00", "2026-04-15T09:00", "2026-03-18T09:00", "base basic 60.00, usage basic 0.00 for 100"),
            new(5, "360.00", "2026-04-15T09:00", "2026-05-15T09:00", "2026-04-18T09:00", "base pro 360.00, usage pro 0.00 for 1101"),
            new(6, "360.00", "2026-05-15T09:00", "2026-06-15T09:00", "2026-05-18T09:00", "base pro 360.00, usage pro 0.00 for 100"),
            new(7, "60.00", "2026-06-15T09:00", "2026-07-15T09:00", "2026-06-18T09:00", "base basic 60.00, usage pro 0.00 for 100"),
            new(8, "60.00", "2026-07-15T09:00", "2026-08-15T09:00", "2026-07-18T09:00", "base basic 60.00, usage basic 0.00 for 100"),
            new(9, "60.00", "2026-08-15T09:00", "2026-09-15T09:00", "2026-08-18T09:00", "base basic 60.00, usage basic 0.00 for 100"),
            new(10, "60.00", "2026-09-15T09:00", "2026-10-15T09:00", "2026-09-18T09:00", "base basic 60.00, usage basic 0.00 for 100"),
            new(11, "60.00", "2026-10-15T09:00", "2026-11-15T09:00", "2026-10-18T09:00", "base basic 60.00, usage basic 0.00 for 100"),
            new(12, "60.00", "2026-11-15T09:00", "2026-12-15T09:00", "2026-11-18T09:00", "base basic 60.00, usage basic 0.00 for 100"),
            new(13, "60.00", "2026-12-15T09:00", "2027-01-15T09:00", "2026-12-18T09:00", "base basic 60.00, usage basic 0.00 for 100"),
        ],
        "active: basic (downgrade from pro at 2026-06-15T09:00); balance 0.00",
        // 3 × 60.00 + 300.00 + 2 × 360.00 + 7 × 60.00 = 1,620.00
        "revenue 1560.00, deferred_revenue 60.00, cash 1620.00");
}
