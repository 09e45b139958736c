using Billing.Benchmarks.Postgres;

namespace Billing.Benchmarks.Ingest;

/// <summary>One thing to measure, and how it is driven.</summary>
/// <param name="Name">Its name on the command line and in the results.</param>
/// <param name="Title">What it is, in a few words.</param>
/// <param name="PollsInFlight">How many polls it is given at once, unless the command line says otherwise.</param>
/// <param name="SecondsMax">No poll is begun after this time; the counts are checked over the polls begun.</param>
/// <param name="Create">Makes it; nothing runs before <see cref="IIngestTarget.Start"/>.</param>
public sealed record TargetSpec(string Name, string Title, int PollsInFlight, int SecondsMax, Func<TargetContext, IIngestTarget> Create)
{
    /// <summary>Polls taken in before the measurement, to warm the code and the caches.</summary>
    public int WarmUpPolls { get; init; } = 16;

    /// <summary>The figure this target is the peer of; none for ours.</summary>
    public PeerFigure? PeerOf { get; init; }
}

/// <summary>A row of the figures to reach: ours must be at least so many times as fast as the peer.</summary>
public sealed record PeerFigure(string Id, double RatioAtLeast);

/// <summary>All that can be measured, in the order in which it runs: ours before the peers.</summary>
public static class IngestTargets
{
    public static readonly IReadOnlyList<TargetSpec> All =
    [
        new("orleans-billing", "embedded store, bodies not kept", 4, 20, context => new OrleansBillingTarget(context, keepBodies: false)),
        new("orleans-billing-bodies", "embedded store, bodies kept", 4, 20, context => new OrleansBillingTarget(context, keepBodies: true)),
        new("postgres-batched", "PostgreSQL, unique index, 1,000 a transaction, 2 clients", 4, 20, context => new BatchedTarget(context))
        {
            PeerOf = new PeerFigure("H1", 6),
        },
        new("postgres-single", "PostgreSQL, unique index, 1 a transaction, 16 connections", 1, 10, context => new SingleTarget(context))
        {
            WarmUpPolls = 1,
            PeerOf = new PeerFigure("H2", 60),
        },
    ];

    public static TargetSpec Named(string name) =>
        All.SingleOrDefault(spec => string.Equals(spec.Name, name, StringComparison.Ordinal))
        ?? throw new ArgumentException($"There is no target '{name}'. Known: {string.Join(", ", All.Select(spec => spec.Name))}. Nothing was run.", nameof(name));
}
