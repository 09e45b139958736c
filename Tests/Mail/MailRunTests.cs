using Billing.Tests.Support;
using Xunit.Abstractions;

namespace Billing.Tests.Mail;

/// <summary>
/// A year and a half of real mail through the real process: in order; shuffled and doubled; and killed five times on each store, fifty in a long
/// run. What is served is held against the oracle, and the invoices of the three runs against each other. A seed printed by a failed run is given back by
/// the environment variable <c>BILLING_TEST_SEED</c>.
/// </summary>
[Trait("Suite", "Mail")]
public class MailRunTests(MailRunTests.Shared shared, ITestOutputHelper output) : IClassFixture<MailRunTests.Shared>
{
    private const int KillDelayMaxMicroseconds = 5_000;
    private static readonly int EventKills = Generated.LongRun ? 30 : 3;
    private static readonly int ClockKills = Generated.LongRun ? 20 : 2;
    private static readonly Dictionary<int, TimeSpan> NoKills = [];

    [Fact]
    public async Task EventsInOrder_GiveTheOraclesReceiptsUsageAndInvoices()
    {
        var run = await shared.InOrder.Value;

        MailComparison.AssertNone(
            from pair in run.Receipts.Zip(shared.Oracle.Verdicts)
            let said = pair.First.Receipt
            where said.Outcome != pair.Second.Outcome || (said.Reason == "no_subscription") != pair.Second.NoSubscription
            select $"line {pair.First.Line.Number} is {said}, the oracle says {pair.Second}");
        Assert.Equal(shared.Oracle.Verdicts.Count, run.Receipts.Count);
        Assert.Equal(Outcomes(shared.Oracle), run.Summary.Outcomes);
        MailComparison.AssertIsTheOracles(run, shared.Oracle);
    }

    [Fact]
    public async Task EventsShuffledAndDoubled_GiveTheSameInvoicesByteForByte()
    {
        var seed = Seed();

        var run = await MailRun.DriveAsync(new(ShuffleSeed: seed, Twice: true), NoKills);

        var fed = MailData.InOrder();
        var doubled = new MailOracle(MailData.Anchor, MailData.Accounts(fed), fed.Concat(fed).OrderBy(line => line.Clock), MailData.End);
        Assert.Equal(Outcomes(doubled), run.Summary.Outcomes);
        MailComparison.AssertIsTheOracles(run, shared.Oracle);
        MailComparison.AssertSameBytes(await shared.InOrder.Value, run);
    }

    [Theory]
    [InlineData("sqlite")]
    [InlineData("postgres")]
    public async Task KilledAgainAndAgain_GivesTheSameInvoicesByteForByte(string store)
    {
        var kills = DrawKills(new Random(Seed()));
        Assert.Equal(EventKills + ClockKills, kills.Count);

        var run = await MailRun.DriveAsync(default, kills, store == "postgres" ? await (await PostgresServer.Shared).NewDatabase() : store);

        MailComparison.AssertIsTheOracles(run, shared.Oracle);
        MailComparison.AssertSameBytesButForPayment(await shared.InOrder.Value, run);
    }

    private static SortedDictionary<string, int> Outcomes(MailOracle oracle) =>
        new(oracle.Verdicts.CountBy(verdict => verdict.Outcome).ToDictionary(), StringComparer.Ordinal);

    // Each group is two requests: the clock, then the events. The clock is killed where it passes a period end or a finalising.
    private Dictionary<int, TimeSpan> DrawKills(Random random)
    {
        var groups = MailRun.Groups();
        Assert.All(groups, group => Assert.NotNull(group.Clock));
        var ends = Enumerable.Range(0, 20).Select(month => MailData.Anchor.AddMonths(month));
        var due = ends.SelectMany(end => new[] { end, end.AddHours(72) }).ToList();
        var busy = groups.Skip(1).Where(group => due.Any(at => groups[group.Index - 1].Clock < at && at <= group.Clock)).ToArray();
        var any = groups.ToArray();
        random.Shuffle(busy);
        random.Shuffle(any);

        var clocks = busy.Take(ClockKills).Select(group => group.Index * 2);
        var requests = clocks.Concat(any.Take(EventKills).Select(group => (group.Index * 2) + 1));
        var kills = requests.ToDictionary(request => request, _ => TimeSpan.FromMicroseconds(random.Next(KillDelayMaxMicroseconds)));
        foreach (var (request, delay) in kills.OrderBy(kill => kill.Key))
        {
            var what = request % 2 == 0 ? "clock" : "events";
            output.WriteLine($"kill {delay.TotalMicroseconds:0} µs into request {request}: {what} of {groups[request / 2].Clock:u}");
        }

        return kills;
    }

    private int Seed()
    {
        var seed = int.TryParse(Environment.GetEnvironmentVariable("BILLING_TEST_SEED"), out var given) ? given : Random.Shared.Next();
        output.WriteLine($"seed {seed}");
        return seed;
    }

    /// <summary>The oracle and the run in order, made once for the class: the other two runs are held against them.</summary>
    public sealed class Shared
    {
        internal MailOracle Oracle { get; } = MailData.Oracle();

        internal Lazy<Task<MailRun>> InOrder { get; } = new(() => MailRun.DriveAsync(default, NoKills));
    }
}
