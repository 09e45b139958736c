using Billing.Accounts;
using Billing.Journal;
using Billing.Silo.Charging;
using Billing.Silo.Hosting;
using Billing.Silo.Storage;
using Orleans;

namespace Billing.Silo.Scheduling;

/// <summary>Wakes the accounts whose time has come.</summary>
internal sealed partial class DueWork(IDueTimes due, IGrainFactory grains, StripeWork calls, IBillingClock clock, TimeProvider time, ILogger<DueWork> log)
{
    private const int AtOnce = 256;

    private readonly Patience _patience = new(time);

    /// <summary>Wakes every account that is due by the billing clock until none is left.</summary>
    /// <param name="cancellation">Stops between two parts; what is left stays due.</param>
    /// <param name="all">Whether also those are tried that could not go on before and whose next try is still to come.</param>
    /// <returns>What was done. An account that cannot catch up now is left out; its time stays in the store.</returns>
    public async Task<DueRun> Run(CancellationToken cancellation, bool all = false)
    {
        var woken = new HashSet<string>(StringComparer.Ordinal);
        var stuck = new HashSet<string>(StringComparer.Ordinal);
        var waits = new HashSet<string>(StringComparer.Ordinal);
        while (!cancellation.IsCancellationRequested)
        {
            var now = clock.Now;
            var limit = AtOnce + stuck.Count + _patience.Count;
            var listed = await due.DueAt(now, limit);
            var accounts = listed.Where(a => !stuck.Contains(a) && (all || !_patience.IsWaiting(a))).Take(AtOnce).ToList();
            if (accounts.Count == 0)
            {
                if (listed.Count < limit) _patience.ForgetAllBut(listed);
                break;
            }

            var done = await Task.WhenAll(accounts.Select(a => CatchUp(a, now)));
            for (var i = 0; i < accounts.Count; i++)
            {
                // One that says it is done and stays due in the store is asked once more. If what the store says is damaged, it now learns
                // what the account says; else a later run asks again.
                var (caught, next) = done[i];
                if (caught == Caught.Up && woken.Add(accounts[i])) continue;
                if (caught == Caught.Up && await due.MendDue(accounts[i], next))
                {
                    LogMended(accounts[i]);
                    continue;
                }

                if (caught == Caught.Up) _patience.Failed(accounts[i], null);
                stuck.Add(accounts[i]);
                if (caught == Caught.WaitsForRoom) waits.Add(accounts[i]);
            }
        }

        return new(woken.Count, [.. stuck.Except(waits).Order(StringComparer.Ordinal)], waits.Count);
    }

    private async Task<(Caught Caught, DateTimeOffset? Next)> CatchUp(string account, DateTimeOffset now)
    {
        var reserved = calls.TryReserve();
        try
        {
            CrashPoints.Reach(CrashPoints.BeforeDueTurn);
            var grain = grains.GetGrain<IMerchantAccountGrain>(account);
            var answer = await grain.CatchUp(now, reserved);
            if (answer.Refusal is { Kind: RefusalKind.Retry }) answer = await grain.CatchUp(now, reserved);
            if (answer.Call is { } call)
            {
                reserved = false;
                _ = calls.CarryOut(call);
            }

            if (answer.Refusal is null && (answer.NextDueAt is not { } next || next > now))
            {
                _patience.Succeeded(account);
                return (Caught.Up, answer.NextDueAt);
            }

            if (answer.Refusal is null && !reserved) return (Caught.WaitsForRoom, null);
            if (answer.Refusal is not { Kind: RefusalKind.Unavailable } && _patience.Failed(account, answer.Refusal)) LogRefused(account, answer.Refusal?.Detail ?? "It is still due.");
        }
        catch (Exception failed)
        {
            if (_patience.Failed(account, null)) LogStuck(failed, account);
        }
        finally
        {
            if (reserved) calls.Release();
        }

        return (Caught.Not, null);
    }

    /// <summary>Tries an account again at the next run, whatever it waits for.</summary>
    public void TryAgain(string account) => _patience.Succeeded(account);

    private enum Caught
    {
        Up,
        WaitsForRoom,
        Not,
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "Account {Account}: its due time in the store was missing or damaged. It was made anew from the account; nothing is lost.")]
    private partial void LogMended(string account);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Account {Account}: what is due was not done. It stays due and is tried again, ever more seldom; this is said once an hour. {Detail}")]
    private partial void LogRefused(string account, string detail);

    [LoggerMessage(Level = LogLevel.Error, Message = "Account {Account}: what is due could not be done. It stays due and is tried again, ever more seldom; this is said once an hour.")]
    private partial void LogStuck(Exception exception, string account);
}

/// <summary>What a run of the due work has done.</summary>
/// <param name="Woken">How many accounts did what was due.</param>
/// <param name="Stuck">Those that were tried and could not, by id.</param>
/// <param name="Waiting">How many stay due because no more calls to Stripe could be under way.</param>
internal sealed record DueRun(int Woken, IReadOnlyList<string> Stuck, int Waiting);
