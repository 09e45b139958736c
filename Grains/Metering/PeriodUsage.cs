namespace Billing.Metering;

/// <summary>The usage of one meter in one billing period, and what of it was billed.</summary>
internal sealed class PeriodUsage(BillingPeriod period)
{
    public BillingPeriod Period { get; } = period;

    /// <summary>What counts if all that is pending stands, in the meter's unit.</summary>
    public Quantity Quantity { get; set; }

    /// <summary>How many accepted events of the period the meter matched and none has cancelled.</summary>
    public long EventCount { get; set; }

    /// <summary>The plan on which the period was billed; null while no finalised invoice bears it.</summary>
    public string? BilledPlan { get; private set; }

    /// <summary>The catalogue version of that plan.</summary>
    public string? BilledCatalogVersion { get; private set; }

    /// <summary>The sum of all lines that finalised invoices bear for it, in minor units.</summary>
    public long BilledAmount { get; private set; }

    /// <summary>The quantity behind those lines, in the meter's unit.</summary>
    public Quantity BilledQuantity { get; private set; }

    /// <summary>The events behind those lines.</summary>
    public long BilledEventCount { get; private set; }

    /// <summary>A finalised invoice bears a line for it.</summary>
    public void Bill(string plan, string catalogVersion, long amount, Quantity quantity, long eventCount)
    {
        BilledPlan = plan;
        BilledCatalogVersion = catalogVersion;
        BilledAmount += amount;
        BilledQuantity += quantity;
        BilledEventCount += eventCount;
    }
}
