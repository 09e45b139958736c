using Billing.Benchmarks.Workloads;
using Billing.Usage;

namespace Billing.Benchmarks.Window;

/// <summary>A way for events to be counted: the rules alone, or the whole path to the disk.</summary>
internal interface IHotPath : IAsyncDisposable
{
    /// <summary>Opens accounts at <see cref="WindowEvents.Anchor"/> and moves the clock to <see cref="WindowEvents.Clock"/>.</summary>
    /// <returns>The sentence of a refusal, if the product refuses the meter.</returns>
    Task<string?> Open(IReadOnlyList<string> accounts);

    /// <summary>Takes in one poll of an account.</summary>
    Task Take(string account, Poll poll);

    /// <summary>Takes in polls of an account and measures it.</summary>
    Task<RoundCost> Measure(string account, IReadOnlyList<Poll> polls);

    /// <summary>What the account holds.</summary>
    Task<HeldUsage> Held(string account);

    /// <summary>Writes a snapshot of the account, as a turn does now and then; null where that cannot be timed apart.</summary>
    SnapshotCost? Snapshot(string account) => null;
}

/// <summary>What an account holds.</summary>
/// <param name="Usage">The usage it shows.</param>
/// <param name="Remembered">How many ids it remembers, or how many events of it the journal holds on disk.</param>
/// <param name="Accepted">How many events were answered as accepted.</param>
/// <param name="Duplicates">How many as duplicates.</param>
internal sealed record HeldUsage(UsageView Usage, long Remembered, long Accepted, long Duplicates);

/// <summary>What it takes to count some events.</summary>
internal readonly record struct RoundCost(int NewEvents, double Seconds, double CpuSeconds, long AllocatedBytes)
{
    public static RoundCost operator +(RoundCost left, RoundCost right) => new(
        left.NewEvents + right.NewEvents,
        left.Seconds + right.Seconds,
        left.CpuSeconds + right.CpuSeconds,
        left.AllocatedBytes + right.AllocatedBytes);
}

/// <summary>How long a snapshot stops its account, and how many bytes it has.</summary>
internal sealed record SnapshotCost(double Milliseconds, long Bytes);

/// <summary>How the events of an account were answered.</summary>
internal sealed class AnswerCounts
{
    private long _accepted;
    private long _duplicates;

    public long Accepted => Interlocked.Read(ref _accepted);

    public long Duplicates => Interlocked.Read(ref _duplicates);

    public void Add(long accepted, long duplicates)
    {
        Interlocked.Add(ref _accepted, accepted);
        Interlocked.Add(ref _duplicates, duplicates);
    }
}
