namespace Billing.Benchmarks.Ingest;

/// <summary>Something that counts CloudEvents durably and at most once. One instance lives in a process of its own.</summary>
public interface IIngestTarget : IAsyncDisposable
{
    string Name { get; }

    /// <summary>Gets ready for events of the context's accounts. Not measured.</summary>
    Task Start();

    /// <summary>Takes in one poll. Several run at once. Returns when every event of the poll is durable.</summary>
    Task Ingest(ReadOnlyMemory<byte> ndjsonPoll, CancellationToken cancellation);

    /// <summary>What was counted since <see cref="Start"/>, as stored; asked when no poll is under way.</summary>
    Task<(long Accepted, long Duplicate)> Counts();

    /// <summary>Memory of processes the target started beside this one, in bytes; asked when the last poll has returned.</summary>
    long ServerMemoryBytes => 0;

    /// <summary>More figures of the run, by name, such as the accounts touched per commit; asked after the last poll.</summary>
    IReadOnlyDictionary<string, double> Details => new Dictionary<string, double>(StringComparer.Ordinal);
}

/// <summary>What a target is given.</summary>
/// <param name="Scratch">An empty directory on the measured disk, deleted afterwards.</param>
/// <param name="AccountIds">The accounts the events name.</param>
/// <param name="Clock">The instant of receipt: no event lies outside the 35 days before it.</param>
public sealed record TargetContext(string Scratch, IReadOnlyList<string> AccountIds, DateTimeOffset Clock);
