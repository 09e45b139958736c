using System.Diagnostics;
using System.Globalization;
using Xunit.Abstractions;

namespace Billing.Tests.Simulation;

/// <summary>The platform on one thread, under faults that a seed decides.</summary>
public sealed class SimulationTests(ITestOutputHelper output)
{
    private const int Seeds = 200;
    private const int SeedsLong = 10_000;
    private const int SeedsPerFault = 1_000;
    private const int SeedsPerLine = 500;
    private const int ShownWithText = 20;
    private const int ShownCharacters = 2_000;

    /// <summary>What a fair number of seeds must have met, lest the invariants hold because nothing happened.</summary>
    private static readonly string[] MustHappen =
    [
        "account ended", "answered Accepted", "answered Conflict", "answered Duplicate", "answered Quarantined", "answered Rejected", "append fenced",
        "append undone", "billed Adjustment", "billed Base", "billed Proration", "billed Upgrade", "billed Usage", "charge Settled", "charge looked up", "charge tried more than once", "clock set ahead", "clock set back", "plan changed at once", "plan changed with a period",
        "plan downgraded", "plan opted in or out", "plan settled on another", "plan undone", "plan upgraded", "read from a snapshot",
        "read from a snapshot with segments", "segment dropped", "sent again", "silo crashed", "silo frozen", "store crashed", "sync failed", "torn end cut", "usage read", "webhook doubled", "webhook not taken", "webhook overtaken", "webhook taken",
    ];

    private static readonly string? Replayed = Environment.GetEnvironmentVariable("BILLING_SIM_SEED");

    // Goal: whatever fails, nothing acknowledged is lost, nothing is counted twice, and every period is billed once.
    [Fact]
    public void WhateverFails_TheInvariantsHold()
    {
        if (Replayed is not null)
        {
            output.WriteLine($"trace {SimulationRun.Of(int.Parse(Replayed, CultureInfo.InvariantCulture)).Hash:x16}");
            return;
        }

        var (from, to) = Range();
        var happened = new SortedDictionary<string, int>(StringComparer.Ordinal);
        var broken = new List<(int Seed, string Text)>();
        for (var seed = from; seed <= to; seed++)
        {
            try
            {
                foreach (var (what, times) in SimulationRun.Of(seed).Counts) happened[what] = happened.GetValueOrDefault(what) + times;
            }
            catch (SimulationException failure)
            {
                broken.Add((seed, failure.Message));
            }

            if ((seed - from + 1) % SeedsPerLine == 0) output.WriteLine($"{seed - from + 1} seeds, up to {seed}: {broken.Count} failed");
        }

        output.WriteLine(string.Join('\n', happened.Select(h => $"{h.Value,8} {h.Key}")));
        Assert.True(broken.Count == 0, TextOf(broken, to - from + 1));
        if (to - from + 1 >= Seeds) Assert.Empty(MustHappen.Except(happened.Where(h => h.Value > 0).Select(h => h.Key)));
    }

    // Goal: a failing seed can be run again. Method: one seed twice in this process and once in another; all that happened must be the same.
    [Theory]
    [InlineData(7)]
    [InlineData(12)]
    public void SeedRunAgain_AlsoInAnotherProcess_DoesTheSame(int seed)
    {
        var first = SimulationRun.Of(seed).Hash;

        Assert.Equal(first, SimulationRun.Of(seed).Hash);
        Assert.NotEqual(first, SimulationRun.Of(seed + 1).Hash);
        Assert.Contains($"trace {first:x16}", InAnotherProcess(seed), StringComparison.Ordinal);
    }

