namespace Billing.Metering;

/// <summary>When an event happened, and its name for the order among events of one instant: time, source, id.</summary>
internal readonly ref struct EventPlace(long timeTicks, ReadOnlySpan<byte> source, ReadOnlySpan<byte> id)
{
    /// <summary>UTC, 100 ns since 0001-01-01.</summary>
    public long TimeTicks { get; } = timeTicks;

    public ReadOnlySpan<byte> Source { get; } = source;

    public ReadOnlySpan<byte> Id { get; } = id;
}
