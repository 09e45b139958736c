namespace Billing.Silo.Scheduling;

/// <summary>
/// Accounts that cannot go on now: each is tried again after a wait that doubles, and spoken of once an hour. In memory: after a restart,
/// which is what ends a hold, all are tried at once.
/// </summary>
internal sealed class Patience(TimeProvider time)
{
    private static readonly TimeSpan First = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LongestPassing = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan LongestLasting = TimeSpan.FromHours(1);
    private static readonly TimeSpan SaidEvery = TimeSpan.FromHours(1);

    private readonly Lock _gate = new();
    private readonly Dictionary<string, Trouble> _troubles = new(StringComparer.Ordinal);

    /// <summary>How many accounts could not go on when they were last tried.</summary>
    public int Count
    {
        get
        {
            lock (_gate) return _troubles.Count;
        }
    }

    /// <summary>Whether the next try of an account is still to come.</summary>
    public bool IsWaiting(string account)
    {
        lock (_gate) return _troubles.TryGetValue(account, out var trouble) && time.GetElapsedTime(trouble.TriedAt) < trouble.Wait;
    }

    /// <summary>Notes that an account could not go on.</summary>
    /// <param name="account">The account.</param>
    /// <param name="why">Its refusal; null for any other failure.</param>
    /// <returns>Whether it is to be said: the first time, and then once an hour.</returns>
    public bool Failed(string account, Refusal? why)
    {
        lock (_gate)
        {
            var now = time.GetTimestamp();
            var known = _troubles.TryGetValue(account, out var before);
            var longest = why is { Kind: RefusalKind.Held or RefusalKind.Failed } ? LongestLasting : LongestPassing;
            var wait = !known ? First : before.Wait * 2 < longest ? before.Wait * 2 : longest;
            var said = !known || time.GetElapsedTime(before.SaidAt, now) >= SaidEvery;
            _troubles[account] = new(wait, now, said ? now : before.SaidAt);
            return said;
        }
    }

    /// <summary>Notes that an account went on.</summary>
    public void Succeeded(string account)
    {
        lock (_gate) _troubles.Remove(account);
    }

    /// <summary>Forgets all accounts but those that have something to do.</summary>
    public void ForgetAllBut(IReadOnlyCollection<string> accounts)
    {
        lock (_gate)
        {
            if (_troubles.Count == 0) return;
            foreach (var account in _troubles.Keys.Except(accounts, StringComparer.Ordinal).ToList()) _troubles.Remove(account);
        }
    }

    private readonly record struct Trouble(TimeSpan Wait, long TriedAt, long SaidAt);
}
