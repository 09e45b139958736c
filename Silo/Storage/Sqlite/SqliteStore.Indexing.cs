using Billing.Journal;
using Billing.Silo.Hosting;
using Microsoft.Data.Sqlite;

namespace Billing.Silo.Storage.Sqlite;

/// <summary>Finds at start where the entries lie, and writes it to the index beside the commits.</summary>
internal sealed partial class SqliteStore
{
    /// <summary>So many bytes of frames are looked through again at the next start if the process dies: then where they lie is indexed.</summary>
    private const long BytesPerIndexing = 64 << 20;

    /// <summary>The setting that says that the index is to be made anew.</summary>
    private const string IndexDamaged = "index_damaged";

    private async Task BuildIndex()
    {
        _lastCommit = LastCommit();
        var noted = _head.Read();
        var contents = await ReadIndex();
        var indexed = contents.Until;
        if (indexed is { } other && other.Store != _id)
            throw new InvalidDataException($"The index in {Path.GetDirectoryName(File)} belongs to another journal. Delete index.db: it is made anew from the journal. Nothing was changed.");
        if (noted is null or 0 && _lastCommit > 0)
        {
            _notices.Add($"journal.head, which notes the last acknowledged commit, {(noted is null ? "does not match its check sum" : "is missing or empty")}; a loss of power can do that. "
                + $"The journal ends at commit {_lastCommit}: whether there were later ones cannot be told from it. It is written anew with the next commit.");
        }

        RefuseALostEnd(_lastCommit, indexed?.Commit ?? 0);
        _indexedCommit = indexed?.Commit ?? 0;
        foreach (var (account, sequence) in contents.LastSequences)
        {
            var index = IndexOf(account);
            index.LastSequence = index.IndexedSequence = sequence;
            index.FirstPosition = sequence + 1;
        }

        foreach (var block in contents.BehindSnapshots)
        {
            var index = IndexOf(block.Account);
            if (index.Positions.Count == 0) index.FirstPosition = block.FirstSequence;
            index.Positions.AddRange(block.Positions);
        }

        ReadHeads();
        foreach (var (account, sequence) in contents.SnapshotSequences)
        {
            var last = _accounts.GetValueOrDefault(account)?.LastSequence ?? 0;
            if (sequence > last && !await _index.HasSnapshot(account))
            {
                WriteIndexDamaged();
                continue;
            }

            if (sequence > last)
                throw new InvalidDataException($"The journal {File} is damaged: account {account} has a snapshot at entry {sequence}, but the journal ends at entry {last}. If an older journal is wanted, delete index.db. Nothing was changed.");
            var index = _accounts[account];
            index.SnapshotSequence = sequence;
            index.Trim();
        }

        ReadDueTimes();
    }

    private long LastCommit()
    {
        using (var table = Command("SELECT 1 FROM sqlite_master WHERE name = 'commits'"))
        {
            if (table.ExecuteScalar() is null) return 0;
        }

        using var last = Command("SELECT coalesce(max(id), 0) FROM commits");
        return (long)last.ExecuteScalar()!;
    }

    private void RefuseALostEnd(long last, long acknowledged)
    {
        if (acknowledged <= last) return;
        throw new InvalidDataException(
            $"The journal {File} ends at commit {last}, but commit {acknowledged} was acknowledged. Put back what is missing, such as journal.db-wal; "
            + "if an older journal is wanted, delete index.db and journal.head. Nothing was changed.");
    }

    // A damaged index is no reason not to start: all of it is derived.
    private async Task<IndexContents> ReadIndex()
    {
        using (var noted = Command("SELECT 1 FROM settings WHERE name = $name", ("$name", IndexDamaged)))
        {
            if (noted.ExecuteScalar() is not null)
            {
                await ReplaceIndex("a check sum did not hold in the run before");
                using var delete = Command("DELETE FROM settings WHERE name = $name", ("$name", IndexDamaged));
                delete.ExecuteNonQuery();
            }
        }

        try
        {
            return await _index.Contents();
        }
        catch (IndexDamagedException damaged)
        {
            await ReplaceIndex(damaged.Message);
            return await _index.Contents();
        }
    }

    private async Task ReplaceIndex(string damage)
    {
        await _index.DisposeAsync();
        _index = SqliteIndex.Replace(Path.Combine(Path.GetDirectoryName(File)!, "index.db"), damage, _notices.Add);
    }

    /// <summary>Makes the next start make the index anew; until then what is damaged in it is read from the journal.</summary>
    private Task NoteIndexDamaged() => Write(WriteIndexDamaged);

    private int WriteIndexDamaged()
    {
        using var note = Command("INSERT OR IGNORE INTO settings (name, value) VALUES ($name, '1')", ("$name", IndexDamaged));
        return note.ExecuteNonQuery();
    }

    private async Task<T> NotingDamage<T>(Func<Task<T>> work)
    {
        try
        {
            return await work();
        }
        catch (SqliteException failed) when (IsDamage(failed))
        {
            await NoteIndexDamaged();
            throw;
        }
    }

    /// <summary>The snapshot of an account; null without one that is well.</summary>
    private async Task<JournalSnapshot?> FindSnapshot(string account)
    {
        try
        {
            return await _index.Find(account);
        }
        catch (IndexDamagedException)
        {
            await NoteIndexDamaged();
            return null;
        }
    }

