using System.Globalization;
using Xunit.Abstractions;

namespace Billing.Tests.Simulation;

/// <summary>The platform on one thread, under faults that a seed decides.</summary>
public sealed class SimulationTests(ITestOutputHelper output)
{
    private const int Seeds = 200;
    private const int SeedsLong = 10_000;

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
}
