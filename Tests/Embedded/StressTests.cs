using System.Collections.Concurrent;
using Orleans;
using Orleans.Runtime;

namespace Billing.Tests.Embedded;

// Goal: one activation per grain and one turn at a time hold whatever happens around them.
// Method: many callers on few grains, calls that await, throw and end the activation; the grains watch themselves.
public sealed class StressTests
{
    [Fact]
    public async Task ManyCallersAndDeactivations_NeverOverlap_AndEachCallEnds()
    {
        await using var host = await EmbeddedHost.Start();
        var answered = 0;
        var givenBack = 0;

        await Task.WhenAll(Enumerable.Range(0, 8).Select(caller => Task.Run(async () =>
        {
            for (var i = 0; i < 2_000; i++)
            {
                var grain = host.Grains.GetGrain<IWatchedGrain>($"{(caller + i) % 4}");
                try
                {
                    await grain.Work((caller * 31) + i);
                    Interlocked.Increment(ref answered);
                }
                catch (Exception exception) when (exception is FormatException or OrleansMessageRejectionException)
                {
                    Interlocked.Increment(ref givenBack);
                }
            }
        })));

        Assert.Equal(16_000, answered + givenBack);
        Assert.True(answered > 8_000, $"Only {answered} calls were answered.");
        Assert.Empty(WatchedGrain.Faults);
    }
}

public interface IWatchedGrain : IGrainWithStringKey
{
    Task Work(int number);
}

public sealed class WatchedGrain : Grain, IWatchedGrain
{
    private static readonly ConcurrentDictionary<string, WatchedGrain> Active = new();

    private int _turns;
    private int _requests;

    public static ConcurrentQueue<string> Faults { get; } = [];

    public override async Task OnActivateAsync(CancellationToken cancellationToken)
    {
        if (!Active.TryAdd(IdentityString, this)) Faults.Enqueue($"{IdentityString} is active twice");
        await Task.Yield();
    }

    public override async Task OnDeactivateAsync(DeactivationReason reason, CancellationToken cancellationToken)
    {
        await Task.Yield();
        if (!Active.TryRemove(new(IdentityString, this))) Faults.Enqueue($"{IdentityString} ended twice");
    }

    public async Task Work(int number)
    {
        if (Interlocked.Increment(ref _requests) != 1) Faults.Enqueue($"Two requests of {IdentityString} at once");
        await Task.WhenAll(Turn(), Turn());
        Interlocked.Decrement(ref _requests);
        if (number % 17 == 0) DeactivateOnIdle();
        if (number % 13 == 0) throw new FormatException("Thirteen.");
    }

    private async Task Turn()
    {
        for (var i = 0; i < 3; i++)
        {
            if (Interlocked.Increment(ref _turns) != 1) Faults.Enqueue($"Two turns of {IdentityString} at once");
            Thread.SpinWait(20);
            Interlocked.Decrement(ref _turns);
            await Task.Yield();
        }
    }
}
