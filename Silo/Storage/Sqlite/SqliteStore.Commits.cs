using System.Text.Json;
using Billing.Accounts;
using Billing.Journal;
using Microsoft.Data.Sqlite;
using SQLitePCL;

namespace Billing.Silo.Storage.Sqlite;

/// <summary>The group commit: all entries that wait become one row, and then their callers go on.</summary>
internal sealed partial class SqliteStore
{
    private const int CommitBytesMax = 8 << 20;

    /// <summary>When the last commit had at least so many entries, more are on their way: the next one waits for them.</summary>
    private const int BusyEntries = 32;
    private static readonly TimeSpan GatherStep = TimeSpan.FromMilliseconds(1);
    private const int GatherSteps = 4;

    private readonly Lock _waitingGate = new();
    private readonly sqlite3_stmt _insertCommit;
    private Queue<Waiting> _waiting = [];
    private byte[] _frames = new byte[1 << 16];
    private byte[] _bodies = [];
    private Exception? _broken;
    private int _lastEntries;

    /// <inheritdoc/>
    public Task<Appended> Append(JournalEntry entry)
    {
        var waiting = new Waiting(entry);
        bool first;
        lock (_waitingGate)
        {
            first = _waiting.Count == 0;
            _waiting.Enqueue(waiting);
        }

        if (first && !TryWake()) RefuseWaiting();
        return waiting.Done.Task;
    }

    /// <inheritdoc/>
    protected override void BeforeWork()
    {
        while (true)
        {
            Gather();
            List<Waiting> batch = [];
            var size = 0;
            lock (_waitingGate)
            {
                while (size < CommitBytesMax && _waiting.TryDequeue(out var waiting))
                {
                    batch.Add(waiting);
                    size += waiting.Frame.Length + (waiting.Bodies?.Length ?? 0);
                }
            }

            _lastEntries = batch.Count;
            if (batch.Count == 0) return;
            Commit(batch);
        }
    }

    private void RefuseWaiting()
    {
        lock (_waitingGate)
            while (_waiting.TryDequeue(out var waiting)) waiting.Done.SetException(new ObjectDisposedException(nameof(SqliteStore)));
    }

    // Under load a commit of many accounts costs hardly more than one of few, so the thread lets the entries that are being
    // decided arrive: as long as they come in numbers, and 4 ms at most. A lone entry never waits.
    private void Gather()
    {
        if (_lastEntries < BusyEntries) return;
        var before = Count();
        for (var step = 0; step < GatherSteps && before > 0; step++)
        {
            Thread.Sleep(GatherStep);
            var after = Count();
            if (after - before < before / 8) return;
            before = after;
        }

        int Count()
        {
            lock (_waitingGate) return _waiting.Count;
        }
    }

    private void Commit(List<Waiting> batch)
    {
        if (_broken is not null)
        {
            foreach (var waiting in batch) waiting.Done.SetException(_broken);
            return;
        }

        var placed = new List<(Waiting Waiting, AccountIndex Index, Position Position)>(batch.Count);
        var frames = 0;
        var bodies = 0;
        var changes = false;
        foreach (var waiting in batch)
        {
            var index = IndexOf(waiting.Account);
            if (waiting.Sequence != index.LastSequence + 1)
            {
                waiting.Done.SetResult(Appended.Fenced);
                continue;
            }

            Fit(ref _frames, frames + waiting.Frame.Length);
            waiting.Frame.Written.Span.CopyTo(_frames.AsSpan(frames));
            placed.Add((waiting, index, new(waiting.Sequence, _lastCommit + 1, frames, waiting.Frame.Length)));
            frames += waiting.Frame.Length;
            index.LastSequence = waiting.Sequence;
            changes |= index.WrittenDueTicks != waiting.DueTicks || waiting.Summary is not null;
            if (waiting.Bodies is not { } kept) continue;
            Fit(ref _bodies, bodies + kept.Length);
            kept.Written.Span.CopyTo(_bodies.AsSpan(bodies));
            bodies += kept.Length;
        }

        if (placed.Count == 0) return;
        try
        {
            // A single insert is a transaction of its own.
            if (changes) Execute("BEGIN IMMEDIATE");
            InsertCommit(_lastCommit + 1, _frames.AsSpan(0, frames), _bodies.AsSpan(0, bodies));
            if (changes)
            {
                foreach (var (waiting, index, _) in placed) WriteChanges(waiting, index);
                Execute("COMMIT");
            }
        }
        catch (SqliteException failed)
        {
            foreach (var (_, index, position) in placed)
            {
                index.LastSequence = long.Min(index.LastSequence, position.Sequence - 1);
                index.WrittenDueTicks = index.DueTicks;
            }

            GiveUp(failed);
            foreach (var (waiting, _, _) in placed) waiting.Done.SetException(failed);
            return;
        }

        _lastCommit++;
        Figures = new(Figures.Commits + 1, Figures.Entries + placed.Count, Figures.Bytes + frames, Figures.BodyBytes + bodies);
        foreach (var (waiting, index, position) in placed)
        {
            index.Tail.Add(position);
            SetDue(waiting.Account, index, waiting.DueTicks);
            waiting.Done.SetResult(Appended.Yes);
            waiting.Dispose();
        }
    }

