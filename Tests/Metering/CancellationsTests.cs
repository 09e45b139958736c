using System.Collections.Immutable;
using Billing.Metering;
using Billing.Usage;
using FsCheck.Fluent;
using static Billing.Tests.Metering.MeterRun;

namespace Billing.Tests.Metering;

public sealed class CancellationsTests
{
    private static readonly TimeSpan Within = TimeSpan.FromHours(72);
    private static readonly CancelledBy ByAgent = new("written", [], new(["id"]), Within);
    private static readonly Meter Answers = Counted(Aggregate.Count);

    [Fact]
    public void AnEvent_IsPendingUntilNothingCanCancelItAnyMore_ThenItCounts()
    {
        var answers = new MeterRun(Answers);

        Assert.Equal([(Boundary, "1")], answers.Add(new("a", Boundary)));

        Assert.Equal(("0", "1", 0), answers.UsageAt(Boundary, Boundary + Within));
        Assert.Equal(("1", "0", 1), answers.UsageAt(Boundary, Boundary + Within + TimeSpan.FromTicks(1)));
        Assert.Equal(EventStanding.Pending, answers.ShareOf(new("a", Boundary), Boundary + Within).Standing);
        Assert.Equal(("1", EventStanding.Counted), answers.ShareOf(new("a", Boundary), Boundary.AddDays(4)));
    }

    [Theory]
    [InlineData(0, false)]
    [InlineData(1, true)]
    [InlineData(72 * 36_000_000_000, true)]
    [InlineData((72 * 36_000_000_000) + 1, false)]
    public void ACanceller_WorksAfterTheEvent_UpToTheEndOfWithin_WhicheverComesFirst(long ticks, bool cancels)
    {
        var (before, after) = (new MeterRun(Answers), new MeterRun(Answers));

        Assert.Empty(before.Cancel(0, Boundary.AddTicks(ticks)));
        Assert.Equal([(Boundary, cancels ? "0" : "1")], before.Add(new("a", Boundary)));
        after.Add(new("a", Boundary));
        Assert.Equal(cancels ? [(Boundary, "-1")] : [], after.Cancel(0, Boundary.AddTicks(ticks)));

        foreach (var answers in new[] { before, after })
            Assert.Equal((cancels ? "0" : "1", "0", cancels ? 0 : 1), answers.UsageAt(Boundary, Boundary.AddDays(10)));
    }

    [Fact]
    public void ACancellerOfAnotherKey_CancelsNothing()
    {
        var answers = new MeterRun(Answers);
        answers.Add(new("a", Boundary, Key: 1));

        Assert.Empty(answers.Cancel(2, Boundary.AddHours(1)));
        Assert.Equal("1", answers.Usage(Boundary));
    }

    [Fact]
    public void ALateCanceller_LowersAPeriodThatIsOver_AndItsReceiptCanBeRepeated()
    {
        var answers = new MeterRun(Answers);
        answers.Add(new("a", Boundary.AddHours(-1)));
        answers.Add(new("b", Boundary.AddHours(1)));

        Assert.Equal([(Anchor, "-1"), (Boundary, "-1")], answers.Cancel(0, Boundary.AddHours(2), name: 9));

        Assert.Equal([(Anchor, "-1"), (Boundary, "-1")], answers.FirstCancelled(0, Boundary.AddHours(2), name: 9));
        Assert.Empty(answers.FirstCancelled(0, Boundary.AddHours(2), name: 8));
        Assert.Equal([(Anchor, "1")], answers.FirstAdded(new("a", Boundary.AddHours(-1))));
        Assert.Equal(EventStanding.Cancelled, answers.ShareOf(new("a", Boundary.AddHours(-1)), Boundary).Standing);
    }

    [Fact]
    public void CountOnce_SeesOnlyEventsThatStand()
    {
        var answers = new MeterRun(Counted(Aggregate.Count, new CountOnceWindow.Period()));
        answers.Add(new("a", Boundary, Key: 1, CancelKey: 7));
        Assert.Equal([(Boundary, "0")], answers.Add(new("b", Boundary.AddDays(5), Key: 1, CancelKey: 8)));

        // The first is taken back: now the second is the first that stands.
        Assert.Empty(answers.Cancel(7, Boundary.AddHours(1)));
        Assert.Equal(("1", "0", 1), answers.UsageAt(Boundary, Boundary.AddDays(20)));
        Assert.Equal(("1", EventStanding.Counted), answers.ShareOf(new("b", Boundary.AddDays(5), Key: 1, CancelKey: 8), Boundary.AddDays(20)));
    }

