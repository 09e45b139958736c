using System.Globalization;
using Billing.Journal;
using Billing.Silo.Hosting;
using Billing.Silo.Storage;

namespace Billing.Silo.Scheduling;

/// <summary>The billing clock: real time, real time and what it was advanced by, or an instant at which it stands.</summary>
/// <remarks>What was set is kept in the store before anyone can see it. The clock never goes back.</remarks>
internal sealed class BillingClock : IBillingClock
{
    /// <summary>The earliest time the clock may show: remembered ids count their days from here.</summary>
    public static readonly DateTimeOffset Earliest = DateTimeOffset.UnixEpoch;

    /// <summary>The time the clock stays before: the days of remembered ids fit into 16 bits until some months later.</summary>
    public static readonly DateTimeOffset Latest = new(2149, 1, 1, 0, 0, 0, TimeSpan.Zero);

    private const string Setting = "billing_clock";
    private const string Seen = "billing_clock_seen";
    private const string Standing = "stands at ";
    private const string Ahead = "ahead by ";

    private readonly ISettings _settings;
    private readonly TimeProvider _time;
    private long _standsAt;
    private long _aheadBy;
    private long _highest;

    private BillingClock(ISettings settings, TimeProvider time)
    {
        _settings = settings;
        _time = time;
    }

    /// <inheritdoc/>
    public DateTimeOffset Now
    {
        get
        {
            var standsAt = Interlocked.Read(ref _standsAt);
            if (standsAt != 0) return new(standsAt, TimeSpan.Zero);
            var now = _time.GetUtcNow().UtcTicks + Interlocked.Read(ref _aheadBy);
            for (var seen = Interlocked.Read(ref _highest); seen < now; seen = Interlocked.Read(ref _highest))
                if (Interlocked.CompareExchange(ref _highest, now, seen) == seen) return new(now, TimeSpan.Zero);
            return new(Interlocked.Read(ref _highest), TimeSpan.Zero);
        }
    }

    /// <summary>Whether the clock stands still until it is moved.</summary>
    public bool StandsStill => Interlocked.Read(ref _standsAt) != 0;

    /// <summary>Takes the clock up where the store says it stood.</summary>
    /// <param name="settings">The store.</param>
    /// <param name="time">Real time.</param>
    /// <param name="start">Where the clock of a new store stands; null for real time.</param>
    /// <exception cref="InvalidDataException">What the store says of it cannot be read.</exception>
    public static async Task<BillingClock> Load(ISettings settings, TimeProvider time, DateTimeOffset? start)
    {
        var clock = new BillingClock(settings, time);
        if (await settings.Get(Setting) is null)
            await settings.Replace(Setting, null, start is { } instant ? Standing + instant.UtcTicks.ToString(CultureInfo.InvariantCulture) : Ahead + "0");
        var stored = (await settings.Get(Setting))!;
        if (await settings.Get(Seen) is { } seen) clock._highest = Ticks(Seen, seen, "");
        if (stored.StartsWith(Standing, StringComparison.Ordinal)) clock._standsAt = Ticks(Setting, stored, Standing);
        else clock._aheadBy = Ticks(Setting, stored, Ahead);
        return clock;
    }

    /// <summary>Keeps how far a running clock went, so that it goes on from there if the machine's clock is set back over a restart.</summary>
    /// <remarks>What another silo has noted is never lowered; when it notes at the same time, the next note makes up for it.</remarks>
    public async Task NoteHighest()
    {
        if (StandsStill) return;
        var before = await _settings.Get(Seen);
        if (before is null || Ticks(Seen, before, "") < Now.UtcTicks)
            await _settings.Replace(Seen, before, Now.UtcTicks.ToString(CultureInfo.InvariantCulture));
    }

    /// <summary>Takes over where another silo has moved the clock to.</summary>
    public async Task Refresh()
    {
        if (await _settings.Get(Setting) is { } stored) Take(stored);
    }

    /// <summary>Moves the clock on to an instant. Durable when the task completes; an earlier instant changes nothing.</summary>
    public async Task MoveTo(DateTimeOffset instant)
    {
        while (instant > Now)
        {
            var before = await _settings.Get(Setting);
            if (before is not null) Take(before);
            if (instant <= Now) return;
            var moved = StandsStill
                ? Standing + instant.UtcTicks.ToString(CultureInfo.InvariantCulture)
                : Ahead + (instant - _time.GetUtcNow()).Ticks.ToString(CultureInfo.InvariantCulture);

            // Another silo may move it at the same time: then from where it stands by then.
            CrashPoints.Reach(CrashPoints.BeforeClockMove);
            if (!await _settings.Replace(Setting, before, moved)) continue;
            CrashPoints.Reach(CrashPoints.AfterClockMove);
            Take(moved);
        }
    }

    // Forward only, and a clock that stands never runs.
    private void Take(string stored)
    {
        if (stored.StartsWith(Standing, StringComparison.Ordinal))
        {
            if (StandsStill) Raise(ref _standsAt, Ticks(Setting, stored, Standing));
        }
        else if (!StandsStill)
        {
            Raise(ref _aheadBy, Ticks(Setting, stored, Ahead));
        }
    }

    private static long Ticks(string setting, string stored, string prefix) =>
        stored.StartsWith(prefix, StringComparison.Ordinal)
        && long.TryParse(stored.AsSpan(prefix.Length), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var ticks)
        && ticks > -Latest.UtcTicks && ticks <= Latest.UtcTicks && (prefix != Standing || ticks >= Earliest.UtcTicks)
            ? ticks
            : throw new InvalidDataException($"The store is damaged: its setting \"{setting}\" is \"{stored}\", which is no time that the billing clock can show. Restore it, or the store, from a backup. Nothing was billed.");

    private static void Raise(ref long value, long to)
    {
        for (var seen = Interlocked.Read(ref value); seen < to; seen = Interlocked.Read(ref value))
            if (Interlocked.CompareExchange(ref value, to, seen) == seen) return;
    }
}
