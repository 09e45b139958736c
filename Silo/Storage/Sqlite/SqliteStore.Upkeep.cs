using Billing.Silo.Hosting;

namespace Billing.Silo.Storage.Sqlite;

/// <summary>What runs beside the commits: dropping what is kept for a time only, and comparing all with its check sums.</summary>
internal sealed partial class SqliteStore
{
    private const int DroppedAtOnce = 200;
    private const int CheckedAtOnce = 16;

    /// <inheritdoc/>
    public async Task<Dropped> Drop(int forgetDay, DateTimeOffset bodiesBefore, CancellationToken cancellation)
    {
        var (segments, bodies) = (0L, 0L);
        for (var dropped = DroppedAtOnce; dropped == DroppedAtOnce && !cancellation.IsCancellationRequested; segments += dropped)
        {
            dropped = await _index.DropSegments(forgetDay, DroppedAtOnce);
            CrashPoints.Reach(CrashPoints.BetweenExpiry);
        }

        for (var dropped = DroppedAtOnce; dropped == DroppedAtOnce && !cancellation.IsCancellationRequested; bodies += dropped)
        {
            dropped = await Write(() =>
            {
                using var delete = Command(
                    "DELETE FROM bodies WHERE commit_id IN (SELECT commit_id FROM bodies WHERE at < $before LIMIT $limit)",
                    ("$before", bodiesBefore.UtcTicks),
                    ("$limit", DroppedAtOnce));
                return delete.ExecuteNonQuery();
            });
            CrashPoints.Reach(CrashPoints.BetweenExpiry);
        }

        return new(segments, bodies);
    }

    /// <inheritdoc/>
    public async Task<IReadOnlyList<string>> Check(CancellationToken cancellation)
    {
        var found = new List<string>();
        for (var after = 0L; !cancellation.IsCancellationRequested;)
        {
            var from = after;
            after = await Run(() => CheckCommits(from, found));
            if (after == from) return found;
        }

        return found;
    }

    private long CheckCommits(long after, List<string> found)
    {
        using var command = Command("SELECT id, heads, frames FROM commits WHERE id > $after ORDER BY id LIMIT $limit", ("$after", after), ("$limit", CheckedAtOnce));
        using var reader = command.ExecuteReader();
        while (reader.Read())
        {
            var commit = reader.GetInt64(0);
            var frames = reader.GetFieldValue<byte[]>(2);
            if (commit != after + 1) found.Add(Sentence($"{File}, commit {after + 1}: it is missing"));
            after = commit;
            var heads = reader.GetFieldValue<byte[]>(1);
            if (!CommitHeads.Hold(heads))
            {
                found.Add(Sentence($"{File}, commit {commit}: its heads' check sum does not hold"));
                continue;
            }

            for (var offset = CommitHeads.CrcBytes; offset < heads.Length;)
            {
                var (account, sequence, position) = CommitHeads.Read(heads, commit, ref offset);
                var there = position.Offset + position.Length <= frames.Length;
                if (!there || !CommitFrames.TryRead(frames.AsSpan(position.Offset, position.Length), out var name, out var number, out _, out _) || name != account || number != sequence)
                    found.Add(Hold(account, $"{Where(commit, position.Offset)}: the frame of entry {sequence} of account {account} is not what was written").Message);
            }
        }

        return after;
    }
}
