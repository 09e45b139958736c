using System.Collections.Immutable;
using System.Globalization;
using Billing.Silo.Sandbox;

namespace Billing.Benchmarks.Charge;

/// <summary>Something that a merchant used.</summary>
/// <param name="Merchant">Who used it.</param>
/// <param name="Id">Equal ids are the same event, sent again; no two merchants share one.</param>
/// <param name="Units">How much, at <see cref="ChargeSchedule.CentsPerUnit"/> each.</param>
/// <param name="Time">When.</param>
internal sealed record UsageEvent(string Merchant, string Id, int Units, DateTimeOffset Time);

/// <summary>An event on its way: it is handed in at an instant, and again until it is taken.</summary>
internal sealed record UsageDelivery(DateTimeOffset At, UsageEvent Event);

/// <summary>
/// One month of a few merchants, as a seed decides it: what is delivered and when, how likely a process dies at each step, and what Stripe
/// does wrong. All targets get the same.
/// </summary>
/// <param name="Seed">Equal seeds give equal schedules.</param>
/// <param name="Merchants">Two to four; their accounts stand, with a card that works, before anything fails.</param>
/// <param name="Deliveries">One to six events of each merchant, some of them again, in order of time.</param>
/// <param name="CrashPerThousand">Of a thousand moments before or after an effect, at so many the process dies.</param>
/// <param name="Faults">What Stripe does wrong.</param>
/// <param name="FaultProbability">How likely each request meets one of them, from 0 to 1.</param>
internal sealed record ChargeSchedule(
    int Seed, ImmutableArray<string> Merchants, ImmutableArray<UsageDelivery> Deliveries, int CrashPerThousand, ImmutableArray<string> Faults, double FaultProbability)
{
    public const long CentsPerUnit = 37;

    /// <summary>When the accounts are opened; their period ends a calendar month later.</summary>
    public static readonly DateTimeOffset Start = new(2026, 3, 31, 12, 0, 0, TimeSpan.Zero);

    /// <summary>The invoice of the period becomes final and is charged.</summary>
    public static readonly DateTimeOffset ClosesAt = Start.AddMonths(1).AddHours(72);

    /// <summary>From here on processes die and Stripe fails.</summary>
    public static readonly DateTimeOffset FaultsFrom = Start.AddDays(1);

    /// <summary>From here on nothing fails any more.</summary>
    public static readonly DateTimeOffset FaultsUntil = ClosesAt.AddDays(3);

    /// <summary>What is not settled here never will be; the next period has not ended.</summary>
    public static readonly DateTimeOffset End = ClosesAt.AddDays(20);

    private static readonly string[] Kinds =
        [FaultKinds.ResponseLost, FaultKinds.Error500Saved, FaultKinds.Error500RolledForward, FaultKinds.RateLimited, FaultKinds.Conflict409];

    /// <summary>The schedule of a seed.</summary>
    public static ChargeSchedule Of(int seed)
    {
        var random = new Random(seed);
        string[] merchants = [.. Enumerable.Range(0, random.Next(2, 5)).Select(i => string.Create(CultureInfo.InvariantCulture, $"shop-{i}"))];
        var deliveries = merchants.SelectMany(merchant => Enumerable.Range(0, random.Next(1, 7)).SelectMany(i => Sent(random, merchant, i)));
        return new(
            seed,
            [.. merchants],
            [.. deliveries.OrderBy(d => d.At)],
            Of(random, 5, 20, 50),
            [.. random.GetItems(Kinds, 3).Distinct()],
            Of(random, 0.05, 0.15, 0.3));
    }

    /// <summary>The same deliveries, and nothing fails.</summary>
    public ChargeSchedule WithoutFaults() => this with { CrashPerThousand = 0, Faults = [], FaultProbability = 0 };

    /// <summary>How long a process stays down that died: mostly seconds, now and then longer than Stripe keeps a key.</summary>
    public static TimeSpan Downtime(Random random) => random.Next(100) switch
    {
        < 85 => TimeSpan.FromMilliseconds(random.Next(5_000)),
        < 97 => TimeSpan.FromSeconds(random.Next(2 * 3_600)),
        _ => TimeSpan.FromMinutes(random.Next(30 * 60)),
    };

    private static IEnumerable<UsageDelivery> Sent(Random random, string merchant, int index)
    {
        var time = Start + TimeSpan.FromMinutes(random.Next(2 * 24 * 60, 24 * 24 * 60));
        var used = new UsageEvent(merchant, string.Create(CultureInfo.InvariantCulture, $"{merchant}-{index}"), random.Next(2, 60), time);
        var first = time + TimeSpan.FromSeconds(random.Next(12 * 3_600));
        yield return new(first, used);
        for (var again = random.Next(100) < 40 ? random.Next(1, 3) : 0; again > 0; again--)
            yield return new(first + TimeSpan.FromSeconds(random.Next(100) < 50 ? random.Next(3) : random.Next(5 * 24 * 3_600)), used);
    }

    private static T Of<T>(Random random, params ReadOnlySpan<T> items) => items[random.Next(items.Length)];
}
