using System.Collections.Immutable;

namespace Billing.Metering;

/// <summary>Compares definitions of meters from two catalogue versions.</summary>
internal static class MeterDefinitions
{
    /// <summary>Whether both count every event alike. The order of filters and of the values they allow makes no difference to that, but is compared.</summary>
    public static bool AreSame(Meter one, Meter other) =>
        Scalar(one) == Scalar(other) && AreSame(one.Where, other.Where) && AreSame(one.CountOnce?.Window, other.CountOnce?.Window)
        && one.CountOnce?.Key == other.CountOnce?.Key && AreSame(one.CancelledBy, other.CancelledBy);

    private static Meter Scalar(Meter meter) => meter with { Where = [], CountOnce = null, CancelledBy = null };

    private static bool AreSame(CancelledBy? one, CancelledBy? other) =>
        (one is null) == (other is null) && (one is null || (one with { Where = [] } == other! with { Where = [] } && AreSame(one.Where, other.Where)));

    private static bool AreSame(CountOnceWindow? one, CountOnceWindow? other) => (one, other) switch
    {
        (CountOnceWindow.Session left, CountOnceWindow.Session right) => left.Gap == right.Gap && left.By == right.By && left.Gaps.SequenceEqual(right.Gaps),
        _ => Equals(one, other),
    };

    private static bool AreSame(ImmutableArray<Filter> one, ImmutableArray<Filter> other) =>
        one.Length == other.Length && one.Zip(other).All(f => f.First.Path == f.Second.Path && f.First.Allowed.SequenceEqual(f.Second.Allowed));
}
