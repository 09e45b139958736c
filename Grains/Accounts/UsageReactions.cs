using Billing.Alerts;
using Billing.Plans;

namespace Billing.Accounts;

/// <summary>What follows from usage at once: a higher plan, alerts. Pure.</summary>
internal static class UsageReactions
{
    /// <summary>So many pending events are not looked through at each instant at which one of them stands.</summary>
    private const int PendingMany = 1_000;

    private static readonly TimeSpan BetweenLooks = TimeSpan.FromMinutes(1);

    /// <summary>Reacts to the usage as of an instant.</summary>
    /// <param name="account">The account; its usage has come to where something may follow from it.</param>
    /// <param name="at">The billing clock; what is pending then does not count.</param>
    /// <param name="facts">Takes the facts.</param>
    public static void Decide(AccountState account, DateTimeOffset at, FactWriter facts)
    {
        UpgradeDecider.Decide(account, at, facts);
        AlertDecider.Decide(account, at, facts);
        var next = NextLook(account, at);

        // One look too many is harmless, a fact for each that is put off is not.
        if (next is null ? !(account.LooksAgainAt <= at) : account.LooksAgainAt > at && account.LooksAgainAt <= next) account.LookedAtUsage();
        else AccountDecider.Emit(account, facts, new AccountFact.UsageLookedAt(at, next));
    }

    // What is pending can stand without an event. If nothing follows when all of it does, the next event is soon enough.
    private static DateTimeOffset? NextLook(AccountState account, DateTimeOffset at)
    {
        DateTimeOffset? next = null;
        if (!account.Meters.Any(m => m.IsWatchedUsageReached)) return null;
        foreach (var meter in account.Meters)
        {
            if (meter.WatchedFrom is null || meter.NextCertain(at) is not { } certain) continue;
            if (meter.HeldEvents > PendingMany && certain < at + BetweenLooks) certain = at + BetweenLooks;
            if (!(next <= certain)) next = certain;
        }

        if (!(next < account.RunningPeriod?.End)) return null;
        return UpgradeDecider.WouldMove(account, DateTimeOffset.MaxValue) || AlertDecider.WouldTell(account, DateTimeOffset.MaxValue) ? next : null;
    }
}
