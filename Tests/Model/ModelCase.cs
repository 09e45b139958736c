using System.Collections.Immutable;
using FsCheck;
using FsCheck.Fluent;
using static Billing.Tests.Accounts.AccountRun;

namespace Billing.Tests.Model;

/// <summary>An event as it comes, and where the billing clock stands then.</summary>
internal sealed record Delivery(ModelEvent Event, DateTimeOffset Clock)
{
    public override string ToString() => $"{ModelEvent.Ago(Clock)}: {Event}";
}

/// <summary>A catalogue, and what comes to one account on it, in order.</summary>
internal sealed record ModelCase(ImmutableArray<ModelMeter> Meters, ImmutableArray<Delivery> Deliveries)
{
    public static ModelCase Of(IEnumerable<ModelMeter> meters, IEnumerable<Delivery> deliveries) =>
        new([.. meters], [.. deliveries.OrderBy(d => d.Clock)]);

    /// <summary>Any meters; events that come over 120 days, late, again and with other content.</summary>
    public static Arbitrary<ModelCase> Spread { get; } = Cases((draw, size) =>
        draw.Chance(25) ? InstantCase(draw, size) : SpreadCase(draw, size, ModelCatalog.Any(draw)));

    /// <summary>The same, all in one instant of the first period's grace.</summary>
    public static Arbitrary<ModelCase> InOneInstant { get; } = Cases(InstantCase);

    /// <summary>One meter, and events of the types that matter to it.</summary>
    public static Arbitrary<ModelCase> With(
        Func<Draw, ModelOnce?> once, Func<Draw, ModelCancel?> cancel, params ModelAggregate[] aggregates) =>
        Cases((draw, size) => SpreadCase(draw, size, ModelCatalog.Plain(draw, once, cancel, aggregates)));

    public override string ToString() => $"\n  {string.Join("\n  ", Meters)}\n  {string.Join("\n  ", Deliveries)}\n";

    private static Arbitrary<ModelCase> Cases(Func<Draw, int, ModelCase> make) =>
        Arb.From(
            Gen.Sized(size => Gen.Choose(0, int.MaxValue - 1).Select(seed =>
            {
                var draw = new Draw(seed);
                return make(draw, draw.From(1, 2 + (size / 4)));
            })),
            Smaller);

    /// <summary>So many events of the meters, and when they come.</summary>
    public static ModelCase SpreadCase(Draw draw, int size, params ModelMeter[] meters) =>
        Of(meters, OverTime(draw, ModelEvents.Any(draw, size, meters)));

    private static ModelCase InstantCase(Draw draw, int size)
    {
        var meters = ModelCatalog.Any(draw);
        return Of(meters, AtOnce(draw, ModelEvents.Any(draw, size, meters, lastDay: 33)));
    }

    private static IEnumerable<Delivery> OverTime(Draw draw, ModelEvent[] events)
    {
        // Half of the cases move in days only, so that batches have several events.
        var whole = draw.Chance(50);
        foreach (var sent in events)
        {
            yield return new(sent, Whole(ModelEvents.Arrival(draw, sent.Time)));
            if (draw.Chance(15)) yield return new(sent, Whole(ModelEvents.Arrival(draw, sent.Time)));
            if (draw.Chance(4)) yield return new(sent with { Data = sent.Data.SetItem("v", "77") }, Whole(ModelEvents.Arrival(draw, sent.Time)));
        }

        DateTimeOffset Whole(DateTimeOffset clock) =>
            whole && (clock - Anchor).Ticks % TimeSpan.TicksPerDay is > 0 and var over ? clock.AddTicks(TimeSpan.TicksPerDay - over) : clock;
    }

    private static IEnumerable<Delivery> AtOnce(Draw draw, ModelEvent[] events)
    {
        var deliveries = OverTime(draw, events).Select(d => d with { Clock = Anchor.AddDays(33) }).ToArray();
        return Generated.Shuffled(deliveries, draw.From(0, 10_000));
    }

    /// <summary>Cases that are simpler than one that fails.</summary>
    public static IEnumerable<ModelCase> Smaller(ModelCase large)
    {
        var (meters, deliveries) = (large.Meters, large.Deliveries);
        if (meters.Length > 1)
            foreach (var meter in meters) yield return Of(meters.Remove(meter), deliveries);
        for (var part = deliveries.Length / 2; part >= 1; part /= 2)
            for (var from = 0; from < deliveries.Length; from += part) yield return Of(meters, deliveries.RemoveRange(from, int.Min(part, deliveries.Length - from)));

        foreach (var meter in meters)
            foreach (var simple in Simpler(meter).Where(simple => simple != meter)) yield return Of(meters.Replace(meter, simple), deliveries);
        foreach (var delivery in deliveries)
        {
            var atOnce = delivery.Event.Time < Anchor ? Anchor : delivery.Event.Time;
            if (atOnce < delivery.Clock) yield return Of(meters, deliveries.Replace(delivery, delivery with { Clock = atOnce }));
        }

        foreach (var sent in deliveries.Select(d => d.Event).Distinct<ModelEvent>(ReferenceEqualityComparer.Instance))
            foreach (var simple in Simpler(sent))
                yield return Of(meters, deliveries.Select(d => ReferenceEquals(d.Event, sent) ? new(simple, d.Clock + (simple.Time - sent.Time)) : d));
    }

    private static IEnumerable<ModelMeter> Simpler(ModelMeter meter)
    {
        yield return meter with { Cancel = null };
        yield return meter with { Once = null };
        yield return meter with { Where = null };
        if (meter.Cancel is { Where: not null } cancel) yield return meter with { Cancel = cancel with { Where = null } };
        if (meter.Once is ModelOnce.Session { ChatGap: not null } session) yield return meter with { Once = session with { ChatGap = null } };
        if (meter.Aggregate == ModelAggregate.Sum) yield return meter with { Aggregate = ModelAggregate.Count };
    }

    private static IEnumerable<ModelEvent> Simpler(ModelEvent sent)
    {
        foreach (var path in sent.Data.Keys) yield return sent with { Data = sent.Data.Remove(path) };
        foreach (var (path, simple) in new[] { ("k", "7"), ("o.j", "7"), ("v", "1"), ("u", "1") })
            if (sent.Data.TryGetValue(path, out var json) && json != simple) yield return sent with { Data = sent.Data.SetItem(path, simple) };
        if (sent.Source != "s") yield return sent with { Source = "s" };
        if (sent.Id[0] != 'a') yield return sent with { Id = string.Concat("a", sent.Id.AsSpan(char.IsSurrogate(sent.Id[0]) ? 2 : 1)) };
        var aside = (sent.Time - Anchor).Ticks % TimeSpan.TicksPerDay;
        if (aside != 0) yield return sent with { Time = sent.Time.AddTicks(-aside) };
    }
}
