namespace Billing.Silo.Scheduling;

/// <summary>Something besides the accounts that has to do things at times of the billing clock, such as the sandbox's webhooks.</summary>
internal interface IDueBesideAccounts
{
    /// <summary>When the next thing is due; null when nothing is.</summary>
    DateTimeOffset? NextDueAt { get; }

    /// <summary>Does all that is due by then. Afterwards nothing is due before a later time, unless new work came in meanwhile.</summary>
    /// <returns>How much was done, also by others while this waited for them; it may have made accounts due.</returns>
    Task<int> CarryOutDueAsync(DateTimeOffset now);
}