    // A full disk or a busy file leaves the transaction undone for certain; after any other failure only a restart, which reads
    // what is on disk, can tell.
    private void GiveUp(SqliteException failed)
    {
        const int Busy = 5, Full = 13;
        try
        {
            if (raw.sqlite3_get_autocommit(Connection.Handle) == 0) Execute("ROLLBACK");
            if (failed.SqliteErrorCode is Busy or Full) return;
        }
        catch (SqliteException)
        {
            // The first failure is the one to report; without a rollback the store is broken either way.
        }

        _broken = failed;
        Broken?.Invoke(failed);
    }

    private void WriteChanges(Waiting waiting, AccountIndex index)
    {
        if (index.WrittenDueTicks != waiting.DueTicks)
        {
            index.WrittenDueTicks = waiting.DueTicks;
            using var command = waiting.DueTicks is { } ticks
                ? Command("INSERT INTO due (account, at) VALUES ($account, $at) ON CONFLICT (account) DO UPDATE SET at = excluded.at", ("$account", waiting.Account), ("$at", ticks))
                : Command("DELETE FROM due WHERE account = $account", ("$account", waiting.Account));
            command.ExecuteNonQuery();
        }

        if (waiting.Summary is not { } summary) return;
        using var upsert = Command(
            """
            INSERT INTO accounts (account, status, search, summary) VALUES ($account, $status, $search, $summary)
            ON CONFLICT (account) DO UPDATE SET status = excluded.status, search = excluded.search, summary = excluded.summary
            """,
            ("$account", summary.Id),
            ("$status", (int)summary.Status),
            ("$search", $"{summary.Id}\n{summary.Name}\n{summary.Email}".ToLowerInvariant()),
            ("$summary", JsonSerializer.Serialize(summary, Http.BillingJson.Web.AccountSummary)));
        upsert.ExecuteNonQuery();
    }

    private void InsertCommit(long id, ReadOnlySpan<byte> frames, ReadOnlySpan<byte> bodies)
    {
        raw.sqlite3_bind_int64(_insertCommit, 1, id);
        raw.sqlite3_bind_blob(_insertCommit, 2, frames);
        if (bodies.IsEmpty) raw.sqlite3_bind_null(_insertCommit, 3);
        else raw.sqlite3_bind_blob(_insertCommit, 3, bodies);
        var result = raw.sqlite3_step(_insertCommit);
        raw.sqlite3_reset(_insertCommit);
        raw.sqlite3_clear_bindings(_insertCommit);
        if (result != raw.SQLITE_DONE) throw new SqliteException(raw.sqlite3_errmsg(Connection.Handle).utf8_to_string(), result);
    }

    private static void Fit(ref byte[] buffer, int needed)
    {
        if (needed > buffer.Length) Array.Resize(ref buffer, int.Max(needed, buffer.Length * 2));
    }

    /// <summary>An entry on its way: its bytes are made on the thread of whoever appends, so that the journal's own only copies them.</summary>
    private sealed class Waiting : IDisposable
    {
        public Waiting(JournalEntry entry)
        {
            Account = entry.Account;
            Sequence = entry.Sequence;
            DueTicks = entry.DueAt?.UtcTicks;
            Summary = entry.Summary;
            Frame = new(CommitFrames.LengthOf(entry));
            Frame.Advance(CommitFrames.Write(entry, Frame.GetSpan(CommitFrames.LengthOf(entry))));
            if (entry.Bodies.IsEmpty) return;
            Bodies = new(CommitBodies.LengthMax(entry));
            Bodies.Advance(CommitBodies.Write(entry, Bodies.GetSpan(CommitBodies.LengthMax(entry))));
        }

        public string Account { get; }

        public long Sequence { get; }

        public long? DueTicks { get; }

        public AccountSummary? Summary { get; }

        public PooledBuffer Frame { get; }

        public PooledBuffer? Bodies { get; }

        public TaskCompletionSource<Appended> Done { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public void Dispose()
        {
            Frame.Dispose();
            Bodies?.Dispose();
        }
    }
}
