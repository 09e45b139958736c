using System.Collections.Immutable;

namespace Billing.Metering;

/// <summary>Compares definitions of meters from two catalogue versions.</summary>
internal static class MeterDefinitions
{
    /// <summary>Whether both count every event alike. The order of filters and of the values they allow makes no difference to that, but is compared.</summary>
    public static bool AreSame(Meter one, Meter other) => one.Id == other.Id && !Differences(one, other).Any();

    /// <summary>What two definitions of one meter differ in: members as the catalogue names them.</summary>
    public static IEnumerable<string> Differences(Meter one, Meter other)
    {
        if (one.Product != other.Product) yield return "product";
        if (one.Event != other.Event) yield return "event";
        if (!AreSame(one.Where, other.Where)) yield return "where";
        if (one.Aggregate != other.Aggregate) yield return "aggregate";
        if (one.Value != other.Value) yield return "value";
        if (!AreSame(one.CountOnce?.Window, other.CountOnce?.Window) || one.CountOnce?.Key != other.CountOnce?.Key) yield return "count_once";
        if (!AreSame(one.CancelledBy, other.CancelledBy)) yield return "cancelled_by";
    }

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
