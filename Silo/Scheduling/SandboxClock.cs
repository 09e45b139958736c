using System.Globalization;
using Billing.Silo.Charging;
using Billing.Silo.Storage;

namespace Billing.Silo.Scheduling;

/// <summary>Moves the billing clock of the sandbox: to each due moment in turn, doing there what is due.</summary>
internal sealed class SandboxClock(BillingClock clock, IDueTimes due, DueWork work, StripeWork calls, ISettings settings, IEnumerable<IDueBesideAccounts> beside)
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
            await DoWhatIsDue(all: true);
            while (await Next() is { } next && next <= instant)
            {
                await clock.MoveTo(next);
                await DoWhatIsDue(all: false);
            }

            await clock.MoveTo(instant);
            return new(clock.Now, await DoWhatIsDue(all: true));
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
        var times = beside.Select(b => b.NextDueAt).Append(await due.Next(now));
        return times.Where(t => t > now).Min();
    }

    // What is done for one may make something due for another, at the same time: what Stripe answers, and what its webhooks tell.
    private async Task<IReadOnlyList<string>> DoWhatIsDue(bool all)
    {
        while (true)
        {
            var begun = calls.Begun;
            var run = await work.Run(CancellationToken.None, all);
            await calls.WhenIdle();
            var done = 0;
            foreach (var one in beside) done += await one.CarryOutDueAsync(clock.Now);
            if (done == 0 && calls.Begun == begun && run.Waiting == 0) return run.Stuck;
        }
    }

    // A clock that runs has gone past the target when the same move is made again, be it after a crash: what was begun is no move back.
    private async Task<DateTimeOffset?> Begin(Func<DateTimeOffset, DateTimeOffset?> target, string? commandId)
    {
        var name = commandId is null ? LastMove : $"{LastMove} {commandId}";
        var named = commandId is not null || !clock.StandsStill;
        DateTimeOffset? begun = named && await settings.Get(name) is { } stored ? Read(name, stored) : null;
        if (commandId is not null && begun is not null) return begun;
        var now = clock.Now;
        if (target(now) is not { } instant) return null;
        if (instant < now) return instant == begun ? begun : null;
        if (named) await settings.Set(name, CheckedText.Seal(name, instant.UtcTicks.ToString(CultureInfo.InvariantCulture)));
        return instant;
    }

    private static DateTimeOffset Read(string name, string stored) =>
        long.TryParse(CheckedText.Open(name, stored), NumberStyles.None, CultureInfo.InvariantCulture, out var ticks) && ticks <= BillingClock.Latest.UtcTicks
            ? new(ticks, TimeSpan.Zero)
            : throw new InvalidDataException($"The store is damaged: its setting \"{name}\", where a move of the clock was going to, is \"{stored}\". Move the clock under another key. It did not move.");
}

/// <summary>Where a move has brought the clock.</summary>
/// <param name="Now">Where it stands.</param>
/// <param name="Held">The accounts that are due there and could not do it, by id.</param>
internal sealed record ClockMove(DateTimeOffset Now, IReadOnlyList<string> Held);
