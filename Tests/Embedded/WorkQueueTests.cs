using System.Collections.Concurrent;
using Microsoft.Extensions.DependencyInjection;
using Orleans.Embedded;

namespace Billing.Tests.Embedded;

public sealed class WorkQueueTests
{
    [Fact]
    public async Task OwnWorkQueue_RunsAllGrainCodeOnItsThread()
    {
        using var queue = new OneThread();
        await using var host = await EmbeddedHost.Start(silo => silo.Services.AddSingleton<WorkQueue>(queue));
        var calls = Enumerable.Range(0, 20)
            .Select(i => host.Grains.GetGrain<IThreadGrain>($"outer {i}").Threads(host.Grains.GetGrain<IThreadGrain>($"inner {i}")));

        var threads = await Task.WhenAll(calls);

        Assert.All(threads, thread => Assert.Equal(queue.ThreadId, thread));
    }

    private sealed class OneThread : WorkQueue, IDisposable
    {
        private readonly BlockingCollection<IThreadPoolWorkItem> _work = [];
        private readonly Thread _thread;

        public OneThread()
        {
            _thread = new(() =>
            {
                foreach (var work in _work.GetConsumingEnumerable()) work.Execute();
            });
            _thread.Start();
        }

        public int ThreadId => _thread.ManagedThreadId;

        public override void Enqueue(IThreadPoolWorkItem work, bool yielding) => _work.Add(work);

        public void Dispose() => _work.CompleteAdding();
    }
}

public interface IThreadGrain : Orleans.IGrainWithStringKey
{
    /// <summary>The one thread that all code of the call ran on, or -1.</summary>
    Task<int> Threads(IThreadGrain other);

    Task<int> Thread();
}

public sealed class ThreadGrain : Orleans.Grain, IThreadGrain
{
    public async Task<int> Threads(IThreadGrain other)
    {
        var before = Environment.CurrentManagedThreadId;
        await Task.Yield();
        var inside = await other.Thread();
        return before == inside && inside == Environment.CurrentManagedThreadId ? before : -1;
    }

    [System.Diagnostics.CodeAnalysis.SuppressMessage("Design", "CA1822", Justification = "Called through its interface.")]
    public Task<int> Thread() => Task.FromResult(Environment.CurrentManagedThreadId);
}
