using Billing.Journal;
using Billing.Silo.Storage;

namespace Billing.Silo.Scheduling;

/// <summary>Looks every second which accounts are due, and at start for all whose time came while the platform was down.</summary>
internal sealed partial class Scheduler(DueWork work, IDueTimes due, IBillingClock clock, TimeProvider time, ILogger<Scheduler> log) : BackgroundService
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Interval, time);
        do
        {
            try
            {
                if (await due.Next() is { } next && next <= clock.Now)
                {
                    var woken = await work.Run(stoppingToken);
                    if (woken > 0) LogWoken(woken);
                }
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
        while (await timer.WaitForNextTickAsync(stoppingToken));
    }

    [LoggerMessage(Level = LogLevel.Debug, Message = "{Count} accounts did what was due.")]
    private partial void LogWoken(int count);

    [LoggerMessage(Level = LogLevel.Error, Message = "Which accounts are due could not be read. Nothing is lost: what is due stays due, and is looked for again in a second.")]
    private partial void LogFailed(Exception exception);
}
