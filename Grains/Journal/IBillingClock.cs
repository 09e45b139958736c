namespace Billing.Journal;

/// <summary>The time by which the platform bills. Durable: it never goes back, also not over a restart.</summary>
/// <remarks>Not a <see cref="TimeProvider"/> on purpose: Orleans would take that for membership and timers, and a sandbox clock stands still.</remarks>
public interface IBillingClock
{
    /// <summary>The billing time, UTC.</summary>
    DateTimeOffset Now { get; }
}
