using System.Collections.Concurrent;
using System.Text;
using Billing.Journal;

namespace Billing.Silo.Sandbox;

/// <summary>
/// Sends the webhooks that are due. One that is not taken comes again by the billing clock, so an endpoint that is down is neither
/// asked over and over nor waited for.
/// </summary>
internal sealed partial class WebhookSender(StripeSandbox sandbox, IBillingClock clock, TimeProvider time, ILogger log) : IAsyncDisposable
{
    private const int AtOnce = 8;
    private static readonly TimeSpan AnsweredWithin = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan LooksEvery = TimeSpan.FromSeconds(1);

    private readonly HttpClient _http = new(new SocketsHttpHandler { AllowAutoRedirect = false, UseProxy = false }) { Timeout = AnsweredWithin };
    private readonly SemaphoreSlim _one = new(1, 1);
    private readonly SemaphoreSlim _woken = new(0, 1);
    private readonly CancellationTokenSource _stopping = new();
    private Task _running = Task.CompletedTask;
    private int _sent;
    private bool _disposed;

    /// <summary>Begins to send by itself what is due.</summary>
    public void Start() => _running = Run();

    /// <summary>Something may be due.</summary>
    public void Wake()
    {
        lock (_woken)
        {
            if (_woken.CurrentCount == 0) _woken.Release();
        }
    }

    /// <summary>Does what is due by then. When it returns, each webhook that was due was sent once, whether it was taken or not.</summary>
    /// <returns>How many were sent, also by others while this waited for them.</returns>
    public async Task<int> CarryOutDue(DateTimeOffset now, CancellationToken cancellation)
    {
        var before = Volatile.Read(ref _sent);
        await _one.WaitAsync(cancellation);
        try
        {
            while (sandbox.NextDueAt is { } next && next <= now)
            {
                var due = sandbox.TakeDue(now);
                await sandbox.Written;
                var silent = new ConcurrentDictionary<string, bool>(StringComparer.Ordinal);
                await Parallel.ForEachAsync(due, new ParallelOptions { MaxDegreeOfParallelism = AtOnce }, async (delivery, _) =>
                {
                    // Where nothing answers, the others are not tried before their next time.
                    var status = silent.ContainsKey(delivery.Url) ? 0 : await Send(delivery);
                    if (status == 0) silent[delivery.Url] = true;
                    sandbox.Delivered(delivery.Id, status, now);
                    Interlocked.Increment(ref _sent);
                });
                await sandbox.Written;
            }

            return _sent - before;
        }
        finally
        {
            _one.Release();
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (_disposed) return;
        _disposed = true;
        await _stopping.CancelAsync();
        await _running;
        await _one.WaitAsync();
        _http.Dispose();
        _one.Dispose();
        _woken.Dispose();
        _stopping.Dispose();
    }

    private async Task Run()
    {
        await Task.Yield();
        while (!_stopping.IsCancellationRequested)
        {
            try
            {
                await CarryOutDue(clock.Now, _stopping.Token);
                using var pause = CancellationTokenSource.CreateLinkedTokenSource(_stopping.Token);
                await Task.WhenAny(_woken.WaitAsync(pause.Token), Task.Delay(LooksEvery, time, pause.Token));
                await pause.CancelAsync();
            }
            catch (OperationCanceledException) when (_stopping.IsCancellationRequested)
            {
                return;
            }
            catch (Exception failed)
            {
                LogFailed(failed);
                await Task.WhenAny(Task.Delay(LooksEvery, time, _stopping.Token));
            }
        }
    }

    private async Task<int> Send(WebhookDelivery delivery)
    {
        try
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, delivery.Url)
            {
                Content = new StringContent(delivery.Body, Encoding.UTF8, "application/json"),
            };
            request.Headers.TryAddWithoutValidation("Stripe-Signature", delivery.Signature);
            using var response = await _http.SendAsync(request, _stopping.Token);
            return (int)response.StatusCode;
        }
        catch (Exception failed) when (failed is HttpRequestException or OperationCanceledException)
        {
            LogUntaken(delivery.EventType, delivery.Url, failed.Message);
            return 0;
        }
    }

    [LoggerMessage(Level = LogLevel.Debug, Message = "The webhook {Type} to {Url} was not taken and comes again: {Reason}")]
    private partial void LogUntaken(string type, string url, string reason);

    [LoggerMessage(Level = LogLevel.Error, Message = "Webhooks of the sandbox could not be sent. They stay due and are tried again in a second.")]
    private partial void LogFailed(Exception exception);
}
