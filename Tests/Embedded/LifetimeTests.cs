using Billing.Tests.Cluster;
using Orleans;
using Orleans.Configuration;
using Orleans.Hosting;
using Orleans.Runtime;

namespace Billing.Tests.Embedded;

public sealed class LifetimeTests
{
    private static readonly TimeSpan Round = TimeSpan.FromMinutes(1);

    [Fact]
    public async Task UnusedForItsCollectionAge_IsDeactivated()
    {
        await using var host = await EmbeddedHost.Start(silo => silo.Configure<GrainCollectionOptions>(options => options.CollectionAge = 3 * Round));
        var grain = host.Grains.GetGrain<ILifetimeGrain>("idle");
        await grain.Touch();

        host.Time.Advance(5 * Round);

        await host.Signals.Raised("idle ActivationIdle");
    }

    [Fact]
    public async Task UsedAgainAndAgain_Stays()
    {
        await using var host = await EmbeddedHost.Start(silo => silo.Configure<GrainCollectionOptions>(options => options.CollectionAge = 3 * Round));
        var grain = host.Grains.GetGrain<ILifetimeGrain>("used");
        for (var i = 1; i <= 10; i++)
        {
            Assert.Equal(i, await grain.Touch());
            host.Time.Advance(2 * Round);
        }
    }

    [Fact]
    public async Task DelayedDeactivation_KeepsTheActivation_UntilItIsOver()
    {
        await using var host = await EmbeddedHost.Start(silo => silo.Configure<GrainCollectionOptions>(options => options.CollectionAge = Round));
        var grain = host.Grains.GetGrain<ILifetimeGrain>("delayed");
        await grain.Delay(TimeSpan.FromHours(1));

        host.Time.Advance(TimeSpan.FromMinutes(50));
        Assert.Equal(1, await grain.Touch());

        host.Time.Advance(TimeSpan.FromMinutes(20));
        await host.Signals.Raised("delayed ActivationIdle");
    }

    [Fact]
    public async Task ClassWithItsOwnAge_IsKeptThatLong()
    {
        await using var host = await EmbeddedHost.Start(silo => silo.Configure<GrainCollectionOptions>(options => options.CollectionAge = Round));
        var patient = host.Grains.GetGrain<IPatientGrain>("patient");
        await patient.Touch();

        host.Time.Advance(TimeSpan.FromMinutes(110));
        Assert.Equal(2, await patient.Touch());

        host.Time.Advance(TimeSpan.FromMinutes(130));
        Assert.Equal(1, await patient.Touch());
    }

    [Fact]
    public async Task TimerThatKeepsAlive_CountsAsUse()
    {
        await using var host = await EmbeddedHost.Start(silo => silo.Configure<GrainCollectionOptions>(options => options.CollectionAge = 3 * Round));
        var grain = host.Grains.GetGrain<ILifetimeGrain>("timer");
        await grain.Touch();
        await grain.Tick(keepAlive: true);

        for (var i = 1; i <= 10; i++)
        {
            host.Time.Advance(Round);
            await host.Signals.Raised($"tick {i}");

            // The round of the collection, and the next tick, which is set just after the callback has ended.
            Assert.True(SpinWait.SpinUntil(() => host.Time.ArmedTimers == 2, TimeSpan.FromSeconds(20)));
        }

        Assert.Equal(2, await grain.Touch());
    }

    [Fact]
    public async Task OtherTimer_KeepsNothingAlive()
    {
        await using var host = await EmbeddedHost.Start(silo => silo.Configure<GrainCollectionOptions>(options => options.CollectionAge = 3 * Round));
        await host.Grains.GetGrain<ILifetimeGrain>("timer").Tick(keepAlive: false);
        var gone = host.Signals.Raised("timer ActivationIdle");

        while (!gone.IsCompleted)
        {
            host.Time.Advance(Round);
            await Task.Yield();
        }

        await gone;
    }

    [Fact]
    public async Task CallThatMetThreeEndingActivations_IsGivenBack()
    {
        await using var host = await EmbeddedHost.Start();
        var probe = host.Grains.GetGrain<IProbeGrain>("all leave");
        var first = probe.Hold("0");
        await host.Signals.Raised("0-in");
        var calls = Enumerable.Range(1, 4).Select(i => probe.HoldAndDeactivate($"{i}")).ToArray();

        for (var i = 0; i <= 4; i++) host.Signals.Raise($"{i}-go");

        await Task.WhenAll([first, .. calls[..3]]);
        await Assert.ThrowsAsync<OrleansMessageRejectionException>(() => calls[3]);
        Assert.DoesNotContain("4 in", host.Signals.LogOf("all leave"));
    }

