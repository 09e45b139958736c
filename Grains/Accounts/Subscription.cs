namespace Billing.Accounts;

/// <summary>One product that an account subscribes to, on one plan of one catalogue version.</summary>
internal sealed record Subscription(string Product, string Plan, string CatalogVersion, DateTimeOffset StartedAt)
{
    /// <summary>Whether the product was subscribed to at an instant.</summary>
    public bool Covers(long ticks) => ticks >= StartedAt.UtcTicks;
}

/// <summary>An invoice that still follows usage: it is built anew whenever it is read, and becomes final after the grace.</summary>
/// <param name="Period">The period that its base fees pay for; the one before it is the period whose usage it bears.</param>
/// <param name="DraftedAt">When the period before ended.</param>
internal sealed record InvoiceDraft(BillingPeriod Period, DateTimeOffset DraftedAt);
