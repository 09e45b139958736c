using System.Diagnostics;

namespace Billing.Feeder;

/// <summary>What to feed, and how.</summary>
internal sealed record FeedJob
{
    /// <summary>The accounts that are made first.</summary>
    public IReadOnlyList<NewAccount> Accounts { get; init; } = [];

    /// <summary>The groups, in feeding order.</summary>
    public required IReadOnlyList<FeedGroup> Groups { get; init; }

    /// <summary>How the lines of a group are sent.</summary>
    public FeedOrder Order { get; init; }

    /// <summary>Where the clock is moved at the end; null: it stays at the last group's.</summary>
    public DateTimeOffset? Until { get; init; }

    /// <summary>
    /// Skips the groups whose clock the platform has passed: it moves on only when a group is fed whole, so they were. The group at
    /// which it stands is sent again.
    /// </summary>
    public bool Resume { get; init; }

    /// <summary>The most lines of a request body.</summary>
    public int BodyLinesMax { get; init; } = 1_000;

    /// <summary>The size in bytes that a request body exceeds only when it is a single line.</summary>
    public int BodyBytesMax { get; init; } = 1 << 20;
}

/// <summary>What was fed.</summary>
internal sealed record FeedSummary
{
    public int AccountsMade { get; set; }

    public int AccountsThere { get; set; }

    /// <summary>The lines for which a receipt came; with <c>--twice</c> each line counts twice.</summary>
    public int Sent { get; set; }

    /// <summary>How many receipts bore each outcome.</summary>
    public SortedDictionary<string, int> Outcomes { get; } = new(StringComparer.Ordinal);

    /// <summary>How many receipts bore each reason, by <c>outcome/reason</c>.</summary>
    public SortedDictionary<string, int> Reasons { get; } = new(StringComparer.Ordinal);

    public int Groups { get; set; }

    public int GroupsSkipped { get; set; }

    public int Retries { get; set; }

    /// <summary>Where the feeder last moved the clock.</summary>
    public DateTimeOffset? Clock { get; set; }

    public int? Seed { get; set; }

    public double Seconds { get; set; }
}

/// <summary>Drives a platform: accounts, then group by group the clock and the events, then the clock to the end.</summary>
/// <param name="platform">The platform.</param>
/// <param name="progress">Told about once a second how far the feeding is.</param>
/// <param name="onReceipt">Told of each line and its receipt, in sending order.</param>
internal sealed class FeedDriver(PlatformClient platform, Action<string>? progress = null, Action<EventLine, Receipt>? onReceipt = null)
{
    private static readonly TimeSpan ProgressEvery = TimeSpan.FromSeconds(1);

    private readonly FeedSummary summary = new();
    private bool clockMoved;

    /// <summary>Feeds the whole job.</summary>
    /// <exception cref="FeederException">The platform could not be reached, or refused something; what was fed stays fed.</exception>
    public async Task<FeedSummary> RunAsync(FeedJob job, CancellationToken cancellation = default)
    {
        var began = Stopwatch.GetTimestamp();
        var told = began;
        summary.Seed = job.Order.ShuffleSeed;
        foreach (var account in job.Accounts)
        {
            if (await platform.MakeAccountAsync(account, cancellation))
                summary.AccountsMade++;
            else
                summary.AccountsThere++;
        }

        if (job.Accounts.Count > 0)
            progress?.Invoke($"accounts: {summary.AccountsMade} made, {summary.AccountsThere} there already");

        foreach (var group in job.Groups)
        {
            await FeedAsync(job, group, cancellation);
            if (Stopwatch.GetElapsedTime(told) >= ProgressEvery)
            {
                told = Stopwatch.GetTimestamp();
                progress?.Invoke(
                    $"group {group.Index + 1} of {job.Groups.Count}, clock {Clock()}, {summary.Sent} events, {platform.Retries} retries");
            }
        }

        if (job.Until is { } until && !await ReachAsync(until, job.Resume, cancellation))
        {
            throw new FeederException(
                FeederExit.PlatformFailed,
                $"The platform's clock stands later than --until {PlatformClient.Rfc3339(until)}, and it never moves back.");
        }

        summary.Retries = platform.Retries;
        summary.Seconds = Math.Round(Stopwatch.GetElapsedTime(began).TotalSeconds, 3);
        progress?.Invoke($"done: {summary.Groups} groups, clock {Clock()}, {summary.Sent} events in {summary.Seconds} s");
        return summary;
    }

    private async Task FeedAsync(FeedJob job, FeedGroup group, CancellationToken cancellation)
    {
        if (group.Clock is { } clock && !await ReachAsync(clock, job.Resume, cancellation))
        {
            summary.GroupsSkipped++;
            return;
        }

        foreach (var body in FeedPlan.Bodies(FeedPlan.Arrange(group, job.Order), job.BodyLinesMax, job.BodyBytesMax))
        {
            var receipts = await platform.SendEventsAsync(body, cancellation);
            foreach (var (line, receipt) in body.Lines.Zip(receipts))
                Count(line, receipt);
        }

        summary.Groups++;
    }

    // False only while resuming: once the platform has followed the feeder, a refusal means that somebody else moved the clock.
    private async Task<bool> ReachAsync(DateTimeOffset clock, bool resume, CancellationToken cancellation)
    {
        var refusal = await platform.MoveClockAsync(clock, cancellation);
        if (refusal is null)
        {
            clockMoved = true;
            summary.Clock = clock;
            return true;
        }

        return resume && !clockMoved
            ? false
            : throw new FeederException(
                FeederExit.PlatformFailed,
                $"The platform did not move its clock to {PlatformClient.Rfc3339(clock)}: {refusal.TrimEnd('.')}. "
                + "An interrupted feeding goes on with --resume.");
    }

    private void Count(EventLine line, Receipt receipt)
    {
        summary.Sent++;
        summary.Outcomes[receipt.Outcome] = summary.Outcomes.GetValueOrDefault(receipt.Outcome) + 1;
        if (receipt.Reason is { } reason)
            summary.Reasons[$"{receipt.Outcome}/{reason}"] = summary.Reasons.GetValueOrDefault($"{receipt.Outcome}/{reason}") + 1;

        onReceipt?.Invoke(line, receipt);
    }

    private string Clock() => summary.Clock is { } clock ? PlatformClient.Rfc3339(clock) : "not moved";
}
