namespace Billing.Metering;

/// <summary>The usage of one meter in one billing period, as it is billed at an instant.</summary>
/// <param name="Quantity">What counts, in the meter's unit, without what is pending.</param>
/// <param name="Pending">By how much the quantity changes if all that is pending stands; below zero where pending events would merge what is counted apart.</param>
/// <param name="EventCount">The accepted events of the period that the meter matched and that stand.</param>
internal readonly record struct MeteredUsage(Quantity Quantity, Quantity Pending, long EventCount);

/// <summary>What a meter read from one event, with hashes in place of keys.</summary>
internal readonly struct HashedReading(UInt128 key, UInt128 cancelKey, Quantity value, int gapSeconds)
{
    /// <summary>Of the value that counts once; zero for a meter that counts each event.</summary>
    public UInt128 Key { get; } = key;

    /// <summary>Of the key that a canceller shares; zero for a meter without <c>cancelled_by</c>.</summary>
    public UInt128 CancelKey { get; } = cancelKey;

    /// <summary>In the meter's unit; one for a count.</summary>
    public Quantity Value { get; } = value;

    public int GapSeconds { get; } = gapSeconds;
}
