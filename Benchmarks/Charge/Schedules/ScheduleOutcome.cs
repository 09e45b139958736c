using System.Text.Json;
using Billing.Silo.Sandbox;

namespace Billing.Benchmarks.Charge;

/// <summary>What one target did in one schedule, judged by what Stripe has charged.</summary>
/// <param name="Seed">The schedule.</param>
/// <param name="OwedCents">What is owed by all merchants.</param>
/// <param name="WrongCents">Summed over the merchants, how far what was charged is from what is owed.</param>
/// <param name="Doubles">Charges of a merchant beyond the first.</param>
/// <param name="Missing">Merchants that were never charged.</param>
/// <param name="WrongAmounts">Charges of another amount than is owed.</param>
/// <param name="Crashes">How often a process died.</param>
/// <param name="StripeFaults">How many requests Stripe did wrong.</param>
internal sealed record ScheduleOutcome(int Seed, long OwedCents, long WrongCents, int Doubles, int Missing, int WrongAmounts, int Crashes, int StripeFaults)
{
    /// <summary>Whether each merchant was charged once, for what is owed.</summary>
    public bool IsRight => this is { WrongCents: 0, Doubles: 0, Missing: 0, WrongAmounts: 0 };

    /// <summary>Reads Stripe's side when all has come to rest, and compares it with what is owed.</summary>
    public static ScheduleOutcome Of(ChargeSchedule schedule, StripeSandbox stripe, int crashes)
    {
        // What Stripe does later by itself is done by now.
        stripe.TakeDue(ChargeSchedule.End);
        using var books = JsonDocument.Parse(stripe.Snapshot());
        var merchants = books.RootElement.GetProperty("customers").EnumerateArray()
            .ToDictionary(c => c.GetProperty("id").GetString()!, c => c.GetProperty("metadata").GetProperty("account").GetString()!);
        var charges = books.RootElement.GetProperty("charges").EnumerateArray()
            .Where(c => c.GetProperty("status").GetString() == "succeeded")
            .ToLookup(
                c => merchants[c.GetProperty("customer").GetString()!],
                c => c.GetProperty("amount").GetInt64() - c.GetProperty("amount_refunded").GetInt64());
        var outcome = new ScheduleOutcome(
            schedule.Seed, 0, 0, 0, 0, 0, crashes, books.RootElement.GetProperty("requests").EnumerateArray().Count(r => r.GetProperty("fault").ValueKind == JsonValueKind.String));
        foreach (var merchant in schedule.Merchants)
        {
            var (owed, charged) = (Owed(schedule, merchant), charges[merchant].ToList());
            outcome = outcome with
            {
                OwedCents = outcome.OwedCents + owed,
                WrongCents = outcome.WrongCents + long.Abs(charged.Sum() - owed),
                Doubles = outcome.Doubles + int.Max(0, charged.Count - 1),
                Missing = outcome.Missing + (charged.Count == 0 ? 1 : 0),
                WrongAmounts = outcome.WrongAmounts + charged.Count(amount => amount != owed),
            };
        }

        return outcome;
    }

    /// <summary>What a merchant owes: every event once, however often it was sent. It shares no code with any target.</summary>
    private static long Owed(ChargeSchedule schedule, string merchant)
    {
        var units = new Dictionary<string, long>(StringComparer.Ordinal);
        foreach (var delivery in schedule.Deliveries)
            if (delivery.Event.Merchant == merchant) units[delivery.Event.Id] = delivery.Event.Units;
        return units.Values.Sum() * ChargeSchedule.CentsPerUnit;
    }
}
