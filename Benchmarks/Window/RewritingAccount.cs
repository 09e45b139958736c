using System.Runtime.InteropServices;
using Billing.Usage;
using Microsoft.Data.Sqlite;

namespace Billing.Benchmarks.Window;

/// <summary>
/// The peer: an account that keeps its ids and a counter per day in its state, and writes the whole state, 16 bytes an id,
/// after each turn, as one SQLite row with fsync. It judges no conflicts and forgets nothing; no grain call is in its way.
/// </summary>
internal sealed class RewritingAccount : IDisposable
{
    private readonly HashSet<UInt128> _ids = [];
    private readonly Dictionary<int, long> _events = [];
    private readonly SqliteConnection _connection;
    private readonly SqliteCommand _write;
    private byte[] _state = [];

    public RewritingAccount(string file)
    {
        _connection = new($"Data Source={file};Pooling=False");
        _connection.Open();
        using var setup = _connection.CreateCommand();
        setup.CommandText = "PRAGMA page_size=16384; PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; CREATE TABLE state (account TEXT PRIMARY KEY, state BLOB NOT NULL);";
        setup.ExecuteNonQuery();
        _write = _connection.CreateCommand();
        _write.CommandText = "INSERT OR REPLACE INTO state (account, state) VALUES ('acct-00000', $state)";
        _write.Parameters.Add("$state", SqliteType.Blob);
        _write.Prepare();
    }

    public int Ids => _ids.Count;

    /// <summary>What its counters say.</summary>
    public long Counted => _events.Values.Sum();

    /// <summary>Counts the events of a turn that are new, without writing.</summary>
    public void Add(UsageBatch batch)
    {
        var records = new UsageBatchReader(batch.Records.Span);
        while (records.TryRead(out var record))
            if (_ids.Add(record.KeyHash)) CollectionsMarshal.GetValueRefOrAddDefault(_events, (int)(record.TimeTicks / TimeSpan.TicksPerDay), out _)++;
    }

    /// <summary>Writes the state; it is durable when this returns.</summary>
    public void Write()
    {
        var length = (16 * _ids.Count) + (12 * _events.Count);
        if (_state.Length != length) _state = new byte[length];
        var rest = _state.AsSpan();
        foreach (var id in _ids)
        {
            MemoryMarshal.Write(rest, id);
            rest = rest[16..];
        }

        foreach (var (day, count) in _events)
        {
            MemoryMarshal.Write(rest, day);
            MemoryMarshal.Write(rest[4..], count);
            rest = rest[12..];
        }

        _write.Parameters[0].Value = _state;
        _write.ExecuteNonQuery();
    }

    public void Dispose()
    {
        _write.Dispose();
        _connection.Dispose();
    }
}
