using Orleans;

namespace Billing.Accounts;

/// <summary>Withholds service from an account: no billing period begins until it is resumed.</summary>
/// <param name="Reason">Why, in words; 1 to 500 characters.</param>
/// <param name="DryRun">Whether only to say what would change.</param>
/// <param name="CommandId">Names this command, so that a retry after a lost answer gets the first answer; null for none.</param>
[GenerateSerializer, Immutable, Alias("billing.suspend-account")]
public sealed record SuspendAccount([property: Id(0)] string? Reason, [property: Id(1)] bool DryRun, [property: Id(2)] string? CommandId);

/// <summary>Lets a suspended account go on.</summary>
/// <param name="Reason">Why, in words; 1 to 500 characters.</param>
/// <param name="DryRun">Whether only to say what would change.</param>
/// <param name="CommandId">Names this command, so that a retry after a lost answer gets the first answer; null for none.</param>
[GenerateSerializer, Immutable, Alias("billing.resume-account")]
public sealed record ResumeAccount([property: Id(0)] string? Reason, [property: Id(1)] bool DryRun, [property: Id(2)] string? CommandId);
