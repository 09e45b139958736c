using System.Threading.Channels;
using Billing.Benchmarks.Ingest;
using Npgsql;

namespace Billing.Benchmarks.Postgres;

/// <summary>What the PostgreSQL peers share: a cluster of their own, and clients with one prepared statement each.</summary>
/// <param name="lanes">Groups of clients; what is stored in one lane waits for no other.</param>
/// <param name="clientsPerLane">Transactions that a lane runs at once.</param>
public abstract class PostgresTarget(TargetContext context, int lanes, int clientsPerLane) : IIngestTarget
{
    private readonly Channel<NpgsqlCommand>[] _idle = [.. Enumerable.Range(0, lanes).Select(_ => Channel.CreateUnbounded<NpgsqlCommand>())];
    private readonly List<NpgsqlConnection> _connections = [];
    private TemporaryCluster? _cluster;
    private long _duplicate;

    public abstract string Name { get; }

    public long ServerMemoryBytes => Cluster.MemoryBytes;

    protected UsageReader Reader { get; } = new(context);

    private TemporaryCluster Cluster => _cluster ?? throw new InvalidOperationException("The target was not started.");

    public async Task Start()
    {
        _cluster = await TemporaryCluster.Start(context.Scratch, lanes * clientsPerLane + 1);
        await UsageTables.Create(_cluster.DataSource, context.AccountIds.Count);
        foreach (var lane in _idle)
        {
            for (var i = 0; i < clientsPerLane; i++)
            {
                var connection = await _cluster.DataSource.OpenConnectionAsync();
                _connections.Add(connection);
                lane.Writer.TryWrite(await Prepare(connection));
            }
        }
    }

    public abstract Task Ingest(ReadOnlyMemory<byte> ndjsonPoll, CancellationToken cancellation);

    public async Task<(long Accepted, long Duplicate)> Counts() => (await UsageTables.Accepted(Cluster.DataSource), _duplicate);

    public async ValueTask DisposeAsync()
    {
        foreach (var connection in _connections)
        {
            await connection.DisposeAsync();
        }

        if (_cluster is not null) await _cluster.DisposeAsync();
        GC.SuppressFinalize(this);
    }

    /// <summary>Prepares the client's statement, and whatever its connection needs for it.</summary>
    protected abstract Task<NpgsqlCommand> Prepare(NpgsqlConnection connection);

    /// <summary>Runs the statement on the next idle client of a lane.</summary>
    /// <param name="events">How many events it stores.</param>
    /// <param name="execute">Fills the parameters and executes it; returns how many of the events were new.</param>
    protected async Task Store(int lane, int events, Func<NpgsqlCommand, Task<int>> execute, CancellationToken cancellation)
    {
        var command = await _idle[lane].Reader.ReadAsync(cancellation);
        try
        {
            Interlocked.Add(ref _duplicate, events - await execute(command));
        }
        finally
        {
            _idle[lane].Writer.TryWrite(command);
        }
    }
}
