using Billing.Benchmarks.Charge;

namespace Billing.Tests.Simulation;

/// <summary>The comparison of <c>./bench charge</c>, in few schedules.</summary>
public sealed class ChargeSchedulesTests
{
    private const int Schedules = 20;

    // Goal: what is charged is what is owed, whatever fails, and the comparison is fair. Method: the benchmark's schedules; the others go wrong in some of
    // them, and in none when nothing fails.
    [Theory]
    [InlineData("orleans-billing")]
    [InlineData("claim-then-charge")]
    [InlineData("charge-then-save")]
    [InlineData("charge-then-save-one-key")]
    public void Schedules_ChargeWhatIsOwed_UnlessAnotherWorkerMeetsFaults(string name)
    {
        var target = ChargeTargets.Named(name);
        var schedules = Enumerable.Range(1, Schedules).Select(ChargeSchedule.Of).ToList();

        var outcomes = schedules.Select(s => target.Run(s, null)).ToList();
        var controls = schedules.Select(s => target.Run(s.WithoutFaults(), null)).ToList();

        Assert.Equal(target.IsOurs, outcomes.TrueForAll(o => o.IsRight));
        Assert.All(controls, c => Assert.True(c.IsRight, $"{c}"));
        Assert.All([outcomes.Sum(o => o.Crashes), outcomes.Sum(o => o.StripeFaults)], met => Assert.True(met > Schedules));
        Assert.Equal((0, 0), (controls.Sum(c => c.Crashes), controls.Sum(c => c.StripeFaults)));
    }

    [Fact]
    public void AScheduleRunAgain_EndsTheSame()
    {
        foreach (var target in ChargeTargets.All)
            Assert.Equal(Told(target), Told(target));

        static List<string> Told(ChargeTarget target)
        {
            var told = new List<string>();
            target.Run(ChargeSchedule.Of(6), told.Add);
            return told;
        }
    }
}
