using System.Globalization;
using System.Numerics;
using System.Text;
using System.Text.Json;

namespace Billing.Tests.Model;

/// <summary>
/// What the billing rules say that a meter counts. It shares no code with the product and keeps no state: it is given all accepted events
/// and works each figure out anew. Quantities are whole numbers of 10^-28 units.
/// </summary>
internal sealed class NaiveUsage
{
    private readonly ModelMeter meter;
    private readonly List<ModelEvent> uncancelled;

    /// <param name="meter">The meter; its product is subscribed to from the anchor on.</param>
    /// <param name="accepted">All accepted events of the account, in any order.</param>
    /// <param name="anchor">The begin of the subscription.</param>
    public NaiveUsage(ModelMeter meter, IReadOnlyCollection<ModelEvent> accepted, DateTimeOffset anchor)
    {
        this.meter = meter;
        uncancelled = [.. accepted.Where(e => Listens(meter, e) && e.Time >= anchor && !accepted.Any(canceller => Cancels(canceller, e)))];
        uncancelled.Sort(InOrder);
    }

    /// <summary>One unit.</summary>
    public static BigInteger One { get; } = BigInteger.Pow(10, 28);

    /// <summary>What is billed for a period by a clock: the value over the events that can no longer be cancelled.</summary>
    public BigInteger Quantity(BillingPeriod period, DateTimeOffset clock) => Value(period, Standing(clock));

    /// <summary>By how much the value would differ if nothing that is pending were cancelled any more.</summary>
    public BigInteger Pending(BillingPeriod period, DateTimeOffset clock) => Value(period, uncancelled) - Quantity(period, clock);

    /// <summary>How many events of the period stand, also those that a key's window does not count again.</summary>
    public int EventCount(BillingPeriod period, DateTimeOffset clock) => Standing(clock).Count(e => period.Contains(e.Time));

    /// <summary>Whether the meter's type and filters match.</summary>
    public static bool Listens(ModelMeter meter, ModelEvent sent) => sent.Type == meter.Type && Matches(meter.Where, sent);

    /// <summary>Whether an event is of a kind that cancels, whatever its key.</summary>
    public static bool IsCanceller(ModelMeter meter, ModelEvent sent) =>
        meter.Cancel is { } cancel && sent.Type == cancel.Type && Matches(cancel.Where, sent);

    /// <summary>A value of which two spellings are the same; a text starts with a quote, a number with #. Null for a missing value.</summary>
    public static string? Scalar(ModelEvent sent, string path) => sent.Data.TryGetValue(path, out var json) ? Scalar(json) : null;

    /// <summary>A JSON number in units of 10^-28.</summary>
    public static BigInteger Units(string json)
    {
        var parts = json.ToLowerInvariant().Split('e');
        var places = parts[0].Contains('.') ? parts[0].Length - parts[0].IndexOf('.') - 1 : 0;
        var exponent = parts.Length == 2 ? int.Parse(parts[1], CultureInfo.InvariantCulture) : 0;
        return BigInteger.Parse(parts[0].Replace(".", "", StringComparison.Ordinal), CultureInfo.InvariantCulture) * BigInteger.Pow(10, 28 - places + exponent);
    }

    private static string Scalar(string json) => json[0] switch
    {
        '"' => "\"" + JsonSerializer.Deserialize<string>(json),
        '-' or (>= '0' and <= '9') => "#" + Units(json).ToString(CultureInfo.InvariantCulture),
        _ => json,
    };

    private static bool Matches(ModelFilter? filter, ModelEvent sent) =>
        filter is null || (Scalar(sent, filter.Path) is { } value && filter.Allowed.Select(Scalar).Contains(value));

    private static int InOrder(ModelEvent left, ModelEvent right)
    {
        if (left.Time != right.Time) return left.Time.CompareTo(right.Time);
        var source = Encoding.UTF8.GetBytes(left.Source).AsSpan().SequenceCompareTo(Encoding.UTF8.GetBytes(right.Source));
        return source != 0 ? source : Encoding.UTF8.GetBytes(left.Id).AsSpan().SequenceCompareTo(Encoding.UTF8.GetBytes(right.Id));
    }

    private bool Cancels(ModelEvent canceller, ModelEvent sent) =>
        IsCanceller(meter, canceller)
        && Scalar(canceller, meter.Cancel!.Key) == Scalar(sent, meter.Cancel.Key)
        && canceller.Time > sent.Time
        && canceller.Time <= sent.Time + meter.Cancel.Within;

    private List<ModelEvent> Standing(DateTimeOffset clock) =>
        meter.Cancel is null ? uncancelled : uncancelled.FindAll(e => clock > e.Time + meter.Cancel.Within);

    private BigInteger Value(BillingPeriod period, List<ModelEvent> events)
    {
        var own = Counted(events, period).Where(e => period.Contains(e.Time)).ToList();
        var values = meter.Aggregate is ModelAggregate.Sum or ModelAggregate.Max or ModelAggregate.Latest
            ? own.ConvertAll(e => Units(e.Data[meter.Value!]))
            : [];
        return meter.Aggregate switch
        {
            ModelAggregate.Count => own.Count * One,
            ModelAggregate.Unique => own.Select(e => Scalar(e, meter.Value!)).Distinct().Count() * One,
            ModelAggregate.Sum => values.Aggregate(BigInteger.Zero, BigInteger.Add),
            ModelAggregate.Max => values.Append(0).Max(),
            _ => values.Count == 0 ? 0 : values[^1],
        };
    }

    private IEnumerable<ModelEvent> Counted(List<ModelEvent> events, BillingPeriod period)
    {
        var byKey = events.GroupBy(e => Scalar(e, ModelOnce.Key)).Select(key => key.ToList());
        return meter.Once switch
        {
            ModelOnce.Period => byKey.Select(key => key.Find(e => period.Contains(e.Time))).OfType<ModelEvent>(),
            ModelOnce.Span span => byKey.SelectMany(key => SpanFirsts(key, span.Length)),
            ModelOnce.Session session => byKey.SelectMany(key => key.Where((e, i) => i == 0 || e.Time - key[i - 1].Time > Gap(key[i - 1], session))),
            _ => events,
        };
    }

    private static IEnumerable<ModelEvent> SpanFirsts(List<ModelEvent> key, TimeSpan length)
    {
        ModelEvent? open = null;
        foreach (var next in key)
        {
            if (open is not null && next.Time < open.Time + length) continue;
            open = next;
            yield return next;
        }
    }

    private static TimeSpan Gap(ModelEvent sent, ModelOnce.Session session) =>
        session.ChatGap is { } chat && Scalar(sent, ModelOnce.Session.Channel) == "\"chat" ? chat : session.Gap;
}
