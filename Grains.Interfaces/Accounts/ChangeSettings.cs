using System.Collections.Immutable;
using System.Text.Json.Serialization;
using Orleans;

namespace Billing.Accounts;

/// <summary>Changes what the merchant wants of the platform. Members that are null stay as they are.</summary>
/// <param name="AutomaticPlanChanges">Whether usage may move its plans.</param>
/// <param name="Reason">Why, in words; 1 to 500 characters.</param>
/// <param name="DryRun">Whether only to say what would change.</param>
/// <param name="Alerts">Thresholds beside the usual ones, in place of those set before; default for those set before.</param>
/// <param name="SpendCap">What it wants to spend at most in a period; null for what was set before.</param>
/// <param name="RemoveSpendCap">Whether there is to be no spend cap any more.</param>
/// <param name="CommandId">Names this command, so that a retry after a lost answer gets the first answer; null for none.</param>
[GenerateSerializer, Immutable, Alias("billing.change-settings")]
public sealed record ChangeSettings(
    [property: Id(0)] bool? AutomaticPlanChanges,
    [property: Id(1)] string? Reason,
    [property: Id(2)] bool DryRun,
    [property: Id(3)] string? CommandId,
    [property: Id(4), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)] ImmutableArray<UsageAlert> Alerts = default,
    [property: Id(5)] SpendCap? SpendCap = null,
    [property: Id(6)] bool RemoveSpendCap = false);

/// <summary>Takes a scheduled change of plan back.</summary>
/// <param name="Product">The product.</param>
/// <param name="Reason">Why, in words; at most 500 characters; null for none.</param>
/// <param name="DryRun">Whether only to say what would change.</param>
[GenerateSerializer, Immutable, Alias("billing.undo-plan-change")]
public sealed record UndoPlanChange([property: Id(0)] string Product, [property: Id(1)] string? Reason, [property: Id(2)] bool DryRun = false);
