namespace Billing.Accounts;

/// <summary>One product that an account subscribes to, on one plan of one catalogue version.</summary>
/// <param name="Product">The product.</param>
/// <param name="Plan">The plan.</param>
/// <param name="CatalogVersion">The catalogue version of the plan.</param>
/// <param name="StartedAt">The first instant that is subscribed to.</param>
/// <param name="EndedAt">The first instant that is not any more; null while it runs.</param>
/// <param name="BaseFeesFrom">
/// For a product added while a period ran, the end of that period: from then on its base fees are on the period invoices. Null for the
/// first products.
/// </param>
/// <param name="CommandId">Names the command that added it; null for none.</param>
internal sealed record Subscription(
    string Product, string Plan, string CatalogVersion, DateTimeOffset StartedAt, DateTimeOffset? EndedAt = null, DateTimeOffset? BaseFeesFrom = null, string? CommandId = null)
{
    /// <summary>Whether it began while the period ran, and so bears a part of it only.</summary>
    public bool IsPartOf(BillingPeriod period) => BaseFeesFrom == period.End;

    /// <summary>Whether the product was subscribed to at an instant.</summary>
    public bool Covers(long ticks) => ticks >= StartedAt.UtcTicks && (EndedAt is not { } end || ticks < end.UtcTicks);
}

/// <summary>An invoice that still follows usage: it is built anew whenever it is read, and becomes final after the grace.</summary>
/// <param name="Period">The period that its base fees pay for; the one before it is the period whose usage it bears.</param>
/// <param name="DraftedAt">When the period before ended.</param>
/// <param name="WithoutBaseFees">Whether it bears arrears only, because the account was suspended when the period before ended.</param>
internal sealed record InvoiceDraft(BillingPeriod Period, DateTimeOffset DraftedAt, bool WithoutBaseFees = false);