    // Goal: the invariants are sharp enough. Method: plant a fault that loses, doubles or forgets, and count the seeds until one is broken; without the fault that seed must run.
    [Theory]
    [InlineData(PlantedFault.AcknowledgedBeforeAppend)]
    [InlineData(PlantedFault.AnsweredBeforeDurable)]
    [InlineData(PlantedFault.AppendedWithoutFence)]
    [InlineData(PlantedFault.SnapshotSwappedBeforeSync)]
    [InlineData(PlantedFault.IdsForgottenEarly)]
    [InlineData(PlantedFault.FailedSyncRetried)]
    [InlineData(PlantedFault.DueTimeNotWritten)]
    [InlineData(PlantedFault.StateKeptAfterFailedAppend)]
    [InlineData(PlantedFault.LastCommitDropped)]
    [InlineData(PlantedFault.SentBeforeDurable)]
    [InlineData(PlantedFault.NewKeyAfterUnknown)]
    [InlineData(PlantedFault.KeyPrunedAndReused)]
    [InlineData(PlantedFault.LinesAddedTwice)]
    [InlineData(PlantedFault.UnknownTakenAsDone)]
    [InlineData(PlantedFault.UnknownTakenAsNotDone)]
    [InlineData(PlantedFault.DeclinedTakenAsDone)]
    [InlineData(PlantedFault.NotDoneSaidOfDone)]
    [InlineData(PlantedFault.CarriedOutTwice)]
    [InlineData(PlantedFault.LineAmountChanged)]
    [InlineData(PlantedFault.AnswerOfAnotherGiven)]
    [InlineData(PlantedFault.WebhookTrusted)]
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
                SimulationRun.Of(seed);
                if (fault >= PlantedFault.SentBeforeDurable) Assert.True(found.Message.StartsWith($"Seed {seed}: I3: ", StringComparison.Ordinal) || found.Message.StartsWith($"Seed {seed}: I8: ", StringComparison.Ordinal), found.Message);
                output.WriteLine($"{fault} was found after {seed} seeds: {found.Message.Split('\n')[0]}");
                return;
            }
        }

        Assert.Fail($"{fault} was not found in {SeedsPerFault} seeds.");
    }

    [Fact]
    public void WorkFromAnotherThread_EndsTheRunAndNamesThePlace()
    {
        var world = new World(1, DateTimeOffset.UnixEpoch);
        var process = world.Start("silo");

        var foreign = new Thread(() => Record.Exception(() => process.Run(() => { })));
        foreign.Start();
        foreign.Join();

        var leak = Assert.Throws<SimulationException>(() => world.Step());
        Assert.Contains("another thread", leak.Message, StringComparison.Ordinal);
        Assert.Contains(nameof(WorkFromAnotherThread_EndsTheRunAndNamesThePlace), leak.Message, StringComparison.Ordinal);
    }

    /// <summary>The seeds to run, both ends included.</summary>
    private static (int From, int To) Range()
    {
        if (Environment.GetEnvironmentVariable("BILLING_TEST_SEEDS") is not { Length: > 0 } chosen) return (1, Generated.LongRun ? SeedsLong : Seeds);
        var ends = chosen.Split('-');
        if (ends.Length == 2 && int.TryParse(ends[0], NumberStyles.None, CultureInfo.InvariantCulture, out var from)
            && int.TryParse(ends[1], NumberStyles.None, CultureInfo.InvariantCulture, out var to) && from <= to && to < int.MaxValue)
            return (from, to);
        throw new FormatException($"BILLING_TEST_SEEDS is {chosen}. It must be the first and the last seed, such as 201-500.");
    }

    // Each failing seed by its number; what broke for the first ones, and where for the very first.
    private static string TextOf(List<(int Seed, string Text)> broken, int run)
    {
        var texts = broken.Take(ShownWithText).Select((b, i) => i == 0 ? b.Text : Short(b.Text.Split("\nRun it again")[0]));
        return $"{broken.Count} of {run} seeds failed: {string.Join(", ", broken.Select(b => b.Seed))}\n{string.Join("\n\n", texts)}";

        static string Short(string text) => text.Length <= ShownCharacters ? text : $"{text[..ShownCharacters]}…";
    }

    private static string InAnotherProcess(int seed)
    {
        var start = new ProcessStartInfo(
            Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") ?? "dotnet",
            ["test", typeof(SimulationTests).Assembly.Location, "--filter", $"FullyQualifiedName~{nameof(SimulationTests)}.{nameof(WhateverFails_TheInvariantsHold)}", "--logger", "console;verbosity=detailed"])
        {
            UseShellExecute = false,
            RedirectStandardOutput = true,
        };
        start.Environment["BILLING_SIM_SEED"] = seed.ToString(CultureInfo.InvariantCulture);
        using var other = System.Diagnostics.Process.Start(start)!;
        var text = other.StandardOutput.ReadToEnd();
        other.WaitForExit();
        return text;
    }
}
