using Orleans;

namespace Billing;

/// <summary>Why an account did not do what was asked. A value, never an exception: it crosses grain calls.</summary>
/// <param name="Kind">What sort of refusal, and so whether sending again can help.</param>
/// <param name="Detail">One sentence for a person: what was wrong, what was and was not stored, what to do.</param>
/// <param name="Field">The offending field of the command, in the names of the HTTP contract, if there is one.</param>
[GenerateSerializer, Immutable, Alias("billing.refusal")]
public sealed record Refusal(
    [property: Id(0)] RefusalKind Kind,
    [property: Id(1)] string Detail,
    [property: Id(2)] string? Field = null);

/// <summary>What sort of refusal. The numbers are part of the wire: add at the end, reuse none.</summary>
public enum RefusalKind
{
    /// <summary>The command can never be carried out as it is. Sending it again does not help.</summary>
    Invalid = 1,

    /// <summary>What the command speaks of does not exist.</summary>
    NotFound = 2,

    /// <summary>The command contradicts what is already so.</summary>
    Conflict = 3,

    /// <summary>The platform cannot do this yet.</summary>
    NotBuilt = 4,

    /// <summary>Nothing can be said to be stored: the journal did not answer for it. Send the same again.</summary>
    Retry = 5,

    /// <summary>The platform failed on this account. Nothing of the call was stored for it, and the same call may fail again.</summary>
    Failed = 6,

    /// <summary>The account is held: what is stored of it is damaged. Nothing of the call was stored, and a retry does not help until it is repaired.</summary>
    Held = 7,

    /// <summary>The store cannot be reached, so the account cannot be read. Nothing of the call was stored for it; send the same again later.</summary>
    Unavailable = 8,

    /// <summary>What was asked for is stored but damaged; nothing that counts is touched. A retry does not help until it is repaired.</summary>
    Damaged = 9,
}
