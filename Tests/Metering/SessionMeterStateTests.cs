using System.Collections.Immutable;
using System.Text;
using Billing.Lifecycle;
using Billing.Metering;
using FsCheck.Fluent;

namespace Billing.Tests.Metering;

public sealed class SessionMeterStateTests
{
    private static readonly DateTimeOffset Anchor = new(2026, 1, 31, 12, 0, 0, TimeSpan.Zero);

    // 28 Feb 12:00, the end of the first period, since February clamps the 31st.
    private static readonly DateTimeOffset Boundary = new(2026, 2, 28, 12, 0, 0, TimeSpan.Zero);
    private static readonly CountOnceWindow.Session Sessions = new(TimeSpan.FromDays(3), null, ImmutableSortedDictionary<string, TimeSpan>.Empty);
    private static readonly Meter Tickets = new("tickets", "desk", "sent", [], Aggregate.Count, null, new(new(["id"]), Sessions), null);

    [Fact]
    public void EventsAtTheGap_AreOneSession_AndOneTickMoreAreTwo()
    {
        var state = new Counted();

        Assert.Equal(("1", ""), state.Add(Boundary, 1, "a"));
        Assert.Equal(("0", ""), state.Add(Boundary.AddDays(1), 1, "b"));
        Assert.Equal(("1", ""), state.Add(Boundary.AddDays(2).AddTicks(1), 1, "c"));

        Assert.Equal("2", state.Usage(Boundary));
    }

    [Fact]
    public void ALateEventBetweenTwoSessions_MergesThem()
    {
        var state = new Counted();
        state.Add(Boundary, 1, "a");
        state.Add(Boundary.AddDays(2), 1, "c");

        Assert.Equal(("-1", ""), state.Add(Boundary.AddDays(1), 1, "b"));
        Assert.Equal("1", state.Usage(Boundary));
    }

    [Fact]
    public void ALateEventWithAShorterGap_SplitsItsSession()
    {
        var state = new Counted();
        state.Add(Boundary, 3, "a");
        state.Add(Boundary.AddDays(3), 3, "c");

        // c is within 3 days of a, but not within 1 day of b, its new neighbour.
        Assert.Equal(("1", ""), state.Add(Boundary.AddDays(1), 1, "b"));
        Assert.Equal("2", state.Usage(Boundary));
    }

    [Fact]
    public void AnEarlierFirstEvent_MovesTheSessionIntoItsPeriod()
    {
        var state = new Counted();
        state.Add(Boundary, 3, "b");

        Assert.Equal(("1", "-1"), state.Add(Boundary.AddTicks(-1), 3, "a"));
        Assert.Equal(("1", "0"), (state.Usage(Anchor), state.Usage(Boundary)));
    }

