namespace Billing.Journal;

/// <summary>Takes note of which accounts are held, for those who show it and try to end it.</summary>
public interface IHolds
{
    /// <summary>An account was read and cannot be trusted.</summary>
    /// <param name="account">The account.</param>
    /// <param name="why">A sentence that names the place.</param>
    void Begin(string account, string why);

    /// <summary>An account was read and is well.</summary>
    void End(string account);
}
