using Billing.Accounts;
using Billing.Charging;
using Billing.Silo.Hosting;
using Orleans;

namespace Billing.Silo.Charging;

/// <summary>
/// Carries out the calls to Stripe that accounts hand out, beside the accounts, and gives back what came of them, until an account hands
/// out no more. An answer that cannot be given back is not lost: the account looks up what was done.
/// </summary>
/// <param name="carryOut">Carries out a call.</param>
/// <param name="grains">The accounts.</param>
/// <param name="time">Real time.</param>
/// <param name="log">Takes what on-call may have to see.</param>
internal sealed partial class StripeWork(ICarryOut carryOut, IGrainFactory grains, TimeProvider time, ILogger<StripeWork> log)
{
    /// <summary>The most accounts with a call under way: so many wait for Stripe's rate without an answer being overdue.</summary>
    public const int AtOnceMax = 256;

    // Far below the time after which an account takes its call for lost.
    private static readonly TimeSpan SendWithin = TimeSpan.FromMinutes(1);

    private const int GiveBackTries = 3;

    private readonly Lock _gate = new();
    private TaskCompletionSource? _idle;
    private int _underWay;
    private bool _isStopping;

    /// <summary>How many calls were ever begun.</summary>
    public long Begun { get; private set; }

    /// <summary>Whether no call is sent any more, because the silo stops.</summary>
    public bool IsStopping
    {
        get
        {
            lock (_gate) return _isStopping;
        }
    }

    /// <summary>
    /// Sends no more calls, for the silo stops, and completes when those under way are answered and their accounts have the answers. What an
    /// account hands out from then on is given back to it as not sent, so that no charge has to be looked up for a stop.
    /// </summary>
    public Task Stop()
    {
        lock (_gate) _isStopping = true;
        return WhenIdle();
    }

    /// <summary>Takes a place for an account that may hand out a call; false when all are taken, or the silo stops.</summary>
    public bool TryReserve()
    {
        lock (_gate)
        {
            if (_isStopping || _underWay >= AtOnceMax) return false;
            _underWay++;
            return true;
        }
    }

    /// <summary>Gives a place back that no call was handed out for.</summary>
    public void Release()
    {
        TaskCompletionSource? idle = null;
        lock (_gate)
        {
            if (--_underWay == 0) (idle, _idle) = (_idle, null);
        }

        idle?.SetResult();
    }

    /// <summary>Has an account take a turn in which it may hand out a call, and carries that out with those that follow it.</summary>
    /// <returns>What the account answered to the turn; null when no place was free, and the account was not asked.</returns>
    public async Task<CatchUpAnswer?> Follow(Func<Task<CatchUpAnswer>> turn)
    {
        if (!TryReserve()) return null;
        var reserved = true;
        try
        {
            var answer = await turn();
            if (answer.Call is { } call)
            {
                reserved = false;
                await CarryOut(call);
            }

            return answer;
        }
        finally
        {
            if (reserved) Release();
        }
    }

    /// <summary>Carries out a call and those that follow it, in the place that was reserved, and then gives the place back.</summary>
    public async Task CarryOut(StripeCall first)
    {
        try
        {
            for (var call = first; call is not null;)
            {
                lock (_gate) Begun++;
                var handedOut = time.GetTimestamp();
                CrashPoints.Reach(CrashPoints.BeforeStripeCall);
                var answer = IsStopping ? NotSent(call, "It was not sent: the platform stops.")
                    : time.GetElapsedTime(handedOut) > SendWithin ? NotSent(call, "It was not sent in time.")
                    : await carryOut.CarryOut(call, CancellationToken.None);
                CrashPoints.Reach(CrashPoints.AfterStripeCall);
                call = (await GiveBack(call, answer))?.Call;
            }
        }
        catch (Exception failed)
        {
            LogLost(failed, first.Account);
        }
        finally
        {
            Release();
        }
    }

    /// <summary>Completes when no call is under way.</summary>
    public Task WhenIdle()
    {
        lock (_gate)
        {
            return _underWay == 0 ? Task.CompletedTask : (_idle ??= new(TaskCreationOptions.RunContinuationsAsynchronously)).Task;
        }
    }

    private static StripeAnswer NotSent(StripeCall call, string why) => new(call.N, StripeOutcome.NotDone, null, why, null, null, [], null);

    private async Task<CatchUpAnswer?> GiveBack(StripeCall call, StripeAnswer answer)
    {
        var account = grains.GetGrain<IMerchantAccountGrain>(call.Account);
        for (var tries = 1; ; tries++)
        {
            var taken = await account.TakeStripeAnswer(answer);
            if (taken.Refusal is not { } refusal) return taken;
            if (refusal.Kind == RefusalKind.Retry && tries < GiveBackTries) continue;
            LogNotTaken(call.Account, call.Kind, refusal.Detail);
            return null;
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "Account {Account}: the answer to its call {Kind} could not be given back. Nothing is lost: the account looks up what was done. {Detail}")]
    private partial void LogNotTaken(string account, StripeCallKind kind, string detail);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Account {Account}: a call to Stripe, or giving its answer back, failed. Nothing is lost: the account looks up what was done.")]
    private partial void LogLost(Exception exception, string account);
}
