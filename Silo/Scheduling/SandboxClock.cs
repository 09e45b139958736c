using System.Globalization;
using Billing.Silo.Storage;

namespace Billing.Silo.Scheduling;

/// <summary>Moves the billing clock of the sandbox: to each due moment in turn, doing there what is due.</summary>
internal sealed class SandboxClock(BillingClock clock, IDueTimes due, DueWork work, ISettings settings)
{
    private const string LastMove = "clock move";

    private readonly SemaphoreSlim _one = new(1, 1);

    /// <summary>Where the clock stands.</summary>
    public DateTimeOffset Now => clock.Now;

    /// <summary>Moves the clock. When the task completes it stands at the instant, and all that was due is done, but for accounts that cannot.</summary>
    /// <param name="target">Where to, from where the clock stands when the move begins; null leaves it there.</param>
    /// <param name="commandId">Names the move: made again after it was broken off, it goes on to where it was going; null for none.</param>
    /// <param name="cancellation">Gives up before the move begins. Once begun it goes on.</param>
    /// <returns>Where the clock stands; null when the target is none, or lies before it.</returns>
    /// <remarks>Broken off by a crash, the clock stands at a due moment on the way.</remarks>
    public async Task<ClockMove?> Move(Func<DateTimeOffset, DateTimeOffset?> target, string? commandId, CancellationToken cancellation)
    {
        await _one.WaitAsync(cancellation);
        try
        {
            if (await Begin(target, commandId) is not { } instant) return null;
            await work.Run(CancellationToken.None, all: true);
            while (await due.Next(clock.Now) is { } next && next <= instant)
            {
                await clock.MoveTo(next);
                await work.Run(CancellationToken.None);
            }

            await clock.MoveTo(instant);
            var last = await work.Run(CancellationToken.None, all: true);
            return new(clock.Now, last.Stuck);
        }
        finally
        {
            _one.Release();
        }
    }

    // A clock that runs has gone past the target when the same move is made again, be it after a crash: what was begun is no move back.
    private async Task<DateTimeOffset?> Begin(Func<DateTimeOffset, DateTimeOffset?> target, string? commandId)
    {
        var name = commandId is null ? LastMove : $"{LastMove} {commandId}";
        var named = commandId is not null || !clock.StandsStill;
        DateTimeOffset? begun = named && await settings.Get(name) is { } ticks ? new(long.Parse(ticks, CultureInfo.InvariantCulture), TimeSpan.Zero) : null;
        if (commandId is not null && begun is not null) return begun;
        var now = clock.Now;
        if (target(now) is not { } instant) return null;
        if (instant < now) return instant == begun ? begun : null;
        if (named) await settings.Set(name, instant.UtcTicks.ToString(CultureInfo.InvariantCulture));
        return instant;
    }
}

/// <summary>Where a move has brought the clock.</summary>
/// <param name="Now">Where it stands.</param>
/// <param name="Held">The accounts that are due there and could not do it, by id.</param>
internal sealed record ClockMove(DateTimeOffset Now, IReadOnlyList<string> Held);
