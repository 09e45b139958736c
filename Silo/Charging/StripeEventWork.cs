using System.Collections.Concurrent;
using Billing.Accounts;
using Billing.Charging;
using Billing.Journal;
using Billing.Silo.Scheduling;
using Billing.Silo.Storage;
using Billing.Silo.Stripe;
using Orleans;

namespace Billing.Silo.Charging;

/// <summary>
/// Takes the events that Stripe has told to the accounts they concern, in any order. What an event says is not believed: the account is
/// told which invoice it is about, and reads that, or what went back of it, at Stripe. An event is processed when its account has done so; done twice, by two silos
/// or after a crash, it is only read twice.
/// </summary>
internal sealed partial class StripeEventWork(
    IStripeEvents events, StripeConnection stripe, IGrainFactory grains, StripeWork calls, TimeProvider time, ILogger<StripeEventWork> log)
    : BackgroundService, IDueBesideAccounts
{
    private const int AtOnce = 256;
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LooksForAPlaceEvery = TimeSpan.FromMilliseconds(50);

    private readonly Patience _patience = new(time);
    private readonly SemaphoreSlim _woken = new(0, 1);
    private readonly SemaphoreSlim _one = new(1, 1);
    private readonly ConcurrentDictionary<string, Task<bool>> _underWay = new(StringComparer.Ordinal);
    private long _done;

    /// <summary>Null: an event is due as soon as it is there.</summary>
    public DateTimeOffset? NextDueAt => null;

    /// <summary>An event has come.</summary>
    public void Wake()
    {
        lock (_woken)
        {
            if (_woken.CurrentCount == 0) _woken.Release();
        }
    }

    /// <summary>Processes all events that are pending. Those that cannot be processed now are tried once.</summary>
    public async Task<int> CarryOutDueAsync(DateTimeOffset now)
    {
        var before = Interlocked.Read(ref _done);
        var failed = new HashSet<string>(StringComparer.Ordinal);
        while (await Begin(failed.Contains) is { Count: > 0 } begun)
        {
            foreach (var (invoice, processing) in begun)
                if (!await processing) failed.Add(invoice);
        }

        return (int)(Interlocked.Read(ref _done) - before);
    }

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await Task.Yield();
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                await Begin(_patience.IsWaiting);
            }
            catch (JournalUnavailableException)
            {
                // The store has said so; what is pending is processed when it is back.
            }
            catch (Exception failed)
            {
                LogFailed(failed);
            }

            using var pause = CancellationTokenSource.CreateLinkedTokenSource(stoppingToken);
            await Task.WhenAny(_woken.WaitAsync(pause.Token), Task.Delay(Interval, time, pause.Token));
            await pause.CancelAsync();
        }
    }

    // Begins what is pending: all events of an invoice together, and none while others of that invoice are under way, because what comes
    // in after the account has begun to read may tell of something newer than it reads.
    private async Task<Dictionary<string, Task<bool>>> Begin(Func<string, bool> waits)
    {
        var begun = new Dictionary<string, Task<bool>>(StringComparer.Ordinal);
        await _one.WaitAsync();
        try
        {
            var after = "";
            for (var listed = AtOnce; listed == AtOnce && _underWay.Count < AtOnce;)
            {
                var pending = await events.Pending(after, AtOnce);
                listed = pending.Count;
                if (listed > 0) after = pending[^1].Id;
                await PassOver([.. pending.Where(e => e.Concerns is null)]);
                foreach (var told in pending.Where(e => e.Concerns is not null).GroupBy(e => e.Concerns!, StringComparer.Ordinal))
                {
                    if (waits(told.Key) || begun.ContainsKey(told.Key)) continue;
                    if (!_underWay.TryGetValue(told.Key, out var processing))
                    {
                        var ended = new TaskCompletionSource<bool>(TaskCreationOptions.RunContinuationsAsynchronously);
                        processing = _underWay[told.Key] = ended.Task;
                        _ = Process(told.Key, [.. told], ended);
                    }

                    begun.Add(told.Key, processing);
                }
            }
        }
        finally
        {
            _one.Release();
        }

        return begun;
    }

    private async Task PassOver(List<StripeEvent> told)
    {
        if (told.Count == 0) return;
        foreach (var one in told) LogOfNoInvoice(one.Id, one.Type);
        await events.Processed([.. told.Select(e => e.Id)]);
        Interlocked.Add(ref _done, told.Count);
    }

    private async Task Process(string invoice, List<StripeEvent> told, TaskCompletionSource<bool> ended)
    {
        var isDone = false;
        try
        {
            if (await (told[0].Invoice is null ? TellReversal(told[0]) : Tell(invoice, told)) is { } refusal)
            {
                if (_patience.Failed(invoice, refusal)) LogRefused(invoice, refusal.Detail);
            }
            else
            {
                await events.Processed([.. told.Select(e => e.Id)]);
                Interlocked.Add(ref _done, told.Count);
                _patience.Succeeded(invoice);
                isDone = true;
            }
        }
        catch (JournalUnavailableException)
        {
            // The store has said so; what is pending is processed when it is back.
            _patience.Failed(invoice, null);
        }
        catch (Exception failed)
        {
            if (_patience.Failed(invoice, null)) LogStuck(failed, invoice);
        }
        finally
        {
            _underWay.TryRemove(invoice, out _);
            ended.SetResult(isDone);
            if (isDone) Wake();
        }
    }

    // Why it is to be tried again; null when it is done.
    private async Task<Refusal?> Tell(string invoice, List<StripeEvent> told)
    {
        var (account, intent) = told.Where(e => e.Account is not null).Select(e => (e.Account, e.Intent)).FirstOrDefault();
        if (account is null)
        {
            var read = await stripe.Client.Get(StripePaths.Invoice(invoice), null, CancellationToken.None);
            if (read.Outcome == StripeOutcome.NotDone) return new(RefusalKind.Retry, $"Stripe did not show the invoice: HTTP {read.Status}.");
            if (read.IsDone) (account, intent) = (read.Body.Metadata("account"), read.Body.Metadata("intent"));
        }

        if (string.IsNullOrEmpty(account))
        {
            LogNotOurs(invoice);
            return null;
        }

        var grain = grains.GetGrain<IMerchantAccountGrain>(account);
        return await Notice(() => grain.NoticeStripeInvoice(invoice, intent));
    }

    // A refund or a dispute, or the charge that was refunded: the invoice it belongs to is read first. Why it is to be tried again; null when it is done.
    private async Task<Refusal?> TellReversal(StripeEvent told)
    {
        var about = told.ObjectId!;
        if (!StripePath.IsId(about)) return null;
        var from = told.Type.StartsWith("charge.dispute.", StringComparison.Ordinal) ? StripePaths.Dispute(about)
            : told.Type == "charge.refunded" ? StripePaths.Charge(about)
            : StripePaths.Refund(about);
        var invoice = await new ReversalReaders(stripe.Client).InvoiceOf(from, CancellationToken.None);
        if (invoice.Outcome == StripeOutcome.NotDone) return new(RefusalKind.Retry, $"Stripe did not show what went back, or the invoice it belongs to: HTTP {invoice.Status}.");
        if (!invoice.IsDone || invoice.Body.Metadata("account") is not { Length: > 0 } account)
        {
            LogNotOurs(about);
            return null;
        }

        var grain = grains.GetGrain<IMerchantAccountGrain>(account);
        var (id, intent) = (invoice.Body.Id(), invoice.Body.Metadata("intent"));
        return await Notice(() => grain.NoticeStripeReversal(id, intent));
    }

    private async Task<Refusal?> Notice(Func<Task<CatchUpAnswer>> notice)
    {
        while (true)
        {
            if (await calls.Follow(Once) is { } answer) return answer.Refusal;
            if (calls.IsStopping) return new(RefusalKind.Retry, "The platform stops.");
            await Task.Delay(LooksForAPlaceEvery, time);
        }

        async Task<CatchUpAnswer> Once()
        {
            var answer = await notice();
            return answer.Refusal is { Kind: RefusalKind.Retry } ? await notice() : answer;
        }
    }

    [LoggerMessage(Level = LogLevel.Debug, Message = "The event {Event} ({Type}) concerns no invoice and nothing that went back: nothing is to be done.")]
    private partial void LogOfNoInvoice(string @event, string type);

    [LoggerMessage(Level = LogLevel.Debug, Message = "The invoice of {Invoice} at Stripe names no account: it is not ours, and its events are done.")]
    private partial void LogNotOurs(string invoice);

    [LoggerMessage(Level = LogLevel.Warning, Message = "What Stripe told of its {Invoice} was not processed. It stays pending and is tried again, ever more seldom; this is said once an hour. {Detail}")]
    private partial void LogRefused(string invoice, string detail);

    [LoggerMessage(Level = LogLevel.Error, Message = "What Stripe told of its {Invoice} could not be processed. It stays pending and is tried again, ever more seldom; this is said once an hour.")]
    private partial void LogStuck(Exception exception, string invoice);

    [LoggerMessage(Level = LogLevel.Error, Message = "Which events of Stripe are pending could not be read. Nothing is lost: they stay in the store, and are looked for again in a second.")]
    private partial void LogFailed(Exception exception);
}
