using Billing.Silo.Storage;

namespace Billing.Silo.Scheduling;

/// <summary>Moves the billing clock of the sandbox: to each due moment in turn, doing there what is due.</summary>
internal sealed class SandboxClock(BillingClock clock, IDueTimes due, DueWork work)
{
    private readonly SemaphoreSlim _one = new(1, 1);

    /// <summary>Where the clock stands.</summary>
    public DateTimeOffset Now => clock.Now;

    /// <summary>Moves the clock. When the task completes it stands at the instant, and all that was due is done.</summary>
    /// <remarks>Broken off on the way, it stands at a due moment before; the same call goes on from there.</remarks>
    public async Task<DateTimeOffset> MoveTo(DateTimeOffset instant, CancellationToken cancellation)
    {
        await _one.WaitAsync(cancellation);
        try
        {
            await work.Run(cancellation);
            while (due.Next is { } next && next <= instant && next > clock.Now)
            {
                await clock.MoveTo(next);
                await work.Run(cancellation);
            }

            await clock.MoveTo(instant);
            await work.Run(cancellation);
            return clock.Now;
        }
        finally
        {
            _one.Release();
        }
    }
}
