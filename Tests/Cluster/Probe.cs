using Orleans;
using Orleans.Concurrency;
using Orleans.Runtime;

namespace Billing.Tests.Cluster;

/// <summary>A message of the conformance cases.</summary>
[GenerateSerializer, Immutable, Alias("test.note")]
public sealed record Note([property: Id(0)] string Text, [property: Id(1)] long Number);

/// <summary>What the probe's activation has seen of itself.</summary>
[GenerateSerializer, Immutable, Alias("test.identity")]
public sealed record ProbeIdentity([property: Id(0)] string Key, [property: Id(1)] Guid Activation, [property: Id(2)] string Id);

/// <summary>A grain with one method for each thing to find out.</summary>
[Alias("test.probe")]
public interface IProbeGrain : IGrainWithStringKey
{
    [Alias("who")]
    Task<ProbeIdentity> Who();

    [Alias("echo")]
    ValueTask<Note?> Echo(Note? note);

    /// <summary>Logs, says <c>{name}-in</c>, waits for <c>{name}-go</c>, logs.</summary>
    [Alias("hold")]
    Task Hold(string name);

    [Alias("hold-and-leave")]
    Task HoldAndDeactivate(string name);

    [Alias("peek"), AlwaysInterleave]
    Task<int> CountStarted();

    [Alias("read"), ReadOnly]
    Task HoldReading(string name);

    [Alias("step")]
    Task Step(string name);

    [Alias("one-way"), OneWay]
    Task Forget(string name);

    [Alias("throw")]
    Task Throw(string message);

    [Alias("throw-later")]
    ValueTask ThrowLater(string message);

    [Alias("schedulers")]
    Task<bool> KeepsItsScheduler();

    [Alias("context")]
    Task<string?> ReadContext(string key);

    [Alias("set-context")]
    Task<string?> SetContext(string key, string value);

    [Alias("forward")]
    Task<string?> ReadContextOf(IProbeGrain other, string key);

    [Alias("call")]
    Task<Note?> EchoBy(string otherKey, Note note);

    [Alias("self")]
    Task<IProbeGrain> Self();

    [Alias("wait")]
    Task WaitForCancellation(string name, CancellationToken cancellation);

    [Alias("timer")]
    Task StartTimer(string name, bool interleave);

    [Alias("filtered")]
    Task<string> Filtered(string how);

    [Alias("filtered-by")]
    Task<string> FilteredBy(string otherKey);
}

public sealed class ProbeGrain(Signals signals) : Grain, IProbeGrain, IDisposable
{
    private readonly Guid _activation = Guid.NewGuid();
    private int _started;

    private string Key => this.GetPrimaryKeyString();

    public override Task OnActivateAsync(CancellationToken cancellationToken)
    {
        signals.Log(Key, "activate");
        if (Key.StartsWith("fails-once", StringComparison.Ordinal) && signals.LogOf(Key) is ["activate"])
        {
            throw new InvalidOperationException("Not this time.");
        }

        return Task.CompletedTask;
    }

    public override async Task OnDeactivateAsync(DeactivationReason reason, CancellationToken cancellationToken)
    {
        await Task.Yield();
        signals.Log(Key, $"deactivate {reason.ReasonCode}");
    }

    public void Dispose()
    {
        signals.Log(Key, "dispose");
        signals.Raise(Key + "-gone");
    }

    public Task<ProbeIdentity> Who() => Task.FromResult(new ProbeIdentity(Key, _activation, IdentityString));

    public ValueTask<Note?> Echo(Note? note) => ValueTask.FromResult(note);

    public async Task Hold(string name)
    {
        _started++;
        signals.Log(Key, name + " in");
        signals.Raise(name + "-in");
        await signals.Raised(name + "-go");
        await Task.Yield();
        signals.Log(Key, name + " out");
    }

    public Task HoldAndDeactivate(string name)
    {
        DeactivateOnIdle();
        return Hold(name);
    }

    public Task<int> CountStarted() => Task.FromResult(_started);

    public Task HoldReading(string name) => Hold(name);

    public Task Step(string name)
    {
        signals.Log(Key, name);
        return Task.CompletedTask;
    }

    public async Task Forget(string name)
    {
        await Step(name);
        signals.Raise(name);
        throw new InvalidOperationException("Nobody hears this.");
    }

    public Task Throw(string message) => throw new InvalidOperationException(message);

    public async ValueTask ThrowLater(string message)
    {
        await Task.Yield();
        throw new InvalidOperationException(message);
    }

    public async Task<bool> KeepsItsScheduler()
    {
        var before = TaskScheduler.Current;
        await Task.Yield();
        return before != TaskScheduler.Default && before == TaskScheduler.Current;
    }

    public Task<string?> ReadContext(string key) => Task.FromResult((string?)RequestContext.Get(key));

    public Task<string?> SetContext(string key, string value)
    {
        RequestContext.Set(key, value);
        return ReadContext(key);
    }

    public Task<string?> ReadContextOf(IProbeGrain other, string key) => other.ReadContext(key);

    public async Task<Note?> EchoBy(string otherKey, Note note) => await GrainFactory.GetGrain<IProbeGrain>(otherKey).Echo(note);

    public Task<IProbeGrain> Self() => Task.FromResult(this.AsReference<IProbeGrain>());

    public async Task WaitForCancellation(string name, CancellationToken cancellation)
    {
        using var _ = cancellation.Register(() => signals.Raise(name + "-cancelled"));
        signals.Raise(name + "-in");
        await signals.Raised(name + "-cancelled");
    }

    public Task StartTimer(string name, bool interleave)
    {
        var ticks = 0;
        this.RegisterGrainTimer(
            async cancellation =>
            {
                var tick = $"{name}-{++ticks}";
                signals.Log(Key, tick + " in");
                await Task.Yield();
                signals.Log(Key, tick + " out");
                signals.Raise(tick);
            },
            new GrainTimerCreationOptions(TimeSpan.FromMilliseconds(5), TimeSpan.FromMilliseconds(5)) { Interleave = interleave });
        return Task.CompletedTask;
    }

    public Task<string> Filtered(string how) => Task.FromResult("from the grain");

    public Task<string> FilteredBy(string otherKey) => GrainFactory.GetGrain<IProbeGrain>(otherKey).Filtered("x");
}

/// <summary>A filter that acts on one method of the probe only.</summary>
public sealed class ProbeFilter(Signals signals) : IIncomingGrainCallFilter
{
    public async Task Invoke(IIncomingGrainCallContext context)
    {
        if (context.MethodName != nameof(IProbeGrain.Filtered))
        {
            await context.Invoke();
            return;
        }

        var key = context.TargetId.Key.ToString()!;
        signals.Log(key, $"{context.InterfaceMethod.DeclaringType!.Name}.{context.MethodName} from {context.SourceId}");
        signals.Log(key, $"{context.ImplementationMethod.DeclaringType!.Name} {ReferenceEquals(context.Grain, context.TargetContext.GrainInstance)}");
        switch (key.Split(' ')[0])
        {
            case "answers":
                context.Result = "from the filter";
                break;
            case "refuses":
                throw new UnauthorizedAccessException("Not you.");
            case "changes":
                await context.Invoke();
                context.Result = context.Result + ", changed";
                break;
        }
    }
}
