using Billing.Silo.Hosting;

namespace Billing.Silo.Storage.Postgres;

/// <summary>Drops what is kept for a time only, beside the commits.</summary>
internal sealed partial class PostgresStore
{
    private const int DroppedAtOnce = 200;

    /// <summary>How long the count of a silo that does nothing is kept: one that is cut off for longer stops when it is back.</summary>
    private const string WritersKept = "30 days";

    /// <inheritdoc/>
    public async Task<Dropped> Drop(int forgetDay, DateTimeOffset bodiesBefore, CancellationToken cancellation)
    {
        // What another silo is dropping is left to it.
        var segments = await InSteps(
            "DELETE FROM billing.segments WHERE ctid = ANY (ARRAY(SELECT ctid FROM billing.segments WHERE forget_day <= $1 LIMIT $2 FOR UPDATE SKIP LOCKED))", forgetDay, cancellation);
        var bodies = await InSteps(
            "DELETE FROM billing.bodies WHERE ctid = ANY (ARRAY(SELECT ctid FROM billing.bodies WHERE at < $1 LIMIT $2 FOR UPDATE SKIP LOCKED))", bodiesBefore.UtcTicks, cancellation);
        await Write("UPDATE billing.writers SET seen = now() WHERE writer = $1", _id);
        await Write($"DELETE FROM billing.writers WHERE seen < now() - interval '{WritersKept}'");
        return new(segments, bodies);
    }

    private async Task<long> InSteps(string delete, object until, CancellationToken cancellation)
    {
        var total = 0L;
        for (var dropped = DroppedAtOnce; dropped == DroppedAtOnce && !cancellation.IsCancellationRequested; total += dropped)
        {
            dropped = await Write(delete, until, DroppedAtOnce);
            CrashPoints.Reach(CrashPoints.BetweenExpiry);
        }

        return total;
    }
}