    [Fact]
    public void EventsOfOneInstant_AreOrderedBySourceThenIdByTheirBytes()
    {
        var state = new Counted();

        // Of one instant the gap of the last by source and id reaches the next event: "b" > "B" by ordinal bytes.
        state.Add(Boundary, 0, "B");
        state.Add(Boundary, 3, "b");
        Assert.Equal(("0", ""), state.Add(Boundary.AddDays(3), 0, "z"));

        var other = new Counted();
        other.Add(Boundary, 3, "B");
        other.Add(Boundary, 0, "b");
        Assert.Equal(("1", ""), other.Add(Boundary.AddDays(3), 0, "z"));
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
                var state = new Counted();
                foreach (var sent in order) state.Add(sent);
                Assert.Equal((first, second), (state.Usage(Anchor), state.Usage(Boundary)));
            }
        }).Holds(400);

    // Goal: receipts tell the whole truth. Method: add what each event changed, in its own and the other period.
    [Fact]
    public void Receipts_AddUpToTheUsage_AndCanBeGivenAgain() =>
        Prop.ForAll(Generated.Numbers(int.MaxValue), Generated.Number(1000), (numbers, shuffle) =>
        {
            var state = new Counted();
            var receipts = Generated.Shuffled(Events(numbers), shuffle).Select(sent => (Sent: sent, Change: state.AddOne(sent))).ToList();

            foreach (var period in new[] { Anchor, Boundary })
            {
                var told = receipts.Aggregate(Quantity.Zero, (sum, r) =>
                    sum
                    + (r.Change.Period.Start == period ? r.Change.Own : Quantity.Zero)
                    + (!r.Change.Other.IsZero && r.Change.OtherPeriod.Start == period ? r.Change.Other : Quantity.Zero));
                Assert.Equal(state.Usage(period), told.ToString());
            }

            Assert.All(receipts, r => Assert.Equal(r.Change, state.First(r.Sent)));
        }).Holds(400);

    // Goal: forgetting is not seen. Method: one state forgets as the clock goes, its twin never does; events come from a window of 5 days.
    [Fact]
    public void ForgettingWhatIsBehindTheWindow_ChangesNothing() =>
        Prop.ForAll(Generated.Numbers(int.MaxValue), numbers =>
        {
            var window = TimeSpan.FromDays(5);
            var (forgetful, keeper) = (new Counted(), new Counted());
            var clock = Anchor + window;
            foreach (var sent in Events(numbers))
            {
                clock += TimeSpan.FromHours(sent.Noise % 30);
                var late = sent with { Time = clock - TimeSpan.FromHours(12 * (sent.Noise / 30 % 11)) };
                forgetful.Meter.Forget((clock - window).UtcTicks);

                Assert.Equal(keeper.AddOne(late), forgetful.AddOne(late));
                Assert.Equal(keeper.First(late), forgetful.First(late));
                Assert.True(forgetful.Meter.Timelines.Count <= keeper.Meter.Timelines.Count);
            }

            Assert.Equal(
                keeper.Meter.Periods.Select(p => (p.Period, p.Quantity, p.EventCount)),
                forgetful.Meter.Periods.Select(p => (p.Period, p.Quantity, p.EventCount)));
        }).Holds(400);

    [Fact]
    public void WhatNoEventCanTouchAnyMore_IsForgotten()
    {
        var state = new Counted();
        for (var day = 0; day < 100; day++)
        {
            state.Add(Anchor.AddDays(day), 0, $"event-{day}", key: day % 3);
            state.Meter.Forget(Anchor.AddDays(day - 5).UtcTicks);
        }

        // Window 5 days + longest gap 3 days + the day itself.
        Assert.Equal(9, state.Meter.Timelines.Count);
    }

    [Fact]
    public void Timelines_ShownAndPutBack_AreTheSame() =>
        Prop.ForAll(Generated.Numbers(int.MaxValue), numbers =>
        {
            var state = new Counted();
            foreach (var sent in Events(numbers)) state.Add(sent);
            state.Meter.Forget(Boundary.AddDays(6).UtcTicks);
            var restored = new SessionTimelines(new());

            state.Meter.Timelines.ForEach(ordered: true, (key, at, gap, starts, own, other, otherPeriod) =>
                restored.Restore(key, at, gap, starts, own, other, otherPeriod));

            Assert.Equal(Shown(state.Meter.Timelines), Shown(restored));
        }).Holds();

    private static List<string> Shown(SessionTimelines timelines)
    {
        var shown = new List<string>();
        timelines.ForEach(ordered: true, (key, at, gap, starts, own, other, otherPeriod) => shown.Add(
            $"{key} {at.TimeTicks} {Encoding.UTF8.GetString(at.Source)} {Encoding.UTF8.GetString(at.Id)} {gap} {starts} {own} {other} {otherPeriod.Start:O}"));
        return shown;
    }

    // Three keys, 12 instants around the boundary half a day apart, gaps of 0 to 3 days, two sources.
    private static Sent[] Events(int[] numbers) =>
    [
        .. numbers.Select((n, index) => new Sent(
            n % 3,
            Boundary.AddHours(12 * ((n / 3 % 12) - 6)),
            n / 36 % 4,
            n / 144 % 2 == 0 ? "a" : "b",
            $"{n / 288 % 10}-{index}",
            n / 2880)),
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

    private sealed record Sent(int Key, DateTimeOffset Time, int GapDays, string Source, string Id, int Noise);

    private sealed class Counted
    {
        private readonly AccountCalendar _calendar = new();

        public Counted() => _calendar.Begin(Anchor);

        public SessionMeterState Meter { get; } = new(Tickets, Sessions, new());

        public (string Own, string Other) Add(DateTimeOffset time, int gapDays, string id, int key = 0) =>
            Add(new(key, time, gapDays, "s", id, 0));

        public (string Own, string Other) Add(Sent sent)
        {
            var change = AddOne(sent);
            return (change.Own.ToString(), change.Other.IsZero ? "" : change.Other.ToString());
        }

        public MeterChange AddOne(Sent sent) =>
            Meter.Add(Reading(sent), (UInt128)sent.Key, Place(sent), Period(sent), _calendar);

        public MeterChange First(Sent sent) => Meter.FirstChange(Reading(sent), (UInt128)sent.Key, Place(sent), Period(sent));

        public string Usage(DateTimeOffset periodStart) =>
            (Meter.Periods.FirstOrDefault(p => p.Period.Start == periodStart)?.Quantity ?? Quantity.Zero).ToString();

        private static MeterReading Reading(Sent sent) => new() { Value = Quantity.One, GapSeconds = sent.GapDays * 86_400 };

        private static EventPlace Place(Sent sent) =>
            new(sent.Time.UtcTicks, Encoding.UTF8.GetBytes(sent.Source), Encoding.UTF8.GetBytes(sent.Id));

        private BillingPeriod Period(Sent sent) =>
            _calendar.TryPeriodOf(sent.Time.UtcTicks, out var period) ? period : throw new ArgumentException("Before the anchor.", nameof(sent));
    }
}