    [Fact]
    public async Task WriterHeldBackByReaders_RunsWhenTheFirstHasEnded()
    {
        await using var host = await EmbeddedHost.Start();
        var probe = host.Grains.GetGrain<IProbeGrain>("readers");
        var readers = new[] { probe.HoldReading("first"), probe.HoldReading("second") };
        await host.Signals.Raised("second-in");
        var writer = probe.Hold("writer");

        host.Signals.Raise("writer-go");
        host.Signals.Raise("first-go");
        await writer;
        host.Signals.Raise("second-go");
        await Task.WhenAll(readers);

        Assert.Equal(
            ["activate", "first in", "second in", "first out", "writer in", "writer out", "second out"], host.Signals.LogOf("readers"));
    }

    [Fact]
    public async Task StoppingHost_DeactivatesAllGrains_AndTakesNoMoreCalls()
    {
        await using var host = await EmbeddedHost.Start();
        var first = host.Grains.GetGrain<ILifetimeGrain>("stop-1");
        await Task.WhenAll(first.Touch(), host.Grains.GetGrain<ILifetimeGrain>("stop-2").Touch());

        await host.Stop();

        await host.Signals.Raised("stop-1 ShuttingDown");
        await host.Signals.Raised("stop-2 ShuttingDown");
        await Assert.ThrowsAsync<SiloUnavailableException>(first.Touch);
    }

    [Fact]
    public async Task StoppingHost_LetsRunningRequestsEnd()
    {
        await using var host = await EmbeddedHost.Start();
        var held = host.Grains.GetGrain<IProbeGrain>("busy").Hold("busy");
        await host.Signals.Raised("busy-in");

        var stop = host.Stop();
        Assert.False(stop.IsCompleted);
        host.Signals.Raise("busy-go");

        await held;
        await stop;
        Assert.Equal(["activate", "busy in", "busy out", "deactivate ShuttingDown", "dispose"], host.Signals.LogOf("busy"));
    }

    [Fact]
    public async Task StartupTasks_RunInOrderOfStage_AndMayCallGrains()
    {
        var steps = new List<string>();
        await using var host = await EmbeddedHost.Start(silo => silo
            .AddStartupTask((_, _) =>
            {
                steps.Add("late");
                return Task.CompletedTask;
            })
            .AddStartupTask(
                async (services, _) =>
                {
                    var grains = (IGrainFactory)services.GetService(typeof(IGrainFactory))!;
                    steps.Add($"early {await grains.GetGrain<ILifetimeGrain>("startup").Touch()}");
                },
                stage: 1));

        Assert.Equal(["early 1", "late"], steps);
    }
}

public interface ILifetimeGrain : IGrainWithStringKey
{
    Task<int> Touch();

    Task Delay(TimeSpan time);

    Task Tick(bool keepAlive);
}

public interface IPatientGrain : IGrainWithStringKey
{
    Task<int> Touch();
}

public sealed class LifetimeGrain(Signals signals) : Grain, ILifetimeGrain
{
    private int _touched;

    public Task<int> Touch() => Task.FromResult(++_touched);

    public Task Delay(TimeSpan time)
    {
        DelayDeactivation(time);
        return Task.CompletedTask;
    }

    public Task Tick(bool keepAlive)
    {
        var ticks = 0;
        this.RegisterGrainTimer(
            () =>
            {
                signals.Raise($"tick {++ticks}");
                return Task.CompletedTask;
            },
            new GrainTimerCreationOptions(TimeSpan.FromMinutes(1), TimeSpan.FromMinutes(1)) { KeepAlive = keepAlive });
        return Task.CompletedTask;
    }

    public override Task OnDeactivateAsync(DeactivationReason reason, CancellationToken cancellationToken)
    {
        signals.Raise($"{this.GetPrimaryKeyString()} {reason.ReasonCode}");
        return Task.CompletedTask;
    }
}

[CollectionAgeLimit(Hours = 2)]
public sealed class PatientGrain : Grain, IPatientGrain
{
    private int _touched;

    public Task<int> Touch() => Task.FromResult(++_touched);
}
