using System.Collections.Concurrent;
using Billing.Accounts;
using Billing.Deduplication;
using Billing.Journal;
using Billing.Silo.Storage;
using Billing.Tests.Storage;

namespace Billing.Tests.Simulation;

/// <summary>
/// The journal on the simulated disk does what every journal must: the same cases, on a world that goes on by itself. Each time it is
/// closed, the power fails.
/// </summary>
public sealed class SimulatedJournalTests : JournalConformance
{
    private readonly RunningWorld _running = new();

    private protected override async Task<IJournal> Open() => await _running.Open();

    private protected override Task Delete()
    {
        _running.Dispose();
        return Task.CompletedTask;
    }

    /// <summary>A world on a thread of its own, which runs whatever is ready, and what other threads ask it to.</summary>
    private sealed class RunningWorld : IDisposable
    {
        private readonly BlockingCollection<Action<World>> _asked = [];
        private readonly Queue<Func<Task>> _requests = new();
        private readonly Thread _thread;
        private SimulatedDisk? _disk;
        private Process? _process;
        private SimulatedStore? _store;

        public RunningWorld()
        {
            _thread = new(Go);
            _thread.Start();
        }

        public async Task<JournalInWorld> Open()
        {
            await InWorld(world =>
            {
                _process = world.Start("store");
                _store = new(world, _process, _disk ??= new(world), new(1, 2));
                return Task.FromResult(true);
            });
            return new(this, _store!.HashKey);
        }

        public Task Crash() => InWorld(_ =>
        {
            _process!.Kill();
            _disk!.Crash();
            return Task.FromResult(true);
        });

        public Task<T> Ask<T>(Func<SimulatedStore, Task<T>> request) => InWorld(_ =>
        {
            // In the order in which they were asked, as one connection carries them.
            var answer = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
            _requests.Enqueue(async () => answer.SetResult(await request(_store!)));
            _process!.Begin(() => _requests.Dequeue()());
            return answer.Task;
        });

        public void Dispose()
        {
            _asked.CompleteAdding();
            _thread.Join();
            _asked.Dispose();
        }

        private Task<T> InWorld<T>(Func<World, Task<T>> request)
        {
            var answer = new TaskCompletionSource<Task<T>>(TaskCreationOptions.RunContinuationsAsynchronously);
            _asked.Add(world => answer.SetResult(request(world)));
            return answer.Task.Unwrap();
        }

        private void Go()
        {
            var world = new World(1, new(2026, 3, 10, 0, 0, 0, TimeSpan.Zero));
            while (!_asked.IsCompleted)
            {
                var idle = !world.HasWork && world.NextAlarm is null;
                if (_asked.TryTake(out var action, idle ? Timeout.Infinite : 0)) action(world);
                else world.Step();
            }
        }
    }

    private sealed class JournalInWorld(RunningWorld world, SipKey hashKey) : IJournal, IDueTimes, IAccountDirectory, IAsyncDisposable
    {
        public SipKey HashKey => hashKey;

        public async ValueTask DisposeAsync() => await world.Crash();

        public Task<Appended> Append(JournalEntry entry)
        {
            var copy = entry with { Facts = entry.Facts.ToArray(), Bodies = entry.Bodies.ToArray() };
            return world.Ask(store => store.Append(copy));
        }

        public Task<JournalTail> Read(string account, CancellationToken cancellation) => world.Ask(store => store.Read(account, cancellation));

        public Task<JournalTail> ReadAll(string account, CancellationToken cancellation) => world.Ask(store => store.ReadAll(account, cancellation));

        public Task<ReadOnlyMemory<byte>> ReadBodies(string account, long sequence, CancellationToken cancellation) =>
            world.Ask(store => store.ReadBodies(account, sequence, cancellation));

        public Task SaveSnapshot(JournalSnapshot snapshot) => world.Ask(async store =>
        {
            await store.SaveSnapshot(snapshot);
            return true;
        });

        public async ValueTask<DateTimeOffset?> Next(DateTimeOffset? after = null) => await world.Ask(store => store.Next(after).AsTask());

        public async ValueTask<IReadOnlyList<string>> DueAt(DateTimeOffset instant, int limit) =>
            await world.Ask(store => store.DueAt(instant, limit).AsTask());

        public Task<IReadOnlyList<ListedAccount>> List(AccountQuery query, string? after, int limit) =>
            world.Ask(store => store.List(query, after, limit));

        public Task MendSummary(string account, AccountSummary? summary) => throw new NotSupportedException("Rows for lists are not damaged here.");
    }
}
