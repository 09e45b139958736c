using Orleans;

namespace Billing.Accounts;

/// <summary>Ends an account at the end of its running period.</summary>
/// <param name="Reason">Why, in words; 1 to 500 characters.</param>
/// <param name="DryRun">Whether only to say what would change.</param>
/// <param name="CommandId">Names this command, so that a retry after a lost answer gets the first answer; null for none.</param>
[GenerateSerializer, Immutable, Alias("billing.cancel-account")]
public sealed record CancelAccount([property: Id(0)] string? Reason, [property: Id(1)] bool DryRun, [property: Id(2)] string? CommandId);

/// <summary>Takes a scheduled cancellation back.</summary>
/// <param name="Reason">Why, in words; at most 500 characters; null for none.</param>
/// <param name="DryRun">Whether only to say what would change.</param>
[GenerateSerializer, Immutable, Alias("billing.undo-cancellation")]
public sealed record UndoCancellation([property: Id(0)] string? Reason, [property: Id(1)] bool DryRun = false);
