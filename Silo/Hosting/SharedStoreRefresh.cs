using Billing.Journal;
using Billing.Silo.Catalogs;
using Billing.Silo.Scheduling;
using Billing.Silo.Security;

namespace Billing.Silo.Hosting;

/// <summary>Takes over every second what the other silos of a shared store have changed: the clock, catalogues and keys.</summary>
internal sealed partial class SharedStoreRefresh(BillingClock clock, PublishedCatalogs catalogs, ApiKeys keys, TimeProvider time, ILogger<SharedStoreRefresh> log)
    : BackgroundService
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    /// <summary>Takes over what has changed by now.</summary>
    public async Task Run()
    {
        await clock.Refresh();
        await catalogs.Refresh();
        await keys.Refresh();
    }

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Interval, time);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            try
            {
                await Run();
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

    [LoggerMessage(Level = LogLevel.Error, Message = "What other silos changed could not be read. The clock, catalogues and keys stay as they are known; they are looked for again in a second.")]
    private partial void LogFailed(Exception exception);
}
