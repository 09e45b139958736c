using Billing.Accounts;
using Billing.Journal;
using Billing.Silo.Hosting;
using Billing.Silo.Storage;
using Orleans;

namespace Billing.Silo.Scheduling;

/// <summary>Wakes the accounts whose time has come.</summary>
internal sealed partial class DueWork(IDueTimes due, IGrainFactory grains, IBillingClock clock, ILogger<DueWork> log)
{
    private const int AtOnce = 256;

    /// <summary>Wakes every account that is due by the billing clock until none is left.</summary>
    /// <returns>How many were woken. An account that cannot catch up now is left out; its time stays in the store.</returns>
    public async Task<int> Run(CancellationToken cancellation)
    {
        var woken = new HashSet<string>(StringComparer.Ordinal);
        var stuck = new HashSet<string>(StringComparer.Ordinal);
        while (!cancellation.IsCancellationRequested)
        {
            var now = clock.Now;
            var accounts = (await due.DueAt(now, AtOnce + stuck.Count)).Where(a => !stuck.Contains(a)).ToList();
            if (accounts.Count == 0) return woken.Count;
            var answers = await Task.WhenAll(accounts.Select(CatchUp));
            for (var i = 0; i < accounts.Count; i++)
            {
                // One that says it is done and stays due in the store is asked once more, and then by the next run.
                var done = answers[i] is { Refusal: null } answer && (answer.NextDueAt is not { } next || next > now);
                if (!done || !woken.Add(accounts[i])) stuck.Add(accounts[i]);
            }
        }

        return woken.Count;
    }

    private async Task<CatchUpAnswer?> CatchUp(string account)
    {
        try
        {
            CrashPoints.Reach(CrashPoints.BeforeDueTurn);
            var grain = grains.GetGrain<IMerchantAccountGrain>(account);
            var answer = await grain.CatchUp();
            if (answer.Refusal is { Kind: RefusalKind.Retry }) answer = await grain.CatchUp();
            if (answer.Refusal is { Kind: not RefusalKind.Unavailable } refusal) LogRefused(account, refusal.Detail);
            return answer;
        }
        catch (Exception failed)
        {
            LogStuck(failed, account);
            return null;
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "Account {Account}: what is due was not done and is tried again: {Detail}")]
    private partial void LogRefused(string account, string detail);

    [LoggerMessage(Level = LogLevel.Error, Message = "Account {Account}: what is due could not be done. It stays due and is tried again.")]
    private partial void LogStuck(Exception exception, string account);
}
