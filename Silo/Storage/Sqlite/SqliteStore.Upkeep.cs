using Billing.Silo.Hosting;

namespace Billing.Silo.Storage.Sqlite;

/// <summary>Drops what is kept for a time only, beside the commits.</summary>
internal sealed partial class SqliteStore
{
    private const int DroppedAtOnce = 200;

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
}
