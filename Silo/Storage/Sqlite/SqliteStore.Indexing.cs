using Billing.Silo.Hosting;

namespace Billing.Silo.Storage.Sqlite;

/// <summary>Finds at start where the entries lie, and writes it to the index beside the commits.</summary>
internal sealed partial class SqliteStore
{
    /// <summary>So many bytes of frames are looked through again at the next start if the process dies: then where they lie is indexed.</summary>
    private const long BytesPerIndexing = 64 << 20;

    private async Task BuildIndex()
    {
        using (var last = Command("SELECT coalesce(max(id), 0) FROM commits")) _lastCommit = (long)last.ExecuteScalar()!;
        var noted = _head.Read();
        var indexed = await _index.IndexedUntil();
        if (indexed is { } other && other.Store != _id)
            throw new InvalidDataException($"The index in {Path.GetDirectoryName(File)} belongs to another journal. Delete index.db: it is made anew from the journal. Nothing was changed.");
        var ahead = long.Max(noted, indexed?.Commit ?? 0);
        if (ahead > _lastCommit)
        {
            throw new InvalidDataException(
                $"The journal {File} ends at commit {_lastCommit}, but commit {ahead} was acknowledged. "
                + "Put back what is missing, such as journal.db-wal; if an older journal is wanted, delete index.db and journal.head. Nothing was changed.");
        }

        _indexedCommit = indexed?.Commit ?? 0;
        foreach (var (account, sequence) in await _index.LastSequences())
        {
            var index = IndexOf(account);
            index.LastSequence = index.IndexedSequence = sequence;
            index.FirstPosition = sequence + 1;
        }

        foreach (var block in await _index.BlocksBehindSnapshots())
        {
            var index = IndexOf(block.Account);
            if (index.Positions.Count == 0) index.FirstPosition = block.FirstSequence;
            index.Positions.AddRange(block.Positions);
        }

        ReadHeads();
        foreach (var (account, sequence) in await _index.SnapshotSequences())
        {
            var index = IndexOf(account);
            if (sequence > index.LastSequence)
                throw new InvalidDataException($"The journal {File} is damaged: account {account} has a snapshot at entry {sequence}, but the journal ends at entry {index.LastSequence}. If an older journal is wanted, delete index.db. Nothing was changed.");
            index.SnapshotSequence = sequence;
            index.Trim();
        }

        using var command = Command("SELECT account, at FROM due");
        using var reader = command.ExecuteReader();
        while (reader.Read())
        {
            var index = IndexOf(reader.GetString(0));
            index.WrittenDueTicks = reader.GetInt64(1);
            SetDue(reader.GetString(0), index, reader.GetInt64(1));
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
    private async Task WriteIndex()
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
    }

    private void IndexWhenDue()
    {
        if (_bytesSinceIndexing < BytesPerIndexing || !_indexing.IsCompleted) return;
        _indexing = Write();

        async Task Write()
        {
            try
            {
                await WriteIndex();
            }
            catch (Exception failed)
            {
                IndexingFailed?.Invoke(failed);
            }
        }
    }
}
