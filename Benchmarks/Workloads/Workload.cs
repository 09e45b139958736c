namespace Billing.Benchmarks.Workloads;

/// <summary>What to generate.</summary>
/// <param name="Events">How many events, duplicates included.</param>
/// <param name="Accounts">How many accounts they are spread over.</param>
/// <param name="Seed">Equal options give equal bytes.</param>
/// <param name="Clock">The instant of receipt. Every event's <c>time</c> lies in the 35 days before it.</param>
public sealed record WorkloadOptions(int Events, int Accounts, ulong Seed, DateTimeOffset Clock)
{
    public const int EventsPerPoll = 4_096;
    public const double ZipfExponent = 1.1;
    public const double DuplicateShare = 0.05;
    public const double LateShare = 0.20;
}

/// <summary>What one read from a source hands over: CloudEvents, one a line.</summary>
/// <param name="Ndjson">The lines, each ended by a line feed.</param>
/// <param name="Events">How many lines.</param>
/// <param name="Accepted">How many of them are the first with their id; the others are exact duplicates.</param>
public readonly record struct Poll(ReadOnlyMemory<byte> Ndjson, int Events, int Accepted);

/// <summary>Generated polls and what a right count of them is.</summary>
public sealed record Workload(WorkloadOptions Options, IReadOnlyList<Poll> Polls)
{
    public long Bytes => Polls.Sum(poll => (long)poll.Ndjson.Length);

    /// <summary>The right counts when exactly the first <paramref name="polls"/> polls are taken in, in any order.</summary>
    public (long Accepted, long Duplicate) Truth(int polls)
    {
        var taken = Polls.Take(polls).ToList();
        var accepted = taken.Sum(poll => (long)poll.Accepted);
        return (accepted, taken.Sum(poll => (long)poll.Events) - accepted);
    }

    /// <summary>The <c>subject</c> of an account's events.</summary>
    public static string AccountId(int account) => $"acct-{account:D5}";
}
