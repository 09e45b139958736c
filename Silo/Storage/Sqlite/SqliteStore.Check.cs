using Microsoft.Data.Sqlite;
using SQLitePCL;

namespace Billing.Silo.Storage.Sqlite;

/// <summary>Compares all that is stored with its check sums, beside the commits.</summary>
internal sealed partial class SqliteStore
{
    private const int CheckedAtOnce = 16;

    /// <inheritdoc/>
    public async Task Check(CheckFindings found, CancellationToken cancellation)
    {
        // What is held in memory says nothing of the disk.
        await Run(() => Execute("PRAGMA shrink_memory"));
        var last = await Run(() => _lastCommit);
        for (var from = 1L; from <= last; from += CheckedAtOnce)
        {
            if (cancellation.IsCancellationRequested) return;
            var (first, until) = (from, long.Min(last, from + CheckedAtOnce - 1));
            foreach (var (commit, frames) in await Run(() => CheckCommits(first, until, found))) await HoldThoseIn(commit, frames, found);
        }

        await CheckRows(found, cancellation);
        var places = await _index.Check(found, cancellation);
        if (!places) await NoteIndexDamaged();
    }

    /// <summary>Checks commits with their bodies.</summary>
    /// <returns>Those of which it cannot be told whose a damaged frame is, with what is there of their frames.</returns>
    private List<(long Commit, byte[] Frames)> CheckCommits(long first, long until, CheckFindings found)
    {
        var unclear = new List<(long, byte[])>();
        for (var commit = first; commit <= until; commit++)
        {
            found.Count();
            try
            {
                if (!CheckFrames(commit, found, out var frames)) unclear.Add((commit, frames));
            }
            catch (SqliteException unreadable) when (IsDamage(unreadable))
            {
                found.Add(Sentence($"{File}, commit {commit}: {unreadable.Message}"));
                unclear.Add((commit, []));
            }

            try
            {
                if (BodiesOf(commit) is var (bytes, crcs) && !CommitBodies.Hold(bytes, crcs)) found.Add(CommitBodies.Damaged($"{File}, commit {commit}"));
            }
            catch (SqliteException unreadable) when (IsDamage(unreadable))
            {
                found.Add(CommitBodies.Damaged($"{File}, commit {commit}, {unreadable.Message}"));
            }
        }

        return unclear;
    }

    private bool CheckFrames(long commit, CheckFindings found, out byte[] frames)
    {
        frames = [];
        using var command = Command("SELECT heads, frames FROM commits WHERE id = $id", ("$id", commit));
        using var reader = command.ExecuteReader();
        if (!reader.Read())
        {
            found.Add(Sentence($"{File}, commit {commit}: it is missing"));
            return false;
        }

        var heads = reader.GetFieldValue<byte[]>(0);
        frames = reader.GetFieldValue<byte[]>(1);
        if (!CommitHeads.Hold(heads))
        {
            var whole = AreWhole(frames);
            found.Add(whole
                ? $"A check sum does not hold at {File}, commit {commit}: that of its heads. Nothing is lost: they are made anew from its frames."
                : Sentence($"{File}, commit {commit}: its heads' check sum does not hold, nor those of all its frames"));
            return whole;
        }

        for (var offset = CommitHeads.CrcBytes; offset < heads.Length;)
        {
            var (account, sequence, position) = CommitHeads.Read(heads, commit, ref offset);
            if (!IsThere(frames, account, sequence, position))
                found.AddHeld(account, Hold(account, $"{Where(commit, position.Offset)}: the frame of entry {sequence} of account {account} is not what was written").Message);
        }

        CheckFeed(commit, heads, frames, found);
        return true;
    }

    // Whose a frame is that cannot be read, nor its head, is known to the places of the entries: in memory and in the index.
    private async Task HoldThoseIn(long commit, byte[] frames, CheckFindings found)
    {
        var places = await Run(() => _accounts
            .SelectMany(a => a.Value.Positions.Select((position, i) => (Account: a.Key, Sequence: a.Value.FirstPosition + i, Position: position)))
            .Where(p => p.Position.Commit == commit)
            .ToList());
        var unknown = new List<string>();
        try
        {
            var (indexed, damaged) = await _index.PlacesIn(commit);
            places.AddRange(indexed);
            unknown.AddRange(damaged);
        }
        catch (IndexDamagedException)
        {
            await NoteIndexDamaged();
            unknown.AddRange(await Run(() => _accounts.Keys.ToList()));
        }

        foreach (var (account, sequence, position) in places.Distinct().Where(p => !IsThere(frames, p.Account, p.Sequence, p.Position)))
            found.AddHeld(account, Hold(account, $"{Where(commit, position.Offset)}: the frame of entry {sequence} of account {account} is not what was written").Message);
        foreach (var account in unknown.Distinct()) found.AddHeld(account, Hold(account, $"{File}, commit {commit}: it may have held entries of account {account}").Message);
    }

    private (byte[] Bytes, byte[]? Crcs)? BodiesOf(long commit)
    {
        using var command = Command("SELECT bytes, crcs FROM bodies WHERE commit_id = $commit", ("$commit", commit));
        using var reader = command.ExecuteReader();
        return reader.Read() ? (reader.GetFieldValue<byte[]>(0), reader.IsDBNull(1) ? null : reader.GetFieldValue<byte[]>(1)) : null;
    }

    private static bool IsThere(byte[] frames, string account, long sequence, Position position) =>
        position is { Offset: >= 0, Length: >= 0 } && (long)position.Offset + position.Length <= frames.Length
        && CommitFrames.TryRead(frames.AsSpan(position.Offset, position.Length), out var name, out var number, out _, out _) && name == account && number == sequence;

    private static bool AreWhole(byte[] frames)
    {
        for (var offset = 0; offset < frames.Length;)
        {
            if (!CommitFrames.TryRead(frames.AsSpan(offset), out _, out _, out _, out var length)) return false;
            offset += length;
        }

        return frames.Length > 0;
    }

    private static bool IsDamage(SqliteException failed) => failed.SqliteErrorCode is raw.SQLITE_CORRUPT or raw.SQLITE_NOTADB or raw.SQLITE_IOERR;
}
