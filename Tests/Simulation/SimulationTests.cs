using System.Globalization;
using Xunit.Abstractions;

namespace Billing.Tests.Simulation;

/// <summary>The platform on one thread, under faults that a seed decides.</summary>
public sealed class SimulationTests(ITestOutputHelper output)
{
    private const int Seeds = 200;
    private const int SeedsLong = 10_000;
    private const int SeedsPerFault = 1_000;

    private static readonly string? Replayed = Environment.GetEnvironmentVariable("BILLING_SIM_SEED");

    // Goal: whatever fails, nothing acknowledged is lost, nothing is counted twice, and every period is billed once.
    [Fact]
    public void WhateverFails_TheInvariantsHold()
    {
        if (Replayed is not null)
        {
            var hash = SimulationRun.Of(int.Parse(Replayed, CultureInfo.InvariantCulture));
            output.WriteLine($"trace {hash:x16}");
            return;
        }

        for (var seed = 1; seed <= (Generated.LongRun ? SeedsLong : Seeds); seed++) SimulationRun.Of(seed);
    }

    // Goal: the invariants are sharp enough. Method: plant a fault that loses, doubles or forgets, and count the seeds until one is broken.
    [Theory]
    [InlineData(PlantedFault.AcknowledgedBeforeAppend)]
    [InlineData(PlantedFault.AnsweredBeforeDurable)]
    [InlineData(PlantedFault.AppendedWithoutFence)]
    [InlineData(PlantedFault.SnapshotSwappedBeforeSync)]
    [InlineData(PlantedFault.IdsForgottenEarly)]
    [InlineData(PlantedFault.FailedSyncRetried)]
    [InlineData(PlantedFault.DueTimeNotWritten)]
    [InlineData(PlantedFault.StateKeptAfterFailedAppend)]
    [InlineData(PlantedFault.TornTailTrusted)]
    [InlineData(PlantedFault.LastCommitDropped)]
    internal void PlantedFault_IsFound(PlantedFault fault)
    {
        for (var seed = 1; seed <= SeedsPerFault; seed++)
        {
            try
            {
                SimulationRun.Of(seed, fault);
            }
            catch (SimulationException found)
            {
                output.WriteLine($"{fault} was found after {seed} seeds: {found.Message.Split('\n')[0]}");
                return;
            }
        }

        Assert.Fail($"{fault} was not found in {SeedsPerFault} seeds.");
    }
}
