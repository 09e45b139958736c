namespace Billing.Silo.Charging;

/// <summary>
/// When the silo stops, before anything else of it does: the calls to Stripe under way are answered, and no other is sent. Else each stop
/// would leave charges of which nobody knows whether they were done, until they are looked up.
/// </summary>
internal sealed partial class StripeDrain(StripeWork calls, TimeProvider time, ILogger<StripeDrain> log) : IHostedLifecycleService
{
    // Below what a host gives a process to stop.
    private static readonly TimeSpan AnsweredWithin = TimeSpan.FromSeconds(8);

    /// <inheritdoc/>
    public async Task StoppingAsync(CancellationToken cancellationToken)
    {
        try
        {
            await calls.Stop().WaitAsync(AnsweredWithin, time, cancellationToken);
        }
        catch (Exception ended) when (ended is TimeoutException or OperationCanceledException)
        {
            LogUnanswered();
        }
    }

    /// <inheritdoc/>
    public Task StartingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <inheritdoc/>
    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <inheritdoc/>
    public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <inheritdoc/>
    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <inheritdoc/>
    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    [LoggerMessage(Level = LogLevel.Warning, Message = "The platform stops before Stripe has answered every call. Nothing is lost: their accounts look up what was done after the next start.")]
    private partial void LogUnanswered();
}
