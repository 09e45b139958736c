using Billing.Metering;
using FsCheck.Fluent;
using static Billing.Tests.Metering.MeterRun;

namespace Billing.Tests.Metering;

public sealed class SpanTallyTests
{
    private static readonly TimeSpan Length = TimeSpan.FromDays(3);
    private static readonly Meter Answers = new("answers", "desk", "answered", [], Aggregate.Count, null, new(new(["id"]), new CountOnceWindow.Span(Length)), null);

    [Fact]
    public void AnEventInsideASpan_DoesNotCount_AndOneAtItsEndOpensTheNext()
    {
        var answers = new MeterRun(Answers);

        Assert.Equal([(Boundary, "1")], answers.Add(new("a", Boundary)));
        Assert.Equal([(Boundary, "0")], answers.Add(new("b", Boundary.AddDays(3).AddTicks(-1))));
        Assert.Equal([(Boundary, "1")], answers.Add(new("c", Boundary.AddDays(3))));
    }

    [Fact]
    public void ALateFirstEvent_LaysAllSpansBehindItAnew()
    {
        var answers = new MeterRun(Answers);
        foreach (var day in new[] { 0, 2, 3, 5, 6, 8 }) answers.Add(new($"{day}", Boundary.AddDays(day)));
        Assert.Equal("3", answers.Usage(Boundary));

        // Spans began on days 0, 3 and 6. From an event a day before the boundary they begin on days -1, 2, 5 and 8.
        Assert.Equal([(Anchor, "1")], answers.Add(new("late", Boundary.AddDays(-1))));
        Assert.Equal(("1", "3"), (answers.Usage(Anchor), answers.Usage(Boundary)));
    }

    // Goal: usage is a function of the set of events. Method: two keys, many ties and exact ends, several orders, the spans laid by walking.
    [Fact]
    public void AnyOrder_GivesTheSpansOfTheSortedEvents() =>
        Prop.ForAll(Generated.Numbers(4000), Generated.Number(1000), (numbers, shuffle) =>
        {
            var events = numbers.Select((n, i) => new Sent($"{n / 80 % 5}-{i}", Boundary.AddHours(12 * ((n / 2 % 40) - 20)), n % 2)).ToArray();
            var expected = (Naive(events, Anchor, Boundary), Naive(events, Boundary, DateTimeOffset.MaxValue));
            foreach (var order in new[] { events, [.. events.Reverse()], Generated.Shuffled(events, shuffle) })
            {
                var answers = new MeterRun(Answers);
                foreach (var sent in order) answers.Add(sent);
                Assert.Equal(expected, (answers.Usage(Anchor), answers.Usage(Boundary)));
                Assert.Equal(answers.Canonical(), answers.CanonicalReadAgain());
            }
        }).Holds(300);

    private static string Naive(Sent[] events, DateTimeOffset from, DateTimeOffset to)
    {
        var count = 0;
        foreach (var key in events.GroupBy(e => e.Key))
        {
            var end = DateTimeOffset.MinValue;
            foreach (var time in key.Select(e => e.Time).Order())
            {
                if (time < end) continue;
                end = time + Length;
                if (time >= from && time < to) count++;
            }
        }

        return $"{count}";
    }
}
