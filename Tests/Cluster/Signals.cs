using System.Collections.Concurrent;

namespace Billing.Tests.Cluster;

/// <summary>What tests and the grains of the same process tell each other: events that happened, and a log of steps.</summary>
public sealed class Signals
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private readonly ConcurrentDictionary<string, TaskCompletionSource> _events = new();
    private readonly ConcurrentDictionary<string, ConcurrentQueue<string>> _logs = new();

    /// <summary>Says that something happened, for good.</summary>
    public void Raise(string name) => Event(name).TrySetResult();

    /// <summary>Completes when it has happened. Fails rather than wait for ever.</summary>
    public Task Raised(string name) => Event(name).Task.WaitAsync(Patience);

    /// <summary>Adds a step to the log of one grain.</summary>
    public void Log(string grain, string step) => _logs.GetOrAdd(grain, _ => new()).Enqueue(step);

    /// <summary>The steps of one grain so far.</summary>
    public string[] LogOf(string grain) => _logs.TryGetValue(grain, out var log) ? [.. log] : [];

    private TaskCompletionSource Event(string name) =>
        _events.GetOrAdd(name, _ => new(TaskCreationOptions.RunContinuationsAsynchronously));
}
