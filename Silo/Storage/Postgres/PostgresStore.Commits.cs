using System.Text;
using Billing.Journal;
using Billing.Silo.Hosting;

namespace Billing.Silo.Storage.Postgres;

/// <summary>The group commit: all entries that wait share one statement, and the next one begins when it has returned.</summary>
internal sealed partial class PostgresStore
{
    /// <summary>A commit is closed when its entries have so many bytes; a larger entry goes alone.</summary>
    private const long CommitBytesMax = 64 << 20;

    private static readonly UTF8Encoding Strict = new(false, throwOnInvalidBytes: true);

    private readonly Lock _gate = new();
    private List<WaitingEntry> _waiting = [];
    private Task _committing = Task.CompletedTask;
    private bool _isCommitting;
    private bool _stopping;
    private PostgresWriter? _writer;
    private int _formerSession;
    private long _acknowledged;
    private Exception? _broken;

    /// <inheritdoc/>
    public Task<Appended> Append(JournalEntry entry)
    {
        if (_damaged.TryGetValue(entry.Account, out var damage)) return Task.FromException<Appended>(new JournalDamagedException(damage));
        if (!IsStorable(entry.Account))
            return Task.FromException<Appended>(new ArgumentException("The account's id holds a character that PostgreSQL cannot store. Nothing was written.", nameof(entry)));
        if (entry.Sequence < 1) return Task.FromResult(Appended.Fenced);
        var waiting = new WaitingEntry(entry);
        lock (_gate)
        {
            if (_stopping) return Task.FromException<Appended>(new ObjectDisposedException(nameof(PostgresStore)));
            if (_broken is not null) return Task.FromException<Appended>(_broken);
            _waiting.Add(waiting);
            if (!_isCommitting)
            {
                _isCommitting = true;
                _committing = Task.Run(CommitWaiting);
            }
        }

        return waiting.Done.Task;
    }

    private static bool IsStorable(string account)
    {
        if (account.Contains('\0', StringComparison.Ordinal)) return false;
        try
        {
            Strict.GetByteCount(account);
            return true;
        }
        catch (EncoderFallbackException)
        {
            return false;
        }
    }

    private async Task CommitWaiting()
    {
        while (true)
        {
            CommitRows rows;
            lock (_gate)
            {
                rows = TakeWaiting();
                if (rows.IsEmpty)
                {
                    _isCommitting = false;
                    return;
                }
            }

            await Commit(rows);
        }
    }

    // Of an account only entries that follow each other go together. Another one waits for the next commit, and so do those behind
    // it: its answer depends on the head that this commit leaves.
    private CommitRows TakeWaiting()
    {
        var rows = new CommitRows();
        var left = new List<WaitingEntry>();
        var full = false;
        foreach (var entry in _waiting)
        {
            full |= !rows.IsEmpty && rows.Bytes + entry.Length > CommitBytesMax;
            if (full || !rows.TryAdd(entry)) left.Add(entry);
        }

        _waiting = left;
        return rows;
    }

    private async Task Commit(CommitRows rows)
    {
        HashSet<string> fenced;
        var began = _availability.Begin();
        try
        {
            _writer ??= await OpenWriter();
            CrashPoints.Reach(CrashPoints.BeforeWrite);
            fenced = await _writer.Write(rows);
            CrashPoints.Reach(CrashPoints.AfterSync);
            _acknowledged++;
            _availability.Done(began);
        }
        catch (Exception failed)
        {
            await GiveUp(rows, failed);
            return;
        }

        var again = new List<WaitingEntry>();
        foreach (var chain in rows.Chains)
        {
            if (fenced.Contains(chain.Account))
            {
                chain.Entries[0].Done.SetResult(Appended.Fenced);
                again.AddRange(chain.Entries.Skip(1));
                continue;
            }

            foreach (var entry in chain.Entries) entry.Done.SetResult(Appended.Yes);
        }

        if (again.Count == 0) return;
        lock (_gate) _waiting.InsertRange(0, again);
    }

    // Never tried again: whether the commit is stored is not always known, and reading tells. The next one gets a new connection
    // when this one broke.
    private async Task GiveUp(CommitRows rows, Exception failed)
    {
        var lost = IsLost(failed);
        if (_writer is { } broken && (lost || !broken.IsOpen))
        {
            _writer = null;
            _formerSession = broken.ServerProcess;
            await broken.DisposeAsync();
            _writers.Clear();
        }

        if (failed is CommitsLostException or StoreInUseException && _broken is null)
        {
            lock (_gate) _broken = failed;
            Broken?.Invoke(failed);
        }

        if (lost) failed = Unavailable(failed);
        foreach (var chain in rows.Chains)
        {
            foreach (var entry in chain.Entries) entry.Done.SetException(failed);
        }
    }

    // A database that was put back to an older state is told by its count of this writer's commits.
    private async Task<PostgresWriter> OpenWriter()
    {
        var writer = await PostgresWriter.Begin(await SiloSession.Open(_writers, _alone, _formerSession), _id, first: false);
        if (writer.CommitsAtOpening < _acknowledged)
        {
            await writer.DisposeAsync();
            throw new CommitsLostException($"of {_acknowledged} of this silo it holds {writer.CommitsAtOpening}");
        }

        _acknowledged = writer.CommitsAtOpening;
        return writer;
    }
}
