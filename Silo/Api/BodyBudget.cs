using System.Threading.RateLimiting;

namespace Billing.Silo.Api;

/// <summary>
/// Bounds how many bytes of events are under way at once, whoever sends them: memory stays bounded, and so does a commit. Who
/// finds no place waits in order; when too many wait, the next is told to come back.
/// </summary>
internal sealed class BodyBudget : IDisposable
{
    private const int MebibytesMax = 256;
    private const int WaitingMebibytesMax = 1024;

    private readonly ConcurrencyLimiter _mebibytes = new(new()
    {
        PermitLimit = MebibytesMax,
        QueueLimit = WaitingMebibytesMax,
        QueueProcessingOrder = QueueProcessingOrder.OldestFirst,
    });

    /// <summary>Takes a place for a body; disposing of it gives the place back.</summary>
    /// <param name="bytes">Its length; null takes the place of the largest.</param>
    /// <param name="cancellation">Gives up waiting.</param>
    public ValueTask<RateLimitLease> Take(long? bytes, CancellationToken cancellation)
    {
        var known = long.Clamp(bytes ?? RequestReading.BodyBytesMax, 0, RequestReading.BodyBytesMax);
        return _mebibytes.AcquireAsync((int)(known >> 20) + 1, cancellation);
    }

    /// <inheritdoc/>
    public void Dispose() => _mebibytes.Dispose();
}
