using System.Globalization;
using Billing.Silo.Storage;

namespace Billing.Silo.Scheduling;

/// <summary>Moves the billing clock of the sandbox: to each due moment in turn, doing there what is due.</summary>
internal sealed class SandboxClock(BillingClock clock, IDueTimes due, DueWork work, ISettings settings, IEnumerable<IDueBesideAccounts> beside)
{
    private readonly SemaphoreSlim _one = new(1, 1);

    /// <summary>Where the clock stands.</summary>
    public DateTimeOffset Now => clock.Now;

    /// <summary>Moves the clock. When the task completes it stands at the instant, and all that was due is done.</summary>
    /// <param name="target">Where to, from where the clock stands when the move begins; null leaves it there.</param>
    /// <param name="commandId">Names the move: made again after it was broken off, it goes on to where it was going; null for none.</param>
    /// <param name="cancellation">Gives up before the move begins. Once begun it goes on.</param>
    /// <returns>Where the clock stands; null when the target is none, or lies before it.</returns>
    /// <remarks>Broken off by a crash, the clock stands at a due moment on the way.</remarks>
    public async Task<DateTimeOffset?> Move(Func<DateTimeOffset, DateTimeOffset?> target, string? commandId, CancellationToken cancellation)
    {
        await _one.WaitAsync(cancellation);
        try
        {
            var instant = await TargetOf(target, commandId);
            if (instant is null || instant < clock.Now) return null;
            await DoWhatIsDue();
            while (await Next() is { } next && next <= instant)
            {
                await clock.MoveTo(next);
                await DoWhatIsDue();
            }

            await clock.MoveTo(instant.Value);
            await DoWhatIsDue();
            return clock.Now;
        }
        finally
        {
            _one.Release();
        }
    }

    // The next time after now at which anything is due. What is still due now cannot be done now: it is left to the scheduler.
    private async Task<DateTimeOffset?> Next()
    {
        var now = clock.Now;
        var times = beside.Select(b => b.NextDueAt).Append(await due.Next());
        return times.Where(t => t > now).Min();
    }

    // What is done for one may make something due for another, at the same time.
    private async Task DoWhatIsDue()
    {
        int done;
        do
        {
            await work.Run(CancellationToken.None);
            done = 0;
            foreach (var one in beside) done += await one.CarryOutDueAsync(clock.Now);
        }
        while (done > 0);
    }

    private async Task<DateTimeOffset?> TargetOf(Func<DateTimeOffset, DateTimeOffset?> target, string? commandId)
    {
        if (commandId is null) return target(clock.Now);
        var name = $"clock move {commandId}";
        if (await settings.Get(name) is { } begun) return new(long.Parse(begun, CultureInfo.InvariantCulture), TimeSpan.Zero);
        if (target(clock.Now) is not { } instant) return null;
        await settings.Set(name, instant.UtcTicks.ToString(CultureInfo.InvariantCulture));
        return instant;
    }
}
