using Orleans;
using Orleans.Concurrency;
using Orleans.Runtime;

namespace Billing.Tests.Cluster;

[GenerateSerializer, Immutable, Alias("test.count")]
public sealed record Count([property: Id(0)] int Value)
{
    public Count()
        : this(0)
    {
    }
}

/// <summary>A grain with a stored record.</summary>
[Alias("test.counter")]
public interface ICounterGrain : IGrainWithStringKey
{
    [Alias("add")]
    Task<int> Add(int value);

    [Alias("read")]
    Task<int> Read();

    [Alias("clear")]
    Task Clear();

    [Alias("leave")]
    Task Deactivate();

    [Alias("exists")]
    Task<bool> Exists();
}

public sealed class CounterGrain([PersistentState("count", "memory")] IPersistentState<Count> count) : Grain, ICounterGrain
{
    public async Task<int> Add(int value)
    {
        count.State = new(count.State.Value + value);
        await count.WriteStateAsync();
        return count.State.Value;
    }

    public Task<int> Read() => Task.FromResult(count.State.Value);

    public Task Clear() => count.ClearStateAsync();

    public Task Deactivate()
    {
        DeactivateOnIdle();
        return Task.CompletedTask;
    }

    public Task<bool> Exists() => Task.FromResult(count.RecordExists && count.Etag is not null);
}

/// <summary>A grain whose requests all interleave.</summary>
[Alias("test.reentrant")]
public interface IReentrantGrain : IGrainWithStringKey
{
    [Alias("hold")]
    Task Hold(string name);

    [Alias("release")]
    Task Release(string name);
}

[Reentrant]
public sealed class ReentrantGrain(Signals signals) : Grain, IReentrantGrain
{
    public async Task Hold(string name)
    {
        signals.Raise(name + "-in");
        await signals.Raised(name + "-go");
    }

    public Task Release(string name)
    {
        signals.Raise(name + "-go");
        return Task.CompletedTask;
    }
}
