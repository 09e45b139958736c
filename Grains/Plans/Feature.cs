namespace Billing.Plans;

/// <summary>What a plan gives of a feature: whether it may be used, and how much of it.</summary>
/// <param name="Allowed">Whether it may be used at all; a limit of 0 is not allowed.</param>
/// <param name="Limit">How much of it, in the feature's own unit; null without a bound.</param>
public sealed record Feature(bool Allowed, Quantity? Limit);
