using System.Buffers.Binary;
using Billing.Accounts;
using Billing.Journal;
using Billing.Silo.Hosting;
using Microsoft.Data.Sqlite;
using SQLitePCL;

namespace Billing.Silo.Storage.Sqlite;

/// <summary>The group commit: all entries that wait become one row, and then their callers go on.</summary>
internal sealed partial class SqliteStore
{
    /// <summary>When the last commit had at least so many entries, more are on their way: the next one waits for them.</summary>
    private const int BusyEntries = 32;
    private static readonly TimeSpan GatherStep = TimeSpan.FromMilliseconds(1);
    private const int GatherSteps = 4;

    private readonly Lock _waitingGate = new();
    private readonly sqlite3_stmt _insertCommit;
    private readonly sqlite3_stmt _insertBodies;
    private readonly sqlite3_stmt _insertFeed;
    private Gathering _gathering = new();
    private Gathering _spare = new();
    private Exception? _broken;
    private int _lastEntries;

    /// <inheritdoc/>
    public Task<Appended> Append(JournalEntry entry)
    {
        if (_damaged.TryGetValue(entry.Account, out var damage)) return Task.FromException<Appended>(new JournalDamagedException(damage));
        var bodies = CompressedBodies(entry);
        var waiting = new Waiting(entry.Account, entry.Sequence, entry.At.UtcTicks, entry.DueAt?.UtcTicks ?? DueRow.Never, entry.Summary, FeedFacts.MayBeIn(entry.Facts.Span));
        if (bodies is not null) waiting.BodiesCrc = Crc32C.Of(bodies.Written.Span);
        bool first;
        lock (_waitingGate) first = _gathering.Add(waiting, entry, bodies);
        bodies?.Dispose();
        if (first && !TryWake()) RefuseWaiting();
        return waiting.Done.Task;
    }

    /// <inheritdoc/>
    protected override void BeforeWork()
    {
        while (true)
        {
            LetArrive();
            if (TakeGathered() is not { } gathered)
            {
                _lastEntries = 0;
                return;
            }

            _lastEntries = gathered.Entries.Count;
            Commit(gathered);
            gathered.Clear();
            _spare = gathered;
        }
    }

    // From here on nobody adds to what is taken; null when nothing waits.
    private Gathering? TakeGathered()
    {
        lock (_waitingGate)
        {
            if (_gathering.Entries.Count == 0) return null;
            var gathered = _gathering;
            _gathering = _spare;
            return gathered;
        }
    }

    // Outside the lock: it is the one part of an append that takes long.
    private static PooledBuffer? CompressedBodies(JournalEntry entry)
    {
        if (entry.Bodies.IsEmpty) return null;
        var bodies = new PooledBuffer(CommitBodies.LengthMax(entry));
        bodies.Advance(CommitBodies.Write(entry, bodies.GetSpan(CommitBodies.LengthMax(entry))));
        return bodies;
    }

    private void RefuseWaiting()
    {
        lock (_waitingGate)
        {
            foreach (var waiting in _gathering.Entries) waiting.Done.SetException(new ObjectDisposedException(nameof(SqliteStore)));
            _gathering.Clear();
        }
    }