    [Fact]
    public void AMaximumAndALatest_FallBackToWhatStands()
    {
        foreach (var aggregate in new[] { Aggregate.Max, Aggregate.Latest })
        {
            var seats = new MeterRun(Counted(aggregate));
            seats.Add(new("a", Boundary, Key: 1, Value: 5));
            seats.Add(new("b", Boundary.AddHours(1), Key: 2, Value: 9));

            Assert.Equal([(Boundary, "-4")], seats.Cancel(2, Boundary.AddHours(2)));
            Assert.Equal([(Boundary, "-4")], seats.FirstCancelled(2, Boundary.AddHours(2)));
            Assert.Equal(("0", "5", 0), seats.UsageAt(Boundary, Boundary.AddHours(2)));
            Assert.Equal(("5", "0", 1), seats.UsageAt(Boundary, Boundary.AddDays(20)));
        }
    }

    // Goal: usage and pending are functions of the set. Method: every aggregate and window, few keys, exact ends of `within`, several
    // orders, a count that sorts and walks.
    [Fact]
    public void AnyOrder_GivesWhatStandsOfTheSortedEvents() =>
        Prop.ForAll(Generated.Numbers(int.MaxValue), Generated.Number(1000), (numbers, shuffle) =>
        {
            foreach (var meter in Meters())
            {
                var events = numbers.Select((n, i) => (
                    Cancels: n % 3 == 0,
                    Sent: new Sent($"{n / 720 % 5}-{i}", Boundary.AddHours(24 * ((n / 3 % 20) - 10)), n / 60 % 2, n / 120 % 3, Value: ValueFor(meter, n / 360 % 9), CancelKey: n / 3600 % 2))).ToArray();
                string? bytes = null;
                foreach (var order in new[] { events, [.. events.Reverse()], Generated.Shuffled(events, shuffle) })
                {
                    var run = new MeterRun(meter);
                    foreach (var (cancels, sent) in order)
                    {
                        if (cancels) run.Cancel(sent.CancelKey!.Value, sent.Time);
                        else run.Add(sent);
                    }

                    foreach (var clock in new[] { Boundary.AddDays(-4), Boundary.AddDays(3), Boundary.AddDays(20) })
                        foreach (var period in new[] { Anchor, Boundary })
                            Assert.Equal(Naive(meter, events, run.PeriodOf(period), clock), run.UsageAt(period, clock));
                    Assert.Equal(run.Canonical(), run.CanonicalReadAgain());
                    bytes ??= Quantities(run);
                    Assert.Equal(bytes, Quantities(run));
                }
            }
        }).Holds(60);

    // Goal: forgetting is not seen. Method: a meter that forgets as the clock goes beside a twin that never does.
    [Fact]
    public void ForgettingWhatIsBehindTheWindow_ChangesNothing() =>
        Prop.ForAll(Generated.Numbers(int.MaxValue), numbers =>
        {
            var window = TimeSpan.FromDays(5);
            foreach (var meter in Meters())
            {
                var (forgetful, keeper) = (new MeterRun(meter), new MeterRun(meter));
                var clock = Anchor + window;
                for (var i = 0; i < numbers.Length; i++)
                {
                    var n = numbers[i];
                    clock += TimeSpan.FromHours(n / 2880 % 40);
                    var sent = new Sent($"{i}", clock - TimeSpan.FromHours(12 * (n / 115_200 % 11)), n / 3 % 3, n / 9 % 3, Value: ValueFor(meter, n / 27 % 9), CancelKey: n / 243 % 3);
                    forgetful.Meter.Forget((clock - window).UtcTicks);
                    if (n % 3 == 0) Assert.Equal(keeper.Cancel(sent.CancelKey!.Value, sent.Time), forgetful.Cancel(sent.CancelKey!.Value, sent.Time));
                    else Assert.Equal(keeper.Add(sent), forgetful.Add(sent));
                    foreach (var period in keeper.Meter.Periods)
                        Assert.Equal(keeper.Meter.UsageAt(period.Period, clock), forgetful.Meter.UsageAt(period.Period, clock));
                }

                Assert.True(forgetful.Meter.HeldEvents <= keeper.Meter.HeldEvents);
            }
        }).Holds(40);

