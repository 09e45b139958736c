using Billing.Metering;
using Billing.Usage;
using static Billing.Tests.Metering.MeterRun;

namespace Billing.Tests.Metering;

public sealed class PeriodTallyTests
{
    private static readonly CountOnce OncePerPeriod = new(new(["id"]), new CountOnceWindow.Period());
    private static readonly Meter Answers = new("answers", "desk", "answered", [], Aggregate.Count, null, OncePerPeriod, null);

    [Fact]
    public void TheFirstOfAPeriod_Counts_AndCountsAgainInTheNext()
    {
        var answers = new MeterRun(Answers);

        Assert.Equal([(Anchor, "1")], answers.Add(new("a", Boundary.AddTicks(-1))));
        Assert.Equal([(Boundary, "1")], answers.Add(new("b", Boundary)));
        Assert.Equal([(Boundary, "0")], answers.Add(new("c", Boundary.AddDays(1))));
        Assert.Equal([(Boundary, "1")], answers.Add(new("d", Boundary.AddDays(1), Key: 2)));

        Assert.Equal(("1", "2"), (answers.Usage(Anchor), answers.Usage(Boundary)));
        Assert.Equal(EventStanding.Covered, answers.ShareOf(new("c", Boundary.AddDays(1)), Boundary).Standing);
    }

    [Fact]
    public void ASumOnce_TakesTheValueOfTheFirst_AlsoWhenTheFirstComesLate()
    {
        var minutes = new MeterRun(new("minutes", "desk", "answered", [], Aggregate.Sum, new(["v"]), OncePerPeriod, null));
        minutes.Add(new("b", Boundary.AddDays(2), Value: 7));

        Assert.Equal([(Boundary, "-4")], minutes.Add(new("a", Boundary.AddDays(1), Value: 3)));
        Assert.Equal([(Boundary, "0")], minutes.Add(new("c", Boundary.AddDays(3), Value: 100)));

        Assert.Equal("3", minutes.Usage(Boundary));
        Assert.Equal([(Boundary, "-4")], minutes.FirstAdded(new("a", Boundary.AddDays(1), Value: 3)));
        Assert.Equal([(Boundary, "7")], minutes.FirstAdded(new("b", Boundary.AddDays(2), Value: 7)));
    }

    [Fact]
    public void Unique_CountsDifferentValuesPerPeriod()
    {
        var tickets = new MeterRun(new("tickets", "sms", "sent", [], Aggregate.Unique, new(["v"]), null, null));
        foreach (var (id, key) in new[] { ("a", 1), ("b", 1), ("c", 2), ("d", 1) }) tickets.Add(new(id, Boundary.AddHours(id[0]), key));
        tickets.Add(new("e", Boundary.AddDays(-1), 1));

        Assert.Equal(("1", "2"), (tickets.Usage(Anchor), tickets.Usage(Boundary)));
    }

    // An event can come as late as the window is long, and its period began up to a month before.
    [Fact]
    public void AKeyCountedEarlyInAPeriod_IsNotForgottenWhileEventsOfThePeriodCanCome()
    {
        var answers = new MeterRun(Answers);
        answers.Add(new("a", Boundary));
        answers.Meter.Forget(Boundary.AddDays(30).UtcTicks);

        Assert.Equal([(Boundary, "0")], answers.Add(new("b", Boundary.AddDays(30))));

        answers.Meter.Forget(Boundary.AddDays(80).UtcTicks);
        Assert.Equal(0, answers.Meter.HeldEvents);
    }
}
