using System.Globalization;
using Billing.Journal;
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
    public static async Task<BillingClock> Load(ISettings settings, TimeProvider time, DateTimeOffset? start)
    {
        var clock = new BillingClock(settings, time);
        var stored = await settings.Get(Setting);
        if (stored is null)
        {
            stored = start is { } instant ? Standing + instant.UtcTicks.ToString(CultureInfo.InvariantCulture) : Ahead + "0";
            await settings.Set(Setting, stored);
        }

        if (await settings.Get(Seen) is { } seen) clock._highest = long.Parse(seen, CultureInfo.InvariantCulture);
        if (stored.StartsWith(Standing, StringComparison.Ordinal)) clock._standsAt = long.Parse(stored.AsSpan(Standing.Length), CultureInfo.InvariantCulture);
        else clock._aheadBy = long.Parse(stored.AsSpan(Ahead.Length), CultureInfo.InvariantCulture);
        return clock;
    }

    /// <summary>Keeps how far a running clock went, so that it goes on from there if the machine's clock is set back over a restart.</summary>
    public Task NoteHighest() => StandsStill ? Task.CompletedTask : _settings.Set(Seen, Now.UtcTicks.ToString(CultureInfo.InvariantCulture));

    /// <summary>Moves the clock on to an instant. Durable when the task completes; an earlier instant changes nothing.</summary>
    public async Task MoveTo(DateTimeOffset instant)
    {
        if (instant <= Now) return;
        if (StandsStill)
        {
            await _settings.Set(Setting, Standing + instant.UtcTicks.ToString(CultureInfo.InvariantCulture));
            Interlocked.Exchange(ref _standsAt, instant.UtcTicks);
            return;
        }

        var ahead = (instant - _time.GetUtcNow()).Ticks;
        await _settings.Set(Setting, Ahead + ahead.ToString(CultureInfo.InvariantCulture));
        Interlocked.Exchange(ref _aheadBy, ahead);
    }
}
