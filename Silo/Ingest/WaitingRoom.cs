using System.Collections.Concurrent;
using Billing.Accounts;
using Billing.Journal;
using Billing.Silo.Scheduling;
using Billing.Silo.Storage;
using Billing.Usage;
using Orleans;

namespace Billing.Silo.Ingest;

/// <summary>
/// Where events wait whose account is held or fails, so that they delay their own account and no other. They are given to it in the order
/// in which they came, and let go when it has stored them; given twice, they are duplicates.
/// </summary>
internal sealed partial class WaitingRoom(IWaitingEvents waiting, IGrainFactory grains, TimeProvider time, ILogger<WaitingRoom> log)
{
    private readonly Patience _patience = new(time);
    private readonly ConcurrentDictionary<string, bool> _said = new(StringComparer.Ordinal);

    /// <summary>Whether events that an account refuses this way are to wait for it.</summary>
    public static bool IsFor(Refusal? refusal) => refusal is { Kind: RefusalKind.Held or RefusalKind.Failed };

    /// <summary>Keeps events for an account that takes none.</summary>
    /// <param name="account">The account.</param>
    /// <param name="batch">The events; <see cref="UsageBatch.ReceivedAt"/> is set.</param>
    /// <param name="refusal">Why the account takes none.</param>
    /// <returns>What the receipt of each says; durable.</returns>
    public async Task<UsageReceipt> Keep(string account, UsageBatch batch, Refusal refusal)
    {
        var reason = refusal.Kind == RefusalKind.Held ? "account_held" : "account_failed";
        await waiting.Add(new(account, batch.ReceivedAt!.Value, reason, batch));
        if (_said.TryAdd(account, true)) LogKept(account, refusal.Detail);
        return new(UsageOutcome.Quarantined, reason, [], null);
    }

    /// <summary>Gives the events that wait to those accounts that take them again.</summary>
    public async Task GiveBack(CancellationToken cancellation)
    {
        var accounts = await waiting.Accounts();
        _patience.ForgetAllBut(accounts);
        foreach (var account in accounts)
        {
            if (cancellation.IsCancellationRequested) return;
            if (!_patience.IsWaiting(account)) await GiveBack(account, cancellation);
        }
    }

    /// <summary>Gives the events that wait for an account to it now, whatever it waits for.</summary>
    public Task GiveBackNow(string account, CancellationToken cancellation)
    {
        _patience.Succeeded(account);
        return GiveBack(account, cancellation);
    }

    private async Task GiveBack(string account, CancellationToken cancellation)
    {
        try
        {
            var given = new long[(int)UsageOutcome.Rejected + 1];
            Refusal? last = null;
            for (var number = 0L; !cancellation.IsCancellationRequested && await waiting.Next(account, number) is { } stored; number = stored.Number)
            {
                if (stored.Events is not { Batch: var batch })
                {
                    last = new(RefusalKind.Failed, $"Events that wait for the account {account} are damaged in the store (waiting_events, number {stored.Number}). They stay there.");
                    continue;
                }

                var result = await Record(account, batch);
                if (result.Refusal is { } refusal)
                {
                    last = refusal;

                    // What fails may fail for these events alone; the others are not to wait for them.
                    if (refusal.Kind == RefusalKind.Failed) continue;
                    break;
                }

                await waiting.Remove(account, stored.Number);
                foreach (var outcome in result.Outcomes.Span) given[outcome]++;
            }

            Say(account, given);
            if (last is null)
            {
                _patience.Succeeded(account);
                _said.TryRemove(account, out _);
            }
            else if (last.Kind != RefusalKind.Unavailable && _patience.Failed(account, last))
            {
                LogStillWaiting(account, last.Detail);
            }
        }
        catch (JournalUnavailableException)
        {
            // The store has said so; the account is looked for again in a second.
        }
        catch (Exception failed)
        {
            if (_patience.Failed(account, null)) LogNotGiven(failed, account);
        }
    }

    private void Say(string account, long[] given)
    {
        var (counted, known, conflicts) = (given[(int)UsageOutcome.Accepted], given[(int)UsageOutcome.Duplicate], given[(int)UsageOutcome.Conflict]);
        var dead = given[(int)UsageOutcome.Quarantined] + given[(int)UsageOutcome.Rejected];
        if (given.Sum() == 0) return;

        // What was counted before is no loss; what is not counted at all is for somebody to look at.
        LogGiven(dead + conflicts > 0 ? LogLevel.Warning : LogLevel.Information, account, given.Sum(), counted, dead, known, conflicts);
    }

    private async Task<UsageResult> Record(string account, UsageBatch batch)
    {
        var grain = grains.GetGrain<IMerchantAccountGrain>(account);
        var result = await grain.RecordUsage(batch);
        return result.Refusal is { Kind: RefusalKind.Retry } ? await grain.RecordUsage(batch) : result;
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "Account {Account} takes no events. From now on they wait for it in the store, and nothing of them is lost. {Detail}")]
    private partial void LogKept(string account, string detail);

    [LoggerMessage(Message = "Account {Account} takes events again: {Events} that waited were given to it: {Counted} counted, {Dead} became dead letters, {Known} were duplicates, {Conflicts} conflicts.")]
    private partial void LogGiven(LogLevel level, string account, long events, long counted, long dead, long known, long conflicts);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Account {Account} has events that wait for it; this is said once an hour. {Detail}")]
    private partial void LogStillWaiting(string account, string detail);

    [LoggerMessage(Level = LogLevel.Error, Message = "Account {Account}: the events that wait for it could not be given to it now. They stay in the store and are tried again.")]
    private partial void LogNotGiven(Exception exception, string account);
}
