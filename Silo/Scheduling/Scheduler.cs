using Billing.Journal;
using Billing.Silo.Ingest;
using Billing.Silo.Storage;

namespace Billing.Silo.Scheduling;

/// <summary>
/// Looks every second which accounts are due, and at start for all whose time came while the platform was down. Before that, and at start
/// before any request is served, it gives the events that wait to accounts that take them again: they came before what is due now.
/// </summary>
internal sealed partial class Scheduler(DueWork work, WaitingRoom waiting, IDueTimes due, IBillingClock clock, TimeProvider time, ILogger<Scheduler> log) : BackgroundService
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    // What waits longer than that is given while requests are served.
    private static readonly TimeSpan BeforeServing = TimeSpan.FromMinutes(1);

    /// <inheritdoc/>
    public override async Task StartAsync(CancellationToken cancellationToken)
    {
        using var enough = new CancellationTokenSource(BeforeServing, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, enough.Token);
        await GiveBack(either.Token);
        await base.StartAsync(cancellationToken);
    }

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Interval, time);
        do
        {
            await GiveBack(stoppingToken);
            try
            {
                if (await due.Next() is { } next && next <= clock.Now)
                {
                    var woken = (await work.Run(stoppingToken)).Woken;
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

    private async Task GiveBack(CancellationToken cancellation)
    {
        try
        {
            await waiting.GiveBack(cancellation);
        }
        catch (JournalUnavailableException)
        {
            // The store has said so; what waits is given back when it is there again.
        }
        catch (Exception failed)
        {
            LogNotGiven(failed);
        }
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "Which events wait for their account could not be read. Nothing is lost: they stay in the store, and are looked for again in a second.")]
    private partial void LogNotGiven(Exception exception);

    [LoggerMessage(Level = LogLevel.Debug, Message = "{Count} accounts did what was due.")]
    private partial void LogWoken(int count);

    [LoggerMessage(Level = LogLevel.Error, Message = "Which accounts are due could not be read. Nothing is lost: what is due stays due, and is looked for again in a second.")]
    private partial void LogFailed(Exception exception);
}
