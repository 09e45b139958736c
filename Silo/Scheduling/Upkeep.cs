using System.Globalization;
using Billing.Journal;
using Billing.Plans;
using Billing.Silo.Checking;
using Billing.Silo.Storage;

namespace Billing.Silo.Scheduling;

/// <summary>
/// What the store needs from time to time: a note of how far the running clock went, dropping what was kept long enough once a
/// billing day, and the check of everything.
/// </summary>
internal sealed partial class Upkeep(
    IRetention retention, IStripeEvents events, StoreCheck check, BillingClock clock, ICatalogStore catalogs, BodyRetention bodies, TimeProvider time, ILogger<Upkeep> log)
    : BackgroundService
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(10);

    private int _droppedOn = -1;

    /// <summary>Does what is due now.</summary>
    public async Task Run(CancellationToken cancellation)
    {
        await clock.NoteHighest();
        var today = (int)((clock.Now - DateTimeOffset.UnixEpoch).Ticks / TimeSpan.TicksPerDay);
        if (today != _droppedOn)
        {
            // One day late: a silo whose clock is behind, or stepped back by less than a day, still finds what it looks for.
            var dropped = await retention.Drop(today - 1, clock.Now - bodies.AtLeast(await LongestWindow()), cancellation);
            if (dropped != default) LogDropped(dropped.Segments, dropped.Bodies);
            await events.Drop(clock.Now - StripeEvent.KeptFor, cancellation);
            _droppedOn = today;
        }

        await check.RunWhenDue(cancellation);
    }

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Interval, time);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            try
            {
                await Run(stoppingToken);
            }
            catch (JournalUnavailableException) when (!stoppingToken.IsCancellationRequested)
            {
                // The store has said so; what is to be done is done when it is back.
            }
            catch (Exception failed) when (!stoppingToken.IsCancellationRequested)
            {
                LogFailed(failed);
            }
        }
    }

    private async Task<TimeSpan> LongestWindow() =>
        (await catalogs.All()).Select(c => CatalogReader.Read(c.Json).Catalog?.DedupWindow ?? TimeSpan.Zero).Append(TimeSpan.Zero).Max();

    [LoggerMessage(Level = LogLevel.Information, Message = "Kept long enough and dropped: {Segments} segments of forgotten ids, {Bodies} parts of event bodies.")]
    private partial void LogDropped(long segments, long bodies);

    [LoggerMessage(Level = LogLevel.Error, Message = "The store's upkeep failed. Nothing is lost; it is tried again in ten seconds.")]
    private partial void LogFailed(Exception exception);
}

/// <summary>How long the full bodies of events are kept.</summary>
/// <param name="Wanted">As the settings say.</param>
internal sealed record BodyRetention(TimeSpan Wanted)
{
    private const int DaysDefault = 400;
    private const int DaysMax = 36_500;

    /// <summary>The time wanted, but never less than the dedup window and the day around it: a duplicate is compared within it.</summary>
    public TimeSpan AtLeast(TimeSpan dedupWindow) => Wanted > dedupWindow + TimeSpan.FromDays(2) ? Wanted : dedupWindow + TimeSpan.FromDays(2);

    /// <summary>Reads <c>BILLING_BODY_RETENTION_DAYS</c>: whole days, 400 when nothing is said.</summary>
    public static BodyRetention Read(string? days)
    {
        if (string.IsNullOrEmpty(days)) return new(TimeSpan.FromDays(DaysDefault));
        return int.TryParse(days, NumberStyles.None, CultureInfo.InvariantCulture, out var count) && count is >= 1 and <= DaysMax
            ? new(TimeSpan.FromDays(count))
            : throw new InvalidOperationException($"BILLING_BODY_RETENTION_DAYS is \"{days}\"; it needs whole days from 1 to {DaysMax}, such as 400.");
    }
}