    // Goal: a snapshot holds all that later events and duplicates need. Method: one meter goes on from a snapshot, its twin as it is.
    [Fact]
    public void AMeterReadFromASnapshot_GoesOnAsItsTwin() =>
        Prop.ForAll(Generated.Numbers(int.MaxValue), Generated.Number(100), (numbers, share) =>
        {
            foreach (var meter in Meters().Concat(Meters().Select(m => m with { CancelledBy = null })))
            {
                var events = numbers.Select((n, i) => (
                    Cancels: meter.CancelledBy is not null && n % 3 == 0,
                    Sent: new Sent($"{i}", Boundary.AddHours(24 * ((n / 3 % 20) - 10)), n / 60 % 2, n / 120 % 3, Value: ValueFor(meter, n / 360 % 9), CancelKey: n / 3600 % 2))).ToArray();
                var split = events.Length * share / 100;
                var run = new MeterRun(meter);
                foreach (var (cancels, sent) in events[..split]) Do(run, cancels, sent);
                run.Meter.Forget(Boundary.AddDays(-6).UtcTicks);
                var again = run.ReadAgain();

                foreach (var (cancels, sent) in events[..split])
                    Assert.Equal(cancels ? run.FirstCancelled(sent.CancelKey!.Value, sent.Time) : run.FirstAdded(sent), cancels ? again.FirstCancelled(sent.CancelKey!.Value, sent.Time) : again.FirstAdded(sent));
                foreach (var (cancels, sent) in events[split..].Where(e => e.Sent.Time >= Boundary.AddDays(-6)))
                {
                    Assert.Equal(Do(run, cancels, sent), Do(again, cancels, sent));
                    foreach (var period in run.Meter.Periods)
                        Assert.Equal(run.UsageAt(period.Period.Start, sent.Time), again.UsageAt(period.Period.Start, sent.Time));
                    if (!cancels) Assert.Equal(run.ShareOf(sent, sent.Time.AddDays(9)), again.ShareOf(sent, sent.Time.AddDays(9)));
                }
            }

            static List<(DateTimeOffset Period, string Change)> Do(MeterRun run, bool cancels, Sent sent) =>
                cancels ? run.Cancel(sent.CancelKey!.Value, sent.Time) : run.Add(sent);
        }).Holds(40);

    [Fact]
    public void AnEventThatCanBeCancelled_IsPendingUntilWithinIsOver() =>
        Assert.Equal(Boundary + Within, new MeterRun(Answers).Meter.PendingUntil(Boundary.UtcTicks));

    [Fact]
    public void ACancelledEvent_IsHeldForItsDuplicates()
    {
        var answers = new MeterRun(Answers);
        answers.Add(new("a", Boundary, CancelKey: 1));

        answers.Cancel(1, Boundary.AddHours(1));

        Assert.Equal(1, answers.Meter.HeldEvents);
    }

    [Fact]
    public void ASecondCancellerOfTheSameInstant_LeavesNoTrace()
    {
        var (once, twice) = (new MeterRun(Answers), new MeterRun(Answers));
        foreach (var run in new[] { once, twice })
        {
            run.Add(new("a", Boundary, CancelKey: 1));
            run.Cancel(1, Boundary.AddHours(1), name: 7);
        }

        Assert.Empty(twice.Cancel(1, Boundary.AddHours(1), name: 8));

        Assert.Equal(once.Canonical(), twice.Canonical());
    }

    [Fact]
    public void WhenAllIsForgotten_NothingIsHeld()
    {
        var answers = new MeterRun(Answers);
        var empty = answers.HeldBytes;
        answers.Add(new("a", Anchor, CancelKey: 1));
        answers.Add(new("b", Anchor.AddHours(1), CancelKey: 1));
        answers.Cancel(1, Anchor.AddHours(2));

        answers.Meter.Forget(Anchor.AddDays(20).UtcTicks);

        Assert.Equal((0, empty), (answers.Meter.HeldEvents, answers.HeldBytes));
    }

    // Goal: memory is bounded by the window. Method: the same every day, and no more is held after half a year than after a quarter.
    [Fact]
    public void WhatNoEventCanTouchAnyMore_IsForgotten()
    {
        foreach (var meter in Meters().Concat(Meters().Select(m => m with { CancelledBy = null })))
        {
            var run = new MeterRun(meter);
            var held = 0;
            for (var day = 0; day <= 180; day++)
            {
                var time = Anchor.AddDays(day);
                run.Add(new($"event-{day:d3}", time, day % 3, CancelKey: day % 2, Value: ValueFor(meter, day % 7)));
                if (meter.CancelledBy is not null && day % 4 == 0) run.Cancel(day % 2, time.AddHours(-1));
                run.Meter.Forget(time.AddDays(-5).UtcTicks);
                if (day == 90) held = run.HeldBytes;
            }

            // Of a maximum and a latest one value a period stays: three periods.
            Assert.InRange(run.HeldBytes, 0, held + 800);
        }
    }

