using Orleans;

namespace Billing.Tests.Embedded;

public sealed class TimeoutTests
{
    [Fact]
    public async Task GrainThatWaitsForItself_IsToldByATimeout()
    {
        await using var host = await EmbeddedHost.Start();
        var grain = host.Grains.GetGrain<IDeadlockGrain>("self");
        var call = grain.CallMyself();
        await host.Signals.Raised("deadlock");

        host.Time.Advance(TimeSpan.FromSeconds(29));
        Assert.False(call.IsCompleted);
        host.Time.Advance(TimeSpan.FromSeconds(5));

        var timeout = await Assert.ThrowsAsync<TimeoutException>(() => call);
        Assert.Contains("deadlock/self gave no answer in 00:00:30", timeout.Message, StringComparison.Ordinal);

        // The call to itself may have been sent a moment later; its end frees the grain.
        host.Time.Advance(TimeSpan.FromSeconds(35));
    }

    [Fact]
    public async Task MethodWithItsOwnTimeout_WaitsThatLong()
    {
        await using var host = await EmbeddedHost.Start();
        var call = host.Grains.GetGrain<IDeadlockGrain>("own").Slow();
        await host.Signals.Raised("slow");

        host.Time.Advance(TimeSpan.FromSeconds(8));

        await Assert.ThrowsAsync<TimeoutException>(() => call);
        host.Signals.Raise("slow-go");
    }

    [Fact]
    public async Task CallThatTimedOutInTheQueue_DoesNotRunLater()
    {
        await using var host = await EmbeddedHost.Start();
        var grain = host.Grains.GetGrain<IDeadlockGrain>("queue");
        var first = grain.HoldFirst();
        await host.Signals.Raised("first");
        var second = grain.Count();
        host.Time.Advance(TimeSpan.FromSeconds(35));
        await Assert.ThrowsAsync<TimeoutException>(() => second);
        await Assert.ThrowsAsync<TimeoutException>(() => first);

        host.Signals.Raise("first-go");

        Assert.Equal(1, await grain.Count());
    }
}

public interface IDeadlockGrain : IGrainWithStringKey
{
    Task CallMyself();

    [ResponseTimeout("00:00:05")]
    Task Slow();

    Task HoldFirst();

    Task<int> Count();
}

public sealed class DeadlockGrain(Cluster.Signals signals) : Grain, IDeadlockGrain
{
    private int _count;

    public Task CallMyself()
    {
        signals.Raise("deadlock");
        return this.AsReference<IDeadlockGrain>().Count();
    }

    public async Task Slow()
    {
        signals.Raise("slow");
        await signals.Raised("slow-go");
    }

    public async Task HoldFirst()
    {
        signals.Raise("first");
        await signals.Raised("first-go");
    }

    public Task<int> Count() => Task.FromResult(++_count);
}
