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

    private static readonly TimeSpan BetweenLooks = TimeSpan.FromSeconds(1);

    private readonly ISettings _settings;
    private readonly TimeProvider _time;
    private long _standsAt;
    private long _aheadBy;
    private long _highest;
    private readonly Lock _lookGate = new();
    private Task _look = Task.CompletedTask;
    private long? _lookedInVainAt;

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
        if (await settings.Get(Setting) is null) await settings.Replace(Setting, null, start is { } instant ? Text(Setting, Standing, instant.UtcTicks) : Text(Setting, Ahead, 0));
        var stored = (await settings.Get(Setting))!;
        if (await settings.Get(Seen) is { } seen)
        {
            clock._highest = Ticks(Seen, seen, "");
            if (!CheckedText.IsSealed(seen)) await settings.Replace(Seen, seen, CheckedText.Seal(Seen, seen));
        }

        if (stored.StartsWith(Standing, StringComparison.Ordinal)) clock._standsAt = Ticks(Setting, stored, Standing);
        else clock._aheadBy = Ticks(Setting, stored, Ahead);
        if (!CheckedText.IsSealed(stored)) await settings.Replace(Setting, stored, CheckedText.Seal(Setting, stored));
        return clock;
    }

    /// <summary>Keeps how far a running clock went, so that it goes on from there if the machine's clock is set back over a restart.</summary>
    /// <remarks>What another silo has noted is never lowered, unless it is damaged; when it notes at the same time, the next note makes up for it.</remarks>
    public async Task NoteHighest()
    {
        if (StandsStill) return;
        var before = await _settings.Get(Seen);
        if (before is null || TryTicks(Seen, before, "") is not { } ticks || ticks < Now.UtcTicks)
            await _settings.Replace(Seen, before, Text(Seen, "", Now.UtcTicks));
    }

    /// <summary>Takes over where another silo has moved the clock to.</summary>
    public async Task Refresh()
    {
        if (await _settings.Get(Setting) is { } stored) Take(stored);
    }

    /// <summary>
    /// Takes over where another silo has moved the clock to, for an event ahead of it. When a look into the store brought nothing, there is
    /// none for a second: whoever sends events ahead of the clock does not drive the store.
    /// </summary>
    public Task RefreshForEvent()
    {
        lock (_lookGate)
        {
            if (!_look.IsCompleted || (_lookedInVainAt is { } at && _time.GetElapsedTime(at) < BetweenLooks)) return _look.IsFaulted ? Task.CompletedTask : _look;
            _lookedInVainAt = _time.GetTimestamp();
            return _look = Look();
        }

        async Task Look()
        {
            var before = (Interlocked.Read(ref _standsAt), Interlocked.Read(ref _aheadBy));
            await Refresh();
            if (before == (Interlocked.Read(ref _standsAt), Interlocked.Read(ref _aheadBy))) return;
            lock (_lookGate) _lookedInVainAt = null;
        }
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
                ? Text(Setting, Standing, instant.UtcTicks)
                : Text(Setting, Ahead, (instant - _time.GetUtcNow()).Ticks);

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

    private static string Text(string setting, string prefix, long ticks) => CheckedText.Seal(setting, prefix + ticks.ToString(CultureInfo.InvariantCulture));

    private static long Ticks(string setting, string stored, string prefix) => TryTicks(setting, stored, prefix) ?? throw new InvalidDataException(
        $"The store is damaged: its setting \"{setting}\" is \"{stored}\", which is no time that the billing clock can show, or does not match its check sum. Restore it, or the store, from a backup. Nothing was billed.");

    private static long? TryTicks(string setting, string stored, string prefix) =>
        CheckedText.Open(setting, stored) is { } text && text.StartsWith(prefix, StringComparison.Ordinal)
        && long.TryParse(text.AsSpan(prefix.Length), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var ticks)
        && ticks > -Latest.UtcTicks && ticks <= Latest.UtcTicks && (prefix != Standing || ticks >= Earliest.UtcTicks)
            ? ticks
            : null;

    private static void Raise(ref long value, long to)
    {
        for (var seen = Interlocked.Read(ref value); seen < to; seen = Interlocked.Read(ref value))
            if (Interlocked.CompareExchange(ref value, to, seen) == seen) return;
    }
}