    private static Meter Counted(Aggregate aggregate, CountOnceWindow? window = null) => new(
        "answers", "automation", "answered", [], aggregate, aggregate == Aggregate.Count ? null : new(["v"]), window is null ? null : new(new(["k"]), window), ByAgent);

    private static IEnumerable<Meter> Meters() =>
    [
        Counted(Aggregate.Count), Counted(Aggregate.Sum), Counted(Aggregate.Max), Counted(Aggregate.Latest), Counted(Aggregate.Unique),
        Counted(Aggregate.Count, new CountOnceWindow.Period()), Counted(Aggregate.Sum, new CountOnceWindow.Period()),
        Counted(Aggregate.Count, new CountOnceWindow.Span(TimeSpan.FromDays(2))), Counted(Aggregate.Sum, new CountOnceWindow.Span(TimeSpan.FromDays(3))),
        Counted(Aggregate.Sum, new CountOnceWindow.Session(TimeSpan.FromDays(2), null, ImmutableSortedDictionary<string, TimeSpan>.Empty)),
    ];

    // Of a count a meter reads one, whatever the event holds.
    private static int ValueFor(Meter meter, int value) => meter.Value is null || meter.Aggregate == Aggregate.Unique ? 1 : value;

    private static string Quantities(MeterRun run) =>
        string.Join(';', run.Meter.Periods.Where(p => !p.Quantity.IsZero || p.EventCount != 0).Select(p => $"{p.Period.Start:O} {p.Quantity} {p.EventCount}"));

    private static (string Quantity, string Pending, long Events) Naive(
        Meter meter, (bool Cancels, Sent Sent)[] events, BillingPeriod period, DateTimeOffset clock)
    {
        var cancellers = events.Where(e => e.Cancels).Select(e => (e.Sent.CancelKey, e.Sent.Time)).ToList();
        var possible = events.Where(e => !e.Cancels).Select(e => e.Sent)
            .Where(e => !cancellers.Any(c => c.CancelKey == e.CancelKey && c.Time > e.Time && c.Time <= e.Time + Within))
            .OrderBy(e => e.Time).ThenBy(e => e.Id, StringComparer.Ordinal).ToList();
        var stand = possible.Where(e => clock > e.Time + Within).ToList();
        var quantity = Value(meter, stand, period);
        return ($"{quantity}", $"{Value(meter, possible, period) - quantity}", stand.Count(e => period.Contains(e.Time)));
    }

    private static int Value(Meter meter, List<Sent> sorted, BillingPeriod period)
    {
        bool Inside(Sent e) => period.Contains(e.Time);
        switch (meter)
        {
            case { Aggregate: Aggregate.Max }: return sorted.Where(Inside).Select(e => e.Value).DefaultIfEmpty().Max();
            case { Aggregate: Aggregate.Latest }: return sorted.LastOrDefault(Inside)?.Value ?? 0;
            case { Aggregate: Aggregate.Unique }: return sorted.Where(Inside).Select(e => e.Key).Distinct().Count();
        }

        var sum = 0;
        var (ends, last) = (new Dictionary<int, DateTimeOffset>(), new Dictionary<int, Sent>());
        foreach (var e in sorted)
        {
            var counts = meter.CountOnce?.Window switch
            {
                CountOnceWindow.Period => !last.TryGetValue(e.Key, out var before) || Inside(before) != Inside(e),
                CountOnceWindow.Span => !ends.TryGetValue(e.Key, out var end) || e.Time >= end,
                CountOnceWindow.Session => !last.TryGetValue(e.Key, out var neighbour) || e.Time - neighbour.Time > TimeSpan.FromDays(neighbour.GapDays),
                _ => true,
            };
            last[e.Key] = e;
            if (!counts) continue;
            if (meter.CountOnce?.Window is CountOnceWindow.Span span) ends[e.Key] = e.Time + span.Length;
            if (Inside(e)) sum += meter.Aggregate == Aggregate.Sum ? e.Value : 1;
        }

        return sum;
    }
}
