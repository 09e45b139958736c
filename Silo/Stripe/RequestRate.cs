namespace Billing.Silo.Stripe;

/// <summary>Lets at most so many requests through in any one second, in the order of asking.</summary>
/// <remarks>
/// The framework's own limiters read the machine's clock; this one reads the <see cref="TimeProvider"/> it is given and starts no thread, so that it runs in
/// virtual time too.
/// </remarks>
/// <param name="perSecond">How many; null for no bound.</param>
/// <param name="time">The clock.</param>
internal sealed class RequestRate(int? perSecond, TimeProvider time)
{
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);
    private readonly Lock _gate = new();

    // When each of the last ones went or will go, as a ring.
    private readonly long?[] _times = new long?[perSecond ?? 0];
    private int _next;

    /// <summary>Completes when the request may go. One that is cancelled while it waits keeps its place in the second.</summary>
    public Task Wait(CancellationToken cancellation)
    {
        if (_times.Length == 0) return Task.CompletedTask;
        TimeSpan wait;
        lock (_gate)
        {
            var now = time.GetTimestamp();
            var at = _times[_next] is { } oldest ? long.Max(now, oldest + time.TimestampFrequency) : now;
            _times[_next] = at;
            _next = (_next + 1) % _times.Length;
            wait = time.GetElapsedTime(now, at);
        }

        // A timer counts whole milliseconds and rounds down.
        return wait > TimeSpan.Zero ? Task.Delay(TimeSpan.FromMilliseconds(Math.Ceiling(wait / Second * 1000)), time, cancellation) : Task.CompletedTask;
    }
}