    /// <summary>Where the first entries of an account lie, up to one that is indexed; from the journal itself if the index is damaged.</summary>
    /// <exception cref="JournalDamagedException">The journal does not tell it either.</exception>
    private async Task<List<Position>> IndexedPositions(string account, long last)
    {
        var positions = new List<Position>();
        if (last == 0) return positions;
        try
        {
            foreach (var block in await _index.BlocksOf(account))
            {
                if (block.FirstSequence != positions.Count + 1) break;
                positions.AddRange(block.Positions);
            }
        }
        catch (IndexDamagedException)
        {
            positions.Clear();
        }

        if (positions.Count < last)
        {
            await NoteIndexDamaged();
            positions = await PositionsInHeads(account, last);
        }

        positions.RemoveRange((int)last, positions.Count - (int)last);
        return positions;
    }

    private async Task<List<Position>> PositionsInHeads(string account, long last)
    {
        const int HeadsAtOnce = 1000;
        var positions = new List<Position>();
        for (var after = 0L; positions.Count < last;)
        {
            var from = after;
            after = await Run(() =>
            {
                using var command = Command("SELECT id, heads FROM commits WHERE id > $after ORDER BY id LIMIT $limit", ("$after", from), ("$limit", HeadsAtOnce));
                using var reader = command.ExecuteReader();
                var read = from;
                while (reader.Read())
                {
                    read = reader.GetInt64(0);
                    var heads = reader.GetFieldValue<byte[]>(1);
                    if (!CommitHeads.Hold(heads) && (heads = HeadsOrNone(read)).Length == 0) continue;
                    for (var offset = CommitHeads.CrcBytes; offset < heads.Length;)
                    {
                        var (name, sequence, position) = CommitHeads.Read(heads, read, ref offset);
                        if (name == account && sequence == positions.Count + 1) positions.Add(position);
                    }
                }

                return read;
            });
            if (after == from) throw Hold(account, $"{File}: entry {positions.Count + 1} of account {account} is in no commit that can be read");
        }

        return positions;
    }

    private byte[] HeadsOrNone(long commit)
    {
        try
        {
            return HeadsOf(commit);
        }
        catch (InvalidDataException)
        {
            // Whose entries are missed here is told by their number.
            return [];
        }
    }

    // The heads of the commits that are not indexed yet.
    private void ReadHeads()
    {
        using var command = Command("SELECT id, heads, length(frames) FROM commits WHERE id > $id ORDER BY id", ("$id", _indexedCommit));
        using var reader = command.ExecuteReader();
        var expected = _indexedCommit;
        while (reader.Read())
        {
            var commit = reader.GetInt64(0);
            if (commit != ++expected) throw new InvalidDataException(Sentence($"{File}, commit {expected}: it is missing"));
            var heads = reader.GetFieldValue<byte[]>(1);
            if (!CommitHeads.Hold(heads)) heads = HeadsOf(commit);
            for (var offset = CommitHeads.CrcBytes; offset < heads.Length;)
            {
                var (account, sequence, position) = CommitHeads.Read(heads, commit, ref offset);
                var index = IndexOf(account);
                if (sequence != index.LastSequence + 1)
                    throw new InvalidDataException(Sentence($"{Where(commit, position.Offset)}: account {account} has entry {sequence} behind {index.LastSequence}"));
                index.LastSequence = sequence;
                index.Positions.Add(position);
            }

            _bytesSinceIndexing += reader.GetInt64(2);
        }
    }

    /// <summary>The heads of a commit made anew from its frames.</summary>
    private byte[] HeadsOf(long commit)
    {
        using var command = Command("SELECT frames FROM commits WHERE id = $id", ("$id", commit));
        var frames = (byte[])command.ExecuteScalar()!;
        var heads = new byte[CommitHeads.CrcBytes];
        for (var offset = 0; offset < frames.Length;)
        {
            if (!CommitFrames.TryRead(frames.AsSpan(offset), out var account, out var sequence, out _, out var length))
                throw new InvalidDataException(Sentence($"{Where(commit, offset)}: neither what it holds nor whose it is can be read"));
            var written = heads.Length;
            Array.Resize(ref heads, written + CommitHeads.LengthOf(account));
            CommitHeads.Write(account, sequence, offset, length, heads.AsSpan(written));
            offset += length;
        }

        CommitHeads.Seal(heads);
        return heads;
    }

    /// <summary>Writes where the entries since the last time lie to the index, beside the commits that go on.</summary>
    private async Task<bool> WriteIndex()
    {
        var (commit, bytes, blocks) = await Run(() => (
            _lastCommit,
            _bytesSinceIndexing,
            _accounts.Where(a => a.Value.LastSequence > a.Value.IndexedSequence).Select(a => a.Value.NotIndexed(a.Key)).ToList()));
        CrashPoints.Reach(CrashPoints.BeforeIndex);
        await _index.Add(_id, commit, blocks);
        CrashPoints.Reach(CrashPoints.AfterIndex);
        await Run(() =>
        {
            _indexedCommit = commit;
            _bytesSinceIndexing -= bytes;
            foreach (var block in blocks)
            {
                var index = _accounts[block.Account];
                index.IndexedSequence = block.FirstSequence + block.Positions.Length - 1;
                index.Trim();
            }
        });
        return true;
    }

    private void IndexWhenDue()
    {
        if (_bytesSinceIndexing < BytesPerIndexing || !_indexing.IsCompleted) return;
        _indexing = Write();

        async Task Write()
        {
            try
            {
                await NotingDamage(WriteIndex);
            }
            catch (Exception failed)
            {
                IndexingFailed?.Invoke(failed);
            }
        }
    }
}
