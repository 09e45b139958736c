using Billing.Deduplication;
using Billing.Journal;
using Billing.Silo.Storage;

namespace Billing.Tests.Simulation;

/// <summary>
/// The way from a silo to the store and back: requests and answers take their time, and when the store dies on the way, nobody knows
/// whether the request was carried out.
/// </summary>
internal sealed class StoreConnection(World world, Process silo, StoreHost host, PlantedFault fault) : IJournal, ISettings, IDueTimes, IRetention
{
    private readonly Dictionary<string, long> _kept = new(StringComparer.Ordinal);
    private readonly HashSet<string> _ahead = new(StringComparer.Ordinal);

    public SipKey HashKey => host.HashKey;

    public async Task<Appended> Append(JournalEntry entry)
    {
        var copy = entry with { Facts = entry.Facts.ToArray(), Bodies = entry.Bodies.ToArray() };
        if (_ahead.Contains(entry.Account)) return Appended.Fenced;
        if (fault == PlantedFault.SentBeforeDurable && copy.Facts.Span.IndexOf("stripe_call_sent"u8) >= 0) return await AppendedOrNot(copy);
        if (fault != PlantedFault.StateKeptAfterFailedAppend) return await Ask(store => store.Append(copy));
        var skipped = _kept.GetValueOrDefault(entry.Account);
        try
        {
            if (await Ask(store => store.Append(copy with { Sequence = copy.Sequence - skipped })) == Appended.Yes) return Appended.Yes;
        }
        catch (IOException)
        {
            // The planted fault: what failed is taken for done.
        }

        _kept[entry.Account] = skipped + 1;
        return Appended.Yes;
    }

    // The planted fault: what failed is taken for done, and the account learns of it at its next append.
    private async Task<Appended> AppendedOrNot(JournalEntry entry)
    {
        try
        {
            if (await Ask(store => store.Append(entry)) == Appended.Yes) return Appended.Yes;
        }
        catch (IOException)
        {
            world.Trace.Count("append taken for done");
        }

        _ahead.Add(entry.Account);
        return Appended.Yes;
    }

    public Task<JournalTail> Read(string account, CancellationToken cancellation)
    {
        _kept.Remove(account);
        _ahead.Remove(account);
        return Ask(store => store.Read(account, cancellation));
    }

    public Task<JournalTail> ReadAll(string account, CancellationToken cancellation)
    {
        _ahead.Remove(account);
        return Ask(store => store.ReadAll(account, cancellation));
    }

    public Task<ReadOnlyMemory<byte>> ReadBodies(string account, long sequence, CancellationToken cancellation) =>
        Ask(store => store.ReadBodies(account, sequence, cancellation));

    public Task SaveSnapshot(JournalSnapshot snapshot)
    {
        var copy = snapshot with { State = snapshot.State.ToArray(), Sealed = [.. snapshot.Sealed.Select(s => s with { Ids = s.Ids.ToArray() })] };
        return Ask(store => Done(store.SaveSnapshot(copy)));
    }

    public Task<string?> Get(string name) => Ask(store => store.Get(name));

    public Task<bool> Replace(string name, string? before, string value) => Ask(store => store.Replace(name, before, value));

    public Task Set(string name, string value) => Ask(store => Done(store.Set(name, value)));

    public async ValueTask<DateTimeOffset?> Next(DateTimeOffset? after = null) => await Ask(store => store.Next(after).AsTask());

    public async ValueTask<IReadOnlyList<string>> DueAt(DateTimeOffset instant, int limit) => await Ask(store => store.DueAt(instant, limit).AsTask());

    public Task<Dropped> Drop(int forgetDay, DateTimeOffset bodiesBefore, CancellationToken cancellation) =>
        Ask(store => store.Drop(forgetDay, bodiesBefore, cancellation));

    private static async Task<bool> Done(Task task)
    {
        await task;
        return true;
    }

    private Task<T> Ask<T>(Func<SimulatedStore, Task<T>> request)
    {
        var answer = new TaskCompletionSource<T>();
        var process = host.Process;
        if (process is null)
        {
            world.After(silo, Latency(), () => answer.TrySetException(new IOException("The store does not answer.")));
            return answer.Task;
        }

        // A store that dies takes the requests to it along; the silo sees its connection break.
        host.Asked(silo, () => answer.TrySetException(new IOException("The connection to the store broke. It is unknown what is stored.")));
        world.After(process, Latency(), () => process.Begin(async () =>
        {
            try
            {
                var result = await request(host.Store!);
                world.After(silo, Latency(), () => answer.TrySetResult(result));
            }
            catch (Exception failed) when (failed is IOException or JournalDamagedException)
            {
                world.After(silo, Latency(), () => answer.TrySetException(failed));
            }
        }));
        return answer.Task;
    }

    private long Latency() => host.IsLocal ? 0 : world.Latency();
}

/// <summary>The disk, and the store that runs on it while it runs.</summary>
internal sealed class StoreHost(World world, SimulatedDisk disk, SipKey hashKey, PlantedFault fault)
{
    private readonly List<(Process Silo, Action Break)> _asked = [];

    public SipKey HashKey => hashKey;

    public SimulatedDisk Disk => disk;

    /// <summary>Whether it lives in the process of the one silo, as the embedded store does.</summary>
    public bool IsLocal { get; init; }

    /// <summary>The process it runs in; null while it is down.</summary>
    public Process? Process { get; private set; }

    public SimulatedStore? Store { get; private set; }

    /// <summary>Called when the store can no longer say what is stored.</summary>
    public Action? Broke { get; set; }

    public void Open(Process process)
    {
        Store = new(world, process, disk, hashKey, fault);
        Store.Broken += () => Broke?.Invoke();
        Process = process;
    }

    /// <summary>The store dies, and its disk keeps what a crash leaves.</summary>
    public void Crash()
    {
        Process?.Kill();
        Process = null;
        Store = null;
        disk.Crash();
        world.Trace.Count("store crashed");
        foreach (var (silo, broken) in _asked) world.After(silo, world.Latency(), broken);
        _asked.Clear();
    }

    public void Asked(Process silo, Action broken)
    {
        if (_asked.Count > 1_000) _asked.RemoveRange(0, 500);
        _asked.Add((silo, broken));
    }
}
