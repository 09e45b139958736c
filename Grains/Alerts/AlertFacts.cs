namespace Billing.Accounts;

/// <summary>What an account's usage came to, told once in a period. Amounts are minor units.</summary>
internal abstract partial record AccountFact
{
    /// <summary>Usage, or what it costs, came to a threshold of a period. <c>Meter</c> is set for a percentage.</summary>
    public sealed record UsageAlertReached(UsageAlert Alert, string? Meter, BillingPeriod Period, string Text, DateTimeOffset At) : AccountFact;

    /// <summary>The running period costs as much as the account wants to spend.</summary>
    public sealed record SpendCapReached(SpendCap Cap, BillingPeriod Period, string Text, DateTimeOffset At) : AccountFact;
}
