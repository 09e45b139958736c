using System.Collections.Immutable;
using Billing.Metering;
using FsCheck.Fluent;
using static Billing.Tests.Metering.MeterRun;

namespace Billing.Tests.Metering;

public sealed class SessionTallyTests
{
    private static readonly CountOnceWindow.Session Sessions = new(TimeSpan.FromDays(3), null, ImmutableSortedDictionary<string, TimeSpan>.Empty);
    private static readonly Meter Tickets = new("tickets", "desk", "sent", [], Aggregate.Count, null, new(new(["id"]), Sessions), null);

    [Fact]
    public void EventsAtTheGap_AreOneSession_AndOneTickMoreAreTwo()
    {
        var tickets = new MeterRun(Tickets);

        Assert.Equal([(Boundary, "1")], tickets.Add(new("a", Boundary, GapDays: 1)));
        Assert.Equal([(Boundary, "0")], tickets.Add(new("b", Boundary.AddDays(1), GapDays: 1)));
        Assert.Equal([(Boundary, "1")], tickets.Add(new("c", Boundary.AddDays(2).AddTicks(1), GapDays: 1)));

        Assert.Equal("2", tickets.Usage(Boundary));
    }

    [Fact]
    public void ALateEventBetweenTwoSessions_MergesThem()
    {
        var tickets = new MeterRun(Tickets);
        tickets.Add(new("a", Boundary, GapDays: 1));
        tickets.Add(new("c", Boundary.AddDays(2), GapDays: 1));

        Assert.Equal([(Boundary, "-1")], tickets.Add(new("b", Boundary.AddDays(1), GapDays: 1)));
        Assert.Equal("1", tickets.Usage(Boundary));
    }

    [Fact]
    public void ALateEventWithAShorterGap_SplitsItsSession()
    {
        var tickets = new MeterRun(Tickets);
        tickets.Add(new("a", Boundary, GapDays: 3));
        tickets.Add(new("c", Boundary.AddDays(3), GapDays: 3));

        // c is within 3 days of a, but not within 1 day of b, its new neighbour.
        Assert.Equal([(Boundary, "1")], tickets.Add(new("b", Boundary.AddDays(1), GapDays: 1)));
        Assert.Equal("2", tickets.Usage(Boundary));
    }

    [Fact]
    public void AnEarlierFirstEvent_MovesTheSessionIntoItsPeriod()
    {
        var tickets = new MeterRun(Tickets);
        tickets.Add(new("b", Boundary, GapDays: 3));

        Assert.Equal([(Anchor, "1"), (Boundary, "-1")], tickets.Add(new("a", Boundary.AddTicks(-1), GapDays: 3)));
        Assert.Equal(("1", "0"), (tickets.Usage(Anchor), tickets.Usage(Boundary)));
    }

    [Fact]
    public void EventsOfOneInstant_AreOrderedBySourceThenIdByTheirBytes()
    {
        var tickets = new MeterRun(Tickets);

        // Of one instant the gap of the last by source and id reaches the next event: "b" > "B" by ordinal bytes.
        tickets.Add(new("B", Boundary, GapDays: 0));
        tickets.Add(new("b", Boundary, GapDays: 3));
        Assert.Equal([(Boundary, "0")], tickets.Add(new("z", Boundary.AddDays(3))));

        var other = new MeterRun(Tickets);
        other.Add(new("B", Boundary, GapDays: 3));
        other.Add(new("b", Boundary, GapDays: 0));
        Assert.Equal([(Boundary, "1")], other.Add(new("z", Boundary.AddDays(3))));
    }

    // Goal: usage is a function of the set of events. Method: few keys, few instants (many ties), several orders, a naive count.
    [Fact]
    public void AnyOrder_GivesTheUsageOfTheSortedEvents() =>
        Prop.ForAll(Generated.Numbers(int.MaxValue), Generated.Number(1000), (numbers, shuffle) =>
        {
            var events = Events(numbers);
            var (first, second) = (Naive(events, Anchor, Boundary), Naive(events, Boundary, DateTimeOffset.MaxValue));

            foreach (var order in new[] { events, [.. events.Reverse()], Generated.Shuffled(events, shuffle) })
            {
                var tickets = new MeterRun(Tickets);
                foreach (var sent in order) tickets.Add(sent);
                Assert.Equal((first, second), (tickets.Usage(Anchor), tickets.Usage(Boundary)));
            }
        }).Holds(400);

    // Goal: forgetting is not seen. Method: one meter forgets as the clock goes, its twin never does; events come from a window of 5 days.
    [Fact]
    public void ForgettingWhatIsBehindTheWindow_ChangesNothing() =>
        Prop.ForAll(Generated.Numbers(int.MaxValue), numbers =>
        {
            var window = TimeSpan.FromDays(5);
            var (forgetful, keeper) = (new MeterRun(Tickets), new MeterRun(Tickets));
            var clock = Anchor + window;
            foreach (var (sent, n) in Events(numbers).Zip(numbers))
            {
                clock += TimeSpan.FromHours(n / 2880 % 30);
                var late = sent with { Time = clock - TimeSpan.FromHours(12 * (n / 86_400 % 11)) };
                forgetful.Meter.Forget((clock - window).UtcTicks);

                Assert.Equal(keeper.Add(late), forgetful.Add(late));
                Assert.Equal(keeper.FirstAdded(late), forgetful.FirstAdded(late));
                Assert.True(forgetful.Meter.HeldEvents <= keeper.Meter.HeldEvents);
            }

            Assert.Equal(
                keeper.Meter.Periods.Select(p => (p.Period, p.Quantity, p.EventCount)),
                forgetful.Meter.Periods.Select(p => (p.Period, p.Quantity, p.EventCount)));
        }).Holds(400);

    [Fact]
    public void WhatNoEventCanTouchAnyMore_IsForgotten()
    {
        var tickets = new MeterRun(Tickets);
        for (var day = 0; day < 100; day++)
        {
            tickets.Add(new($"event-{day}", Anchor.AddDays(day), day % 3));
            tickets.Meter.Forget(Anchor.AddDays(day - 5).UtcTicks);
        }

        // Window 5 days + longest gap 3 days + the day itself.
        Assert.Equal(9, tickets.Meter.HeldEvents);
    }

    // Three keys, 12 instants around the boundary half a day apart, gaps of 0 to 3 days, two sources.
    private static Sent[] Events(int[] numbers) =>
    [
        .. numbers.Select((n, index) => new Sent(
            $"{n / 288 % 10}-{index}",
            Boundary.AddHours(12 * ((n / 3 % 12) - 6)),
            n % 3,
            n / 36 % 4,
            n / 144 % 2 == 0 ? "a" : "b")),
    ];

    private static string Naive(Sent[] events, DateTimeOffset from, DateTimeOffset to)
    {
        var count = 0;
        foreach (var key in events.GroupBy(e => e.Key))
        {
            var sorted = key.OrderBy(e => e.Time).ThenBy(e => e.Source, StringComparer.Ordinal).ThenBy(e => e.Id, StringComparer.Ordinal).ToList();
            for (var i = 0; i < sorted.Count; i++)
            {
                var starts = i == 0 || sorted[i].Time - sorted[i - 1].Time > TimeSpan.FromDays(sorted[i - 1].GapDays);
                if (starts && sorted[i].Time >= from && sorted[i].Time < to) count++;
            }
        }

        return count.ToString(System.Globalization.CultureInfo.InvariantCulture);
    }
}