    // Under load a commit of many accounts costs hardly more than one of few, so the thread lets the entries that are being
    // decided arrive: as long as they come in numbers, and 4 ms at most. A lone entry never waits.
    private void LetArrive()
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
            lock (_waitingGate) return _gathering.Entries.Count;
        }
    }

    private void Commit(Gathering gathered)
    {
        if (_broken is not null)
        {
            foreach (var waiting in gathered.Entries) waiting.Done.SetException(_broken);
            return;
        }

        var (changes, isInFeed) = (!gathered.Bodies.IsEmpty, false);
        foreach (var waiting in gathered.Entries)
        {
            waiting.Index = IndexOf(waiting.Account);
            waiting.Fenced = waiting.Sequence != waiting.Index.LastSequence + 1;
            if (waiting.Fenced) continue;
            waiting.Index.LastSequence = waiting.Sequence;
            changes |= waiting.Index.WrittenDueTicks != waiting.DueTicks || waiting.Summary is not null;
        }

        gathered.LeaveOutFenced();
        if (gathered.Entries.Count == 0) return;
        changes |= isInFeed = gathered.Entries.Exists(static w => w.IsInFeed);
        CrashPoints.Reach(CrashPoints.BeforeWrite);
        try
        {
            // A single insert is a transaction of its own.
            if (changes) Execute("BEGIN IMMEDIATE");
            InsertCommit(_lastCommit + 1, gathered.SealedHeads(static _ => true), gathered.Frames);
            if (!gathered.Bodies.IsEmpty) InsertBodies(_lastCommit + 1, gathered.Entries.Max(w => w.AtTicks), gathered.Bodies, gathered.BodiesCrcs());
            if (isInFeed) InsertFeed(_lastCommit + 1, gathered.SealedHeads(static w => w.IsInFeed));
            if (changes)
            {
                foreach (var waiting in gathered.Entries) WriteChanges(waiting, waiting.Index!);
                CrashPoints.Reach(CrashPoints.AfterWrite);
                Execute("COMMIT");
            }
        }
        catch (SqliteException failed)
        {
            foreach (var waiting in gathered.Entries)
            {
                waiting.Index!.LastSequence = long.Min(waiting.Index.LastSequence, waiting.Sequence - 1);
                waiting.Index.WrittenDueTicks = waiting.Index.DueTicks;
            }

            var told = GiveUp(failed);
            foreach (var waiting in gathered.Entries) waiting.Done.SetException(told);
            return;
        }

        CrashPoints.Reach(CrashPoints.AfterSync);
        _availability.Done(_availability.Begin());
        _lastCommit++;
        _head.Write(_lastCommit);
        _bytesSinceIndexing += gathered.Frames.Length;
        Figures = new(
            Figures.Commits + 1, Figures.Entries + gathered.Entries.Count, Figures.Bytes + gathered.Frames.Length, Figures.BodyBytes + gathered.Bodies.Length);
        foreach (var waiting in gathered.Entries)
        {
            waiting.Index!.Positions.Add(new(_lastCommit, waiting.FrameOffset, waiting.FrameLength));
            SetDue(waiting.Account, waiting.Index, waiting.DueTicks);
            waiting.Done.SetResult(Appended.Yes);
        }

        IndexWhenDue();
    }

    // A full disk or a busy file leaves the transaction undone for certain; after any other failure only a restart, which reads
    // what is on disk, can tell. Returns what the callers are told.
    private Exception GiveUp(SqliteException failed)
    {
        const int Busy = 5, Full = 13;
        try
        {
            if (raw.sqlite3_get_autocommit(Connection.Handle) == 0) Execute("ROLLBACK");
            if (failed.SqliteErrorCode is Busy or Full)
                return _availability.Failed($"{File} takes nothing: {failed.Message} Make room on its disk; nothing of what it refused was stored.", failed);
        }
        catch (SqliteException)
        {
            // The first failure is the one to report; without a rollback the store is broken either way.
        }

        _broken = failed;
        Broken?.Invoke(failed);
        return failed;
    }

    /// <summary>Writes beside the journal; a failure that leaves unknown what is on disk ends the store, as in a commit.</summary>
    private Task<T> Write<T>(Func<T> work) => Run(() => Guarded(work));

    private T Guarded<T>(Func<T> write)
    {
        if (_broken is not null) throw _broken;
        try
        {
            return write();
        }
        catch (SqliteException failed)
        {
            if (GiveUp(failed) is StoreUnavailableException unavailable) throw unavailable;
            throw;
        }
    }

    private void WriteChanges(Waiting waiting, AccountIndex index)
    {
        if (index.WrittenDueTicks != waiting.DueTicks)
        {
            index.WrittenDueTicks = waiting.DueTicks;
            WriteDue(waiting.Account, waiting.DueTicks);
        }

        if (waiting.Summary is { } summary) WriteSummary(SummaryRow.Of(summary));
    }

    private void InsertCommit(long id, ReadOnlySpan<byte> heads, ReadOnlySpan<byte> frames)
    {
        raw.sqlite3_bind_int64(_insertCommit, 1, id);
        raw.sqlite3_bind_blob(_insertCommit, 2, heads);
        raw.sqlite3_bind_blob(_insertCommit, 3, frames);
        Step(_insertCommit);
    }

    private void InsertBodies(long commit, long atTicks, ReadOnlySpan<byte> bodies, ReadOnlySpan<byte> crcs)
    {
        raw.sqlite3_bind_int64(_insertBodies, 1, commit);
        raw.sqlite3_bind_int64(_insertBodies, 2, atTicks);
        raw.sqlite3_bind_blob(_insertBodies, 3, bodies);
        raw.sqlite3_bind_blob(_insertBodies, 4, crcs);
        Step(_insertBodies);
    }

    private void InsertFeed(long commit, ReadOnlySpan<byte> places)
    {
        raw.sqlite3_bind_int64(_insertFeed, 1, commit);
        raw.sqlite3_bind_blob(_insertFeed, 2, places);
        Step(_insertFeed);
    }

    private void Step(sqlite3_stmt insert)
    {
        var result = raw.sqlite3_step(insert);
        raw.sqlite3_reset(insert);
        raw.sqlite3_clear_bindings(insert);
        if (result != raw.SQLITE_DONE) throw new SqliteException(raw.sqlite3_errmsg(Connection.Handle).utf8_to_string(), result);
    }

    /// <summary>An entry on its way.</summary>
    private sealed class Waiting(string account, long sequence, long atTicks, long dueTicks, AccountSummary? summary, bool isInFeed)
    {
        public string Account { get; } = account;

        public long Sequence { get; } = sequence;

        public long AtTicks { get; } = atTicks;

        public long DueTicks { get; } = dueTicks;

        public AccountSummary? Summary { get; } = summary;

        /// <summary>Whether it holds facts other than usage.</summary>
        public bool IsInFeed { get; } = isInFeed;

        public AccountIndex? Index { get; set; }

        public bool Fenced { get; set; }

        public int FrameOffset { get; set; }

        public int FrameLength { get; set; }

        public int BodiesOffset { get; set; }

        public int BodiesLength { get; set; }

        public uint BodiesCrc { get; set; }

        public TaskCompletionSource<Appended> Done { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }

    /// <summary>The entries that wait for the next commit. Those who append write their bytes; the journal's thread only hands them on.</summary>
    private sealed class Gathering
    {
        private const int KeptBytesMax = 16 << 20;

        private byte[] _heads = new byte[1 << 12];
        private byte[] _frames = new byte[1 << 16];
        private byte[] _bodies = [];
        private int _framesLength;
        private int _bodiesLength;

        public List<Waiting> Entries { get; } = [];

        public ReadOnlySpan<byte> Frames => _frames.AsSpan(0, _framesLength);

        public ReadOnlySpan<byte> Bodies => _bodies.AsSpan(0, _bodiesLength);

        /// <summary>The heads of some of the entries as they stand, complete; valid until the next call.</summary>
        public ReadOnlySpan<byte> SealedHeads(Predicate<Waiting> which)
        {
            var length = CommitHeads.CrcBytes;
            foreach (var waiting in Entries)
            {
                if (!which(waiting)) continue;
                Fit(ref _heads, length + CommitHeads.LengthOf(waiting.Account));
                length += CommitHeads.Write(waiting.Account, waiting.Sequence, waiting.FrameOffset, waiting.FrameLength, _heads.AsSpan(length));
            }

            CommitHeads.Seal(_heads.AsSpan(0, length));
            return _heads.AsSpan(0, length);
        }

        /// <summary>The check sums of the bodies, in their order.</summary>
        public ReadOnlySpan<byte> BodiesCrcs()
        {
            var crcs = new byte[Entries.Count * CommitBodies.CrcBytes];
            var length = 0;
            foreach (var waiting in Entries.Where(w => w.BodiesLength > 0))
            {
                BinaryPrimitives.WriteUInt32LittleEndian(crcs.AsSpan(length), waiting.BodiesCrc);
                length += CommitBodies.CrcBytes;
            }

            return crcs.AsSpan(0, length);
        }

        /// <summary>Adds an entry; true when it is the first.</summary>
        public bool Add(Waiting waiting, JournalEntry entry, PooledBuffer? bodies)
        {
            Fit(ref _frames, _framesLength + CommitFrames.LengthOf(entry));
            waiting.FrameOffset = _framesLength;
            waiting.FrameLength = CommitFrames.Write(entry, _frames.AsSpan(_framesLength));
            _framesLength += waiting.FrameLength;
            if (bodies is not null)
            {
                Fit(ref _bodies, _bodiesLength + bodies.Length);
                bodies.Written.Span.CopyTo(_bodies.AsSpan(_bodiesLength));
                waiting.BodiesOffset = _bodiesLength;
                waiting.BodiesLength = bodies.Length;
                _bodiesLength += bodies.Length;
            }

            Entries.Add(waiting);
            return Entries.Count == 1;
        }

        /// <summary>Tells those whose number another entry has taken, and closes the gaps they leave.</summary>
        public void LeaveOutFenced()
        {
            if (!Entries.Exists(w => w.Fenced)) return;
            _framesLength = _bodiesLength = 0;
            foreach (var waiting in Entries)
            {
                if (waiting.Fenced)
                {
                    waiting.Done.SetResult(Appended.Fenced);
                    continue;
                }

                _frames.AsSpan(waiting.FrameOffset, waiting.FrameLength).CopyTo(_frames.AsSpan(_framesLength));
                _bodies.AsSpan(waiting.BodiesOffset, waiting.BodiesLength).CopyTo(_bodies.AsSpan(_bodiesLength));
                waiting.FrameOffset = _framesLength;
                waiting.BodiesOffset = _bodiesLength;
                _framesLength += waiting.FrameLength;
                _bodiesLength += waiting.BodiesLength;
            }

            Entries.RemoveAll(w => w.Fenced);
        }

        public void Clear()
        {
            Entries.Clear();
            _framesLength = _bodiesLength = 0;
            if (_frames.Length > KeptBytesMax) _frames = new byte[1 << 16];
            if (_bodies.Length > KeptBytesMax) _bodies = [];
        }

        private static void Fit(ref byte[] buffer, int needed)
        {
            if (needed > buffer.Length) Array.Resize(ref buffer, int.Max(needed, buffer.Length * 2));
        }
    }
}
